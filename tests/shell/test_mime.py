"""Outgoing mails, read back by the standard library's parser and byte by byte."""

import email
import email.policy
import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.core.message import Address, parse
from mailrouter.shell.errors import Permanent
from mailrouter.shell.mime import MAX_REFERENCES, Attached, build_forward, build_mail

AT = datetime(2024, 2, 29, 13, 6, tzinfo=timezone(timedelta(hours=2)))
FROM = Address("Siseministeerium", "info@ministry.example")
MARI = Address("Mari Maasikas", "mari@x.example")
ORIGINAL = (
    b"From: HOME <home@ec.example>\r\nTo: info@ministry.example\r\nSubject: =?utf-8?q?Kutse_=C3=B5?=\r\n"
    b"Message-ID: <letter@ec.example>\r\nDate: Thu, 29 Feb 2024 11:57:00 +0100\r\n\r\nPlease transmit.\r\n"
)


def mail(**changes):
    given = {"from_": FROM, "to": [MARI], "subject": "Kiri", "text": "Tere!\n", "message_id": "<k@ministry.example>",
             "date": AT} | changes  # fmt: skip
    return build_mail(**given)


def forward(original, **changes):
    given = {"from_": FROM, "to": [MARI], "subject": "FW", "text": "For information.\n", "date": AT,
             "message_id": "<k@ministry.example>"} | changes  # fmt: skip
    return build_forward(original=original, **given)


def read(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def assert_travels(raw):
    """Lines end in CRLF and are at most 998 octets (RFC 5322 § 2.1.1)."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_a_plain_mail_says_what_it_was_given():
    """Subject, names, text and date come out as they went in, whatever their letters."""
    raw = mail(
        subject="Re: Ülevaade — õigusloome 5-4/22-1", to=[Address("Märt Õun", "mart@x.example")], text="Žürii ärä.\n"
    )
    assert_travels(raw)
    assert raw.isascii()
    found = read(raw)
    assert found["Subject"] == "Re: Ülevaade — õigusloome 5-4/22-1"
    assert found["To"].addresses[0].display_name == "Märt Õun"
    assert found["Date"].datetime == AT
    assert found["Message-ID"] == "<k@ministry.example>"
    assert found.get_content().splitlines() == ["Žürii ärä."]


def test_the_same_arguments_give_the_same_bytes():
    """A mail that is sent again after a crash is the same mail."""
    assert forward(ORIGINAL, html="<p>x</p>") == forward(ORIGINAL, html="<p>x</p>")


@pytest.mark.parametrize(
    "name",
    [
        'Very, Long "Quoted" Name That Goes On And On And On, Really, For Ever And Ever',
        "Maasikas, Märi ja väga pikk nimi mis murtakse mitmele reale, sest see ei mahu",
        "=?utf-8?q?evil=40x.example?=, <evil@x.example>",
        "back\\slash (comment) @ home",
        "Ω" * 120,
        "",
    ],
)
def test_a_display_name_never_becomes_a_recipient(name):
    """Commas, quotes and encoded words in a name stay in the name: still two recipients."""
    raw = mail(to=[Address(name, "a@x.example"), Address(name, "b@x.example")])
    assert_travels(raw)
    message = parse(raw)
    assert [one.address for one in message.addresses.to] == ["a@x.example", "b@x.example"]
    assert [one.name for one in message.addresses.to] == [name, name]


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?not_a_word?= (literally)",
        "w" * 700,
        "word " * 150,
        "a" + " " * 200 + "b",
        "õ" * 400,
        "",
        "tab\tin it",
    ],
)
def test_any_subject_comes_out_as_it_went_in(subject):
    """Long, blank-filled and odd subjects survive, in lines that travel."""
    raw = mail(subject=subject)
    assert_travels(raw)
    assert parse(raw).subject == subject.strip()


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "x\r\nBcc: evil@x.example"},
        {"subject": "x\nBcc: evil@x.example"},
        {"subject": "x\rBcc: evil@x.example"},
        {"subject": "x\0y"},
        {"to": [Address("Mari\r\nBcc: evil@x.example", "a@x.example")]},
        {"to": [Address("Mari", "a@x.example\r\nBcc: evil@x.example")]},
        {"to": [Address("Mari", "a@x.example>, <evil@x.example")]},
        {"to": [Address("Mari", "a@x.example, evil@x.example")]},
        {"to": [Address("Mari", None)]},
        {"from_": Address("", "nobody")},
        {"message_id": "<k@x.example>\r\nBcc: evil@x.example"},
        {"headers": [("X-Note", "x\r\nBcc: evil@x.example")]},
        {"headers": [("X-Note: a\r\nBcc", "evil@x.example")]},
        {"headers": [("Bcc", "evil@x.example")]},
        {"headers": [("content-type", "text/html")]},
    ],
)
def test_header_injection_is_refused(changes):
    """A line end in a subject, a name or a template's value never becomes a header: refused, for a person."""
    with pytest.raises(Permanent):
        mail(**changes)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=2000))
