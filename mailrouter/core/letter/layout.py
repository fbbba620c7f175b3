"""A letter's text → its zones: head, body, tail, annexes.

Invariant: every line of the text is in exactly one zone; nothing but the order of zones is decided here.
A letter may print its annex first, and its addressee at the foot of page one, in the middle of the running text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailrouter.core.letter.columns import unwound_page
from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.names import is_contact, is_role, named_line
from mailrouter.core.letter.phrases import phrases

_SALUTATION_LENGTH = 110
_CLOSING_LENGTH = 60
_PROSE_WORDS = 7
_FULL_LINE = 60  # characters
_PROSE_LENGTH = 45


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: `gap` says that white space stood above it, `page` counts from 1, `bold` is a title's sign."""

    text: str
    folded: str
    gap: bool
    page: int
    bold: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The zones of a document. `salutation` and `closing` are None where the letter has none."""

    head: tuple[Line, ...]
    salutation: Line | None
    body: tuple[Line, ...]
    closing: Line | None
    tail: tuple[Line, ...]
    annex: tuple[Line, ...]


_PAGE_NUMBER = re.compile(
    r"^(?:[-–]\s?)?(?:page|lk\.?|leht|seite|sivu|p\.|стр\.?)?\s?\d{1,3}(?:\s?(?:/|\(|of|von|sur|st|из)\s?\d{1,3}\)?)?(?:\s?[-–])?$"
)
_BOLD = re.compile(r"^\*\*(.+?)\*\*(:?)$")


_LONGEST_WORD = 200
_WIDEST_BLANK = 40
_LONGEST_LINE = 1500  # words of a paragraph are cut there, the rest makes further lines
_MOST_LINES = 4000  # fifty pages
# Longer runs are no words, and patterns would go over them again and again.
_RUN = re.compile(rf"(\S{{{_LONGEST_WORD}}})\S+|[ \xa0]{{{_WIDEST_BLANK},}}")


def _bounded(text: str) -> str:
    """The text with endless words and lines cut, so that reading takes a time in proportion to its length."""
    lines = []
    if _has_run(text):
        text = _RUN.sub(lambda match: match.group(1) or "    ", text)
    for line in text.split("\n")[:_MOST_LINES]:
        while len(line) > _LONGEST_LINE:
            cut = line.rfind(" ", 0, _LONGEST_LINE)
            cut = cut if cut > _LONGEST_LINE // 2 else _LONGEST_LINE
            lines.append(line[:cut])
            line = line[cut:]  # noqa: PLW2901  # the rest of the same line
        lines.append(line)
    return "\n".join(lines[:_MOST_LINES])


def _has_run(text: str) -> bool:
    """Whether a text has an endless word or blank: the pattern takes its time to find none."""
    longest = max(map(len, text.split()), default=0)
    return longest > _LONGEST_WORD or " " * _WIDEST_BLANK in text.replace("\xa0", " ")


def read_lines(text: str) -> tuple[Line, ...]:
    r"""The printed lines, columns of letterheads unwound, page numbers left out. "\\f" begins a page."""
    lines: list[Line] = []
    for number, page in enumerate(_bounded(text.replace("\r\n", "\n")).split("\f"), 1):
        gap = True
        for raw in unwound_page(page, first=number == 1):
            printed = raw.strip()
            if not printed:
                gap = True
                continue
            bold = _BOLD.match(printed)
            printed = bold.group(1) + bold.group(2) if bold else printed.replace("**", "")
            folded = flat(printed)
            if not _PAGE_NUMBER.match(folded):
                lines.append(Line(printed, folded, gap, number, bool(bold)))
            gap = False
    return tuple(lines)


def zones(lines: Sequence[Line], *, mail: bool = False) -> Layout:
    """The document's zones, annexes found first, whether they stand before or after the letter.

    With `mail` the text is a mail's own: without a greeting its first line is the body's, short as it may be.
    """
    letter, annex = (list(lines), []) if mail else _without_annexes(lines)
    at = _salutation_at(letter)
    start = at + 1 if at is not None else 0 if mail else _prose_at(letter)
    end = _closing_at(letter, start)
    tail = end + _closing_lines(letter, end) if end is not None else _signature_at(letter, start)
    return Layout(
        head=tuple(letter[: at if at is not None else start]),
        salutation=letter[at] if at is not None else None,
        body=tuple(letter[start : end if end is not None else tail]),
        closing=letter[end] if end is not None else None,
        tail=tuple(letter[tail:]),
        annex=tuple(annex),
    )


def _without_annexes(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """(the letter's lines, the annexes'): an annex runs from its heading to the page where a letter begins, or on."""
    letter: list[Line] = []
    annex: list[Line] = []
    inside = False
    for at, line in enumerate(lines):
        first_of_page = at == 0 or lines[at - 1].page != line.page
        if _begins_annex(lines, at, first_of_page=first_of_page):
            inside = True
        elif inside and _begins_letter(lines, at, first_of_page=first_of_page):
            inside = False
        (annex if inside else letter).append(line)
    return letter, annex


_HEADING_REST = re.compile(r"^\s*(?:no\.?|nr\.?)?\s*(?:[\divx]{1,4}|[a-h])?\s*(?:[.:]|[-–—].{0,80})?$")


def _begins_annex(lines: Sequence[Line], at: int, *, first_of_page: bool) -> bool:
    """Whether the line is an annex's heading and what follows is the annex, not a list of annexes."""
    line = lines[at]
    match = phrases().annex_heading.match(line.folded)
    if not match or not _HEADING_REST.match(line.folded[match.end() :]):
        return False
    if first_of_page:
        return True
    alone = line.gap and not line.text.endswith(":")
    return (alone or line.text.isupper()) and len(lines) - at > 4 and _salutation_at(lines[:at]) is not None


