"""The letters of the sample mails, as their senders' word processors would print them to PDF.

Invariant: the same text gives the same bytes (ReportLab's invariant mode), so the committed samples can be made again.
"""

import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from io import BytesIO
from typing import Any

from reportlab.lib.enums import TA_JUSTIFY, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle
from ruamel.yaml import YAML

BODY = ParagraphStyle("body", fontName="Times-Roman", fontSize=10.5, leading=13, spaceAfter=7, alignment=TA_JUSTIFY)
PLAIN = ParagraphStyle("plain", parent=BODY, alignment=0, spaceAfter=0)
RIGHT = ParagraphStyle("right", parent=PLAIN, alignment=TA_RIGHT)
SMALL = ParagraphStyle("small", parent=PLAIN, fontSize=8, leading=10)
HEADING = ParagraphStyle("heading", parent=PLAIN, fontName="Times-Bold", spaceAfter=10)
TINY = ParagraphStyle("tiny", parent=PLAIN, fontSize=7, leading=9)
CELL = ParagraphStyle("cell", parent=PLAIN, fontSize=10, leading=12)

E_SIGNATURE = (
    "Electronically signed on 28/02/2024 23:38 (UTC+01) in accordance with Article 11 of Commission Decision (EU) 2021/2121"
)


def global_alliance() -> bytes:
    """The Commissioner's letter with its annex: addressee at the foot of page one, the date only in the e-signature."""
    story: list[Any] = [
        _two_columns(
            ["YLVA JOHANSSON", "MEMBER OF THE EUROPEAN COMMISSION", "HOME AFFAIRS"],
            ["Rue de la Loi, 200 B-1049 Brussels", "Tel. +32-2 295 01 70", "cab-johansson-contact@ec.europa.eu"],
        ),
        Spacer(1, 18),
        Paragraph("Brussels", RIGHT),
        Spacer(1, 14),
        *_paragraphs("global-alliance.txt"),
        Spacer(1, 30),
        Paragraph("Ylva Johansson", PLAIN),
        Spacer(1, 60),
        Paragraph(E_SIGNATURE, TINY),
        PageBreak(),
        Paragraph("ANNEX:", HEADING),
        Paragraph("Indicative Planning 2024", HEADING),
        Paragraph("Global Alliance to Counter Migrant Smuggling", HEADING),
        _annex(),
    ]
    return _pdf(story, "Follow-up on Global Alliance", foot="Lauri Läänemets, Minister of Interior, Estonia")


def limite() -> bytes:
    """A letter with a restriction mark, from an invented secretariat."""
    story: list[Any] = [
        _two_columns(
            ["Council of the Northern Union", "General Secretariat"], ["<b>LIMITE</b>", "Ref. Council(2024)4711 - 11/06/2024"]
        ),
        Spacer(1, 20),
        Paragraph("Mr Lauri Läänemets", PLAIN),
        Paragraph("Minister of the Interior, Estonia", PLAIN),
        Spacer(1, 16),
        Paragraph("Subject: Considerations on the interoperability of border information systems", HEADING),
        *_paragraphs("limite.txt"),
        Spacer(1, 24),
        Paragraph("Helena Norgaard", PLAIN),
        Paragraph("Director", PLAIN),
    ]
    return _pdf(story, "Considerations on interoperability")


def municipality() -> bytes:
    """An Estonian letter with "Meie:" and a deadline, from an invented municipality."""
    story: list[Any] = [
        Paragraph("KALJURANNA VALLAVALITSUS", HEADING),
        Spacer(1, 12),
        _two_columns(["Siseministeerium", "info@ministry.example"], ["Meie: 14.05.2024 nr 2-1/118"]),
        Spacer(1, 24),
        Paragraph("Arvamuse küsimine valla ohutuse kava kohta", HEADING),
        *_paragraphs("municipality.txt"),
        Spacer(1, 12),
        Paragraph("Lugupidamisega", PLAIN),
        Spacer(1, 12),
        Paragraph("(allkirjastatud digitaalselt)", PLAIN),
        Paragraph("Aadu Rannamets", PLAIN),
        Paragraph("vallavanem", PLAIN),
        Spacer(1, 40),
        Paragraph("Lisa: ohutuse kava eelnõu", SMALL),
        Paragraph("Piret Kallas, piret.kallas@kaljuranna.example", SMALL),
    ]
    return _pdf(story, "Arvamuse küsimine")


LETTERS: dict[str, Callable[[], bytes]] = {
    "global-alliance.pdf": global_alliance,
    "limite.pdf": limite,
    "municipality.pdf": municipality,
}


def text(name: str) -> str:
    """A text file that lies beside the makers."""
    return files("mailrouter.demo.make").joinpath("text", name).read_text("utf-8")


def _paragraphs(name: str) -> list[Paragraph]:
    marked = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text(name).strip())
    return [Paragraph(" ".join(block.split()), BODY) for block in marked.split("\n\n")]


def _two_columns(left: Sequence[str], right: Sequence[str]) -> Table:
    rows = max(len(left), len(right))
    cells = [
        [Paragraph(column[row], style) if row < len(column) else "" for column, style in ((left, PLAIN), (right, RIGHT))]
        for row in range(rows)
    ]
    return Table(cells, colWidths=[8.5 * cm, 8.5 * cm], style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP")]))


def _annex() -> Table:
    rows = YAML(typ="safe").load(text("annex.yaml"))
    head = [Paragraph(f"<b>{word}</b>", CELL) for word in ("Date", "Event", "Venue")]
    cells = [head, *([Paragraph(cell, CELL) for cell in row] for row in rows)]
    lines = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    return Table(cells, colWidths=[3.4 * cm, 9 * cm, 4.6 * cm], repeatRows=1, style=lines)


def _pdf(story: Sequence[Any], title: str, foot: str = "") -> bytes:
    """The story on A4; `foot` stands at the foot of page one."""

    def first_page(canvas: Canvas, _: object) -> None:
        canvas.saveState()
        canvas.setFont("Times-Roman", 10.5)
        canvas.drawString(2 * cm, 1.8 * cm, foot)
        canvas.restoreState()

    buffer = BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=A4, title=title, invariant=1,
        leftMargin=2 * cm, rightMargin=2 * cm, topMargin=1.8 * cm, bottomMargin=3 * cm,
    )  # fmt: skip
    document.build(list(story), onFirstPage=first_page)
    return buffer.getvalue()
