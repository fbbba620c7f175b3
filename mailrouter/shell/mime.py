"""Outgoing mails as bytes (RFC 5322, 2045 to 2047, 2231): fresh messages, answers, forwards.

Invariant: the same arguments give the same bytes, and no value can add a header, a recipient or a line of protocol:
what cannot be said safely is refused (`Unsendable`). A mail that is forwarded whole keeps its bytes.

Bodies are the standard library's. Header fields are written here, because in Python 3.11 its policy.SMTP turns a long
Message-ID into encoded words, drops the quotes of a folded display name (one recipient becomes two), and decodes what
looks like an encoded word in a subject.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Final, Literal

from mailrouter.core import headers as header_fields
from mailrouter.core.html import to_text
from mailrouter.core.message import Address, Message, parse
from mailrouter.shell.errors import Permanent

MAX_REFERENCES: Final = 25  # the first and the newest; a thread of years would outgrow servers' header limits
_LINE: Final = 998  # RFC 5322 § 2.1.1
_FOLD: Final = 76  # RFC 2047 § 2
_POLICY: Final = SMTP.clone(cte_type="7bit")  # our own words travel through any server
_OWN_FIELDS: Final = frozenset(
    {"from", "to", "cc", "bcc", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"}
)
_FIELD_NAME: Final = re.compile(r"[!-9;-~]{1,70}")
_UNSOUND: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_ADDRESS: Final = re.compile(r"""[^\s<>()\[\],;:\\"\x00-\x1f\x7f]+@[^\s<>(),;:\\"@\x00-\x1f\x7f]+""")
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,900}>")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}")
_ATOMS: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)


class Unsendable(Permanent):
    """A value cannot stand in a mail; the message names it."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file to attach; `content_id` (without brackets) where the HTML shows it."""

    name: str
    media_type: str
    content: bytes
    content_id: str = ""