def _begins_letter(lines: Sequence[Line], at: int, *, first_of_page: bool) -> bool:
    """Whether a letter begins here, after an annex: a page that holds a salutation, or a head just above one."""
    if first_of_page:
        page = [line for line in lines[at:] if line.page == lines[at].page]
        return _salutation_at(page) is not None
    return _is_party_line(lines[at]) and _salutation_at(lines[at : at + 16]) is not None and not _same_row(lines, at)


def _same_row(lines: Sequence[Line], at: int) -> bool:
    """Whether dates of a table still follow before the salutation: then the line belongs to the table."""
    ahead = _salutation_at(lines[at : at + 16]) or 0
    return sum(bool(re.search(r"\b20\d\d\b", line.text)) for line in lines[at : at + ahead]) > 2


def _is_party_line(line: Line) -> bool:
    """A line such as "Lauri Läänemets, Minister of Interior, Estonia": a name, a comma, a role."""
    name, _, rest = line.text.partition(",")
    words = name.split()
    if not rest or not 2 <= len(words) <= 5 or not all(word[:1].isupper() for word in words):
        return False
    return bool(phrases().role.search(flat(rest))) and not re.search(r"\d", line.text)


def _salutation_at(lines: Sequence[Line]) -> int | None:
    """The index of the salutation: a line that greets and ends as a greeting does."""
    doubtful = None
    for at, line in enumerate(lines):
        if len(line.text) > _SALUTATION_LENGTH or not phrases().salutation.match(line.folded):
            continue
        if line.text[-1] in ",!:" and at + 1 < len(lines):
            return at
        follows = lines[at + 1] if at + 1 < len(lines) else None
        if doubtful is None and len(line.text) < 60 and follows and follows.gap and _is_text(follows):
            doubtful = at
    return doubtful


def _is_text(line: Line) -> bool:
    """Whether a line is running text or a sentence of its own, which a language of long words makes of few."""
    return is_prose(line) or (len(line.text) > _PROSE_LENGTH and line.text.endswith((".", ":", "?")))


def is_prose(line: Line) -> bool:
    """Whether a line is running text: many words, most of them not capitalised, no label before a colon."""
    return _is_prose(line.text)


@lru_cache(maxsize=2048)
def _is_prose(text: str) -> bool:
    initials = [word[0] for word in text.split() if word[0].isalpha()]
    if len(initials) < _PROSE_WORDS or len(text) < _PROSE_LENGTH:
        return False
    return sum(map(str.islower, initials)) * 5 >= 2 * len(initials) and text[0] not in "-–•"


def _prose_at(lines: Sequence[Line]) -> int:
    """Where the body begins in a letter without a salutation: the first running text that no title is."""
    verbale = [at for at, line in enumerate(lines[:30]) if line.gap and _opens_verbale(lines[at : at + 3])]
    if verbale:
        return verbale[-1]
    for at, line in enumerate(lines):
        if line.bold or is_contact(line.text) or not (_is_text(line) or _wraps(lines[at : at + 2])):
            continue
        if _head_below(lines[at + 1 : at + 1 + _LETTERHEAD_LINES]):
            continue
        title = line.gap and not line.text.rstrip().endswith((".", ":")) and at + 1 < len(lines) and lines[at + 1].gap
        if not title:
            return at
    return len(lines)


