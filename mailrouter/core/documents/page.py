"""Words with their places on a page → lines in reading order.

Invariant: every word comes out once. Two columns of running text are read one after the other; the rows of a table
come out as one line each, cells apart by tabs; a blank line stands where the page has white space.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from statistics import median
from typing import NamedTuple

_LINE_TOLERANCE = 0.45  # of the type size: how far words of one line may stand apart in height
_CELL_GAP = 0.85  # of the type size: white space that separates cells; a space is a quarter
_CELL_SPACES = 2.4  # of the line's usual space: justified lines have wide ones throughout
_GAP = 1.38  # of the usual distance between lines: more is white space between paragraphs
_TIGHT = 1.35  # of the type size: single-spaced lines
_COLUMN_LINES = 7  # lines side by side that make two columns of running text
_COLUMN_FILL = 0.62  # how much of a column's width its lines fill on average when they are running text


class Word(NamedTuple):  # a page has hundreds: they are made in a fifth of a dataclass's time
    """A word and its box in points, y upwards."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    place: int  # of its first character among those of the page


@dataclass(frozen=True, slots=True)
class Segment:
    """Words of one line that no wide space parts."""

    text: str
    left: float
    right: float
    bold: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One printed line: its segments from left to right, and its height on the page."""

    segments: tuple[Segment, ...]
    bottom: float
    top: float

    @property
    def size(self) -> float:
        """The type size, about."""
        return self.top - self.bottom

    @property
    def left(self) -> float:
        """Where the line begins."""
        return self.segments[0].left

    @property
    def right(self) -> float:
        """Where the line ends."""
        return self.segments[-1].right


def rows_of(words: Sequence[Word], bold_at: Callable[[int], bool]) -> list[Row]:
    """Words grouped into printed lines, from the top down. `bold_at`: whether the character at a place is set bold."""
    groups: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (-w.bottom, w.left)):
        size = max(word.top - word.bottom, 1.0)
        if groups and abs(groups[-1][0].bottom - word.bottom) <= _LINE_TOLERANCE * size:
            groups[-1].append(word)
        else:
            groups.append([word])
    return [_row(group, bold_at) for group in groups]


def _row(words: Sequence[Word], bold_at: Callable[[int], bool]) -> Row:
    ordered = sorted(words, key=attrgetter("left"))
    bottom, top = median([w.bottom for w in ordered]), median([w.top for w in ordered])
    spaces = sorted([b.left - a.right for a, b in pairwise(ordered)])
    usual = spaces[len(spaces) // 3] if len(spaces) > 3 else 0.0
    apart = max(_CELL_GAP * max(top - bottom, 1.0), _CELL_SPACES * usual if usual < top - bottom else 0.0)
    runs: list[list[Word]] = []
    for word in ordered:
        if runs and word.left - runs[-1][-1].right <= apart:
            runs[-1].append(word)
        else:
            runs.append([word])
    return Row(tuple(_segment(run, bold_at) for run in runs), bottom, top)


def _segment(run: Sequence[Word], bold_at: Callable[[int], bool]) -> Segment:
    bold = all(bold_at(word.place) for word in run) and any(any(map(str.isalpha, word.text)) for word in run)
    text = run[0].text
    for before, word in pairwise(run):
        whole = before.text.endswith("-") and word.left - before.right < 1
        text += word.text if whole else f" {word.text}"
    return Segment(text, run[0].left, run[-1].right, bold)


def page_lines(rows: Sequence[Row], rulings: Sequence[float]) -> list[str]:
    """The rows of a page as lines of text, "" for white space. `rulings`: heights of horizontal lines drawn on it."""
    lines: list[str] = []
    pitch = _pitch(rows)
    before: Row | None = None
    for block in _blocks(rows, pitch, rulings):
        if before and before.bottom - block[0].bottom > _GAP * max(pitch, 0.9 * block[0].size):
            lines.append("")
        lines += _block_lines(block, pitch, rulings)
        before = block[-1]
    return lines


def _block_lines(block: Sequence[Row], pitch: float, rulings: Sequence[float]) -> list[str]:
    """A block's lines: running columns one after the other, a table row by row, plain lines as they stand."""
    columns = _columns(block)
    if len(columns) < 2 or len(block) < 2:
        return _spaced([_tabbed(row) for row in block], block, pitch)
    cells = [_cells(row, columns) for row in block]
    if len(columns) == 2 and _is_running(cells, columns):
        lines: list[str] = []
        for index in range(2):
            side = [(row, cell[index]) for row, cell in zip(block, cells, strict=True) if cell[index]]
            lines += ["", *_spaced([text for _, text in side], [row for row, _ in side], pitch)]
        return [*lines, ""]
    if len(columns) > 2 or _starts_with_dates(cells):
        return ["\t".join(row).rstrip() for row in _table(block, cells, rulings, pitch)]
    aside = columns[1][0] - 1
    texts = [("\t" if row.left >= aside else "") + _tabbed(row) for row in block]
    return _spaced(texts, block, pitch)


