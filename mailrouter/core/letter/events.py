"""Events ahead: the rows of a timetable, else the occasion that the letter announces.

Invariant: `date_raw` is as printed; a row's cells may run over several lines, with columns kept apart by tabs or lost.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mailrouter.core.letter.dates import PrintedDate, find_dates
from mailrouter.core.letter.layout import Line
from mailrouter.core.letter.letters import Event
from mailrouter.core.letter.names import named_line
from mailrouter.core.letter.phrases import phrases
from mailrouter.core.letter.places import is_open, is_place, place_split

_LONGEST_HEAD = 90
_TENTATIVE = re.compile(r"\((?:tbc|tbd|to be confirmed)\)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a timetable: its date, and the lines of what stands behind it."""

    printed: PrintedDate
    lines: tuple[str, ...]


def table_events(lines: Sequence[Line], language: str | None, after: date | None) -> tuple[Event, ...]:
    """The rows of a timetable in their order; () if there is none."""
    head = _head_at(lines, language, after)
    if head is None:
        return ()
    columns = _columns(lines[head])
    if "date" in columns:
        mapped = _mapped(columns, lines[head + 1 :], language, after)
        if mapped:
            return mapped
    events = []
    for row in _rows(lines[head + 1 :], language, after):
        event = _event(row)
        if event.title:
            events.append(event)
    return tuple(events)


def _columns(head: Line) -> list[str]:
    """What each column of a head with tabs holds: "date", "title", "place", "" for any other."""
    if "\t" not in head.text:
        return []
    columns = []
    for cell in head.folded.split("\t"):
        kinds = (kind for kind in ("date", "title", "place") if phrases().table[kind].search(cell))
        columns.append(next((kind for kind in kinds if kind not in columns), ""))
    return columns


def _mapped(
    columns: Sequence[str], lines: Sequence[Line], language: str | None, after: date | None
) -> tuple[Event, ...]:
    """The events of rows whose columns are apart and in any order; a row without a date ends the table."""
    events: list[Event] = []
    for line in lines:
        cells = [cell.strip() for cell in line.text.split("\t")]
        if len(cells) < 2:
            break
        values = dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))
        printed = _whole_date(values["date"], language, after)
        if printed is None:
            break
        title = values.get("title") or max((c for c in cells if c != values["date"]), key=len, default="")
        place = values.get("place") or None
        if title:
            events.append(event_of(printed, title, None if place and is_open(place) else place))
    return tuple(events)


def _whole_date(cell: str, language: str | None, after: date | None) -> PrintedDate | None:
    """A date cell: the print is the whole cell's where the date fills it."""
    found = find_dates(cell, after=after, language=language)
    return found[0] if found else None


def _head_at(lines: Sequence[Line], language: str | None, after: date | None) -> int | None:
    """The table's head: a short line with a column for the date and one for the event, a dated row under it."""
    table = phrases().table
    for at, line in enumerate(lines):
        if len(line.text) > _LONGEST_HEAD or not table["date"].search(line.folded):
            continue
        heads = sum(bool(table[column].search(line.folded)) for column in ("title", "place"))
        if heads and any(_row_date(follow.text, language, after) for follow in lines[at + 1 : at + 3]):
            return at
        if "\t" in line.text and heads and _dated_cell(lines[at + 1 : at + 3], language, after):
            return at
    return None


def _dated_cell(lines: Sequence[Line], language: str | None, after: date | None) -> bool:
    """Whether a row of cells under a head has a date in any cell."""
    return any("\t" in line.text and find_dates(line.text, after=after, language=language) for line in lines)


def _row_date(text: str, language: str | None, after: date | None) -> PrintedDate | None:
    """The date that a line begins with, where it begins a row."""
    for printed in find_dates(text[:60], after=after, language=language):
        lead = text[: printed.begin].strip()
        return printed if len(lead) <= 12 and not re.search(r"[a-z]{4}", lead) else None
    return None


def _rows(lines: Sequence[Line], language: str | None, after: date | None) -> list[_Row]:
    """Lines grouped into rows, each opened by a date; the table ends where a party's line or a far gap stands."""
    rows: list[_Row] = []
    for line in lines:
        printed = _row_date(line.text, language, after)
        if printed and not _inside_title(rows, line.text, printed):
            rest = line.text[printed.finish :].strip(" \t:|–-")
            lead = line.text[: printed.begin].strip()
            rows.append(_Row(printed, tuple(text for text in (lead, rest) if text)))
            continue
        if not rows or _ends_table(line):
            break
        rows[-1] = _Row(rows[-1].printed, (*rows[-1].lines, line.text))
    return rows


def _inside_title(rows: Sequence[_Row], text: str, printed: PrintedDate) -> bool:
    """Whether a line that begins with a date is the middle of a title: the title before it is not finished."""
    if not rows or not rows[-1].lines or printed.begin > 0:
        return False
    last = rows[-1].lines[-1]
    return bool(re.search(r"\b(?:of|on|in|for|and|the|since|until)$", last)) and bool(text[printed.finish :].strip())


def _ends_table(line: Line) -> bool:
    """Whether the table is over: a named person with a role, a greeting, or a sentence of its own."""
    person = named_line(line.text)
    if person and person.role and "\t" not in line.text:
        return True
    sentence = line.gap and line.text.endswith(".") and len(line.text.split()) > 8
    return bool(phrases().salutation.match(line.folded) and line.text.endswith(",")) or sentence


def _event(row: _Row) -> Event:
    """A row as an event: title and place told apart by columns, by lines, or by the names of places."""
    cells = [cell.strip() for text in row.lines for cell in text.split("\t")] if _tabbed(row) else None
    if cells is not None:
        title, place = cells[0], " ".join(cells[1:]).strip() or None
    else:
        title, place = _title_and_place(row.lines)
    return event_of(row.printed, title, None if place and is_open(place) else place)


def event_of(printed: PrintedDate, title: str, place: str | None) -> Event:
    """An event on a printed date."""
    starts, ends = printed.starts, printed.ends
    return Event(
        date_raw=printed.raw,
        starts=starts.isoformat() if starts else None,
        ends=ends.isoformat() if ends else None,
        title=title,
        place=place,
    )


def _tabbed(row: _Row) -> bool:
    return len(row.lines) == 1 and "\t" in row.lines[0]


def _title_and_place(lines: Sequence[str]) -> tuple[str, str | None]:
    """Title and place of a row whose columns were lost."""
    texts = list(lines)
    tail: list[str] = []
    if len(texts) > 1 and _TENTATIVE.fullmatch(texts[-1]):
        tail.insert(0, texts.pop())
    if len(texts) > 1 and is_place(texts[-1]):
        tail.insert(0, texts.pop())
        return join_lines(texts), " ".join(tail)
    title, place = place_split(join_lines(texts))
    return title, " ".join([place, *tail]) if place else (" ".join(tail) or None)


def join_lines(lines: Sequence[str]) -> str:
    """Lines of one cell as one text; a hyphen at a line's end stays ("cross-" + "border")."""
    text = ""
    for line in lines:
        text += line if not text or re.search(r"\w-$", text) else " " + line
    return text.strip()
