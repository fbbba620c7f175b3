"""Bytes of a mail → Message; never raises.

Invariant: whatever the bytes, `parse` returns a Message; what could not be read as the standard says is in `defects`.
Headers keep their order. The header block is read in headers.py, the MIME tree in mime.py.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Annotated

from pydantic import Field

from mailrouter.core.headers import (
    decode_header,
    decode_text,
    decode_words,
    message_ids,
    parse_addresses,
    parse_date,
    split_headers,
)
from mailrouter.core.html import to_text
from mailrouter.core.mime import Entity, header_end, leaves
from mailrouter.core.outcomes import Defect


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as printed, unfolded and unquoted: name "" if none; address None where it is absent or redacted."""

    name: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a container, as its certificate says; listing is not validation. The personal code is withheld."""

    name: str
    signed: str | None  # ISO time as the signature states it
    status: str = "not verified"


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came with a mail, opened containers included, without its bytes."""

    name: str
    media_type: str
    size: int  # bytes, decoded
    path: tuple[str, ...]  # names from the outermost attachment inwards; names are data, never paths
    inline: bool
    signers: tuple[Signer, ...] = ()
    sha256: str = ""  # of the decoded bytes
    state: str = "ok"  # "ok" | "encrypted" | "unreadable" | "needs-ocr" | "too-large"


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the MIME tree that is not the body: an attachment with its decoded bytes.

    An encapsulated mail (message/rfc822) is one Part whose content is that mail's bytes.
    """

    name: str  # decoded file name; "" if none was given
    media_type: str  # lower case, "application/octet-stream" if absent or absurd
    content: bytes
    inline: bool  # Content-Disposition inline, or referenced by Content-ID from the HTML
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a mail's own headers, groups flattened, names decoded."""

    sender: Annotated[Address | None, Field(alias="from")]  # From, the first
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    return_path: str | None = None  # "" is the null return path; None: no such header


@dataclass(frozen=True, slots=True)
class Message:
    """A mail as it lies in the mailbox, before anyone's words are told apart."""

    digest: str  # SHA-256 of the bytes, hex
    size: int
    message_id: str | None  # with angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    addresses: Addresses
    subject: str  # decoded, unfolded
    date: str | None  # ISO with offset; None if absent or unreadable (then a defect)
    text: str  # the text/plain body, "" if none; line ends are \n
    html: str  # the text/html body, "" if none
    parts: tuple[Part, ...]
    headers: tuple[tuple[str, str], ...]  # all of them, in order, unfolded, decoded where that is possible
    defects: tuple[Defect, ...]


def parse(raw: bytes) -> Message:
    """The bytes of a mail, as fetched or as a file → Message. Never raises; bounded and linear in the size.

    The body is every text/plain and text/html part without a file name, alternatives paired: where a mail has both
    kinds, `text` and `html` each hold all of it. RFC 5322, 2045 to 2047, 2183, 2231.
    """
    content = _normal_start(raw)
    cut, body = header_end(content)
    fields, problems = split_headers(content[:cut])
    defects = [Defect("header", problem) for problem in problems]
    entities, tree_defects = leaves(content, fields, body)
    defects += tree_defects
    text, html, parts = _body_and_parts(entities, defects)
    fields_of: dict[str, list[str]] = {}
    for name, value in fields:
        fields_of.setdefault(name.lower(), []).append(value)
    for name in ("from", "date", "subject", "message-id"):
        if len(fields_of.get(name, ())) > 1:
            defects.append(Defect("header", f"{len(fields_of[name])} {name.title()} headers: the first counts"))
    ids = message_ids(" ".join(fields_of.get("message-id", [])[:1]))
    return Message(
        digest=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        message_id=ids[0] if ids else None,
        in_reply_to=message_ids(" ".join(fields_of.get("in-reply-to", []))),
        references=message_ids(" ".join(fields_of.get("references", []))),
        addresses=_addresses(fields_of),
        subject=decode_words(" ".join(fields_of.get("subject", [])[:1])).strip(),
        date=_date(fields_of.get("date", []), defects),
        text=text,
        html=html,
        parts=tuple(parts),
        headers=tuple((name, decode_header(name, value)) for name, value in fields),
        defects=tuple(defects),
    )


