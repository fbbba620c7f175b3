"""A mail read to the bottom: what is stored, what `read --json` shows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.core.containers import Limits
from mailrouter.core.outcomes import Hold
from mailrouter.core.reading import READER_VERSION, READING, as_json, read, read_headers

LIMITS = Limits()
LETTER = (
    "Näidisamet\nTallinn 28.02.2024 nr 5-1/20-2\n\nPalume esitada arvamus eelnõu kohta hiljemalt 15. märtsiks 2024.\n\n"
    "Lugupidamisega\n\n(allkirjastatud digitaalselt)\nMari Maasikas\ndirektor\n"
)


def mail(body: str, *, subject: str = "Kiri", extra: str = "", files: tuple[tuple[str, str, bytes], ...] = ()) -> bytes:
    head = (
        f"Received: from relay.x.example by mx.ministry.example; x\n{extra}From: Mari Maasikas <mari@x.example>\nTo: info@ministry.example\n"
        f"Subject: {subject}\nDate: Thu, 29 Feb 2024 13:05:00 +0200\nMessage-ID: <m@x.example>\nX-Odd: gone\n"
    ).encode()
    if not files:
        return head + b"Content-Type: text/plain; charset=utf-8\n\n" + body.encode()
    parts = [b"Content-Type: text/plain; charset=utf-8\n\n" + body.encode()]
    parts += [f"Content-Type: {kind}; name={name}\n\n".encode() + content for name, kind, content in files]
    return (
        head
        + b"Content-Type: multipart/mixed; boundary=bb\n\n"
        + b"".join(b"--bb\n" + part + b"\n" for part in parts)
        + b"--bb--\n"
    )


def test_json_has_exactly_the_fixed_keys_and_leaves_open_what_needs_settings():
    """The interface that others rely on."""
    found = as_json(read(mail("Tere, kirjutan Teile kodakondsuse küsimuses."), LIMITS), "x.eml", 3)
    assert {
        "file",
        "index",
        "sha256",
        "error",
        "message",
        "forwarded",
        "incoming",
        "chain",
        "letters",
        "instruction",
    } <= set(found)
    assert (found["file"], found["index"], found["error"]) == ("x.eml", 3, None)
    assert (found["incoming"], found["instruction"], found["message"]["verified"]) == (None, None, None)
    message = found["message"]
    assert message["from"] == {"name": "Mari Maasikas", "address": "mari@x.example"}
    assert {
        "message_id",
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "text",
        "banners",
        "language",
        "nature",
        "verified",
        "attachments",
        "defects",
    } <= set(message)
    assert message["language"] == "et"


def test_a_reading_is_stored_and_comes_back_the_same():
    """Reading a mail twice costs once: what is stored is all that there is."""
    reading = read(mail(LETTER, files=(("lisa.txt", "text/plain", LETTER.encode()),)), LIMITS)
    stored = READING.dump_json(reading, by_alias=True)
    assert b'"from":' in stored
    assert READING.validate_json(stored) == reading
    assert reading.version == READER_VERSION


def test_the_same_bytes_give_the_same_reading():
    """A reading depends on nothing but the bytes."""
    raw = mail(LETTER)
    assert read(raw, LIMITS) == read(raw, LIMITS)


def test_headers_that_decide_later_are_kept_in_their_order_and_others_are_not():
    """Trust, loops and threading need them; a private header does not belong into the store."""
    extra = "Authentication-Results: mx.ministry.example; dmarc=pass\nX-Mailrouter-Approve: yes\nIn-Reply-To: <ours@ministry.example>\n"
    reading = read(mail("Tere", extra=extra), LIMITS)
    names = [name for name, _ in reading.message.headers]
    assert names[:2] == ["Received", "Authentication-Results"]
    assert "X-Odd" not in names
    assert "X-Mailrouter-Approve" not in names
    assert reading.message.in_reply_to == ("<ours@ministry.example>",)


def test_a_second_author_far_down_is_not_hidden():
    """However many headers stand between, the trust check sees both."""
    reading = read(mail("Tere", extra="Received: x\n" * 500 + "From: a@x.example\n"), LIMITS)
    assert sum(name == "From" for name, _ in reading.message.headers) == 2


def test_only_who_sent_the_mail_orders():
    """What stands in quoted words anybody can write: it orders nothing, whoever is said to have written it."""
    body = "Palun registreerida.\n\nFrom: Jaan Kask <jaan@x.example>\nSent: Thursday, 29 February 2024 11:57\nTo: Mari <mari@x.example>\nSubject: Kiri\n\nPalun edastada kiri ministri nõunikele.\n"
    reading = read(mail(body, subject="FW: Kiri"), LIMITS)
    assert reading.orders is not None
    assert reading.orders.register
    assert reading.orders.forward_to_raw == ()


def test_an_attached_letter_is_the_letter_and_its_covering_mail_is_none():
    """What encloses a letter is no letter."""
    reading = read(
        mail("Tere\n\nSaadan lisatud kirja.\n\nMari", files=(("kiri.txt", "text/plain", LETTER.encode()),)), LIMITS
    )
    assert [letter.path for letter in reading.letters] == [("kiri.txt",)]
    assert reading.letters[0].deadline == "2024-03-15"


def test_a_mail_that_is_the_letter_itself_has_no_path():
    """An institution or a citizen who writes in the mail."""
    reading = read(mail(LETTER), LIMITS)
    assert [letter.path for letter in reading.letters] == [()]


def test_a_forwarded_mail_that_is_the_letter_is_found_below_the_order():
    """The colleague's order is no letter; what it passes on is."""
    body = (
        "Palun registreerida.\n\nFrom: Mari Maasikas <mari@y.example>\nSent: Thursday, 29 February 2024 11:57\nTo: Info <info@x.example>\nSubject: Arvamus\n\n"
        + LETTER
    )
    reading = read(mail(body, subject="FW: Arvamus"), LIMITS)
    assert [letter.path for letter in reading.letters] == [()]
    assert reading.letters[0].reference == "5-1/20-2"


