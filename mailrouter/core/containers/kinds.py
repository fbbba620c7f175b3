"""What a file is, by its first bytes before its name before what the mail says of it: senders' labels are often wrong."""

import mimetypes
import re
from typing import Final, Literal

Kind = Literal["leaf", "mail", "outlook", "tnef", "pkcs7", "zip", "ddoc", "encrypted"]

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB § 2.2
_MAGIC: Final[dict[bytes, Kind]] = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # an empty one
    b"\x78\x9f\x3e\x22": "tnef",  # MS-OXTNEF § 2.1.3.1
}
_OUTLOOK_STREAM = "__properties_version1.0".encode("utf-16-le")  # MS-OXMSG § 2.4
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")  # MS-OFFCRYPTO § 2.3.4.4
_PGP_BINARY: Final = (".pgp", ".gpg")
_PKCS7_TYPES: Final = frozenset(
    {
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }
)
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]{0,998}\r?\n")
_MAIL_HEADERS: Final = (
    b"received:",
    b"from:",
    b"date:",
    b"subject:",
    b"message-id:",
    b"return-path:",
    b"mime-version:",
)

# What senders call "application/octet-stream" though the name says more; the system's own table differs by machine.
_BY_ENDING: Final = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".doc": "application/msword",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".rtf": "application/rtf",
    ".txt": "text/plain",
    ".htm": "text/html",
    ".html": "text/html",
    ".csv": "text/csv",
    ".xml": "application/xml",
    ".eml": "message/rfc822",
    ".msg": "application/vnd.ms-outlook",
    ".asice": "application/vnd.etsi.asic-e+zip",
    ".sce": "application/vnd.etsi.asic-e+zip",
    ".bdoc": "application/vnd.etsi.asic-e+zip",
    ".asics": "application/vnd.etsi.asic-s+zip",
    ".scs": "application/vnd.etsi.asic-s+zip",
    ".ddoc": "application/x-ddoc",
    ".cdoc": "application/x-cdoc",
    ".cdoc2": "application/x-cdoc2",
    ".zip": "application/zip",
    ".p7m": "application/pkcs7-mime",
    ".p7s": "application/pkcs7-signature",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".ics": "text/calendar",
}
_ENDING_OF: Final = {"message/rfc822": ".eml", "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics"}


def ending(name: str) -> str:
    """The lower-case ending of a name with its dot, "" if none."""
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem else ""


def media_type_of(name: str, declared: str) -> str:
    """The media type: what was declared unless that says nothing; then by the name's ending."""
    if declared and declared not in {"application/octet-stream", "application/x-download", "binary/octet-stream"}:
        return declared
    return _BY_ENDING.get(ending(name), "application/octet-stream")


def name_for(media_type: str, number: int) -> str:
    """A name for a part that came without one."""
    known = _ENDING_OF.get(media_type) or mimetypes.types_map.get(media_type) or ""
    if not known:
        known = next((end for end, kind in _BY_ENDING.items() if kind == media_type), "")
    return f"part-{number}{known}"


def encryption_of(content: bytes, media_type: str, name: str) -> str | None:
    """The name of the method that a file is encrypted with; None if it is not, or only its opener can tell."""
    start = content[:4096]
    if start.startswith(b"CDOC\x02") or ending(name) == ".cdoc2":
        return "CDOC2"
    if b"EncryptedData" in start and b"xmlenc#" in start:
        return "CDOC"
    if media_type == "application/pgp-encrypted" or start.lstrip().startswith(b"-----BEGIN PGP MESSAGE-----"):
        return "PGP"
    if ending(name) in _PGP_BINARY and start[:1] >= b"\x80":  # RFC 4880 § 4.2: a packet's first bit is one
        return "PGP"
    if start.startswith(OLE) and _ENCRYPTED_OFFICE in content[:1_000_000]:
        return "Office password"
    return None


def kind_of(content: bytes, media_type: str, name: str) -> Kind:
    """How a file is to be opened; "leaf" if it is not a container."""
    if encryption_of(content, media_type, name):
        return "encrypted"
    start = content[:4096]
    if start.startswith(OLE):
        outlook = ending(name) == ".msg" or media_type == "application/vnd.ms-outlook" or _OUTLOOK_STREAM in content
        return "outlook" if outlook else "leaf"
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            return kind
    if b"<SignedDoc" in start:
        return "ddoc"
    if media_type in _PKCS7_TYPES or ending(name) in {".p7m", ".p7s"}:
        return "pkcs7"
    mail = media_type in {"message/rfc822", "message/global"} or (ending(name) == ".eml" and looks_like_mail(start))
    return "mail" if mail else "leaf"


def expected_kind(media_type: str, name: str) -> str | None:
    """What a file should have been by its label, where `kind_of` found nothing: to say that it is broken."""
    if ending(name) == ".msg":
        return "an Outlook message"
    for wanted in (media_type_of(name, ""), media_type):
        if wanted == "application/zip" or wanted.startswith("application/vnd.etsi.asic"):
            return "a zip container"
        if wanted in {"application/ms-tnef", "application/vnd.ms-tnef"}:
            return "a TNEF container"
        if wanted == "application/x-ddoc":
            return "a DDOC container"
    return None


def looks_like_mail(start: bytes) -> bool:
    """Whether bytes begin like a mail's header block."""
    lines = start.lstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf")
    return bool(_HEADER_LINE.match(lines)) and any(
        lines[:2000].lower().startswith(header) or b"\n" + header in lines[:4000].lower() for header in _MAIL_HEADERS
    )
