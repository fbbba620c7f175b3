"""Outlook's own formats → mails: .msg files (MS-OXMSG) and winmail.dat (MS-OXTNEF).

.msg takes the optional extra `mailrouter[outlook]` (extract-msg, GPL): without it a .msg is listed and said to be
unread. What these libraries do with broken files is their own: whatever they raise becomes a defect.
"""

import importlib
import re
import struct
import zlib
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final

from tnefparse import TNEF
from tnefparse import properties as mapi

from mailrouter.core.containers.compose import compose_mail
from mailrouter.core.containers.kinds import OLE, media_type_of
from mailrouter.core.containers.opened import Contents, Item
from mailrouter.core.headers import clean, decode_text
from mailrouter.core.outcomes import Defect

_BROKEN: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NameError,  # tnefparse, on an attachment that never began
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_MAX_ATTACHMENTS: Final = 500
_MAX_DEPTH: Final = 8
_TNEF_START: Final = b"\x78\x9f\x3e\x22"
_OWN_HEADERS = re.compile(r"content-|mime-version$|x-mailrouter-", re.IGNORECASE)
_TNEF_HEADERS: Final = (  # MS-OXPROPS: PidTagSubject, DisplayTo, DisplayCc, InternetMessageId
    (0x0037, "Subject"),
    (0x0E04, "To"),
    (0x0E03, "Cc"),
    (0x1035, "Message-ID"),
)
_TNEF_SENT: Final = 0x0039  # PidTagClientSubmitTime
_TNEF_SENDER: Final = (0x0042, 0x0065)  # PidTagSentRepresentingName, …EmailAddress


def read_msg(content: bytes, name: str) -> bytes | Defect:
    """An Outlook message as the bytes of a mail; a Defect if it is broken or the optional reader is not installed."""
    try:
        library = importlib.import_module("extract_msg")
    except ImportError:
        return Defect("outlook", f"{name}: install mailrouter[outlook] to read .msg files")
    failures = (*_BROKEN, library.exceptions.ExMsgBaseException)
    try:
        with library.openMsg(content, strict=False) as message:
            return _mail_of(message, failures, 0)
    except failures as error:
        return Defect("container", f"{name}: broken Outlook message ({type(error).__name__})")


def mail_bytes(raw: bytes) -> tuple[bytes, tuple[Defect, ...]]:
    """A mail's bytes from what was fetched or lies in a file, which may be an Outlook .msg; with what went wrong."""
    if not raw.startswith(OLE):
        return raw, ()
    found = read_msg(raw, "the message")
    return (b"", (found,)) if isinstance(found, Defect) else (found, ())


def _mail_of(message: Any, failures: tuple[type[BaseException], ...], depth: int) -> bytes:
    text = str(_attribute(message, "body", failures) or "")
    html = _attribute(message, "htmlBody", failures) or b""
    items: list[Item] = []
    for place, attachment in enumerate(list(_attribute(message, "attachments", failures) or ())[:_MAX_ATTACHMENTS]):
        try:
            items.append(_item_of(attachment, place + 1, failures, depth))
        except failures:
            continue
    marked = html if isinstance(html, str) else decode_text(html, _html_charset(html))[0]
    return compose_mail(_headers_of(message, failures), text, marked, items)


def _item_of(attachment: Any, number: int, failures: tuple[type[BaseException], ...], depth: int) -> Item:
    name = clean(str(attachment.longFilename or attachment.shortFilename or attachment.name or f"part-{number}"))
    data = attachment.data
    if isinstance(data, bytes):
        declared = str(_attribute(attachment, "mimetype", failures) or "").lower()
        inline = bool(_attribute(attachment, "contentId", failures))
        return Item(name, data, media_type_of(name, declared), inline=inline)
    if data is None or depth >= _MAX_DEPTH:
        return Item(name, b"", "application/octet-stream")
    subject = str(_attribute(data, "subject", failures) or "message")
    return Item(f"{subject}.eml", _mail_of(data, failures, depth + 1), "message/rfc822")