def test_a_scan_is_given_to_the_reader_of_scans():
    """With OCR its words count; without it is said to be a scan, not silently empty."""
    pdf = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n"
    )
    raw = mail("Lisatud kiri", files=(("skann.pdf", "application/pdf", pdf),))
    without = read(raw, LIMITS)
    assert [attachment.state for attachment in without.message.attachments] == ["needs-ocr"]
    assert "needs-ocr" in {defect.code for defect in without.message.defects}
    seen = read(raw, LIMITS, lambda content: LETTER if content.startswith(b"%PDF") else "")
    assert [letter.path for letter in seen.letters] == [("skann.pdf",)]
    assert "needs-ocr" not in {defect.code for defect in seen.message.defects}


def test_headers_alone_still_say_who_wrote_what():
    """A mail that broke the reader is held with its sender, subject and kind."""
    reading = read_headers(mail("x" * 1000, extra="Auto-Submitted: auto-replied\n"), Hold("unreadable", "too slow"))
    assert (reading.message.subject, reading.message.author.address) == ("Kiri", "mari@x.example")
    assert (reading.message.nature, reading.message.text) == ("automatic", "")
    assert as_json(reading, "x", 0)["error"] == "too slow"
    assert READING.validate_json(READING.dump_json(reading, by_alias=True)) == reading


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=200))
def test_reading_never_raises(noise, words):
    """Whatever the bytes and the words, a reading comes out that can be stored."""
    for raw in (noise, mail(words), b"Subject: x\nContent-Type: text/html\n\n" + noise):
        reading = read(raw, LIMITS)
        assert READING.validate_json(READING.dump_json(reading, by_alias=True)) == reading
        assert read_headers(raw, Hold("unreadable", "x")).sha256 == reading.sha256
