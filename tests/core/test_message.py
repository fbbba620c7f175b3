"""Bytes of a mail become a Message, whatever the bytes."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.core.message import Address, parse


def mail(headers: str, body: str = "Tere\n") -> bytes:
    return f"{headers}\n\n{body}".replace("\n", "\r\n").encode()


def codes(raw: bytes) -> set[str]:
    return {defect.code for defect in parse(raw).defects}


def test_names_words_and_folds_are_decoded():
    """Encoded words, folds and quotes are gone from what people see."""
    message = parse(
        mail(
            "From: =?utf-8?q?K=C3=A4rt_=C3=95unapuu?= <kart@just.example>\n"
            'To: "Maasikas, Mari" <mari@x.example>,\n =?iso-8859-1?b?SvxyaSBU9W5pc3Nvbg==?= <juri@x.example>\n'
            "Subject: =?utf-8?b?VGVhYmVuw7V1ZQ==?=\n =?utf-8?q?_nr_1?= and more\n"
            "Date: Thu, 29 Feb 2024 13:05:00 +0200\nMessage-ID:\n <a@b.example>"
        )
    )
    assert message.addresses.sender == Address("Kärt Õunapuu", "kart@just.example")
    assert message.addresses.to == (
        Address("Maasikas, Mari", "mari@x.example"),
        Address("Jüri Tõnisson", "juri@x.example"),
    )
    assert message.subject == "Teabenõue nr 1 and more"
    assert message.date == "2024-02-29T13:05:00+02:00"
    assert message.message_id == "<a@b.example>"
    assert message.text == "Tere\n"
    assert not message.defects


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("mari@x.example", ("", "mari@x.example")),
        ("mari@x.example (Mari Maasikas)", ("Mari Maasikas", "mari@x.example")),
        ("Maasikas, Mari <mari@x.example>", ("Maasikas, Mari", "mari@x.example")),
        ("Mari (SiM) <mari@x.example>", ("Mari (SiM)", "mari@x.example")),
        ("\"'mari@x.example'\" <mari@x.example>", ("mari@x.example", "mari@x.example")),
        ("Friends: mari@x.example;", ("", "mari@x.example")),
        ("<@relay.example:mari@x.example>", ("", "mari@x.example")),
        ("MAILER-DAEMON", ("MAILER-DAEMON", None)),
        ("Mari </O=EXCHANGE/CN=MARI>", ("Mari", None)),
        ("Mari \r <mari@x.example>", ("Mari", "mari@x.example")),
        ('"a \\"b\\" c" <mari@x.example>', ('a "b" c', "mari@x.example")),
        ("Mari ( <mari@x.example>", ("Mari (", "mari@x.example")),
    ],
)
def test_addresses_as_they_are_found(written, read):
    """Every way in which mail programs print an author gives that author."""
    assert parse(f"From: {written}\n\nx".encode()).addresses.sender == Address(*read)


@pytest.mark.parametrize("between", ["\n =?utf-8?q?=2C?= =?utf-8?q?J=C3=BCri?=", " =?utf-8?q?=2C_J=C3=BCri?=", ", =?utf-8?q?J=C3=BCri?="])
def test_an_encoded_comma_parts_recipients(between):
    """A comma that a program encoded together with the next name is still the comma between two recipients."""
    message = parse(mail(f"To: Olga <olga@x.example>{between} <juri@x.example>"))
    assert message.addresses.to == (Address("Olga", "olga@x.example"), Address("Jüri", "juri@x.example"))


def test_an_empty_group_has_no_recipients():
    """undisclosed-recipients is nobody."""
    assert parse(mail("To: undisclosed-recipients:;")).addresses.to == ()


def test_null_return_path_is_told_from_none():
    """<> is the null return path of a bounce; no header is none."""
    assert parse(mail("Return-Path: <>")).addresses.return_path == ""
    assert parse(mail("From: a@b.example")).addresses.return_path is None


def test_html_alternative_keeps_both_readings():
    """An alternative is one body in two forms."""
    message = parse(
        mail(
            "Content-Type: multipart/alternative; boundary=b",
            "--b\nContent-Type: text/plain\n\nsama\n--b\nContent-Type: text/html\n\n<p>sama</p>\n--b--\n",
        )
    )
    assert (message.text.strip(), message.html.strip(), message.parts) == ("sama", "<p>sama</p>", ())


def test_mixed_bodies_are_whole_in_both_readings():
    """A footer that a list adds as plain text is in the HTML reading too, and the other way round."""
    message = parse(
        mail(
            "Content-Type: multipart/mixed; boundary=m",
            "--m\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain one\n--b\n"
            "Content-Type: text/html\n\n<p>html one</p>\n--b--\n--m\nContent-Type: text/plain\n\nfooter <x>\n"
            "--m\nContent-Type: text/html\n\n<p>after</p>\n--m--\n",
        )
    )
    assert message.text.split() == ["plain", "one", "footer", "<x>", "after"]
    assert "footer &lt;x&gt;" in message.html
    assert "after" in message.html


def test_an_enclosed_mail_keeps_its_very_bytes():
    """The digest of an enclosed mail is that of the mail when it came by itself."""
    inner = b"From: a@b.example\r\nSubject:   odd  spaces\r\n\r\nText \r\n\r\n"
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        + inner
        + b"\r\n--b--\r\n"
    )
    (part,) = parse(raw).parts
    assert (part.media_type, part.content) == ("message/rfc822", inner)


def test_attachment_names_of_every_kind():
    """RFC 2231, RFC 2047 in a parameter (forbidden, common) and no quotes at all."""
    raw = mail(
        "Content-Type: multipart/mixed; boundary=b",
        "--b\nContent-Type: application/pdf\nContent-Disposition: attachment;\n filename*0*=utf-8''k%C3%A4;\n filename*1*=ri.pdf\n\nx\n"
        '--b\nContent-Type: application/pdf; name="=?utf-8?q?k=C3=A4ri.pdf?="\n\nx\n'
        "--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=my letter.pdf\n\nx\n--b--\n",
    )
    assert [part.name for part in parse(raw).parts] == ["käri.pdf", "käri.pdf", "my letter.pdf"]


def test_a_named_text_is_an_attachment_not_the_body():
    """A text file that was attached is not what the author wrote."""
    raw = mail(
        "Content-Type: multipart/mixed; boundary=b",
        "--b\n\nTere\n--b\nContent-Type: text/plain; name=log.txt\nContent-Disposition: inline\n\nlog\n--b--\n",
    )
    message = parse(raw)
    assert (message.text.strip(), [(part.name, part.inline) for part in message.parts]) == ("Tere", [("log.txt", True)])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (
            b"From: a@b.example\nContent-Type: text/plain; charset=klingon\nDate: Thu, 29 Feb 2024 13:05:00 +0200\n\n\xc3\xb5",
            "charset",
        ),
        (b"From: a@b.example\nDate: yesterday\n\nx", "date"),
        (b"From: a@b.example\nDate: Thu, 29 Feb 9924 13:05:00 +0200\n\nx", "date"),
        (b"From: a@b.example\n\nx", "date"),
        (b"Subject: \xf5un\n\nx", "header"),
        (b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xL", "base64"),
        (b"Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\nTere\n--x--\n", "boundary"),
        (b"Content-Type: multipart/mixed; boundary=y\n\nTere", "boundary"),
    ],
)
def test_what_is_wrong_is_listed(raw, code):
    """A mail with a fault is read on, and the fault is said."""
    assert code in codes(raw)


def test_faults_do_not_take_the_words_away():
    """Unknown charset, missing boundary, cut base64: the words are still there."""
    assert parse(b"Content-Type: text/plain; charset=klingon\n\n\xc3\xb5un").text == "õun"
    assert parse(b"X: y\n\n\xf5un").text == "õun"
    assert parse(b"Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\nTere\n--x--\n").text == "Tere"
    cut = base64.b64encode("Tere, õun".encode())[:-3]
    assert parse(b"Content-Transfer-Encoding: base64\n\n" + cut).text.startswith("Tere,")


def nested(depth: int) -> bytes:
    return (
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)) + b"\nTere"
    )


@pytest.mark.parametrize(
    "raw",
    [
        nested(1000),
        b"From: a@b.example\nX: " + b"\n foo" * 100_000 + b"\n\nx",
        b"From: a@b.example\n" * 100_000 + b"\nx",
        b"Subject: " + b"=?x?q?" * 100_000 + b"\n\nx",
        b'To: "' + b'\\"' * 50_000 + b"\n\nx",
        b'Content-Type: multipart/mixed; boundary="' + b";" * 200_000 + b"\n\nx",
        b'Content-Type: multipart/mixed; boundary="-"\n\n' + b"-" * 3_000_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 200_000,
        b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 500_000,
    ],
    ids=["nested", "folds", "headers", "words", "quotes", "parameters", "dashes", "parts", "punycode"],
)
def test_hostile_mail_costs_little(raw):
    """Mail made to hang a reader is read in about the time that its size takes."""
    started = time.perf_counter()
    parse(raw)
    assert time.perf_counter() - started < 5


FRAGMENTS = st.sampled_from(
    [
        b"From: ", b"To: ", b"Date: ", b"Subject: ", b"Content-Type: multipart/mixed; boundary=b\n", b"\n\n", b"\r\n", b"--b\n",
        b"--b--\n", b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: base64\n", b"=?utf-8?q?=ff?=", b"=?utf-7?b?2AA=?=",
        b"\x00", b"\xff", b"<", b">", b'"', b"(", b",", b":", b";", b"\r", b"filename*0*=utf-8'';x", b"charset=unicode_escape", b"a@b",
        b"Content-Disposition: attachment; filename=", b"Thu, 29 Feb 2024 13:05:00 +9999",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=400), st.lists(st.one_of(FRAGMENTS, st.binary(max_size=8)), max_size=40).map(b"".join))
)
def test_parse_never_raises(raw):
    """Any bytes are a mail, and what comes out can be written as JSON and into a database."""
    message = parse(raw)
    assert message.size == len(raw)
    for text in (message.text, message.html, message.subject, *(value for _, value in message.headers)):
        assert "\x00" not in text
        text.encode("utf-8")
