"""DOCX and ODT → text, through zipfile and lxml.

Invariant: no entity is resolved, nothing outside the archive is read, no member is unpacked beyond its limit.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence

from lxml import etree

_MEMBER_BYTES = 40 * 1024 * 1024  # unpacked; a letter's text is a thousandth of it
_LONG = 80  # characters that make a paragraph running text, with white space around it

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"


class TooLarge(Exception):  # noqa: N818  # a state of the document rather than an error
    """A member of the archive is larger than any letter."""


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member's bytes. Raises KeyError if absent, TooLarge beyond the limit whatever its header says."""
    with archive.open(name) as member:
        content = member.read(_MEMBER_BYTES + 1)
    if len(content) > _MEMBER_BYTES:
        raise TooLarge(name)
    return content


def _root(content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(content, parser)


def read_docx(content: bytes) -> str:
    """The text of a DOCX: headers, body, footers. Raises KeyError, BadZipFile, XMLSyntaxError, TooLarge."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        heads = sorted(name for name in names if name.startswith("word/header") and name.endswith(".xml"))
        feet = sorted(name for name in names if name.startswith("word/footer") and name.endswith(".xml"))
        parts = [_docx_part(read_member(archive, name)) for name in (*heads, "word/document.xml", *feet)]
    return _once(parts)


def _once(parts: Sequence[list[str]]) -> str:
    """Parts one after the other, heads and feet that repeat another left out."""
    seen: list[str] = []
    for part in parts:
        text = "\n".join(part).strip()
        if text and text not in seen:
            seen.append(text)
    return "\n\n".join(seen)


def _docx_part(content: bytes) -> list[str]:
    root = _root(content)
    body = root.find(f"{_W}body")
    return _spaced(_docx_blocks(body if body is not None else root))


def _docx_blocks(container: etree._Element) -> Iterator[str]:
    """The container's paragraphs and table rows, in order."""
    for child in container:
        if child.tag == f"{_W}p":
            yield from _docx_paragraph(child)
        elif child.tag == f"{_W}tbl":
            rows = [[list(_docx_blocks(cell)) for cell in row.iterfind(f"{_W}tc")] for row in child.iterfind(f"{_W}tr")]
            yield from _table(rows)
        elif child.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml"}:
            yield from _docx_blocks(child)


def _docx_paragraph(paragraph: etree._Element) -> Iterator[str]:
    """A paragraph's lines; text boxes anchored in it come first."""
    for box in paragraph.iter(f"{_W}txbxContent"):
        if not any(up.tag == f"{_MC}Fallback" for up in box.iterancestors()):
            yield from _docx_blocks(box)
    pieces: list[str] = []
    bold: list[bool] = []
    for node in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}noBreakHyphen", f"{_W}cr"):
        if any(up.tag in {f"{_W}txbxContent", f"{_W}tabs", f"{_W}del"} for up in node.iterancestors()):
            continue
        if node.tag == f"{_W}t":
            pieces.append(node.text or "")
            if (node.text or "").strip():
                bold.append(_docx_bold(node))
        elif node.tag == f"{_W}br" and node.get(f"{_W}type") == "page":
            pieces.append("\n\f")
        else:
            pieces.append({"tab": "\t", "noBreakHyphen": "-"}.get(etree.QName(node).localname, "\n"))
    text = "".join(pieces)
    item = paragraph.find(f"{_W}pPr/{_W}numPr") is not None
    if paragraph.find(f"{_W}pPr/{_W}pageBreakBefore") is not None:
        yield "\f"
    yield from _lines(f"- {text}" if item and text.strip() else text, bold=bool(bold) and all(bold))


def _docx_bold(node: etree._Element) -> bool:
    run = node.getparent()
    mark = run.find(f"{_W}rPr/{_W}b") if run is not None else None
    return mark is not None and mark.get(f"{_W}val") not in {"0", "false"}


def _lines(text: str, *, bold: bool) -> Iterator[str]:
    """A paragraph's lines; bold ones between asterisks, as Markdown has it."""
    for line in text.split("\n"):
        printed = line.strip(" ")
        yield f"**{printed}**" if bold and printed.strip() and "\t" not in printed and len(printed) < 250 else printed


