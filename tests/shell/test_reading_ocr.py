"""Scanned pages are read where the setting wants it and the program is there."""

import io
import os
import shutil
import stat
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from mailrouter.shell.errors import Permanent
from mailrouter.shell.reading import ReadingPool
from mailrouter.shell.reading.ocr import require_tesseract, tesseract

WORDS = ("Näidisamet", "Palume esitada arvamus hiljemalt 15. märtsiks 2024.", "Lugupidamisega", "Mari Maasikas")


def scan() -> bytes:
    """A page as a scanner makes it: a picture of words in a PDF."""
    page = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=36)
    for row, words in enumerate(WORDS):
        draw.text((120, 150 + row * 120), words, fill=0, font=font)
    out = io.BytesIO()
    page.save(out, "PDF", resolution=150)
    return out.getvalue()


def mail(content: bytes) -> bytes:
    head = (
        b"From: Mari <mari@x.example>\nSubject: Skann\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nLisatud\n"
    )
    return head + b"--bb\nContent-Type: application/pdf; name=skann.pdf\n\n" + content + b"\n--bb--\n"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name which answers as the real one does, with fixed words for any picture."""
    script = tmp_path / "tesseract"
    script.write_text(
        '#!/bin/sh\nif [ "$1" = --list-langs ]; then echo "List of available languages (2):"; echo eng; echo est; exit 0; fi\n'
        'head -c 4 | grep -q PNG || exit 1\ncat > /dev/null\necho "Palume vastata. [$*]"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return script


def test_each_page_goes_to_the_program_as_a_picture(program: Path):
    """Both languages are asked for, and what it says is the page's text."""
    assert tesseract(scan()) == "Palume vastata. [stdin stdout -l est+eng]"


def test_the_children_use_it_where_the_setting_says_so(program: Path):
    """Without the setting the scan is said to be one; with it, it is read."""
    with ReadingPool(60.0, 1024) as pool:
        (attachment,) = pool.read(mail(scan())).message.attachments
        assert attachment.state == "needs-ocr"
    with ReadingPool(60.0, 1024, ocr="tesseract") as pool:
        (attachment,) = pool.read(mail(scan())).message.attachments
        assert attachment.state == "ok"


def test_a_missing_program_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A setting that cannot be carried out is refused with its remedy; a mail meanwhile is read without."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Permanent, match="not installed"):
        require_tesseract()
    assert tesseract(scan()) == ""


def test_a_broken_pdf_has_no_pages(program: Path):
    """Nothing is shown to the program, nothing breaks."""
    assert tesseract(b"%PDF-1.4 broken") == ""


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Debian's tesseract-ocr is not installed")
def test_the_real_program_reads_estonian():
    """The words of a clean scan, diacritics and all."""
    text = tesseract(scan())
    assert "15. märtsiks 2024" in text
    assert "Lugupidamisega" in text
