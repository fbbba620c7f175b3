"""What identifies a letter: references, dates, the e-signature, the marking, the title.

Invariant: a value is returned as printed, without its label.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mailrouter.core.letter.dates import SignatureTime, find_dates, first_day, signature_time
from mailrouter.core.letter.layout import Line, is_prose
from mailrouter.core.letter.phrases import phrases

_ARES = re.compile(r"\bAres\s?\((\d{4})\)\s?(\d+)(?:\s?[-–]\s?(\d{1,2}/\d{1,2}/\d{4}))?", re.IGNORECASE)
_UNIT = re.compile(
    r"\b[A-Z][A-Z0-9]{1,11}(?:\.[A-Z0-9.]{1,8})?(?:\.[A-Z0-9]{1,4})?/[A-Z]{2,4}(?:[/-][A-Za-z]{2,4})?(?:[/ ]?\(?\d{4}\)?[\d/]*)?(?:/\d+)*(?!\w)"
)
# A number as registers give it: with a digit, and a slash, hyphen or point inside, or digits alone.
_NUMBER = re.compile(r"(?<![\w/.-])(?=[^\s]*\d)[A-Za-zÀ-žА-я0-9][\wÀ-žА-я.()]*(?:\s?[-–/]\s?[\w.()]+)*(?:\s\d{4}/\d+)?")
_NR = re.compile(r"(?<!\w)(?:nr|no|n°|nº|№|numbri all|numeris|numurs)\.?\s*:?\s*(?=\S*\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line with a label: what kind of label it is and the words after it ("" if they are on the next line)."""

    kind: str
    value: str


def labelled(line: Line, kinds: Sequence[str], *, following: Line | None = None) -> Labelled | None:
    """The line's label of one of the kinds and its value; the next line's text if the label stands alone."""
    for kind in kinds:
        match = phrases().labels[kind].match(line.folded)
        if match is None:
            continue
        rest = line.text[match.end() :]
        separated = re.match(r"\s*(?::|\t|\s{2,}|[-–]\s|№|nr\.?\s|no\.?\s|n°)\s*", rest, re.IGNORECASE)
        if separated:
            value = rest[separated.end() :] if ":" in separated.group() or not separated.group().strip() else rest
            if value.strip() or following is None:
                return Labelled(kind, value.strip())
            return Labelled(kind, following.text)
        if not rest.strip() and following is not None and not following.gap:
            return Labelled(kind, following.text)
        if kind in {"ours", "theirs"} and re.match(r"\s+(?:\S*\d\S*|\d)", rest):
            return Labelled(kind, rest.strip())
    return None


@dataclass(frozen=True, slots=True)
class References:
    """The letter's numbers and the date printed for its own."""

    ours: str | None = None
    theirs: str | None = None
    dated: date | None = None
    ares_day: date | None = None


def references(lines: Sequence[Line], language: str | None) -> References:
    """The sender's number (Ares before a unit reference), ours that it answers, and the dates beside them."""
    text = "\n".join(line.text for line in lines)
    ares = _ARES.search(text)
    ours: str | None = f"Ares({ares.group(1)}){ares.group(2)}" if ares else None
    ares_day = first_day(ares.group(3)) if ares and ares.group(3) else None
    theirs: str | None = None
    dated: date | None = None
    for at, line in enumerate(lines):
        for piece in _pieces(line):
            found = labelled(piece, ("theirs", "ours"), following=lines[at + 1] if at + 1 < len(lines) else None)
            if found is None:
                continue
            number, day = _number(found.value), first_day(found.value, language=language)
            if found.kind == "ours":
                ours, dated = ours or number, dated or day
            else:
                theirs = theirs or number
    unit = None if ours else _UNIT.search(text)
    if unit:
        ours = unit.group()
    return References(ours or _bare_number(lines, language), theirs, dated, ares_day)


