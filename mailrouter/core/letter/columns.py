"""Columns of a letter's head and foot, side by side on the page, as lines one below the other.

Invariant: no word is lost; the rows of a timetable stay as they are.
"""

import re
from collections.abc import Sequence

from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.names import is_role, named_line
from mailrouter.core.letter.phrases import phrases


def unwound_page(page: str, *, first: bool) -> list[str]:
    """The rows of a page, one column after the other; most pages have but one."""
    rows = page.split("\n")
    if "\t" not in page and "    " not in page:
        return rows
    return _unwind_columns(_head_columns(rows) if first else rows)


_WIDEST_HEAD = 60  # characters of a line that is still a letterhead's
_HEAD_ROWS = 40


def _head_columns(rows: Sequence[str]) -> list[str]:
    """A letterhead of three columns, one column after the other; a timetable stays as it is."""
    for at, row in enumerate(rows[:_HEAD_ROWS]):
        cells = _cells(row)
        if len(cells) < 3 and len(row) > _WIDEST_HEAD + 20:
            break
        if len(cells) < 3 or max(map(len, cells)) > _WIDEST_HEAD:
            continue
        count = next((n for n, other in enumerate(rows[at:]) if len(_cells(other)) < 3), len(rows) - at)
        block = [_cells(other) for other in rows[at : at + count]]
        if _are_labels(block[0]) or _is_table(block):
            break
        if any(_is_label(row[0]) for row in block):  # "Teie   28.10.2024   nr 1-7/212"
            return [*rows[:at], *(" ".join(row) for row in block), *rows[at + count :]]
        columns = [[row[n] for row in block if n < len(row) and row[n]] for n in range(max(map(len, block)))]
        unwound = [text for column in _labelled_columns(columns) for text in ("", *column)]
        return [*rows[:at], *unwound, "", *rows[at + count :]]
    return list(rows)


def _labelled_columns(columns: Sequence[list[str]]) -> list[list[str]]:
    """Columns with one of labels joined to that of its values: "Our reference" beside "DJE-2231"."""
    joined: list[list[str]] = []
    for column in columns:
        last = joined[-1] if joined else []
        if last and len(last) == len(column) and all(_is_label(cell) for cell in last):
            joined[-1] = [f"{label.rstrip(': ')}: {value}" for label, value in zip(last, column, strict=True)]
        else:
            joined.append(column)
    return joined


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"\t+| {4,}", row)]


def _is_table(block: Sequence[Sequence[str]]) -> bool:
    """Whether rows of cells are a table: a head that names columns, or many rows."""
    table = phrases().table
    head = " ".join(flat(cell) for cell in block[0])
    named = sum(bool(table[column].search(head)) for column in ("date", "title", "place"))
    return named > 1 or len(block) > 8 or (len({len(row) for row in block}) == 1 and len(block) > 4)


def _unwind_columns(rows: Sequence[str]) -> list[str]:
    """Rows of two cells side by side, left column first; a run of rows with more cells is a table and stays."""
    unwound: list[str] = []
    pairs: list[tuple[str, str]] = []
    heads: list[str] = []
    for row in [*rows, ""]:
        cells = [cell.strip() for cell in re.split(r"\t+| {4,}", row)] if row.strip() else [""]
        if heads and len(cells) == len(heads):
            unwound += [f"{head}: {cell}" for head, cell in zip(heads, cells, strict=True)]
            heads = []
            continue
        heads = cells if _are_labels(cells) else []
        if heads:
            continue
        cells = _without_notes(cells)
        if len(cells) == 2 and cells[1]:
            pairs.append((cells[0], cells[1]))
            continue
        if pairs and len(cells) == 1 and _goes_on_alone(cells[0]):
            pairs.append((cells[0], ""))  # a column that goes on alone
            continue
        unwound += _unwound(pairs, unwound[-1] if unwound else "")
        pairs = []
        unwound.append(row)
    return unwound


_COLUMN_WIDTH = 60  # characters


def _goes_on_alone(cell: str) -> bool:
    """Whether a line under two columns may be the left one's next, and not what stands under both."""
    short = bool(cell) and not cell.endswith((".", ",", ":")) and len(cell) < _COLUMN_WIDTH
    return short and not phrases().signed.search(flat(cell))


_NOTE = re.compile(r"\([^()\d]{4,40}\*?\)")


def _without_notes(cells: list[str]) -> list[str]:
    """A signature's row without the note between role and name: "director   (signature)   Name"."""
    if len(cells) != 3 or not _NOTE.fullmatch(cells[1]):
        return cells
    return [cells[0], cells[2]]


def _are_labels(cells: Sequence[str]) -> bool:
    """Whether a row names what stands in the row below: labels of numbers and dates, beside others in short."""
    labels = sum(_is_label(cell) for cell in cells)
    if len(cells) < 2 or any(re.search(r"\d", cell) for cell in cells):
        return False
    return labels == len(cells) or (labels > 1 and labels * 2 >= len(cells))


def _is_label(cell: str) -> bool:
    """Whether a cell is the label of a number or a date, its value in the row below."""
    folded = flat(cell.rstrip(": "))
    return any(phrases().labels[kind].fullmatch(folded) for kind in ("ours", "theirs", "date"))


_DATED = re.compile(r"(?:\w+:? )?\d{1,2}[./]\s?\d{1,2}[./]\s?\d{4}\b")
_NUMBERED = re.compile(r"(?:nr|no|n°|№)\.?\s?\S*\d")


def _unwound(pairs: list[tuple[str, str]], above: str) -> list[str]:
    """Two columns as lines: labels with their values, a timetable's rows as they are, else left before right.

    `above` is the line before them.
    """
    if not pairs:
        return []
    both = [(left, right) for left, right in pairs if right]
    dated = sum(bool(re.match(r"\D{0,12}\d|Q\d", left)) and "20" in left for left, _ in both)
    if len(both) > 2 and dated * 3 >= len(both) * 2:
        return [f"{left}\t{right}" if right else left for left, right in pairs]
    if all(left.endswith(":") or not left for left, _ in both):
        return [f"{left} {right}" if right else left for left, right in pairs]
    if all(_is_label(left) or _NUMBERED.match(flat(right)) for left, right in both):
        return [f"{left} {right}" if right else left for left, right in pairs]
    # A date beside one line of an address parts nothing: the address goes on from the person or post above.
    goes_on = len(both) == 1 and pairs[0][0] and _DATED.match(both[0][1]) and (is_role(above) or named_line(above))
    return [
        *([] if goes_on else [""]),
        *(left for left, _ in pairs if left),
        "",
        *(right for _, right in pairs if right),
        "",
    ]
