"""Patterns of numbers and file marks: "{series}/{year}/{counter:03}".

Invariant: only the listed tokens; anything else in braces is a problem when the settings are read, never a surprise
when a number is given.
"""

import re
from collections.abc import Collection, Mapping

NUMBER_TOKENS = frozenset({"series", "file", "file_year", "year", "counter"})
FILE_TOKENS = frozenset({"series", "year"})
_TOKEN = re.compile(r"\{([a-z_]*)(?::(0?\d))?\}")
_WIDE = frozenset({"counter", "year", "file_year"})


def pattern_problem(pattern: str, tokens: Collection[str]) -> str | None:
    """What is wrong with a pattern, or None."""
    if not pattern.strip():
        return "an empty pattern"
    for name, width in _TOKEN.findall(pattern):
        if name not in tokens:
            return f"unknown token {{{name}}}; known are {', '.join(sorted(f'{{{name}}}' for name in tokens))}"
        if width and name not in _WIDE:
            return f"{{{name}:{width}}}: only a counter or a year has a width"
        if width and name != "counter" and int(width) not in {2, 4}:
            return f"{{{name}:{width}}}: a year has 2 or 4 digits"
    if re.search(r"[{}]", _TOKEN.sub("", pattern)):
        return f"a brace that belongs to no token in {pattern!r}"
    return None


def fill_pattern(pattern: str, values: Mapping[str, str | int], year_digits: int) -> str:
    """The pattern with its tokens filled. Years are printed with `year_digits` unless the token says its own width."""

    def value(match: re.Match[str]) -> str:
        name, width = match[1], int(match[2] or 0)
        found = values[name]
        if name == "counter":
            return str(found).zfill(width)
        if name in {"year", "file_year"}:
            return str(found).zfill(4)[-(width or year_digits) :]
        return str(found)

    return _TOKEN.sub(value, pattern)
