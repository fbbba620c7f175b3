"""The MIME tree of a mail → its leaves in reading order, with their exact bytes.

Invariant: bounded whatever comes in (`MAX_DEPTH`, `MAX_PARTS`), linear, nothing raises; an encapsulated mail is a leaf
and its bytes are those that came, so that its digest is that of the mail itself. Types and parameters are read by the
standard library's `email` (compat32) from values cut to a sane length; the splitting is ours, because the library's is
recursive and quadratic on nested boundaries and cannot give an enclosed mail's bytes back (RFC 2046 § 5.1).
"""

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message as StandardMessage
from functools import lru_cache
from typing import Final

from mailrouter.core.headers import decode_text, decode_words, split_headers
from mailrouter.core.outcomes import Defect

MAX_DEPTH: Final = 60
MAX_PARTS: Final = 2_000
_MAX_CONTENT_HEADER: Final = 8_192  # characters of a Content-* header that are looked at
_MAX_PARAMETERS: Final = 64
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_BLANK = re.compile(rb"\n[ \t]*\r?\n")
_SOUND_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]*(?:=\s*){0,2}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True)
class Entity:
    """A leaf: its headers' meaning and its decoded bytes. `parents` are the multiparts above it, outermost first."""

    media_type: str
    charset: str | None
    disposition: str  # "", "inline" or "attachment"
    name: str
    content_id: str
    content: bytes
    parents: tuple[tuple[str, int], ...]  # (subtype, a number that tells two multiparts apart)


@dataclass(frozen=True, slots=True)
class _Content:
    """The Content-* headers of one entity."""

    media_type: str
    charset: str | None
    boundary: str
    disposition: str
    name: str
    content_id: str
    encoding: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A slice of the mail that is still to be read as an entity; headers None: they stand in the slice."""

    start: int
    end: int
    headers: Sequence[tuple[str, str]] | None
    parents: tuple[tuple[str, int], ...]
    default_type: str


def header_end(raw: bytes, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Where the header block of an entity ends and where its body begins."""
    end = len(raw) if end is None else end
    if raw.startswith((b"\n", b"\r\n"), start):
        return start, start + (1 if raw.startswith(b"\n", start) else 2)
    match = _BLANK.search(raw, start, end)
    return (match.start(), match.end()) if match else (end, end)


def leaves(raw: bytes, headers: Sequence[tuple[str, str]], body: int) -> tuple[list[Entity], list[Defect]]:
    """The leaves of the mail whose body begins at `body`, in reading order, and what was wrong with the tree."""
    view = memoryview(raw)  # bodies are not copied before they are decoded: a mail of 35 MiB must fit the child
    found: list[Entity] = []
    defects: list[Defect] = []
    waiting = [_Waiting(body, len(raw), headers, (), "text/plain")]
    seen = 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > MAX_PARTS:
            defects.append(Defect("parts", f"more than {MAX_PARTS} MIME parts: the rest was left out"))
            break
        start, own = part.start, part.headers
        if own is None:
            cut, start = header_end(raw, part.start, part.end)
            own = split_headers(raw[part.start : cut])[0]
        content = _content(own, part.default_type)
        if content.media_type.startswith("multipart/") and len(part.parents) < MAX_DEPTH:
            parents = (*part.parents, (content.media_type[10:], seen))
            default = "message/rfc822" if content.media_type == "multipart/digest" else "text/plain"
            slices = _split(raw, start, part.end, content.boundary, defects)
            if slices is not None:
                waiting.extend(_Waiting(at, to, None, parents, default) for at, to in reversed(slices))
                continue
            content = _content([("Content-Type", "text/plain")], "text/plain")
        elif content.media_type.startswith("multipart/"):
            defects.append(Defect("depth", f"multiparts nested deeper than {MAX_DEPTH}: the rest was not opened"))
        found.append(_leaf(view[start : part.end], content, part.parents, defects))
    return found, defects


def _leaf(body: memoryview, content: _Content, parents: tuple[tuple[str, int], ...], defects: list[Defect]) -> Entity:
    decoded, sound = decode_transfer(body, content.encoding)
    if not sound:
        defects.append(Defect("base64", f"{content.name or content.media_type}: {content.encoding} content is damaged"))
    return Entity(
        content.media_type, content.charset, content.disposition, content.name, content.content_id, decoded, parents
    )


