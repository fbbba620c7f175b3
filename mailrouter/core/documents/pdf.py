"""PDF → pages of text with pypdfium2.

Invariant: whatever is opened is closed; a page that cannot be read is a defect, and the others are read.
It runs in a child process: PDFium may crash on hostile files, which is the parent's to survive.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from mailrouter.core.documents.page import Row, Word, page_lines, rows_of, without_hyphens, without_repeats
from mailrouter.core.outcomes import Defect

_SCAN_CHARACTERS = 15  # a page; fewer on average: the text is in pictures
_BOLD_WEIGHT = 600
_WORDS_A_PAGE = 20_000  # more are a table of noise: the rest of the page is left out
_PATHS_A_PAGE = 5_000


class Encrypted(Exception):  # noqa: N818  # a state of the document rather than an error
    """The document asks for a password."""


class Unreadable(Exception):  # noqa: N818  # a state of the document rather than an error
    """The bytes are no PDF that can be read."""


@dataclass(frozen=True, slots=True)
class PdfText:
    r"""The text of a PDF's pages, "\\f" between them, and whether it is a scan."""

    text: str
    pages: int
    scanned: bool
    defects: tuple[Defect, ...]


def read_pdf(content: bytes, max_pages: int) -> PdfText:
    """The text of the first `max_pages` pages. Raises Encrypted or Unreadable."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise Encrypted from error
        raise Unreadable(str(error)) from error
    try:
        return _read(document, max_pages)
    finally:
        document.close()


def _read(document: pypdfium2.PdfDocument, max_pages: int) -> PdfText:
    count = len(document)
    defects = []
    if count > max_pages:
        defects.append(Defect("pages", f"{count} pages, the first {max_pages} were read"))
    pages: list[list[Row]] = []
    rulings: list[list[float]] = []
    height = 842.0
    for number in range(min(count, max_pages)):
        try:
            rows, lines, height = _page(document, number)
        except (pypdfium2.PdfiumError, ValueError) as error:
            defects.append(Defect("page", f"page {number + 1}: {error}"))
            rows, lines = [], []
        pages.append(rows)
        rulings.append(lines)
    kept = without_repeats(pages, height)
    texts = ["\n".join(without_hyphens(page_lines(r, lines))) for r, lines in zip(kept, rulings, strict=True)]
    letters = sum(len(segment.text) for rows in pages for row in rows for segment in row.segments)
    return PdfText("\n\f".join(texts), count, letters < _SCAN_CHARACTERS * max(len(pages), 1), tuple(defects))


def _page(document: pypdfium2.PdfDocument, number: int) -> tuple[list[Row], list[float], float]:
    """(rows, heights of drawn horizontal lines, the page's height)."""
    page = document[number]
    try:
        textpage = page.get_textpage()
        try:
            rows = rows_of(list(_words(textpage)), _Fonts(textpage).bold_at)
        finally:
            textpage.close()
        tabular = sum(len(row.segments) > 1 for row in rows) > 2
        return rows, _rulings(page) if tabular else [], page.get_height()
    finally:
        page.close()


# PDFium puts U+FFFE (earlier U+0002) for a hyphen at a line's end and leaves out the line break behind it.
_TOKEN = re.compile(r"[^\s\ufffe\x02]+[\ufffe\x02]?|[\ufffe\x02]")
_PARTED = str.maketrans({"\ufffe": "-", "\x02": "-"})


def _words(textpage: pypdfium2.PdfTextPage) -> Iterator[Word]:
    """The page's words with their boxes, in the order of the file."""
    text = textpage.get_text_range()
    count = textpage.count_chars()
    if len(text) != count:  # characters that the text leaves out or that take two units: read one by one
        text = "".join(_character(textpage, index) for index in range(count))
    box = pdfium.FS_RECTF()
    reach = ctypes.byref(box)
    box_of = pdfium.FPDFText_GetLooseCharBox
    for number, match in enumerate(_TOKEN.finditer(text)):
        if number >= _WORDS_A_PAGE:
            return
        if not box_of(textpage.raw, match.start(), reach):
            continue
        left, bottom, top = box.left, box.bottom, box.top
        if not box_of(textpage.raw, match.end() - 1, reach):
            continue
        yield Word(
            match.group().translate(_PARTED),
            left,
            max(box.right, left),
            min(bottom, box.bottom),
            max(top, box.top),
            match.start(),
        )


def _character(textpage: pypdfium2.PdfTextPage, index: int) -> str:
    code = pdfium.FPDFText_GetUnicode(textpage, index)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "


class _Fonts:
    """The faces of a page's characters while it is open; each font is asked once."""

    def __init__(self, textpage: pypdfium2.PdfTextPage) -> None:
        self._page = textpage.raw
        self._bold: dict[int, bool] = {}  # by the font's address

    def bold_at(self, index: int) -> bool:
        """Whether a character is set in a bold face; one that the page does not print, as a hyphen put in, has none."""
        piece = pdfium.FPDFText_GetTextObject(self._page, index)
        if not piece:
            return False
        font = pdfium.FPDFTextObj_GetFont(piece)
        address = ctypes.addressof(font.contents) if font else 0
        bold = self._bold.get(address)
        if bold is None:
            bold = self._bold[address] = self._is_bold(index)
        return bold

    def _is_bold(self, index: int) -> bool:
        """By the font's weight or its name."""
        if pdfium.FPDFText_GetFontWeight(self._page, index) >= _BOLD_WEIGHT:
            return True
        name = ctypes.create_string_buffer(64)
        flags = ctypes.c_int()
        pdfium.FPDFText_GetFontInfo(self._page, index, name, 64, ctypes.byref(flags))
        return b"Bold" in name.value or b"bold" in name.value


def _rulings(page: pypdfium2.PdfPage) -> list[float]:
    """The heights of horizontal lines on the page: drawn lines, and the edges of drawn boxes."""
    heights: set[float] = set()
    for number, item in enumerate(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH])):
        if number >= _PATHS_A_PAGE:
            break
        left, bottom, right, top = item.get_bounds()
        if right - left < 20:
            continue
        heights.update({round(bottom, 1), round(top, 1)} if top - bottom > 3 else {round((bottom + top) / 2, 1)})
    return sorted(heights)
