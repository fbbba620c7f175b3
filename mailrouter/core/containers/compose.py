"""Mails of other formats (.msg, TNEF) written as MIME, so that one parser reads them all.

Invariant: deterministic; the bytes of attachments are copied as they are.
"""

import hashlib
import re
from collections.abc import Sequence

from mailrouter.core.containers.opened import Item


def compose_mail(headers: Sequence[tuple[str, str]], text: str, html: str, items: Sequence[Item]) -> bytes:
    """A mail with these headers (decoded, written as UTF-8, RFC 6532), this body and these attachments."""
    lines = [f"{name}: {one_line(value)}" for name, value in headers if value]
    boundary = "=_" + hashlib.sha256("\n".join([*lines, text, html]).encode("utf-8", "replace")).hexdigest()[:40]
    bodies = [_body("plain", text)] if text or not html else []
    bodies += [_body("html", html)] if html else []
    inner = _multipart("alternative", f"{boundary}a", bodies) if len(bodies) == 2 else bodies[0]
    whole = _multipart("mixed", boundary, [inner, *map(_attachment, items)])
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\nMIME-Version: 1.0\r\n" + whole


def one_line(value: str) -> str:
    """A value that cannot begin another header."""
    return re.sub(r"[\r\n\x00]+", " ", value).strip()


def _body(subtype: str, text: str) -> bytes:
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return head.encode() + text.encode("utf-8", "replace")


def _attachment(item: Item) -> bytes:
    name = re.sub(r'["\\\r\n\x00]', "_", item.name)
    disposition = "inline" if item.inline else "attachment"
    head = (
        f"Content-Type: {one_line(item.media_type) or 'application/octet-stream'}\r\n"
        f'Content-Disposition: {disposition}; filename="{name}"\r\nContent-Transfer-Encoding: binary\r\n\r\n'
    )
    return head.encode("utf-8", "replace") + item.content


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    line = f"--{boundary}".encode()
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
    return head + b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