def _pieces(line: Line) -> tuple[Line, ...]:
    """A line that holds two labels ("Teie: … nr … Meie: … nr …") as two lines."""
    cut = re.search(r"(?<=\S)\s+(?=(?:Meie|Our ref|Unser Zeichen|N/réf|Reg\. kuup)\b)", line.text)
    if cut is None:
        return (line,)
    left, right = line.text[: cut.start()], line.text[cut.end() :]
    return (
        Line(left, line.folded[: cut.start()], line.gap, line.page, line.bold),
        Line(right, line.folded[cut.end() :], False, line.page, line.bold),
    )


def _number(value: str) -> str | None:
    """The number in a label's value, its date left out: "17.04.2024 nr 5-1/20-2" → "5-1/20-2"."""
    marked = _NR.search(value)
    words = value[marked.end() :] if marked else _without_dates(value)
    match = _NUMBER.search(words)
    return match.group().strip(" .,;").replace(" -", "-") if match else None


def _without_dates(value: str) -> str:
    for printed in reversed(find_dates(value)):
        value = value[: printed.begin] + " | " + value[printed.finish :]
    return value


_BARE = re.compile(r"^(?:(?:nr|no|n°|№)\.?\s*:?\s*)([\wÀ-žА-я./()-]*\d[\wÀ-žА-я./()-]*(?:\s?/\s?\w+)*)$", re.IGNORECASE)
_DATED_NUMBER = re.compile(r"(?:nr|no|n°|№)\.?\s*:?\s*([\wÀ-ž./()-]*\d[\wÀ-ž./()-]*)", re.IGNORECASE)


def _bare_number(lines: Sequence[Line], language: str | None) -> str | None:
    """A number without a label: "Nr. 12-3/45", or behind the letter's date "17.04.2024 nr 5-1/20-2"."""
    for line in lines[:25]:
        bare = _BARE.match(line.text)
        if bare:
            return bare.group(1).rstrip(".,")
        printed = find_dates(line.text, language=language) if len(line.text) < 60 else ()
        behind = _DATED_NUMBER.search(line.text) if printed and printed[0].starts else None
        if behind:
            return behind.group(1).rstrip(".,")
    return None


_PLACE_DATE = re.compile(r"^[^\W\d]{2,20}(?:[ -][^\W\d]{2,20})?,?\s")


def letter_date(head: Sequence[Line], tail: Sequence[Line], language: str | None) -> date | None:
    """The printed date: labelled, or on a line of its own, in the head, else in the tail."""
    for zone in (head, tail):
        for at, line in enumerate(zone):
            found = labelled(line, ("date",), following=zone[at + 1] if at + 1 < len(zone) else None)
            day = first_day(found.value, language=language) if found else None
            if day:
                return day
        for line in zone:
            day = _date_line(line, language)
            if day:
                return day
    return None


def _date_line(line: Line, language: str | None) -> date | None:
    """The day of a line that is a date, perhaps with a place or a number beside it."""
    if (
        len(line.text) > 70
        or phrases().signed.search(line.folded)
        or labelled(line, ("theirs", "contact", "subject", "annex"))
    ):
        return None
    dates = [printed for printed in find_dates(line.text, language=language) if printed.starts]
    if len(dates) != 1 or dates[0].starts != dates[0].ends or _ARES.search(line.text):
        return None
    rest = line.text[: dates[0].begin] + line.text[dates[0].finish :]
    words = re.findall(r"[^\W\d_]+", rest)
    return dates[0].starts if len(words) <= 4 else None


def electronic_signature(lines: Sequence[Line], language: str | None) -> SignatureTime | None:
    """When the letter says that it was signed electronically; None where it prints no time."""
    for at, line in enumerate(lines):
        match = phrases().signed.search(line.folded)
        if match is None:
            continue
        for words in (line.text[match.end() :], line.text, *(follow.text for follow in lines[at + 1 : at + 3])):
            if len(words) < 200 and (stamp := signature_time(words, language=language)):
                return stamp
    return None


