"""A mail's text as lines with their quote depth.

Invariant: joining the lines of one depth again gives the text as it stood, without quote marks and line ends' spaces.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

# One quote mark may be followed by one space that belongs to it (RFC 3676 § 4.5 writes none between marks).
_QUOTE = re.compile(r"[ ]{0,2}(?:>[ \t]?)*>[ \t]?")
_BREAKS = re.compile(r"\r\n?|[\n\u2028\u2029\x0b\x0c\x85]")


_EMPTY = 60  # blank lines that are kept in a row


class Line(NamedTuple):
    """One line: how many quote marks it had, what stands behind them, and whether a longer line was cut before it."""

    depth: int
    text: str
    glued: bool = False  # it continues the physical line of the line before


def split(text: str) -> list[Line]:
    """The lines of a text, quote marks counted and taken off, spaces at line ends dropped."""
    lines: list[Line] = []
    empty = 0
    for raw in _BREAKS.split(text):
        bare = raw.rstrip()
        empty = 0 if bare else empty + 1
        if empty > _EMPTY:
            continue
        if bare.lstrip(" ")[:1] == ">":
            match = _QUOTE.match(bare)
            if match is not None:
                lines.append(Line(match[0].count(">"), bare[match.end() :]))
                continue
        lines.append(Line(0, bare))
    return lines


def join(lines: Iterable[tuple[int, Line]]) -> str:
    """The text of lines, each with the depth that counts as unquoted; blank lines at both ends are dropped."""
    parts: list[str] = []
    for depth, line in lines:
        extra = line.depth - depth
        text = line.text if extra <= 0 else f"{'>' * extra} {line.text}".rstrip()
        if line.glued and parts:
            parts[-1] = f"{parts[-1]} {text}".strip()
        else:
            parts.append(text)
    first, last = 0, len(parts)
    while first < last and not parts[first].strip(" \t>"):
        first += 1
    while last > first and not parts[last - 1].strip(" \t>"):
        last -= 1
    return "\n".join(parts[first:last])
