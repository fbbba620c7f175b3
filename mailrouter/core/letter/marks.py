"""What identifies a letter: references, dates, the e-signature, the marking.

Invariant: a value is returned as printed, without its label.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from mailrouter.core.letter.dates import find_dates, first_day
from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.layout import Line, is_prose
from mailrouter.core.letter.phrases import labels_at, phrases
from mailrouter.core.letter.stamps import SignatureTime, signature_time

_ARES = re.compile(r"\bAres\s?\((\d{4})\)\s?(\d+)(?:\s?[-–]\s?(\d{1,2}/\d{1,2}/\d{4}))?", re.IGNORECASE)
_UNIT = re.compile(
    r"\b[a-z]{2,}(?:\.[a-z0-9]+)+\(\d{4}\)\d+|\b[A-Z]{2,}(?:\.[A-Z0-9]+)+/[A-Za-z]{2,4}(?:[/-][A-Za-z]{2,4})*(?:/?\(?\d{4}\)?[\d/]*|\s\(\d{4}\)\d+)?(?:/\d+)*(?!\w)"
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
    ends = labels_at(line.folded)
    for kind in kinds if ends else ():
        if kind not in ends:
            continue
        rest = line.text[ends[kind] :]
        separated = re.match(r"\s*(?::|\t|\s{2,}|[-–]\s|№|nr\.?\s|no\.?\s|n°)\s*", rest, re.IGNORECASE)
        if separated:
            value = rest[separated.end() :] if ":" in separated.group() or not separated.group().strip() else rest
            if value.strip() or following is None:
                return Labelled(kind, value.strip())
            return Labelled(kind, following.text)
        if not rest.strip() and following is not None and not following.gap:
            return Labelled(kind, following.text)
        if _CAPITALS.fullmatch(line.text[: ends[kind]]) and _VALUE.match(rest):
            return Labelled(kind, rest.strip())
        if kind in {"ours", "theirs"} and re.match(r"\s+(?:\S*\d\S*|\d)", rest):
            return Labelled(kind, rest.strip())
    return None


_CAPITALS = re.compile(r"[A-ZÀ-ÝĀ-ŽА-Я][A-ZÀ-ÝĀ-ŽА-Я -]{2,}[A-ZÀ-ÝĀ-ŽА-Я]")  # "BETREFF Warnung der Bevölkerung"
_VALUE = re.compile(r"\s+(?=[^a-zß-ÿ]).*[a-zß-ÿā-žа-я]")


@dataclass(frozen=True, slots=True)
class References:
    """The letter's numbers and the date printed for its own."""

    ours: str | None = None
    theirs: str | None = None
    dated: date | None = None
    ares_day: date | None = None


def is_ares(text: str) -> bool:
    """Whether a line holds an Ares number."""
    return bool(_ARES.search(text))


def references(lines: Sequence[Line], language: str | None) -> References:
    """The sender's number (Ares before a unit reference), ours that it answers, and the dates beside them."""
    text = "\n".join(line.text for line in lines)
    bracketed = "(" in text
    ares = _ARES.search(text) if bracketed else None
    ours: str | None = f"Ares({ares.group(1)}){ares.group(2)}" if ares else None
    ares_day = first_day(ares.group(3)) if ares and ares.group(3) else None
    theirs: str | None = None
    dated: date | None = None
    for at, line in enumerate(lines):
        for piece in _pieces(line):
            found = labelled(piece, ("theirs", "ours"), following=lines[at + 1] if at + 1 < len(lines) else None)
            if found is None:
                continue
            if _REGISTRY_CODE.fullmatch(found.value.strip()):
                continue
            number, day = _number(found.value), first_day(found.value, language=language)
            if found.kind == "ours" and not phrases().labels["theirs"].match(flat(found.value)):
                ours, dated = ours or number, dated or day
            else:
                theirs = theirs or number
    unit = _UNIT.search(text) if bracketed or "/" in text else None
    if ours is None and unit:
        ours = unit.group()
    bare, bare_day = _bare_number(lines, language) if ours is None else (None, None)
    return References(ours or bare, theirs, dated or bare_day, ares_day)


_SECOND_WORDS = re.compile(r"(?:Meie|Our ref|Unser Zeichen|N/réf|Reg\. kuup)\b")
_SECOND_LABEL = re.compile(rf"(?<=\S)\s+(?={_SECOND_WORDS.pattern})")