def _split(raw: bytes, start: int, end: int, boundary: str, defects: list[Defect]) -> list[tuple[int, int]] | None:
    """The parts between boundary lines as slices; None if there is no such line, not even one that can be guessed."""
    marker = b"--" + boundary.encode("utf-8", "replace") if boundary else b""
    slices, closed = _between(raw, start, end, marker) if marker else ([], False)
    if not slices:
        guess = re.search(rb"(?m)^(--[^\s].{0,80}?)[ \t]*\r?\nContent-", raw[start : min(end, start + 65_536)])
        defects.append(
            Defect("boundary", f"boundary {boundary!r} not found" if boundary else "multipart without boundary")
        )
        if not guess:
            return None
        slices, closed = _between(raw, start, end, guess[1])
        return slices or None
    if not closed:
        defects.append(Defect("boundary", f"boundary {boundary!r} is never closed: the mail may be cut short"))
    return slices


def _between(raw: bytes, start: int, end: int, marker: bytes) -> tuple[list[tuple[int, int]], bool]:
    """The slices between the lines that are `marker`, and whether the closing one was seen."""
    slices: list[tuple[int, int]] = []
    opened = -1
    at = raw.find(marker, start, end)
    while at >= 0:
        if at == start or raw[at - 1 : at] == b"\n":  # looked at first: one line end is searched for a line
            line_end = raw.find(b"\n", at, end)
            line_end = end if line_end < 0 else line_end + 1
            rest = raw[at + len(marker) : min(line_end, at + len(marker) + 80)].rstrip()
            if rest in {b"", b"--"}:
                if opened >= 0:
                    # The line end before a boundary belongs to the boundary (RFC 2046 § 5.1.1).
                    stop = at - (2 if raw[at - 2 : at] == b"\r\n" else 1)
                    slices.append((opened, max(opened, stop)))
                if rest == b"--" or len(slices) > MAX_PARTS:
                    return slices, True
                opened = line_end
        at = raw.find(marker, at + len(marker), end)
    if opened >= 0 and opened < end:
        slices.append((opened, end))
    return slices, False


def _content(headers: Sequence[tuple[str, str]], default_type: str) -> _Content:
    """What the Content-* headers say, each read once and guarded; the first of several counts."""
    values: dict[str, str] = {}
    for name, value in headers:
        lowered = name.lower()
        if lowered.startswith("content-"):
            values.setdefault(lowered, value[:_MAX_CONTENT_HEADER])
    declared = values.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower() or default_type
    if not _TYPE.fullmatch(media_type):
        media_type = "text/plain" if not declared or media_type == "text" else "application/octet-stream"
    disposition = values.get("content-disposition", "").partition(";")[0].strip().lower()
    known = disposition if disposition in {"inline", "attachment", ""} else "attachment"  # RFC 2183 § 2.8
    charset = _parameter(declared, "charset") or None
    name = _parameter(values.get("content-disposition", ""), "filename") or _parameter(declared, "name")
    return _Content(
        media_type,
        charset,
        _parameter(declared, "boundary").rstrip()[:200],  # RFC 2046 § 5.1.1 allows 70
        known,
        " ".join(decode_words(name).split())[:255],
        values.get("content-id", "").strip("<> \t"),
        values.get("content-transfer-encoding", "").strip().lower(),
    )


@lru_cache(maxsize=256)  # most mails declare one of a few types and charsets
def _parameter(header: str, name: str) -> str:
    """One parameter of a structured header, continuations and charsets of RFC 2231 joined; "" if absent or absurd."""
    if name not in header.lower():
        return ""
    entity = StandardMessage()
    # The library looks at the rest of the header again for each parameter: a few are enough.
    entity["Content-Type"] = ";".join(header.split(";")[:_MAX_PARAMETERS])
    try:
        value = entity.get_param(name, "")
        if isinstance(value, tuple):
            charset, _language, text = value
            return decode_text(text.encode("latin-1", "replace"), charset)[0]
    except (ValueError, TypeError, IndexError, LookupError, RecursionError):
        return ""
    return str(value).strip()


def decode_transfer(body: bytes | memoryview, encoding: str) -> tuple[bytes, bool]:
    """A body without its Content-Transfer-Encoding, and whether it was sound; damaged base64 gives what there is."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body), True
    if encoding != "base64":
        return bytes(body), True  # 7bit, 8bit, binary, and unknown ones as RFC 2045 § 6.4 has it: left as they are
    if _SOUND_BASE64.fullmatch(body):
        try:
            return binascii.a2b_base64(body), True
        except binascii.Error:
            pass  # cut short
    pieces = re.split(rb"=+", _NOT_BASE64.sub(b"", body))  # several: two encodings one after the other (lists' footers)
    return b"".join(_salvaged(piece) for piece in pieces[:1000]), False


def _salvaged(data: bytes) -> bytes:
    whole = len(data) - (1 if len(data) % 4 == 1 else 0)
    return binascii.a2b_base64(data[:whole] + b"=" * (-whole % 4))
