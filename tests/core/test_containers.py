"""Containers are opened to their leaves, within limits, and what cannot be opened is said."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.core.containers import Limits, open_parts
from mailrouter.core.message import Part, parse
from mailrouter.core.reading import READING, read

SAMPLES = Path(__file__).parent.parent / "corpus" / "containers"
MARI = ("MARI MAASIKAS", "2024-02-28T22:38:00Z", "not verified")
LETTER = 100  # bytes of the letter in the samples


def opened(name, content=None, media_type="application/octet-stream", limits=None):
    """What a mail with this one attachment carries."""
    content = (SAMPLES / name).read_bytes() if content is None else content
    mail = replace(parse(b"From: a@b.example\nSubject: x\n\nhello"), parts=(Part(name, media_type, content, False),))
    return open_parts(mail, limits or Limits())


def paths(found):
    return ["/".join(part.attachment.path) for part in found.parts]


def codes(found):
    return sorted({defect.code for defect in found.defects})


def signers(found, path):
    part = next(part for part in found.parts if "/".join(part.attachment.path) == path)
    return [(signer.name, signer.signed, signer.status) for signer in part.attachment.signers]


@pytest.mark.parametrize(
    ("name", "inside", "defects"),
    [
        ("one.asice", ["letter.txt"], []),
        ("two.bdoc", ["letter.txt", "lisa 1+2.txt"], []),
        ("extra.asice", ["letter.txt", "smuggled.txt"], ["unsigned"]),
        ("twice.asice", ["letter.txt"], ["signature"]),
        ("none.asice", ["letter.txt"], ["unsigned"]),
        ("stamped.asics", ["inner.asice", "inner.asice/letter.txt"], []),
        ("cut.asice", [], ["container"]),
        ("kiri.ddoc", ["kiri.txt"], []),
        ("plain.zip", ["docs/letter.txt"], []),
        ("paths.zip", ["letter.txt", "letter2.txt"], ["path"]),
        ("bomb.zip", ["letter.txt"], ["zip-bomb"]),
        ("winmail.dat", ["lisa õ.txt"], []),
        ("kutse.msg", ["kutse.txt"], []),
    ],
)
def test_what_is_inside(name, inside, defects):
    """Every file inside is found under its container, and what is odd is said."""
    found = opened(name)
    assert paths(found) == [name, *(f"{name}/{each}" for each in inside)]
    assert codes(found) == defects
    assert not found.holds


@pytest.mark.parametrize(
    ("name", "method"),
    [("secret.cdoc", "CDOC"), ("password.zip", "zip password"), ("encrypted.p7m", "S/MIME")],
)
def test_what_is_encrypted_is_held(name, method):
    """A person must open it: the hold names the file and the method."""
    found = opened(name)
    assert [hold.code for hold in found.holds] == ["encrypted"]
    assert name in found.holds[0].reason
    assert method in found.holds[0].reason
    assert found.parts[0].attachment.state == "encrypted"


def test_pgp_is_recognised_in_all_its_places():
    """An armoured attachment, a PGP/MIME mail and an armoured text are all held."""
    armour = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"
    assert opened("letter.asc", armour).holds
    mime = b"Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\n"
    mime += b"Content-Type: application/octet-stream\n\n" + armour + b"--b--\n"
    assert open_parts(parse(mime), Limits()).holds
    assert open_parts(parse(b"Subject: x\n\n" + armour), Limits()).holds


def test_signers_are_listed_without_their_personal_codes():
    """Names as the certificates say, times as the signatures say, not verified; the code is nowhere."""
    assert signers(opened("one.asice"), "one.asice") == [MARI]
    assert signers(opened("kiri.ddoc"), "kiri.ddoc/kiri.txt") == [MARI]
    assert signers(opened("two.bdoc"), "two.bdoc/lisa 1+2.txt") == [MARI, ("MARI KASK", *MARI[1:])]
    assert signers(opened("seal.asice"), "seal.asice")[0][0] == "Näidisamet"
    assert signers(opened("smime.p7s"), "smime.p7s")[0][0] == "MARI MAASIKAS"
    for name in ("one.asice", "two.bdoc", "kiri.ddoc", "signed.p7m", "smime.p7s"):
        assert "48001010000" not in repr([part.attachment for part in opened(name).parts])


def test_an_unsigned_file_has_no_signer():
    """A file smuggled into a signed container does not look signed."""
    assert signers(opened("extra.asice"), "extra.asice/smuggled.txt") == []


@pytest.mark.parametrize("beside", [b"", b"Gateway footer"])
def test_the_body_of_a_signed_mail_is_its_body(beside):
    """An opaque signed mail reads like any other, whatever a gateway put beside it."""
    part = replace(
        parse(b"From: a@b.example\n\n" + beside),
        parts=(Part("smime.p7m", "application/pkcs7-mime", (SAMPLES / "signed.p7m").read_bytes(), False),),
    )
    message = open_parts(part, Limits()).message
    assert message.text.split("\n")[0] == "Palun registreerida see kiri."
    assert beside.decode() in message.text


def test_winmail_body_counts_where_the_mail_has_none():
    """Outlook sometimes puts the whole mail into winmail.dat."""
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: binary\n\n"
    message = open_parts(parse(raw + (SAMPLES / "winmail.dat").read_bytes()), Limits()).message
    assert message.text == "Palun registreerida, õunad lisas."


def test_an_attached_outlook_message_is_an_enclosed_mail():
    """A .msg is read as the mail that it is: a hop of the chain, its attachment below it."""
    (message,) = opened("kutse.msg").messages
    assert (message.subject, message.message_id) == ("Kutse nõupidamisele", "<kutse@x.example>")
    assert message.addresses.sender.address == "mari@x.example"
    assert message.text.startswith("Tere!")


def test_an_outlook_file_by_itself_is_read_as_a_mail():
    """The command line reads .msg files."""
    reading = read((SAMPLES / "kutse.msg").read_bytes(), Limits())
    assert reading.message.subject == "Kutse nõupidamisele"
    assert [attachment.name for attachment in reading.message.attachments] == ["kutse.txt"]


def test_a_broken_outlook_file_by_itself_is_held():
    """Nothing can be read of it: a person must look."""
    reading = read((SAMPLES / "kutse.msg").read_bytes()[:600], Limits())
    assert [hold.code for hold in reading.holds] == ["unreadable"]


def enclosing(depth):
    raw = b"From: a@b.example\nSubject: 0\n\nbottom"
    for number in range(1, depth + 1):
        raw = b"From: a%d@b.example\nSubject: %d\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\n\ntext %d\n--b%d\nContent-Type: message/rfc822\n\n%s\n--b%d--\n" % (
            number, number, number, number, number, number, raw, number,
        )  # fmt: skip
    return raw


def test_enclosed_mails_keep_their_nesting():
    """Outermost first, each knowing which one encloses it; each is a hop of the chain."""
    found = open_parts(parse(enclosing(3)), Limits())
    assert [message.subject for message in found.messages] == ["2", "1", "0"]
    assert found.enclosed_in == (-1, 0, 1)
    reading = read(enclosing(3), Limits())
    assert [hop.subject for hop in reading.chain] == ["2", "1", "0"]
    assert reading.forwarded


def test_depth_count_and_size_are_limited():
    """Beyond a limit nothing is opened, and that is said."""
    assert "depth" in codes(open_parts(parse(enclosing(30)), Limits(depth=5)))
    assert len(open_parts(parse(enclosing(30)), Limits(depth=5)).messages) == 5
    assert len(opened("two.bdoc", limits=Limits(parts=2)).parts) == 2
    assert "parts" in codes(opened("two.bdoc", limits=Limits(parts=2)))
    assert "parts" in codes(opened("one.asice", limits=Limits(bytes=50)))


def test_a_lying_zip_is_cut_off():
    """A member that unpacks to more than its header says harms nobody."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"a" * 10_000_000)
    data = bytearray(out.getvalue())
    for start, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(start)
        data[at + offset : at + offset + 4] = (100).to_bytes(4, "little")
    found = opened("lying.zip", bytes(data), limits=Limits(bytes=1_000_000))
    assert sum(len(part.content) for part in found.parts) < 1_000_000