def _pieces(line: Line) -> tuple[Line, ...]:
    """A line that holds two labels ("Teie: … nr … Meie: … nr …") as two lines."""
    cut = _SECOND_LABEL.search(line.text) if _SECOND_WORDS.search(line.text) else None
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
    piece = next((piece.strip(" .:") for piece in re.split(r"[|,;]|\s{2,}", words) if re.search(r"\d", piece)), "")
    tokens = piece.split()
    if len(tokens) > 3 or (len(tokens) > 1 and not all(re.search(r"\d|/|^[A-Z.]{1,6}$", token) for token in tokens)):
        match = _NUMBER.search(piece)
        return match.group().strip(" .,;") if match else None
    return re.sub(r"\s+([-/])|([-/])\s+", r"\1\2", piece) or None


def _without_dates(value: str) -> str:
    for printed in reversed(find_dates(value)):
        value = value[: printed.begin] + " | " + value[printed.finish :]
    return value


_REGISTRY_CODE = re.compile(r"(?:kood\s*)?:?\s*\d{8}")  # of an Estonian legal person: "reg nr 90001234"
_BARE = re.compile(r"^(?:(?:nr|no|n°|№)\.?\s*:?\s*)([^\s,;]*\d[^\s,;]*(?:\s?/\s?\w+)*)$", re.IGNORECASE)
# The number of a procedure of the Union is not the document's, which stands beside the label of the procedure.
_PROCEDURE = re.compile(
    r"(?:Interinstitutional File:?\s*)?(?:(?:19|20)\d\d/\d{4}\s?\([A-Z]{3}\)|(?P<number>\d{3,6}/\d\S*))$"
)
_BARE_TOKEN = re.compile(
    r"^(?:[A-Za-z][\w-]{1,12}(?:/[A-Za-z\d.-]+)*/(?:19|20)\d{2}/\d+|[A-ZÀ-Ž][a-zß-ž]{1,3}\d{4}/\d+(?:/\w+)*|(?=\S*\d)[A-ZÀ-Ž][A-Za-zÀ-ž]{1,7}-[A-Za-z\d]{1,6}(?:\.[A-Za-z0-9]+){2,}|[A-Za-z]{2,}(?:/[A-Za-z]{2,})+[\s/-]\d[\d/-]*|(?=\S*\d)[A-Z]{1,6}(?:-[A-Z]{1,6})*(?:\.[A-Z0-9]+){2,}|[A-Z]{1,6}(?:\([A-Z]{1,6}\))*\(\d{4}\)\s?\d+|[A-Z]{2,}(?:/[A-Z0-9]{1,4})+\s[A-Z]\(\d{4}\)\d+|[A-ZÄÖÜÕ]{1,6}\d[A-Z\d.]*(?:-\d+)+|[A-Z][A-Z/.-]*/\s?(?:N°|Nr\.?|No\.?)\s?\d+|[A-ZÄÖÜÕ]{2,10}[a-zäö]{0,3}-(?:19|20)\d{2}-\d+"
    r"|(?=\S*\d)[A-ZÄÖÜÕ\d][A-ZÄÖÜÕ\d.-]*/[\w.()-]+(?:/[\w.()-]+)*"
    r"|(?:[A-ZÄÖÜÕ]{1,8}[ /-])?[A-ZÄÖÜÕ\d.-]*\d[\w.-]*/[\w./-]*\d[\w./-]*)$"
)
_BEHIND_DATE = re.compile(
    r"^\.?\s*,?\s*(?:a\.?\s*|г\.?\s*)?(?:nr|no|n°|№|numeris)\.?\s*:?\s*([^\s,;]*\d[^\s,;]*)", re.IGNORECASE
)


_BEFORE_DATE = re.compile(
    r"^(?:nr|no|n°|№)\.?\s?(\S*\d\S*),?\s(?:от|of|vom|du|dated|de dato|z dnia|den|no|nuo)\s(.{6,25})$", re.IGNORECASE
)


def bare_line(line: Line) -> str | None:
    """The number that a line is: "Nr. 12-3/45", "VN/12345/2024"."""
    bare = _BARE.match(line.text)
    if bare:
        return bare.group(1).rstrip(".,")
    before = _BEFORE_DATE.match(line.text)
    if before and first_day(before.group(2)):
        return before.group(1)
    beside = _PROCEDURE.match(line.text)
    if beside:
        return beside["number"]
    return line.text if len(line.text) < 40 and _BARE_TOKEN.match(line.text) and not first_day(line.text) else None


def _bare_number(lines: Sequence[Line], language: str | None) -> tuple[str | None, date | None]:
    """(a number without a label, the date before it): alone on its line, or "17.04.2024 nr 5-1/20-2"."""
    lines = [line for line in lines[:25] if not labelled(line, ("theirs",))]
    for line in lines:
        for printed in find_dates(line.text, language=language) if len(line.text) < 110 else ():
            behind = _BEHIND_DATE.match(line.text[printed.finish :])
            if behind and printed.starts:
                return behind.group(1).rstrip(".,"), printed.starts
    return next(((number, None) for line in lines if (number := bare_line(line) or _last_number(line))), (None, None))