def _headers_of(message: Any, failures: tuple[type[BaseException], ...]) -> list[tuple[str, str]]:
    """The transport headers that Outlook kept; of a mail that never travelled, what its properties say."""
    kept = str(_attribute(message, "headerText", failures) or "")
    if kept.strip():
        lines = re.sub(r"\r?\n[ \t]+", " ", kept).splitlines()
        pairs = [line.partition(":") for line in lines if re.match(r"[!-9;-~]+:", line)]
        found = [(name, value.strip()) for name, _, value in pairs if not _OWN_HEADERS.match(name)]
        if any(name.lower() == "from" for name, _ in found):
            return found
    sent = _attribute(message, "date", failures)
    return [
        ("From", str(_attribute(message, "sender", failures) or "")),
        ("To", str(_attribute(message, "to", failures) or "").replace(";", ",")),
        ("Cc", str(_attribute(message, "cc", failures) or "").replace(";", ",")),
        ("Subject", str(_attribute(message, "subject", failures) or "")),
        ("Date", format_datetime(sent) if isinstance(sent, datetime) else str(sent or "")),
        ("Message-ID", str(_attribute(message, "messageId", failures) or "")),
        ("In-Reply-To", str(_attribute(message, "inReplyTo", failures) or "")),
    ]


def _attribute(thing: Any, name: str, failures: tuple[type[BaseException], ...]) -> Any:
    """A property that the library computes when asked; None if it fails, so that the others are still read."""
    try:
        return getattr(thing, name, None)
    except failures:
        return None


def _html_charset(html: bytes) -> str | None:
    match = re.search(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,40})", html[:4096])
    return match[1].decode() if match else None


def open_tnef(content: bytes, name: str) -> tuple[Contents, str, str]:
    """What a winmail.dat holds, and the text and HTML of its own body."""
    try:
        opened = TNEF(content, do_checksum=False)
        text, html = _tnef_text(opened.body, opened.codepage), _tnef_text(opened.htmlbody, opened.codepage)
    except _BROKEN as error:
        broken = Defect("container", f"{name}: broken TNEF ({type(error).__name__})")
        return Contents(defects=(broken,)), "", ""
    items: list[Item] = []
    defects: list[Defect] = []
    for place, attachment in enumerate(opened.attachments[:_MAX_ATTACHMENTS]):
        try:
            items.append(_tnef_item(attachment, place + 1, opened.codepage))
        except _BROKEN as error:
            defects.append(Defect("container", f"{name}: attachment {place + 1} is broken ({type(error).__name__})"))
    return Contents(tuple(items), (), tuple(defects)), text, html


def _tnef_item(attachment: Any, number: int, codepage: str | None) -> Item:
    long_names = [each.data for each in attachment.mapi_attrs if each.name == mapi.MAPI_ATTACH_LONG_FILENAME]
    raw_name = long_names[0] if long_names else attachment._name  # noqa: SLF001  # `.name` fails on names not in UTF-8
    name = _tnef_text(raw_name, codepage).strip("\x00 ") or f"part-{number}"
    data = bytes(attachment.data or b"")
    if data.startswith(_TNEF_START):
        mail, subject = _tnef_mail(data)
        return Item(f"{subject or name}.eml", mail, "message/rfc822")
    return Item(name.replace("\\", "/").rpartition("/")[2], data, media_type_of(name, ""))


def _tnef_mail(data: bytes) -> tuple[bytes, str]:
    """A mail attached inside winmail.dat, and its subject."""
    opened = TNEF(data, do_checksum=False)
    values = {each.name: each.data for each in opened.mapiprops}
    headers = [(name, _tnef_text(values.get(tag), opened.codepage)) for tag, name in _TNEF_HEADERS]
    sender, address = (_tnef_text(values.get(tag), opened.codepage) for tag in _TNEF_SENDER)
    headers.append(("From", f'"{sender}" <{address}>' if "@" in address else sender))
    sent = values.get(_TNEF_SENT)
    headers.append(("Date", format_datetime(sent) if isinstance(sent, datetime) else ""))
    items = [_tnef_item(each, place + 1, opened.codepage) for place, each in enumerate(opened.attachments)]
    text, html = _tnef_text(opened.body, opened.codepage), _tnef_text(opened.htmlbody, opened.codepage)
    return compose_mail(headers, text, html, items), dict(headers)["Subject"]


def _tnef_text(value: object, codepage: str | None) -> str:
    """A TNEF value as text: bytes by the code page, the first of several values."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        return decode_text(value, codepage)[0].strip("\x00")
    return clean(str(value or "")).strip("\x00")
