"""Makes the container samples of this folder with test certificates of invented people: python make.py

The signatures have the form of real ones (certificate, time, references) and are not valid: nothing here validates.
Keys and random parts differ with each run, so the samples are committed; run it again only to change them.
"""

import base64
import datetime
import hashlib
import io
import struct
import zipfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

HERE = Path(__file__).parent
LETTER = "Dear Minister,\n\nplease nominate a contact person by 15 March 2024.\n\nYours sincerely,\n\nMari Maasikas\n".encode()
CODE = "48001010000"  # an invented personal code, which must never be shown
NOW = datetime.datetime(2024, 2, 28, 12, tzinfo=datetime.UTC)


def certificate(given: str, surname: str, *, seal: str = "", use_rsa: bool = False):
    key = rsa.generate_private_key(65537, 2048) if use_rsa else ec.generate_private_key(ec.SECP256R1())
    if seal:
        names = [(NameOID.COMMON_NAME, seal), (NameOID.ORGANIZATION_NAME, seal)]
    elif given:
        names = [
            (NameOID.COMMON_NAME, f"{surname},{given},{CODE}"),
            (NameOID.SURNAME, surname),
            (NameOID.GIVEN_NAME, given),
            (NameOID.SERIAL_NUMBER, f"PNOEE-{CODE}"),
        ]
    else:
        names = [(NameOID.COMMON_NAME, f"{surname},MARI,{CODE}")]
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made, key


def der(made) -> str:
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def signature(number: str, made, uris: list[str], moment: str = "2024-02-28T22:38:00Z") -> str:
    references = "".join(
        f'<ds:Reference URI="{uri}"><ds:DigestValue>AA==</ds:DigestValue></ds:Reference>' for uri in [*uris, f"#props-{number}"]
    )
    return (
        f'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="{number}"><ds:SignedInfo>{references}</ds:SignedInfo>'
        f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der(made)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object>"
        '<xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"><xades:SignedProperties>'
        f"<xades:SignedSignatureProperties><xades:SigningTime>{moment}</xades:SigningTime></xades:SignedSignatureProperties>"
        "</xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature>"
    )


def asice(files: dict[str, bytes], signatures: list[str], mimetype: str = "application/vnd.etsi.asic-e+zip") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), mimetype, zipfile.ZIP_STORED)
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("META-INF/manifest.xml", '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>')
        for number, each in enumerate(signatures):
            wrapped = f'<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#">{each}</asic:XAdESSignatures>'
            archive.writestr(f"META-INF/signatures{number}.xml", wrapped)
    return out.getvalue()


def zipped(files: dict[str, bytes], *, encrypted: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    data = bytearray(out.getvalue())
    if encrypted:  # the flag alone: whoever reads it must stop there
        for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = data.find(start)
            while at >= 0:
                data[at + offset] |= 1
                at = data.find(start, at + 4)
    return bytes(data)


def ddoc(made) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<SignedDoc format="DIGIDOC-XML" version="1.3" xmlns="http://www.sk.ee/DigiDoc/v1.3.0#">'
        f'<DataFile ContentType="EMBEDDED_BASE64" Filename="kiri.txt" Id="D0" MimeType="text/plain" Size="{len(LETTER)}">'
        f"{base64.encodebytes(LETTER).decode()}</DataFile>{signature('S0', made, ['#D0'])}</SignedDoc>"
    ).encode()


def smime_signed(made, key, *, detached: bool) -> bytes:
    entity = b"Content-Type: text/plain; charset=utf-8\r\n\r\nPalun registreerida see kiri.\r\n"
    options = [pkcs7.PKCS7Options.Binary]
    if detached:
        options.append(pkcs7.PKCS7Options.DetachedSignature)
    built = pkcs7.PKCS7SignatureBuilder().set_data(entity).add_signer(made, key, hashes.SHA256())
    return built.sign(serialization.Encoding.DER, options)


