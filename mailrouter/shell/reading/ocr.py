"""Scanned PDF pages → text by the program tesseract, where it is installed."""

import io
import shutil
import subprocess
from typing import Final

import pypdfium2

from mailrouter.shell.errors import Permanent

_LANGUAGES: Final = ("est", "eng")
_MAX_PAGES: Final = 10  # a letter and its annex; a scanned book would take the whole time
_DOTS_PER_INCH: Final = 300
_POINTS_PER_INCH: Final = 72
_MAX_PIXELS: Final = 5_000  # of the longer side: a page may claim any size
_PAGE_SECONDS: Final = 60


def tesseract(content: bytes) -> str:
    """The text of a scanned PDF, Estonian and English; "" where the program or its languages are missing."""
    program = shutil.which("tesseract")
    languages = _installed(program) if program else ()
    if not program or not languages:
        return ""
    texts: list[str] = []
    for image in _pages(content):
        command = [program, "stdin", "stdout", "-l", "+".join(languages)]
        try:
            done = subprocess.run(command, input=image, capture_output=True, timeout=_PAGE_SECONDS, check=True)  # noqa: S603  # a fixed command; the image is data
        except (subprocess.SubprocessError, OSError):
            continue
        texts.append(done.stdout.decode("utf-8", "replace"))
    return "\n\f".join(texts).strip()


def require_tesseract() -> None:
    """Say at the start that a wanted OCR program is missing. Raises `Permanent`."""
    program = shutil.which("tesseract")
    if not program or not _installed(program):
        raise Permanent(f"reading.ocr is tesseract, but it or its languages {'+'.join(_LANGUAGES)} are not installed")


def _installed(program: str) -> tuple[str, ...]:
    """Those of our languages that the program has."""
    try:
        done = subprocess.run([program, "--list-langs"], capture_output=True, timeout=_PAGE_SECONDS, check=False)  # noqa: S603  # a fixed command
    except (subprocess.SubprocessError, OSError):
        return ()
    listed = set((done.stdout + done.stderr).decode("utf-8", "replace").split())
    return tuple(language for language in _LANGUAGES if language in listed)


def _pages(content: bytes) -> list[bytes]:
    """The first pages as PNG images."""
    images: list[bytes] = []
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError:
        return images
    try:
        for number in range(min(len(document), _MAX_PAGES)):
            page = document[number]
            scale = min(_DOTS_PER_INCH / _POINTS_PER_INCH, _MAX_PIXELS / max(1.0, *page.get_size()))
            picture = page.render(scale=scale, grayscale=True).to_pil()
            file = io.BytesIO()
            picture.save(file, "PNG")
            images.append(file.getvalue())
            page.close()
    except (pypdfium2.PdfiumError, OSError, ValueError):
        pass  # the pages before the broken one are read
    finally:
        document.close()
    return images