@dataclass(frozen=True, slots=True)
class Marking:
    """A restriction mark as printed, with its basis and end where they are printed beside it."""

    mark: str | None = None
    basis: str | None = None
    until: str | None = None


_BASIS = re.compile(
    r"(?:AvTS|avaliku teabe seaduse?)\s*§\s*\d+\S*(?:\s*(?:lg|lõige|lõike)\.?\s*\d+\S*)?(?:\s*(?:p|punkt|punkti)\.?\s*\d+\S*)?",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"(?:kehtib|kehtivus)?\s*kuni:?\s*(.{4,60})$", re.IGNORECASE)
_MARK_LABEL = re.compile(r"^(?:marking|classification|handling|markus|juurdepaasupiirang|marge)\s*:\s*")


def marking(lines: Sequence[Line], language: str | None) -> Marking:
    """The mark on the letter: on a line of its own, or at the end of a line with the document's number."""
    for at, line in enumerate(lines):
        mark = _mark(line)
        if mark is None:
            continue
        near = " ".join(other.text for other in lines[at : at + 6])
        basis = _BASIS.search(near)
        until = next((m.group(1) for other in lines[at : at + 6] if (m := _UNTIL.search(other.text))), None)
        day = first_day(until, language=language) if until else None
        return Marking(mark, basis.group().strip(" .,;") if basis else None, day.isoformat() if day else until)
    return Marking()


def _mark(line: Line) -> str | None:
    """The mark that a line is, as printed."""
    if len(line.text) > 110 or is_prose(line):
        return None
    label = _MARK_LABEL.match(line.folded)
    start = label.end() if label else 0
    for match in phrases().marking.finditer(line.folded, start):
        before, after = line.text[start : match.start()].strip(" -–•*|/"), line.text[match.end() :].strip(" -–•*|/.")
        printed = line.text[match.start() : match.end()].strip()
        whole_word = (
            not line.folded[match.start() - 1 : match.start()].isalnum()
            and not line.folded[match.end() : match.end() + 1].isalnum()
        )
        if not whole_word or (printed.islower() and not label):
            continue
        if not before and (not after or _BASIS.match(after) or after.startswith(("(", "kuni"))):
            return printed
        numbered = re.fullmatch(r"[\w /().:-]*\d[\w /().:-]*", before) and printed.isupper() and len(printed) > 3
        if numbered and not after:
            return printed
    return None


def title(head: Sequence[Line], body: Sequence[Line], taken: Sequence[str]) -> str | None:
    """The labelled title, else the bold or free-standing line just above the salutation or the running text."""
    for zone in (head, body[:4]):
        for at, line in enumerate(zone):
            found = labelled(line, ("subject",), following=zone[at + 1] if at + 1 < len(zone) else None)
            if found and found.value:
                return _continued(zone, at, found.value)
    return _standing_title(head, taken)


def _continued(zone: Sequence[Line], at: int, value: str) -> str:
    """A title that runs on over the next lines, up to a gap or the next label."""
    parts = [value]
    index = at + (1 if zone[at].text.endswith(value) else 2)
    while index < len(zone) and not zone[index].gap and len(zone[index - 1].text) > 55 and len(parts) < 4:
        if labelled(zone[index], tuple(phrases().labels)):
            break
        parts.append(zone[index].text)
        index += 1
    return " ".join(parts).strip()


def _standing_title(head: Sequence[Line], taken: Sequence[str]) -> str | None:
    """The last block of the head that is neither a party, a number nor a date."""
    parts: list[str] = []
    for line in reversed(head):
        plain = not labelled(line, tuple(phrases().labels)) and not find_dates(line.text) and "@" not in line.text
        free = plain and line.text not in taken and not _mark(line) and not phrases().salutation.match(line.folded)
        if not free or not (line.bold or len(line.text.split()) >= 2):
            break
        parts.insert(0, line.text)
        if line.gap:
            return " ".join(parts)
        if len(parts) == 3:
            break
    return None