def build_mail(
    *,
    from_: Address,
    to: Sequence[Address],
    subject: str,
    text: str,
    message_id: str,
    date: datetime,
    cc: Sequence[Address] = (),
    html: str = "",
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    auto: bool = False,
    attachments: Sequence[Attached] = (),
    headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A mail of our own. `auto` marks an automatic reply (RFC 3834 § 5); `headers` are further fields.

    Message-IDs of others that are none are left out; of a long thread the first and the newest are kept.
    """
    further = [("Auto-Submitted", "auto-replied"), *headers] if auto else headers
    top = _fields(from_, to, cc, subject, message_id, date, in_reply_to, references, further)
    return top + _content(text, html, attachments, message_id)


def build_forward(
    *,
    from_: Address,
    to: Sequence[Address],
    subject: str,
    text: str,
    message_id: str,
    date: datetime,
    original: bytes,
    cc: Sequence[Address] = (),
    html: str = "",
    mode: Literal["attach", "inline"] = "attach",
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A fresh mail from our own address with the original below our note, so that DMARC does not break (RFC 7960).

    `attach`: the original whole as message/rfc822, its bytes unchanged (line ends become CRLF, as on the wire). One
    that SMTP cannot carry so (a line over 998 octets, NUL, a lone CR) is attached as a base64 file, which keeps every
    octet: message/rfc822 may not be encoded (RFC 2046 § 5.2.1). `inline`: its text and files are repeated in ours.
    """
    top = _fields(from_, to, cc, subject, message_id, date, in_reply_to, references, headers)
    if mode == "attach":
        return top + _multipart("mixed", [_content(text, html, (), message_id), _whole(original)], message_id)
    message = parse(original)
    files = [Attached(part.name, part.media_type, part.content, part.content_id) for part in message.parts]
    text, html = _quoted(message, text, html)
    return top + _content(text, html, files, message_id)


# -- header fields --


def _fields(
    from_: Address,
    to: Sequence[Address],
    cc: Sequence[Address],
    subject: str,
    message_id: str,
    date: datetime,
    in_reply_to: str | None,
    references: Sequence[str],
    further: Sequence[tuple[str, str]],
) -> bytes:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Unsendable(f"{message_id!r} is no Message-ID")
    fields = [
        f"From: {_addresses('From', [from_])}",
        *([f"To: {_addresses('To', to)}"] if to else []),
        *([f"Cc: {_addresses('Cc', cc)}"] if cc else []),
        f"Subject: {_words('Subject', subject)}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
    ]
    thread = _thread(references, in_reply_to)
    if in_reply_to and _MESSAGE_ID.fullmatch(in_reply_to):
        fields.append(f"In-Reply-To: {in_reply_to}")
    if thread:
        fields.append("References: " + "\r\n ".join(thread))
    fields += [f"{_name(name)}: {_words(name, value)}" for name, value in further]
    return "".join(f"{field}\r\n" for field in [*fields, "MIME-Version: 1.0"]).encode()


def _thread(references: Iterable[str], in_reply_to: str | None) -> list[str]:
    """RFC 5322 § 3.6.4: the parent's References, then the parent; each once, only what is a Message-ID."""
    known = list(dict.fromkeys(one for one in references if one != in_reply_to and _MESSAGE_ID.fullmatch(one)))
    if in_reply_to and _MESSAGE_ID.fullmatch(in_reply_to):
        known.append(in_reply_to)
    return known if len(known) <= MAX_REFERENCES else [known[0], *known[1 - MAX_REFERENCES :]]


def _name(name: str) -> str:
    if not _FIELD_NAME.fullmatch(name) or name.lower() in _OWN_FIELDS or name.lower().startswith("content-"):
        raise Unsendable(f"{name!r} cannot be set as a further header field")
    return name


def _sound(name: str, value: str) -> str:
    if _UNSOUND.search(value):
        raise Unsendable(f"{name} has a line end or a control character: {value[:60]!r}")
    return value


def _words(name: str, value: str) -> str:
    """Unstructured text (RFC 5322 § 2.2.1): as it is if it can stand so, else as encoded words (RFC 2047)."""
    value = _sound(name, value).strip()
    plain = value.isascii() and "=?" not in value
    token = len(value) < 900 and not re.search(r"\s", value)  # such as a loop mark: never broken
    if plain and (token or len(name) + len(value) + 2 <= _FOLD):
        return value
    foldable = plain and not re.search(r"\S{300}|\s{2}|\t", value)
    charset = "us-ascii" if foldable else "utf-8"
    return Header(value, charset, maxlinelen=_FOLD, header_name=name).encode(linesep="\r\n")


def _addresses(name: str, addresses: Sequence[Address]) -> str:
    """An address list, one a line; addresses beyond ASCII stay as they are (RFC 6532)."""
    return ",\r\n ".join(_mailbox(name, address) for address in addresses)


def _mailbox(name: str, address: Address) -> str:
    spec = address.address or ""
    if len(spec) > 320 or not _ADDRESS.fullmatch(spec):
        raise Unsendable(f"{name}: {spec[:80]!r} is no mail address")
    words = " ".join(_sound(name, address.name).split())[:500]
    if not words:
        return spec
    if not words.isascii() or "=?" in words or len(words) > 200:
        # A phrase allows fewer characters in Q (RFC 2047 § 5); base64 has only those.
        words = "\r\n ".join(f"=?utf-8?b?{_base64(piece)}?=" for piece in _pieces(words, 42))
    elif not _ATOMS.fullmatch(words):
        words = '"' + re.sub(r'(["\\])', r"\\\1", words) + '"'
    return f"{words} <{spec}>"


def _pieces(text: str, octets: int) -> list[str]:
    """The text in pieces of at most so many octets of UTF-8, no character split (RFC 2047 § 5)."""
    pieces = [""]
    for character in text:
        if len((pieces[-1] + character).encode()) > octets:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


# -- bodies --


def _content(text: str, html: str, files: Sequence[Attached], seed: str) -> bytes:
    """Text; or text and HTML with the pictures that it shows; and the other files after it."""
    body = _text(text, "plain")
    pictures = [one for one in files if html and one.content_id]
    if html:
        rich = _text(html, "html")
        if pictures:
            rich = _multipart("related", [rich, *(_file(one) for one in pictures)], seed)
        body = _multipart("alternative", [body, rich], seed)
    others = [_file(one) for one in files if one not in pictures]
    return _multipart("mixed", [body, *others], seed) if others else body


def _text(text: str, subtype: str) -> bytes:
    part = MIMEPart(policy=_POLICY)
    part.set_content(header_fields.clean(text), subtype=subtype, charset="utf-8")
    return part.as_bytes()


def _file(file: Attached) -> bytes:
    media_type = file.media_type.lower() if _MEDIA_TYPE.fullmatch(file.media_type.lower()) else ""
    if media_type == "message/rfc822":
        return _whole(file.content)
    if not media_type or media_type.startswith(("multipart/", "message/")):
        media_type = "application/octet-stream"
    main, _, sub = media_type.partition("/")
    part = MIMEPart(policy=_POLICY)
    part.set_content(
        file.content,
        maintype=main,
        subtype=sub,
        disposition="inline" if file.content_id else "attachment",
        filename=_filename(file.name),
        params=_calendar(file.content) if media_type == "text/calendar" else None,
    )
    if file.content_id and _MESSAGE_ID.fullmatch(f"<{file.content_id}>"):
        part["Content-ID"] = f"<{file.content_id}>"
    return part.as_bytes()


def _calendar(content: bytes) -> dict[str, str]:
    """RFC 6047 § 2.4: the method stands in the media type as well; mail programs go by it."""
    method = re.search(rb"^METHOD:([A-Z]{1,20})\r?$", content, re.MULTILINE)
    return {"charset": "utf-8"} | ({"method": method[1].decode()} if method else {})


def _filename(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff/\\]+", "_", name)[:150] or "attachment"


def _whole(original: bytes) -> bytes:
    """A mail as a part, its bytes unchanged: see build_forward."""
    wire = re.sub(rb"\r?\n", b"\r\n", original)
    lines = wire.split(b"\r\n")
    if b"\0" in wire or any(len(line) > _LINE or b"\r" in line for line in lines):
        return _file(Attached("original.eml", "application/octet-stream", original))
    encoding = b"7bit" if wire.isascii() else b"8bit"
    return (
        b"Content-Type: message/rfc822\r\n"
        b"Content-Transfer-Encoding: " + encoding + b"\r\n"
        b'Content-Disposition: attachment; filename="original.eml"\r\n\r\n' + wire
    )


def _multipart(subtype: str, parts: Sequence[bytes], seed: str) -> bytes:
    """The parts under one boundary that occurs in none of them, the same every time."""
    number = 0
    while True:
        name = hashlib.sha256(f"{subtype} {number} {seed}".encode()).hexdigest()[:32]
        boundary = f"=_{name}".encode()
        if not any(boundary in part for part in parts):
            break
        number += 1
    encoding = b"7bit" if all(part.isascii() for part in parts) else b"8bit"  # RFC 2045 § 6.4: as its parts
    head = b'Content-Type: multipart/%s; boundary="%s"\r\nContent-Transfer-Encoding: %s\r\n\r\n'
    pieces = [head % (subtype.encode(), boundary, encoding)]
    pieces += [b"--%s\r\n%s\r\n" % (boundary, part) for part in parts]
    return b"".join([*pieces, b"--%s--\r\n" % boundary])


# -- quoting --


def _quoted(message: Message, text: str, html: str) -> tuple[str, str]:
    """Our note, the original's header block as mail programs print it, the original's words; HTML if it has any."""
    block = _block(message)
    words = message.text or to_text(message.html)
    quoted = "\n".join([text.rstrip(), "", "-----Original Message-----", *(f"{n}: {v}" for n, v in block), "", words])
    if not message.html:
        return quoted, ""
    note = html or f"<p>{escape(text.rstrip()).replace(chr(10), '<br>')}</p>"
    lines = "<br>".join(f"<b>{name}:</b> {escape(value)}" for name, value in block)
    return quoted, f"<div>{note}</div><hr><p>{lines}</p><div>{message.html}</div>"


def _block(message: Message) -> list[tuple[str, str]]:
    def printed(addresses: Iterable[Address | None]) -> str:
        known = [one for one in addresses if one]
        return "; ".join(f"{one.name} <{one.address}>".strip() if one.address else one.name for one in known)

    fields = [
        ("From", printed([message.addresses.sender])),
        ("Sent", message.date or ""),
        ("To", printed(message.addresses.to)),
        ("Cc", printed(message.addresses.cc)),
        ("Subject", message.subject),
    ]
    return [(name, value) for name, value in fields if value]
