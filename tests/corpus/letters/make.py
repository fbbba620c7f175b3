"""Makes the letters of this folder from sources/*.yaml: one document and one .expected.yaml for each.

Run with the project's Python: `python tests/corpus/letters/make.py [SOURCE.yaml [FOLDER]]`; without arguments it makes
all sources. The notation is explained in sources/en.yaml.
"""

import html
import re
import sys
from pathlib import Path

from docx import Document
from odf.opendocument import OpenDocumentText
from odf.style import Style, TextProperties
from odf.table import Table as OdfTable
from odf.table import TableCell, TableColumn, TableRow
from odf.text import P, Span
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table
from ruamel.yaml import YAML

HERE = Path(__file__).parent
FONTS = Path("/usr/share/fonts/truetype/dejavu")
pdfmetrics.registerFont(TTFont("Serif", FONTS / "DejaVuSerif.ttf"))
pdfmetrics.registerFont(TTFont("Serif-Bold", FONTS / "DejaVuSerif-Bold.ttf"))
PLAIN = ParagraphStyle("plain", fontName="Serif", fontSize=10, leading=12.5)
BOLD = ParagraphStyle("bold", parent=PLAIN, fontName="Serif-Bold")
PLACED = {
    "=> ": ParagraphStyle("indented", parent=PLAIN, leftIndent=265),
    "=| ": ParagraphStyle("right", parent=PLAIN, alignment=2),
    "=^ ": ParagraphStyle("centred", parent=PLAIN, alignment=1),
    "=. ": ParagraphStyle("small", parent=PLAIN, fontSize=7.5, leading=9),
    "=# ": ParagraphStyle("large", parent=BOLD, fontSize=15, leading=18),
}


def blocks(text):
    """(kind, value) of each line: gap, bold, columns, table row, foot, page, text."""
    for line in text.strip("\n").split("\n"):
        if not line.strip():
            yield "gap", ""
        elif line.startswith("# "):
            yield "bold", line[2:]
        elif line.startswith((">> ", ">2> ")):
            yield "foot", line
        elif line.startswith((">* ", ">^ ")):
            yield "every", line
        elif line[:3] in PLACED:
            yield "placed", line
        elif line.strip() == "---":
            yield "page", ""
        elif line.startswith("| "):
            yield "row", [cell.strip() for cell in line.strip().strip("|").split("|")]
        elif " || " in f" {line} ":
            yield "columns", [cell.strip() for cell in f" {line} ".split(" || ")]
        else:
            yield "text", line


def grouped(text):
    """Blocks with the rows of one table together."""
    rows = []
    for kind, value in blocks(text):
        if rows and kind != rows[0][0]:
            yield rows[0][0] + "s", [row for _, row in rows]
            rows = []
        if kind in {"row", "columns"}:
            rows.append((kind, value))
        else:
            yield kind, value
    if rows:
        yield rows[0][0] + "s", [row for _, row in rows]


def cell(value, style=PLAIN):
    return Paragraph(html.escape(value), style)


def make_pdf(path, text):
    feet, heads, every = {}, [], []
    flow = []
    page = 1
    for kind, value in grouped(text):
        if kind == "gap":
            flow.append(Spacer(1, 9))
        elif kind == "bold":
            flow.append(cell(value, BOLD))
        elif kind == "page":
            flow.append(PageBreak())
            page += 1
        elif kind == "foot":
            number, words = value[1:].split("> ", 1)
            feet[int(number or page)] = words
        elif kind == "every":
            (heads if value.startswith(">^ ") else every).append(value[3:])
        elif kind == "placed":
            flow.append(cell(value[3:], PLACED[value[:3]]))
        elif kind == "columnss":
            widths = [250, 215] if len(value[0]) == 2 else [465 / len(value[0])] * len(value[0])
            flow.append(Table([[cell(c) for c in row] for row in value], colWidths=widths, style=[("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
        elif kind == "rows":
            widths = [105, 225, 120] if len(value[0]) == 3 else [450 / len(value[0])] * len(value[0])
            flow.append(Table([[cell(c) for c in row] for row in value], colWidths=widths, style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
        else:
            flow.append(cell(value))

    def foot(canvas, document):
        words = feet.get(document.page)
        if words:
            paragraph = cell(words)
            _, height = paragraph.wrap(A4[0] - 130, 100)
            paragraph.drawOn(canvas, 65, 60 - height)
        for at, words in enumerate([word.replace("PAGE", str(document.page)) for word in every]):
            canvas.setFont("Serif", 7.5)
            canvas.drawString(65, 50 - 9 * at, words)
        for at, words in enumerate(heads if document.page > 1 else []):
            canvas.setFont("Serif", 8)
            canvas.drawString(65, A4[1] - 35 - 10 * at, words.replace("PAGE", str(document.page)))

    SimpleDocTemplate(str(path), pagesize=A4, leftMargin=65, rightMargin=65, topMargin=60, bottomMargin=75, invariant=1).build(flow, onFirstPage=foot, onLaterPages=foot)


def make_docx(path, text):
    document = Document()
    document.core_properties.author = "corpus"
    for kind, value in grouped(text):
        if kind == "page":
            document.add_page_break()
        elif kind in {"rows", "columnss"}:
            table = document.add_table(rows=0, cols=len(value[0]))
            for row in value:
                for target, words in zip(table.add_row().cells, row, strict=True):
                    target.text = words
        else:
            paragraph = document.add_paragraph()
            words = value.split("> ", 1)[1] if kind == "foot" else value[3:] if kind in {"placed", "every"} else value
            paragraph.add_run(words).bold = kind == "bold" or None
    document.save(str(path))


def make_odt(path, text):
    document = OpenDocumentText()
    strong = Style(name="Strong", family="text")
    strong.addElement(TextProperties(fontweight="bold"))
    document.automaticstyles.addElement(strong)
    for kind, value in grouped(text):
        if kind in {"rows", "columnss"}:
            table = OdfTable()
            table.addElement(TableColumn(numbercolumnsrepeated=len(value[0])))
            for row in value:
                line = TableRow()
                for words in row:
                    box = TableCell()
                    box.addElement(P(text=words))
                    line.addElement(box)
                table.addElement(line)
            document.text.addElement(table)
        elif kind == "bold":
            paragraph = P()
            paragraph.addElement(Span(stylename=strong, text=value))
            document.text.addElement(paragraph)
        else:
            document.text.addElement(P(text=value[3:] if kind in {"placed", "every"} else value))
    document.save(str(path))


MAKERS = {"pdf": make_pdf, "docx": make_docx, "odt": make_odt}


def main(arguments):
    yaml = YAML()
    yaml.width = 10_000
    sources = [Path(arguments[0])] if arguments else sorted((HERE / "sources").glob("*.yaml"))
    folder = Path(arguments[1]) if len(arguments) > 1 else HERE
    for source in sources:
        for letter in yaml.load(source.read_text(encoding="utf-8")):
            path = folder / f"{letter['name']}.{letter['format']}"
            text = re.sub(r"[ \t]+$", lambda match: " " if match.group() else "", letter["text"], flags=re.MULTILINE)
            MAKERS[letter["format"]](path, text)
            with path.with_name(path.name + ".expected.yaml").open("w", encoding="utf-8") as out:
                yaml.dump(letter["expected"], out)


if __name__ == "__main__":
    main(sys.argv[1:])
