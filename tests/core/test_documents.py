"""Documents become text in reading order; what cannot be read says so."""

import io
import zipfile

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

from mailrouter.core.documents import to_text

PDF = "application/pdf"
LEFT = [f"The left column goes on with line number {n} here" for n in range(12)]
RIGHT = [f"And the right column tells another story in {n}" for n in range(12)]


def pdf(*pages, encrypt=None):
    """A PDF of pages, each a list of (x, y, words)."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4, encrypt=encrypt, invariant=1)
    for words in pages:
        page.setFont("Helvetica", 10)
        for x, y, text in words:
            page.drawString(x, y, text)
        page.showPage()
    page.save()
    return out.getvalue()


def archive(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


def test_two_columns_are_read_one_after_the_other():
    """Running text in two columns is not mixed line by line."""
    lines = [(60, 750 - 12 * n, text) for n, text in enumerate(LEFT)]
    lines += [(320, 750 - 12 * n, text) for n, text in enumerate(RIGHT)]
    text = to_text(pdf(lines), PDF, "a.pdf").text
    assert text.index(LEFT[-1]) < text.index(RIGHT[0])


def test_drawing_order_does_not_matter():
    """The foot that was drawn first is read last."""
    page = [(60, 60, "Minister of the Interior, Estonia"), (60, 780, "Dear Minister,"), (60, 760, "I write to you.")]
    read = to_text(pdf(page), PDF, "a.pdf").text
    assert read.split("\n")[0] == "Dear Minister,"
    assert read.rstrip().endswith("Minister of the Interior, Estonia")


def test_words_parted_at_the_end_of_a_line_are_joined():
    """A hyphen that only parts a word goes, one that belongs to it stays."""
    page = [
        (60, 700, "We attach great importance to the implemen-"),
        (60, 688, "tation of the plan and to more cross-"),
        (60, 676, "border cooperation."),
    ]
    text = " ".join(to_text(pdf(page), PDF, "a.pdf").text.split())
    assert "implementation of the plan" in text
    assert "cross-border cooperation" in text


def test_running_heads_are_read_once():
    """What every page prints at its head stands once in the text."""
    pages = [[(60, 810, "Ministry of Examples"), (60, 700, f"Words of page {n}, and more of them.")] for n in range(3)]
    read = to_text(pdf(*pages), PDF, "a.pdf")
    assert read.pages == 3
    assert read.text.count("Ministry of Examples") == 1
    assert "Words of page 2" in read.text


def test_a_table_comes_row_by_row():
    """Cells of several lines stay in their row."""
    rows = [
        (60, 700, "Date"),
        (160, 700, "Event"),
        (400, 700, "Venue"),
        (60, 680, "6 May 2024"),
        (160, 680, "Conference on the follow-up of"),
        (400, 680, "Vienna"),
        (160, 668, "the Global Alliance"),
        (60, 648, "7 June 2024"),
        (160, 648, "Workshop"),
        (400, 648, "Riga"),
    ]
    text = to_text(pdf(rows), PDF, "a.pdf").text
    assert "6 May 2024\tConference on the follow-up of the Global Alliance\tVienna" in text
    assert "7 June 2024\tWorkshop\tRiga" in text


def test_a_scan_is_said_to_be_one():
    """Pages without text are no empty document."""
    read = to_text(pdf([], []), PDF, "scan.pdf")
    assert read.state == "needs-ocr"
    assert [defect.code for defect in read.defects] == ["needs-ocr"]


def test_a_password_is_said():
    """An encrypted PDF is recognised."""
    read = to_text(pdf([(60, 700, "secret words of this letter")], encrypt="word"), PDF, "a.pdf")
    assert read.state == "encrypted"


def test_pages_beyond_the_limit_are_left_out_and_said():
    """A long document is read up to the limit."""
    pages = [[(60, 700, f"Words of page {n} and some more of them")] for n in range(5)]
    read = to_text(pdf(*pages), PDF, "a.pdf", max_pages=2)
    assert "page 1" in read.text
    assert "page 2" not in read.text
    assert read.pages == 5
    assert [defect.code for defect in read.defects] == ["pages"]


def test_docx_with_head_table_and_bold_title():
    """The letterhead of the page head, cells and a bold title are read."""
    document = Document()
    document.sections[0].header.paragraphs[0].text = "RIIGIKANTSELEI"
    document.add_paragraph().add_run("Kutse koosolekule").bold = True
    table = document.add_table(rows=3, cols=2)
    for row, words in zip(
        table.rows, [("Aeg", "Koht"), ("5. mai 2024", "Tallinn"), ("6. mai 2024", "Tartu")], strict=True
    ):
        row.cells[0].text, row.cells[1].text = words
    out = io.BytesIO()
    document.save(out)
    text = to_text(out.getvalue(), "application/octet-stream", "kiri.docx").text
    assert text.startswith("RIIGIKANTSELEI")
    assert "**Kutse koosolekule**" in text
    assert "5. mai 2024\tTallinn" in text


def test_entities_of_a_hostile_docx_are_not_resolved():
    """A billion laughs stay unlaughed."""
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>'
    assert "haha" not in to_text(archive(word__document_xml=bomb), "", "a.docx").text


def test_a_member_that_unpacks_without_end_is_refused():
    """A zip bomb in a DOCX is unreadable, not a full memory."""
    read = to_text(archive(word__document_xml=b" " * (41 * 1024 * 1024)), "", "a.docx")
    assert read.state == "unreadable"


@pytest.mark.parametrize(
    ("words", "charset"),
    [
        ("Tere, õnne ja rõõmu", "cp1252"),
        ("Уважаемый министр, прошу ответить", "cp1251"),
        ("Уважаемый министр, прошу ответить", "koi8_r"),
        ("Lūdzu sniegt atbildi par šo jautājumu", "cp1257"),
    ],
)
def test_plain_text_without_a_charset(words, charset):
    """The eight-bit charsets of the neighbourhood are guessed, and the guess is said."""
    read = to_text(words.encode(charset), "text/plain", "a.txt")
    assert read.text == words
    assert [defect.code for defect in read.defects] == ["charset"]


def test_html_becomes_lines():
    """Markup goes, lines stay."""
    read = to_text(b"<html><body><p>Dear Minister,</p><p>please reply.</p></body></html>", "text/html", "a.html")
    assert read.text.split() == ["Dear", "Minister,", "please", "reply."]
    assert "\n" in read.text.strip()


@pytest.mark.parametrize("content", [b"%PDF-1.7 and no more", b"PK\x03\x04 cut off", b""])
def test_broken_bytes_are_unreadable(content):
    """Broken files say so."""
    assert to_text(content, PDF, "a.pdf").state == "unreadable"


def test_a_picture_has_no_reader():
    """An unknown format is unsupported, with its name."""
    read = to_text(b"\x89PNG\r\n\x1a\n", "image/png", "logo.png")
    assert read.state == "unsupported"
    assert "logo.png" in read.defects[0].detail


@given(st.binary(max_size=300), st.sampled_from(["a.pdf", "a.docx", "a.odt", "a.html", "a.txt", "a"]))
def test_reading_never_raises(content, name):
    """Whatever the bytes, an answer comes back."""
    for head in (b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>"):
        assert to_text(head + content, "", name).state in {"ok", "needs-ocr", "encrypted", "unreadable", "unsupported"}