_LAST = re.compile(r"^[^\d@]{3,45}\s(?:Nr|nr|No|N°|№)\.?\s?(\S*\d\S*[-/]\S*\d\S*)$")


def _last_number(line: Line) -> str | None:
    """The number that ends a short line of words: "Datums skatāms laika zīmogā. Nr. 1-28/612"."""
    match = None if line.bold else _LAST.match(line.text)
    return match.group(1) if match else None


_PLACE_DATE = re.compile(r"^[^\W\d]{2,20}(?:[ -][^\W\d]{2,20})?,?\s")


_OF_OCCASION = re.compile(r"(?:time|venue|place|koht|kellaaeg|lieu|heure|ort|uhrzeit|paikka|vieta|место)\s*:")


def letter_date(head: Sequence[Line], tail: Sequence[Line], language: str | None) -> date | None:
    """The printed date: labelled, or on a line of its own, in the head, else in the tail."""
    for zone in (head, tail):
        for at, line in enumerate(zone):
            found = labelled(line, ("date",), following=zone[at + 1] if at + 1 < len(zone) else None)
            day = first_day(found.value, language=language) if found else None
            if day and not any(_OF_OCCASION.match(other.folded) for other in zone[at + 1 : at + 4]):
                return day
        for line in zone:
            day = date_line(line, language)
            if day:
                return day
    return None


def date_line(line: Line, language: str | None) -> date | None:
    """The day of a line that is a date, perhaps with a place or a number beside it."""
    if len(line.text) > 70:
        return None
    dates = [printed for printed in find_dates(line.text, language=language) if printed.starts]
    if len(dates) != 1 or dates[0].starts != dates[0].ends or _ARES.search(line.text):
        return None
    if (
        phrases().signed.search(line.folded)
        or labelled(line, ("theirs", "contact", "subject", "annex", "restriction"))
        or printed_mark(line)
    ):
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


_COLUMN = 40  # characters of a line in a narrow column
_BASIS = re.compile(
    r"(?:AvTS|avaliku teabe seaduse?)\s*§\s*\d+\S*(?:\s*(?:lg|lõige|lõike)\.?\s*\d+\S*)?(?:\s*(?:p|punkt|punkti)\.?\s*\d+\S*)?",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"(?:kehtib|kehtivus)?\s*kuni:?\s*(.{4,60})$", re.IGNORECASE)
_MARK_LABEL = re.compile(r"^(?:marking|classification|handling|markus|juurdepaasupiirang|marge)\s*:\s*")


def marking(lines: Sequence[Line], language: str | None) -> Marking:
    """The mark on the letter: on a line of its own, or at the end of a line with the document's number."""
    for at, line in enumerate(lines):
        mark = printed_mark(line) or _mark_of_two(lines[at : at + 2])
        if mark is None:
            continue
        near = " ".join(other.text for other in lines[at : at + 6])
        basis = _BASIS.search(near)
        until = next((m.group(1) for text in _whole(lines[at : at + 7]) if (m := _UNTIL.search(text))), None)
        day = first_day(until, language=language) if until else None
        return Marking(mark, basis.group().strip(" .,;") if basis else None, day.isoformat() if day else until)
    return Marking()


def _mark_of_two(lines: Sequence[Line]) -> str | None:
    """A mark that a narrow column broke over two lines."""
    if len(lines) < 2 or lines[1].gap or len(lines[0].text) > _COLUMN or len(lines[1].text) > _COLUMN:
        return None
    first, second = lines
    if not any(phrases().marking.may_be_in(line.folded) for line in lines):
        return None
    text = f"{first.text} {second.text}"
    mark = printed_mark(replace(first, text=text, folded=flat(text)))
    return mark if mark and len(mark) > max(len(first.text), len(second.text)) else None


def _whole(lines: Sequence[Line]) -> list[str]:
    """Lines with the next one's words where a label's value stands there."""
    follow = [*(line.text for line in lines[1:]), ""]
    return [
        f"{line.text} {after}" if line.text.endswith(":") else line.text
        for line, after in zip(lines, follow, strict=True)
    ]


def printed_mark(line: Line) -> str | None:
    """The mark that a line is, as printed."""
    if not phrases().marking.may_be_in(line.folded) or len(line.text) > 110 or is_prose(line):
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
        if not before and (
            not after
            or _BASIS.match(after)
            or after.startswith(("(", "kuni", "until", "bis", "jusqu", "до", "līdz", "iki"))
        ):
            return printed
        numbered = re.fullmatch(r"[\w /().:-]*\d[\w /().:-]*", before) and printed.isupper() and len(printed) > 3
        if numbered and not after:
            return printed
    return None