def _spaced(texts: Sequence[str], rows: Sequence[Row], pitch: float) -> list[str]:
    """Lines with "" where the white space between their rows is wide."""
    lines: list[str] = []
    for at, (text, row) in enumerate(zip(texts, rows, strict=True)):
        if at and rows[at - 1].bottom - row.bottom > _GAP * max(pitch, 0.9 * row.size):
            lines.append("")
        lines.append(text)
    return lines


def _tabbed(row: Row) -> str:
    """A row's segments apart by tabs; a row that is bold throughout stands between asterisks, as Markdown has it."""
    text = "\t".join(segment.text for segment in row.segments)
    return f"**{text}**" if len(row.segments) == 1 and row.segments[0].bold else text


def _pitch(rows: Sequence[Row]) -> float:
    """The usual distance between neighbouring lines: the least where lines stand tight, else the lower third of all."""
    steps = sorted(a.bottom - b.bottom for a, b in pairwise(rows) if a.bottom - b.bottom > 3)
    if not steps:
        return 12.0
    tight = steps[len(steps) // 10]
    return tight if tight <= _TIGHT * median(row.size for row in rows) else steps[len(steps) // 3]


def _blocks(rows: Sequence[Row], pitch: float, rulings: Sequence[float]) -> Iterator[list[Row]]:
    """Runs of rows that share columns, and runs of rows that have none."""
    block: list[Row] = []
    for at, row in enumerate(rows):
        ruled = bool(block) and any(row.bottom < y < block[-1].top for y in rulings)
        if block and not _fits(block, row, rows[at + 1 :], pitch, ruled=ruled):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _fits(block: Sequence[Row], row: Row, ahead: Sequence[Row], pitch: float, *, ruled: bool) -> bool:
    """Whether a row goes on with the block: it keeps the block's columns, or neither has any.

    `ruled`: a drawn line parts it from the block, as in a table.
    """
    columned = any(len(other.segments) > 1 for other in block)
    if not columned:
        alone = len(row.segments) == 1
        return alone or not any(len(other.segments) > 1 for other in (row, *ahead[:1]))
    near = block[-1].bottom - row.bottom <= 3.2 * pitch
    before = len(_columns(block))
    step = block[-1].bottom - row.bottom
    under = step > _GAP * pitch if before == 2 else step > _GAP * max(pitch, row.size) and before > 2 and not ruled
    if len(row.segments) == 1 and under:
        return False  # a line of its own under the columns of a letter's head
    return near and len(_columns([*block, row])) >= min(before, 2) and (len(row.segments) > 1 or _in_column(block, row))


def _in_column(block: Sequence[Row], row: Row) -> bool:
    """Whether a row of one segment stands inside one of the block's columns."""
    return sum(left - 4 <= row.left and row.right <= right + 4 for left, right in _columns(block)) >= 1 or (
        sum(row.left < right and row.right > left for left, right in _columns(block)) <= 1
    )


def _columns(block: Sequence[Row]) -> list[tuple[float, float]]:
    """The columns of a block: where its segments stand, overlapping ones joined."""
    spans = sorted((segment.left, segment.right) for row in block for segment in row.segments)
    columns: list[tuple[float, float]] = []
    for left, right in spans:
        if columns and left <= columns[-1][1] + 2:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _cells(row: Row, columns: Sequence[tuple[float, float]]) -> list[str]:
    """A row's text in each column."""
    cells = [""] * len(columns)
    for segment in row.segments:
        index = next(at for at, (left, right) in enumerate(columns) if left - 1 <= segment.left <= right + 1)
        cells[index] = f"{cells[index]} {segment.text}".strip()
    return cells


def _is_running(cells: Sequence[Sequence[str]], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether two columns hold running text: many lines on both sides that fill their column's width."""
    for index in range(2):
        texts = [cell[index] for cell in cells if cell[index]]
        longest = max((len(text) for text in texts), default=0)
        if len(texts) < _COLUMN_LINES or longest < 25:
            return False
        if sum(map(len, texts)) < _COLUMN_FILL * longest * len(texts):
            return False
    return columns[0][1] - columns[0][0] > 0.5 * (columns[1][1] - columns[1][0])


_DATED = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[.:]\d{2}\b|^\d{1,2}\.? [^\W\d]{3}")


def _starts_with_dates(cells: Sequence[Sequence[str]]) -> bool:
    """Whether the left column of two is a timetable's: most of its cells carry a day or an hour, none ends with a colon."""
    left = [cell[0] for cell in cells if cell[0]]
    dated = sum(bool(_DATED.search(text)) for text in left)
    return len(left) > 2 and dated * 3 >= len(left) * 2 and not any(text.endswith(":") for text in left)


def _table(
    block: Sequence[Row], cells: Sequence[Sequence[str]], rulings: Sequence[float], pitch: float
) -> list[list[str]]:
    """The rows of a table, the lines of each cell joined."""
    starts = _row_starts(block, cells, rulings, pitch)
    table: list[list[str]] = []
    for at, row in enumerate(cells):
        if at in starts or not table:
            table.append([""] * len(row))
        table[-1] = [join(old, new) for old, new in zip(table[-1], row, strict=True)]
    return table


def _row_starts(
    block: Sequence[Row], cells: Sequence[Sequence[str]], rulings: Sequence[float], pitch: float
) -> set[int]:
    """Where rows begin: under a drawn line, else after white space, else where the first column has text."""
    inner = [y for y in rulings if block[-1].bottom < y < block[0].top]
    if len(inner) >= 2:
        return {
            at
            for at in range(1, len(block))
            if any(block[at].bottom + 0.2 * block[at].size < y < block[at - 1].top for y in inner)
        }
    steps = [block[at - 1].bottom - block[at].bottom for at in range(1, len(block))]
    wide = {at for at, step in enumerate(steps, 1) if step > 1.22 * min(pitch, *steps)}
    firsts = {at for at, cell in enumerate(cells) if cell[0]}
    if wide and len(wide) * 3 >= len(firsts) * 2 - 2 and min(steps) * 1.22 < max(steps):
        return wide
    return {at for at in firsts if any(cells[at][1:])} or firsts


def join(old: str, new: str) -> str:
    """Two lines of one text: a hyphen at the first's end is dropped where it only parts a word."""
    if not old or not new:
        return old or new
    if old.endswith("-") and new[:1].islower() and not new.startswith(("ja ", "või ", "and ", "or ", "und ", "oder ")):
        return (old if _keeps_hyphen(old) else old[:-1]) + new
    return f"{old} {new}"


# Prefixes that keep their hyphen when a line breaks behind it.
_HYPHENATED = frozenset(
    [
        "anti",
        "co",
        "cross",
        "e",
        "ex",
        "follow",
        "half",
        "high",
        "inter",
        "law",
        "like",
        "long",
        "low",
        "mid",
        "multi",
        "non",
        "off",
        "on",
        "post",
        "pre",
        "pro",
        "re",
        "self",
        "semi",
        "short",
        "sub",
        "third",
        "two",
        "three",
        "four",
        "first",
        "second",
        "so",
        "state",
        "vice",
        "well",
        "year",
        "east",
        "west",
        "north",
        "south",
        "euro",
        "e-post",
        "eu",
        "up",
        "part",
        "full",
        "decision",
        "policy",
        "border",
        "risk",
        "evidence",
        "rule",
        "inter-agency",
        "counter",
        "check",
        "side",
        "face",
        "one",
        "real",
        "peer",
        "data",
    ],
)


def _keeps_hyphen(old: str) -> bool:
    """Whether the hyphen belongs to the word: "cross-border", "e-mail", an abbreviation before it."""
    stem = old[:-1].rsplit(None, 1)[-1].strip("(\"'“„") if old[:-1].split() else ""
    return stem.casefold() in _HYPHENATED or "-" in stem or (len(stem) > 1 and stem.isupper()) or stem[-1:].isdigit()


def without_hyphens(lines: Sequence[str]) -> list[str]:
    """Lines with words that were parted at a line's end made whole; the whole word stays on the first line."""
    whole: list[str] = []
    for line in lines:
        last = whole[-1] if whole else ""
        if last.endswith(("-", "\u00ad", "\u2010")) and len(last) > 20 and line[:1].islower() and "\t" not in line:
            head, _, rest = line.partition(" ")
            if head not in {"ja", "või", "and", "or", "und", "oder", "et", "ou", "tai", "un", "ir", "и"}:
                whole[-1] = join(last[:-1] + "-", head)
                if rest:
                    whole.append(rest)
                continue
        whole.append(line)
    return whole


def without_repeats(pages: Sequence[Sequence[Row]], height: float) -> list[list[Row]]:
    """Pages without running heads and feet: what stands at the same height on several pages stays on the first."""
    seen: dict[tuple[str, int], int] = {}
    for rows in pages:
        for row in rows:
            if _at_edge(row, height):
                seen[_key(row)] = seen.get(_key(row), 0) + 1
    shown: set[tuple[str, int]] = set()
    kept: list[list[Row]] = []
    for rows in pages:
        page = []
        for row in rows:
            repeated = _at_edge(row, height) and seen[_key(row)] > 1
            if not repeated or _key(row) not in shown:
                page.append(row)
            if repeated:
                shown.add(_key(row))
        kept.append(page)
    return kept


def _at_edge(row: Row, height: float) -> bool:
    return row.bottom > 0.88 * height or row.top < 0.12 * height


def _key(row: Row) -> tuple[str, int]:
    """What makes two running heads the same: their words without numbers, and their place."""
    words = " ".join(segment.text for segment in row.segments)
    return "".join(c for c in words if not c.isdigit()), round(row.bottom / 12)