def test_no_text_can_break_out(subject, name, text):
    """Whatever the words: refused, or one recipient, our own fields only, and lines that travel."""
    try:
        raw = mail(subject=subject, to=[Address(name, "a@x.example")], text=text)
    except Permanent:
        assert re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", subject + name)
        return
    assert_travels(raw)
    message = parse(raw)
    names = {key.lower() for key, _ in message.headers}
    assert names <= {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
    assert [one.address for one in message.addresses.to] == ["a@x.example"]


def test_references_grow_by_the_parent_and_stay_bounded():
    """RFC 5322 § 3.6.4: the parent comes last; a long thread keeps its first and its newest; what is no id is left out."""
    old = [f"<{number}@x.example>" for number in range(200)]
    message = parse(mail(in_reply_to="<parent@x.example>", references=[*old, "junk", "<a b@x>", "<x@y>\r\nBcc: z"]))
    assert message.in_reply_to == ("<parent@x.example>",)
    assert len(message.references) == MAX_REFERENCES
    assert message.references[0] == old[0]
    assert message.references[-2:] == (old[-1], "<parent@x.example>")


def test_a_long_reference_is_not_mangled():
    """A Message-ID of 300 characters stays one."""
    long = f"<{'c' * 300}@x.example>"
    raw = mail(in_reply_to=long, references=[long])
    assert_travels(raw)
    assert f"References: {long}\r\n".encode() in raw
    assert f"In-Reply-To: {long}\r\n".encode() in raw


def test_an_automatic_reply_says_so():
    """RFC 3834 § 5; a mail that a person approved carries no such mark."""
    assert read(mail(auto=True))["Auto-Submitted"] == "auto-replied"
    assert read(mail())["Auto-Submitted"] is None


def test_a_loop_token_is_not_broken():
    """A mark of our own comes back as it was set."""
    token = "2;" + "a1b2c3d4" * 30
    assert read(mail(headers=[("X-Mailrouter-Loop", token)]))["X-Mailrouter-Loop"] == token


def test_an_international_address_stays_as_it_is():
    """RFC 6532: an address beyond ASCII is not rewritten."""
    message = parse(mail(to=[Address("Jüri", "jüri@näide.example")]))
    assert message.addresses.to == (Address("Jüri", "jüri@näide.example"),)


def test_html_and_files():
    """Text and HTML as alternatives, a picture that the HTML shows beside it, files after it with their names."""
    raw = mail(
        html='<p>Tere <img src="cid:logo@x"></p>',
        attachments=[
            Attached("Kõik failid.pdf", "application/pdf", b"%PDF\x00\r\n\xff"),
            Attached("logo.png", "image/png", b"PNG", "logo@x"),
            Attached("../../etc/passwd\r\nX: y", "no type", b"data"),
        ],
    )
    assert_travels(raw)
    message = read(raw)
    assert message.get_body(("plain",)).get_content().splitlines() == ["Tere!"]
    assert "cid:logo@x" in message.get_body(("html",)).get_content()
    parts = {part.get_filename(): part for part in message.walk() if part.get_filename()}
    assert parts["Kõik failid.pdf"].get_content() == b"%PDF\x00\r\n\xff"
    assert parts["logo.png"]["Content-ID"] == "<logo@x>"
    assert parts.keys() == {"Kõik failid.pdf", "logo.png", ".._.._etc_passwd_X: y"}


def test_a_calendar_says_its_method():
    """RFC 6047: mail programs offer the event only when the media type has the method."""
    part = next(
        read(
            mail(attachments=[Attached("e.ics", "text/calendar", b"BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\n")])
        ).iter_attachments()
    )
    assert part.get_content_type() == "text/calendar"
    assert part.get_param("method") == "PUBLISH"


@pytest.mark.parametrize(
    "original",
    [
        ORIGINAL,
        ORIGINAL.rstrip(),
        ORIGINAL + b"\r\n\r\n\r\n",
        b"Subject: 8-bit \xff\xfe\r\n\r\nbody \xe4\xf6\r\n",
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nunfinished',
        b"no headers at all",
        b": broken\r\n\r\n--\r\n.\r\nFrom here\r\n",
        b"",
    ],
)
def test_the_original_survives_whole(original):
    """What is attached is the original, byte for byte, however broken; our note stands above it."""
    raw = forward(original)
    assert_travels(raw)
    start = raw.index(b'filename="original.eml"\r\n\r\n') + len(b'filename="original.eml"\r\n\r\n')
    end = raw.rindex(b"\r\n--=_")
    assert raw[start:end] == original
    message = parse(raw)
    assert message.text.startswith("For information.")
    assert [part.media_type for part in message.parts] == ["message/rfc822"]
    assert message.parts[0].content == original


def test_line_ends_become_those_of_the_wire():
    """A mail stored with LF is attached with CRLF, nothing else changes."""
    message = parse(forward(ORIGINAL.replace(b"\r\n", b"\n")))
    assert message.parts[0].content == ORIGINAL


@pytest.mark.parametrize(
    "original", [b"Subject: x\r\n\r\n" + b"y" * 2000, b"Subject: x\r\n\r\na\0b\r\n", b"Subject: x\r\n\r\none\rtwo\r\n"]
)
def test_what_smtp_cannot_carry_is_attached_encoded(original):
    """Overlong lines, NUL and lone CR would be changed on the way: such a mail goes as a file, every octet kept."""
    raw = forward(original)
    assert_travels(raw)
    (part,) = parse(raw).parts
    assert (part.name, part.content) == ("original.eml", original)


def test_a_boundary_in_the_original_does_not_cut_it():
    """A mail that quotes our own boundary (it was forwarded by us before) stays whole."""
    once = forward(ORIGINAL)
    twice = forward(once)
    (part,) = parse(twice).parts
    assert part.content == once


def test_inline_repeats_the_letter_and_its_files():
    """`inline`: our note, the header block, the words, the attachments."""
    original = build_mail(
        from_=Address("HOME Global", "home@ec.example"), to=[FROM], subject="Kutse õ", text="Please transmit.\n",
        html="<p>Please <b>transmit</b>.</p>", message_id="<l@ec.example>", date=AT,
        attachments=[Attached("letter.pdf", "application/pdf", b"%PDF"), Attached("m.eml", "message/rfc822", ORIGINAL)],
    )  # fmt: skip
    raw = forward(original, mode="inline")
    assert_travels(raw)
    message = parse(raw)
    assert message.text.startswith("For information.")
    assert "From: HOME Global <home@ec.example>" in message.text
    assert "Subject: Kutse õ" in message.text
    assert "Please transmit." in message.text
    assert "<b>transmit</b>" in message.html
    assert "For information." in message.html
    assert [(part.media_type, part.content) for part in message.parts] == [
        ("application/pdf", b"%PDF"), ("message/rfc822", ORIGINAL)]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from(["attach", "inline"]))
def test_any_bytes_can_be_forwarded(original, mode):
    """Forwarding never fails on what came in, and always travels; attached, nothing is lost."""
    raw = forward(original, mode=mode)
    assert_travels(raw)
    if mode == "attach":
        (part,) = parse(raw).parts
        assert part.content == (
            original if part.name and part.media_type != "message/rfc822" else re.sub(rb"\r?\n", b"\r\n", original)
        )