def test_xml_bombs_and_outside_entities_are_refused(tmp_path):
    """A document type in a container's XML is never followed."""
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    evil = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><SignedDoc xmlns="http://www.sk.ee/DigiDoc/v1.3.0#">'
    evil += '<DataFile ContentType="EMBEDDED" Filename="a.txt" Id="D0">&x;</DataFile></SignedDoc>'
    found = opened("evil.ddoc", evil.encode())
    assert "container" in codes(found)
    assert not any(b"top secret" in part.content for part in found.parts)


def test_a_container_that_is_none_is_said_to_be_broken():
    """What calls itself a signed container and is something else is not silently a leaf."""
    found = opened("letter.asice", b"this is no zip file")
    assert codes(found) == ["container"]
    assert found.parts[0].attachment.state == "unreadable"


def test_documents_that_are_zip_files_are_not_taken_apart():
    """A DOCX is a document."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<x/>")
    assert paths(opened("letter.docx", out.getvalue())) == ["letter.docx"]


ALL = [
    path.read_bytes()
    for path in sorted(SAMPLES.iterdir())
    if path.suffix not in {".py", ".yaml"} and path.name != "bomb.zip"
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ALL),
    st.integers(0, 10**6),
    st.binary(min_size=1, max_size=6),
    st.booleans(),
    st.sampled_from(["x.asice", "x.p7m", "x.msg", "winmail.dat", "x.ddoc"]),
)
def test_damaged_containers_never_raise(content, place, noise, cut, name):
    """Any byte may be wrong, and any end may be missing."""
    place %= len(content)
    damaged = content[:place] + noise + (b"" if cut else content[place + len(noise) :])
    found = opened(name, damaged)
    assert found.parts[0].attachment.size == len(damaged)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ALL), st.binary(max_size=30))
def test_reading_never_raises_and_can_be_stored(content, noise):
    """Whatever is attached, the reading goes through JSON and comes back the same."""
    raw = (
        b"From: a@b.example\nSubject: x"
        + noise.replace(b"\n", b"")
        + b"\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nTere\n--b\n"
    )
    raw += b"Content-Type: application/octet-stream; name=x.bin\n\n" + content + b"\n--b--\n"
    reading = read(raw, Limits())
    assert READING.validate_json(READING.dump_json(reading, by_alias=True)) == reading
