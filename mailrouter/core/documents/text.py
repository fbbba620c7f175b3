"""What a document is and what text it holds.

Invariant: `to_text` never raises on any bytes; what cannot be read is said by `state` and `defects`, and a scan without
text says so rather than being silently empty.
"""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from lxml import etree

from mailrouter.core import html
from mailrouter.core.documents.office import TooLarge, is_encrypted_odt, read_docx, read_odt
from mailrouter.core.documents.pdf import Encrypted, Unreadable, read_pdf
from mailrouter.core.language import detect
from mailrouter.core.outcomes import Defect

State = Literal["ok", "needs-ocr", "encrypted", "unreadable", "unsupported"]
_PLAIN_BYTES = 5 * 1024 * 1024  # of a text file; the rest is left out
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class DocumentText:
    r"""A document's text in reading order: "\\f" begins a page, a tab parts cells, ** encloses a line set in bold."""

    text: str
    pages: int  # 1 where the format has none
    state: State
    defects: tuple[Defect, ...] = ()


def to_text(content: bytes, media_type: str, name: str, *, max_pages: int = 200) -> DocumentText:
    """The document's text by what its bytes are; `media_type` and `name` decide only where the bytes do not.

    PDF (ISO 32000) by PDFium, DOCX (ECMA-376) and ODT (ISO 26300) as XML, HTML, plain text with its charset guessed.
    Needs a child process with limits where the content is hostile.
    """
    kind = _kind(content, media_type.lower(), name.lower())
    reader = _READERS.get(kind)
    if reader is None:
        state: State = "encrypted" if kind == "encrypted" else "unsupported"
        detail = "asks for a password" if state == "encrypted" else f"no reader for {media_type}"
        return DocumentText("", 0, state, (Defect(state, f"{name}: {detail}"),))
    try:
        return reader(content, max_pages)
    except (Encrypted, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "password" not in str(error):
            return _unreadable(name, error)
        return DocumentText("", 0, "encrypted", (Defect("encrypted", f"{name}: asks for a password"),))
    except (
        Unreadable,
        TooLarge,
        KeyError,
        ValueError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
        etree.LxmlError,
    ) as error:
        return _unreadable(name, error)
    except (NotImplementedError, zipfile.LargeZipFile, RecursionError) as error:
        return _unreadable(name, error)


def _unreadable(name: str, error: Exception) -> DocumentText:
    return DocumentText("", 0, "unreadable", (Defect("unreadable", f"{name}: {type(error).__name__}: {error}"[:300]),))


def _kind(content: bytes, media_type: str, name: str) -> str:
    """The format, from the bytes where they tell."""
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content[:2] == b"PK":
        return _zip_kind(content)
    if content[:8] == _OLE:
        return "encrypted" if "EncryptedPackage".encode("utf-16-le") in content else "ole"
    if re.match(rb"(?:\xef\xbb\xbf)?<(?:!doctype html|html)", content[:1024].lstrip(), re.IGNORECASE):
        return "html"
    return _named_kind(media_type, name)


def _named_kind(media_type: str, name: str) -> str:
    """The format as the mail names it."""
    if media_type == "text/html" or name.endswith((".htm", ".html", ".xhtml")):
        return "html"
    if media_type == "application/pdf" or name.endswith(".pdf"):
        return "pdf"
    plain = media_type.startswith("text/") and media_type not in {"text/calendar", "text/vcard", "text/rtf"}
    return "text" if plain or name.endswith((".txt", ".text", ".md", ".asc")) else "unknown"


def _zip_kind(content: bytes) -> str:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
            if "word/document.xml" in names:
                return "docx"
            if "content.xml" in names:
                if is_encrypted_odt(archive):
                    return "encrypted"
                kind = archive.read("mimetype")[:60] if "mimetype" in names else b""
                return "odt" if not kind or b"opendocument.text" in kind else "unknown"
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, NotImplementedError, RuntimeError, TooLarge):
        return "docx"  # read again by its reader, which says what is wrong
    return "unknown"


def _pdf(content: bytes, max_pages: int) -> DocumentText:
    read = read_pdf(content, max_pages)
    if read.scanned:
        detail = f"{read.pages} pages without text: a scan"
        return DocumentText(read.text, read.pages, "needs-ocr", (*read.defects, Defect("needs-ocr", detail)))
    return DocumentText(read.text, read.pages, "ok", read.defects)


def _docx(content: bytes, _max_pages: int) -> DocumentText:
    return _office(read_docx(content))


def _odt(content: bytes, _max_pages: int) -> DocumentText:
    return _office(read_odt(content))


def _office(text: str) -> DocumentText:
    return DocumentText(text, 1 + text.count("\f"), "ok")


def _html(content: bytes, _max_pages: int) -> DocumentText:
    declared = re.search(rb"charset=[\"']?([\w-]+)", content[:2048])
    text, defects = decode(content, declared.group(1).decode("ascii") if declared else "")
    return DocumentText(html.to_text(text), 1, "ok", defects)


def _text(content: bytes, _max_pages: int) -> DocumentText:
    text, defects = decode(content[:_PLAIN_BYTES], "")
    return DocumentText(text.replace("\r\n", "\n").replace("\r", "\n"), 1, "ok", defects)


def decode(content: bytes, declared: str) -> tuple[str, tuple[Defect, ...]]:
    """Bytes as text: UTF-8 if they are, else the declared charset, else the likeliest one with a defect."""
    for charset in ("utf-8-sig", declared):
        try:
            if charset:
                return content.decode(charset), ()
        except (UnicodeDecodeError, LookupError):
            continue
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", "replace"), ()
    charset = _likely_charset(content[:4000])
    return content.decode(charset, "replace"), (Defect("charset", f"none declared, read as {charset}"),)


def _likely_charset(sample: bytes) -> str:
    """The eight-bit charset of a European text: Cyrillic where most letters are beyond ASCII, else by its language."""
    letters = [byte for byte in sample if chr(byte).isalpha() or byte > 127]
    high = [byte for byte in letters if byte > 127]
    if len(high) * 2 > len(letters):
        lower_koi = sum(0xC0 <= byte < 0xE0 for byte in high)  # KOI8-R has its small letters where CP1251 has capitals
        return "koi8_r" if lower_koi * 2 > len(high) else "cp1251"
    return "cp1257" if detect(sample.decode("cp1257", "replace")) in {"lv", "lt"} else "cp1252"


_READERS: dict[str, Callable[[bytes, int], DocumentText]] = {
    "pdf": _pdf,
    "docx": _docx,
    "odt": _odt,
    "html": _html,
    "text": _text,
}
