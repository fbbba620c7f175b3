"""A mail's text as lines with their quote depth.

Invariant: joining the lines of one depth again gives the text as it stood, without quote marks and line ends' spaces.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

# One quote mark may be followed by one space that belongs to it (RFC 3676 § 4.5 writes none between marks).
_QUOTE = re.compile(r"[ ]{0,2}(?:>[ \t]?)*>[ \t]?")
_BREAKS = re.compile(r"\r\n?|[\n\u2028\u2029\x0b\x0c\x85]")


# GroupWise writes ">>> A B <a@b> 01.02.2024 10:00 >>>", or ">>> On …, A <a@b> wrote:" above text that it does not quote.
_ARROWS = re.compile(r"(?P<quote>(?:>[ \t]?)*?)>>>[ ](?P<line>[^>\s].{5,300}?)(?:[ ]>>>)?$")

_EMPTY = 60  # blank lines that are kept in a row


class Line(NamedTuple):
    """One line: how many quote marks it had, what stands behind them, and whether a longer line was cut before it."""

    depth: int
    text: str
    glued: str | None = None  # the spaces that part it from the line before, where both are of one physical line


def split(text: str) -> list[Line]:
    """The lines of a text, quote marks counted and taken off, spaces at line ends dropped."""
    lines: list[Line] = []
    empty = 0
    pieces = _BREAKS.split(text)
    for number, raw in enumerate(pieces):
        bare = raw.rstrip()
        empty = 0 if bare else empty + 1
        if empty > _EMPTY:
            continue
        if bare.lstrip(" ")[:1] == ">":
            arrows = _arrows(bare, pieces[number + 1 : number + 2]) if ">>> " in bare else None
            if arrows is not None:
                lines.append(arrows)
                continue
            match = _QUOTE.match(bare)
            if match is not None:
                lines.append(Line(match[0].count(">"), bare[match.end() :]))
                continue
        lines.append(Line(0, bare))
    return lines


def _arrows(line: str, below: list[str]) -> Line | None:
    """An attribution between arrows as a line of its own depth, that ends in a colon; None if the arrows quote."""
    match = _ARROWS.match(line.lstrip(" "))
    if match is None:
        return None
    text = match["line"]
    if line.endswith(" >>>"):
        return Line(match["quote"].count(">"), f"{text.rstrip(':')}:")
    under = below[0].strip() if below else ""
    quoted = under.startswith(">")
    if (text.endswith(":") and not quoted) or (text.endswith(",") and under.endswith(":") and not quoted):
        return Line(match["quote"].count(">"), text)
    return None


def join(lines: Iterable[tuple[int, Line]]) -> str:
    """The text of lines, each with the depth that counts as unquoted; blank lines at both ends are dropped."""
    parts: list[str] = []
    for depth, line in lines:
        extra = line.depth - depth
        text = line.text if extra <= 0 else f"{'>' * extra} {line.text}".rstrip()
        if line.glued is not None and parts:
            parts[-1] = f"{parts[-1]}{line.glued}{text}".strip()
        else:
            parts.append(text)
    first, last = 0, len(parts)
    while first < last and not parts[first].strip(" \t>"):
        first += 1
    while last > first and not parts[last - 1].strip(" \t>"):
        last -= 1
    return "\n".join(parts[first:last])