def smime_encrypted(made) -> bytes:
    built = pkcs7.PKCS7EnvelopeBuilder().set_data(b"secret").add_recipient(made)
    return built.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def tnef_object(level: int, name: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def winmail() -> bytes:
    """MS-OXTNEF: a body and one attachment."""
    return b"".join(
        [
            struct.pack("<IH", 0x223E9F78, 1),
            tnef_object(1, 0x9006, 8, struct.pack("<I", 0x10000)),
            tnef_object(1, 0x9007, 6, struct.pack("<II", 1257, 0)),
            tnef_object(1, 0x800C, 2, "Palun registreerida, õunad lisas.\x00".encode("cp1257")),
            tnef_object(2, 0x9002, 6, b"\x00" * 14),
            tnef_object(2, 0x8010, 1, "lisa õ.txt\x00".encode("cp1257")),
            tnef_object(2, 0x800F, 6, LETTER),
        ]
    )


def outlook() -> bytes:
    """MS-OXMSG, as small as extract-msg takes it: a sender, a body, one attachment."""
    from extract_msg import OleWriter

    texts = {
        "001A": "IPM.Note", "0037": "Kutse nõupidamisele", "0C1A": "Mari Maasikas", "0C1F": "mari@x.example", "0C1E": "SMTP",
        "0E04": "info@ministry.example", "1000": "Tere!\r\n\r\nLisatud on kutse.\r\n", "1035": "<kutse@x.example>",
        "007D": "From: Mari Maasikas <mari@x.example>\r\nTo: info@ministry.example\r\nSubject: =?utf-8?q?Kutse_n=C3=B5upidamisele?=\r\n"
        "Date: Wed, 28 Feb 2024 12:00:00 +0200\r\nMessage-ID: <kutse@x.example>\r\nContent-Type: multipart/mixed; boundary=gone\r\n",
    }  # fmt: skip
    writer = OleWriter()
    writer.addEntry("__nameid_version1.0", storage=True)
    for stream in ("00020102", "00030102", "00040102"):
        writer.addEntry(["__nameid_version1.0", f"__substg1.0_{stream}"], b"")
    properties = b"\x00" * 8 + struct.pack("<IIII", 0, 1, 0, 1) + b"\x00" * 8
    for tag, text in texts.items():
        data = text.encode("utf-16-le")
        writer.addEntry(f"__substg1.0_{tag}001F", data)
        properties += struct.pack("<HHIII", 0x001F, int(tag, 16), 6, len(data) + 2, 0)
    writer.addEntry("__properties_version1.0", properties + struct.pack("<HHIII", 3, 0x340D, 6, 0x40000, 0))
    folder = "__attach_version1.0_#00000000"
    writer.addEntry(folder, storage=True)
    inner = b"\x00" * 8 + struct.pack("<HHIII", 3, 0x3705, 6, 1, 0)
    for tag, kind, data in (("3707", "001F", "kutse.txt".encode("utf-16-le")), ("3701", "0102", LETTER)):
        writer.addEntry([folder, f"__substg1.0_{tag}{kind}"], data)
        inner += struct.pack("<HHIII", int(kind, 16), int(tag, 16), 6, len(data) + (2 if kind == "001F" else 0), 0)
    writer.addEntry([folder, "__properties_version1.0"], inner)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def samples() -> dict[str, bytes]:
    mari, _ = certificate("MARI", "MAASIKAS")
    common, _ = certificate("", "KASK")
    seal, _ = certificate("", "", seal="Näidisamet")
    smime, key = certificate("MARI", "MAASIKAS", use_rsa=True)
    one = signature("S0", mari, ["letter.txt"])
    signed = asice({"letter.txt": LETTER}, [one])
    return {
        "one.asice": signed,
        "two.bdoc": asice({"letter.txt": LETTER, "lisa 1+2.txt": b"annex"}, [
            signature("S0", mari, ["letter.txt", "lisa+1%2B2.txt"]), signature("S1", common, ["letter.txt", "lisa%201+2.txt"]),
        ]),
        "seal.asice": asice({"letter.txt": LETTER}, [signature("S0", seal, ["letter.txt"])]),
        "extra.asice": asice({"letter.txt": LETTER, "smuggled.txt": b"x"}, [one]),
        "twice.asice": asice({"letter.txt": LETTER}, [one, one]),
        "none.asice": asice({"letter.txt": LETTER}, []),
        "stamped.asics": asice({"inner.asice": signed}, [signature("S0", mari, ["inner.asice"])], "application/vnd.etsi.asic-s+zip"),
        "cut.asice": signed[: len(signed) // 2],
        "kiri.ddoc": ddoc(mari),
        "secret.cdoc": b'<?xml version="1.0"?><denc:EncryptedData xmlns:denc="http://www.w3.org/2001/04/xmlenc#"/>',
        "plain.zip": zipped({"docs/letter.txt": LETTER, "__MACOSX/._letter.txt": b"junk"}),
        "paths.zip": zipped({"../../etc/letter.txt": LETTER, "C:\\letter2.txt": LETTER}),
        "password.zip": zipped({"letter.txt": LETTER}, encrypted=True),
        "bomb.zip": zipped({"zeros.bin": b"\x00" * 40_000_000, "letter.txt": LETTER}),
        "signed.p7m": smime_signed(smime, key, detached=False),
        "smime.p7s": smime_signed(smime, key, detached=True),
        "encrypted.p7m": smime_encrypted(smime),
        "winmail.dat": winmail(),
        "kutse.msg": outlook(),
    }  # fmt: skip


if __name__ == "__main__":
    for name, content in samples().items():
        (HERE / name).write_bytes(content)
        print(f"{len(content):>8} {hashlib.sha256(content).hexdigest()[:12]} {name}")