def _normal_start(raw: bytes) -> bytes:
    """Without a byte order mark, blank lines and an mbox "From " line before the headers; CR alone as line end mended."""
    content = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if b"\n" not in content[:65_536] and b"\r" in content[:65_536]:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content.startswith((b"From ", b">From ")):
        content = content.partition(b"\n")[2]
    return content


def _addresses(fields_of: Mapping[str, Sequence[str]]) -> Addresses:
    def read(name: str) -> tuple[Address, ...]:
        return tuple(Address(*pair) for value in fields_of.get(name, ()) for pair in parse_addresses(value))

    return_path: str | None = None
    if fields_of.get("return-path"):
        paths = parse_addresses(fields_of["return-path"][0])
        return_path = (paths[0][1] or "") if paths else ""
    sender = read("from") or read("sender")
    return Addresses(
        sender=sender[0] if sender else None,
        to=read("to"),
        cc=read("cc"),
        reply_to=read("reply-to"),
        return_path=return_path,
    )


def _date(values: Sequence[str], defects: list[Defect]) -> str | None:
    if not values:
        defects.append(Defect("date", "no Date header"))
        return None
    moment, sound = parse_date(values[0])
    if not sound:
        defects.append(Defect("date", f"unreadable Date header: {values[0][:80]}"))
    return moment


def _body_and_parts(entities: Sequence[Entity], defects: list[Defect]) -> tuple[str, str, list[Part]]:
    """Text and HTML of the body, and the leaves that are not body, in their order."""
    rows: dict[int, dict[str, list[str]]] = {}  # a row of the body: an alternative's versions, or one lone text
    parts: list[Entity] = []
    for index, entity in enumerate(entities):
        if not _is_body(entity):
            parts.append(entity)
            continue
        text, sound = decode_text(entity.content, entity.charset)
        if not sound:
            defects.append(Defect("charset", f"text is not {entity.charset or 'UTF-8'}, or that charset is unknown"))
        alternative = next((number for kind, number in entity.parents if kind == "alternative"), -1 - index)
        rows.setdefault(alternative, {}).setdefault(entity.media_type, []).append(text)
    plain, html = _join_rows(rows)
    return plain, html, [_part(entity, html) for entity in parts]


def _is_body(entity: Entity) -> bool:
    if entity.media_type not in {"text/plain", "text/html"} or entity.disposition == "attachment":
        return False
    return not entity.name and not any(kind == "encrypted" for kind, _ in entity.parents)


def _join_rows(rows: Mapping[int, Mapping[str, Sequence[str]]]) -> tuple[str, str]:
    """Both readings whole: a row that has only one kind is turned into the other where the mail has both kinds."""
    pairs = [("\n".join(row.get("text/plain", ())), "\n".join(row.get("text/html", ()))) for row in rows.values()]
    pairs = [(plain, html) for plain, html in pairs if plain.strip() or html.strip()]
    any_plain = any(plain.strip() for plain, _ in pairs)
    any_html = any(html.strip() for _, html in pairs)
    texts = [plain if plain.strip() else to_text(html) for plain, html in pairs] if any_plain else []
    htmls = [html if html.strip() else f"<pre>{escape(plain)}</pre>" for plain, html in pairs] if any_html else []
    return "\n".join(texts), "\n".join(htmls)


def _part(entity: Entity, html: str) -> Part:
    referenced = bool(entity.content_id) and f"cid:{entity.content_id}" in html
    inline = entity.disposition == "inline" or (referenced and entity.disposition != "attachment")
    return Part(entity.name, entity.media_type, entity.content, inline, entity.content_id)