_LETTERHEAD_LINES = 8


def _head_below(lines: Sequence[Line]) -> bool:
    """Whether the head goes on: a labelled number and its date, or what the document calls itself, still follow."""
    known = phrases().document_kinds
    return any(
        known.fullmatch(line.folded) or (len(line.text) < _FULL_LINE and _NUMBERED_DATE.search(line.folded))
        for line in lines
    )


_NUMBERED_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}|(?:19|20)\d{2}[.-]\d{2}[.-]\d{2})(?!\d)\W*(?:nr|no|n°|№)\b"
)


def _wraps(lines: Sequence[Line]) -> bool:
    """Whether a full line goes on in small letters on the next: running text, of long words or of many names."""
    if len(lines) < 2 or lines[1].gap or lines[1].bold or len(lines[0].text) < _FULL_LINE:
        return False
    words = [word for word in lines[0].text.split() if word[:1].isalpha()]
    return lines[1].text[:1].islower() and sum(word[0].islower() for word in words) * 2 >= len(words)


def _opens_verbale(lines: Sequence[Line]) -> bool:
    """Whether a note verbale's first sentence begins here, many capitals as it may have."""
    first = " ".join(line.folded for line in lines)
    return len(lines[0].text.split()) > 3 and any(pattern.match(first) for pattern in phrases().verbale)


def _closing_at(lines: Sequence[Line], start: int) -> int | None:
    """The index of the line that takes leave."""
    for at in range(start, len(lines)):
        line = lines[at]
        courteous = phrases().closing_sentence.match(line.folded) and at > start
        if courteous or (len(line.text) < _CLOSING_LENGTH and phrases().closing.match(line.folded)):
            return at
    return None


def _closing_lines(lines: Sequence[Line], at: int) -> int:
    """How many lines the leave takes: a sentence of courtesy may run over several."""
    count = 1
    while len(lines[at + count - 1].text) > 55 and at + count < len(lines) and count < 5:
        if lines[at + count - 1].text.endswith((".", ",")) or lines[at + count].gap:
            break
        count += 1
    return count


_SIGNATURE_LINES = 8


def _names_above(lines: Sequence[Line], start: int, signed: int) -> int:
    """The first of the signers' lines above the e-signature, which may stand at the page's foot."""
    first = signed
    for at in range(signed - 1, max(start, signed - _SIGNATURE_LINES - 1), -1):
        if is_prose(lines[at]) and not named_line(lines[at].text):
            break
        apart = lines[at].gap or lines[at - 1].text[-1] == "." or (lines[at - 1].gap and is_role(lines[at - 1].text))
        if apart and named_line(lines[at].text):
            first = at
    above = lines[first - 1] if first > start else None
    return first - 1 if above and is_role(above.text) and not is_prose(above) else first


def _signature_at(lines: Sequence[Line], start: int) -> int:
    """Where the tail begins in a letter that takes no leave: the e-signature, a name in the last lines, its end."""
    for at in range(start, len(lines)):
        last_page = lines[at].page == lines[-1].page  # it may print at the foot of every page
        if last_page and phrases().signed.search(lines[at].folded) and len(lines[at].text) < 160:
            return _names_above(lines, start, at)
    for at in range(max(start + 1, len(lines) - _SIGNATURE_LINES), len(lines)):
        ended = lines[at - 1].text[-1] == "." and lines[at].text[-1] != "."
        apart = lines[at].gap or ended or _takes_leave(lines[at - 1])
        if apart and named_line(_BRACKETED.sub("", lines[at].text)):
            above = lines[at - 1]
            return at - 1 if at - 1 > start and is_role(above.text) and not _is_text(above) else at
    return len(lines)


_LEAVE_WORDS = 4
_DATE_ALONE = re.compile(r"\d{1,2}[./]\s?\d{1,2}[./]\s?\d{4}\s?(?:a|г)?\.?")


_BRACKETED = re.compile(r"^[\[(/][^\])/]{1,30}[\])/]\s*")  # "(Signed) L. Berg"


def _takes_leave(line: Line) -> bool:
    """Whether a short line above a name may be a leave that no list knows."""
    if _DATE_ALONE.fullmatch(line.folded):
        return True
    short = len(line.text) < _CLOSING_LENGTH // 2 and len(line.text.split()) <= _LEAVE_WORDS
    return short and line.text[-1:] not in ".?:;" and not re.search(r"\d", line.text)
