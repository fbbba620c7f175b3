"""Running text → sentences, without being misled by ordinals, abbreviations and initials."""

import re
from collections.abc import Sequence

from mailrouter.core.letter.dates import month_number
from mailrouter.core.letter.layout import Line

_END = re.compile(r"[.!?…][\"'”»)\]]*\s+(?=[\"'“„«(\[]?[^\W\d_a-z]|\d|[-–•])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|no|nos|nr|art|e\.g|i\.e|etc|resp|vs|cf|p|pp|lk|lg|lp|pr|hr|sh|s\.t|jne|nt|ca|u|z\.b|d\.h"
    r"|bzw|abs|ziff|tel|inc|ltd|fig|approx|dept|gen|col|lt|n\.r|m|mme|gerb|t\.i|pvz|t\.sk|т\.е|т\.д|ст|п|г|гг|им|[^\W\d_])\.$",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 10  # characters, with what stands before it
_ORDINAL = re.compile(r"(?:^|\s|[-–])\d{1,2}\.$")
_WORD = re.compile(r"[^\W\d_]+")
_BULLET = re.compile(r"^(?:[-–•▪*]|\(?[a-z\d]{1,2}[.)])\s+", re.IGNORECASE)


def paragraphs(lines: Sequence[Line]) -> list[str]:
    """Lines joined into paragraphs; an item of a list that a colon announces stays with its announcement."""
    joined: list[str] = []
    for line in lines:
        item = _is_item(line.text)
        announced = bool(joined) and (joined[-1].rstrip().endswith((":", ";", ",")) or _listing(joined[-1]))
        if (
            not joined
            or (line.gap and not (announced and (item or joined[-1].rstrip()[-1] in ":,")))
            or (item and not announced)
        ):
            if joined and line.gap and joined[-1].rstrip()[-1:].isalpha() and line.text[:1].islower():
                joined[-1] += " " + line.text  # a page or a block between two halves of a sentence
            else:
                joined.append(line.text)
        else:
            joined[-1] += " " + line.text
    return joined


_DAY_OF_MONTH = re.compile(r"\d{1,2}[.]\s+([^\W\d_]+)")


def _is_item(text: str) -> bool:
    """Whether a line begins an item of a list, and is no day of a month that a line's end cut off: "5. aprīlim"."""
    ordinal = _DAY_OF_MONTH.match(text)
    return bool(_BULLET.match(text)) and not (ordinal and month_number(ordinal.group(1)))


def _listing(paragraph: str) -> bool:
    return bool(re.search(r":\s+(?:[-–•▪]|\(?[a-z\d]{1,2}[.)])\s", paragraph)) and not paragraph.rstrip().endswith(".")


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph, white space made single."""
    text = " ".join(paragraph.split())
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        before, after = text[start : match.end()].rstrip(), text[match.end() :]
        if _goes_on(before, after):
            continue
        found.append(before)
        start = match.end()
    if text[start:].strip():
        found.append(text[start:].strip())
    return found


def _goes_on(before: str, after: str) -> bool:
    """Whether the point belongs to an abbreviation, an initial or an ordinal ("5. März")."""
    if not before.endswith("."):
        return False
    last = max(0, len(before) - _LONGEST_ABBREVIATION)
    if _ABBREVIATION.search(before, last):
        return True
    if not _ORDINAL.search(before, last):
        return False
    word = _WORD.match(after)
    return word is None or bool(month_number(word.group()))