def _table(rows: Sequence[Sequence[Sequence[str]]]) -> Iterator[str]:
    """A table's rows with tabs between cells; a table that only lays out a page, cell by cell."""
    layout = len(rows) <= 2 and any(len([line for line in cell if line.strip()]) > 1 for row in rows for cell in row)
    for row in rows:
        if layout:
            for cell in row:
                yield ""
                yield from cell
            yield ""
        else:
            yield "\t".join(" ".join(line.strip("*") for line in cell if line.strip()) for cell in row)


def _spaced(lines: Iterator[str]) -> list[str]:
    """Lines with white space around those that are running text."""
    spaced: list[str] = []
    for line in lines:
        if len(line) > _LONG and "\t" not in line and spaced and spaced[-1]:
            spaced.append("")
        spaced.append(line)
        if len(line) > _LONG and "\t" not in line:
            spaced.append("")
    return spaced


def is_encrypted_odt(archive: zipfile.ZipFile) -> bool:
    """Whether the manifest of an ODT says that its content is encrypted."""
    try:
        return b"encryption-data" in read_member(archive, "META-INF/manifest.xml")
    except KeyError:
        return False


def read_odt(content: bytes) -> str:
    """The text of an ODT: page heads, body, page feet. Raises KeyError, BadZipFile, XMLSyntaxError, TooLarge."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        root = _root(read_member(archive, "content.xml"))
        styles = _root(read_member(archive, "styles.xml")) if "styles.xml" in archive.namelist() else None
    bold = _bold_styles(root)
    parts = [_spaced(_odt_blocks(zone, bold)) for zone in _odt_zones(styles, "header")]
    body = root.find(".//{urn:oasis:names:tc:opendocument:xmlns:office:1.0}text")
    if body is not None:
        parts.append(_spaced(_odt_blocks(body, bold)))
    parts += [_spaced(_odt_blocks(zone, bold)) for zone in _odt_zones(styles, "footer")]
    return _once(parts)


def _odt_zones(styles: etree._Element | None, name: str) -> list[etree._Element]:
    """Heads or feet of the master pages."""
    return [] if styles is None else list(styles.iter(f"{_STYLE}{name}", f"{_STYLE}{name}-first"))


def _bold_styles(root: etree._Element) -> frozenset[str]:
    """The names of automatic styles that are bold."""
    return frozenset(
        style.get(f"{_STYLE}name") or ""
        for style in root.iter(f"{_STYLE}style")
        for text in style.iterfind(f"{_STYLE}text-properties")
        if text.get(f"{_FO}font-weight") == "bold"
    )


def _odt_blocks(container: etree._Element, bold: frozenset[str]) -> Iterator[str]:
    """The container's paragraphs and table rows, in order."""
    for child in container:
        if child.tag in {f"{_TEXT}p", f"{_TEXT}h"}:
            yield from _lines(_odt_text(child), bold=_odt_bold(child, bold))
        elif child.tag == f"{_TABLE}table":
            rows = [
                [list(_odt_blocks(cell, bold)) for cell in row.iterfind(f"{_TABLE}table-cell")]
                for row in child.iter(f"{_TABLE}table-row")
            ]
            yield from _table(rows)
        elif child.tag == f"{_TEXT}list-item":
            items = [line for line in _odt_blocks(child, bold) if line.strip()]
            yield from (f"- {line}" if at == 0 else line for at, line in enumerate(items))
        elif child.tag in {f"{_TEXT}section", f"{_TEXT}list"} or etree.QName(child).localname in {"frame", "text-box"}:
            yield from _odt_blocks(child, bold)


def _odt_text(node: etree._Element) -> str:
    """A paragraph's text; tabs, spaces and line breaks are elements in ODF."""
    text = node.text or ""
    for child in node:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if name == "s":
            text += " " * min(int(child.get(f"{_TEXT}c", "1")), 100)
        elif name in {"tab", "line-break"}:
            text += "\t" if name == "tab" else "\n"
        elif name not in {"note", "annotation", "tracked-changes", "frame"}:
            text += _odt_text(child)
        text += child.tail or ""
    return text


def _odt_bold(paragraph: etree._Element, bold: frozenset[str]) -> bool:
    """Whether all of a paragraph is bold, by its own style or that of its spans."""
    if paragraph.get(f"{_TEXT}style-name") in bold:
        return True
    spans = [child for child in paragraph if child.tag == f"{_TEXT}span"]
    plain = (paragraph.text or "").strip() or any((span.tail or "").strip() for span in spans)
    return bool(spans) and not plain and all(span.get(f"{_TEXT}style-name") in bold for span in spans)
