"""Institutions' names that a narrow column breaks over lines, made whole.

Invariant: only neighbouring lines are joined, in their order, and no word is changed.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from mailrouter.core.letter.layout import Line
from mailrouter.core.letter.names import is_contact, is_institution, is_role, named_line
from mailrouter.core.letter.phrases import phrases

_LONGEST = 130  # characters of a name, as of any line that is an institution's


def whole_names(lines: Sequence[Line]) -> list[Line]:
    """The lines, with a name that runs on over the next line as one."""
    whole: list[Line] = []
    for line in lines:
        if whole and not line.gap and _runs_on(whole[-1], line):
            last = whole[-1]
            whole[-1] = replace(last, text=f"{last.text} {line.text}", folded=f"{last.folded} {line.folded}")
        else:
            whole.append(line)
    return whole


def _runs_on(first: Line, second: Line) -> bool:
    """Whether two lines are one name: the first ends, or the second begins, as nothing does that stands for itself."""
    known = phrases()
    ends = known.name_runs_on.search(first.folded)
    if not ends and not known.name_goes_on.match(second.folded):
        return False
    if len(first.text) + len(second.text) > _LONGEST or re.search(r"[\d:@]", first.text + second.text):
        return False
    if (
        is_contact(second.text)
        or named_line(second.text)
        or (not ends and (is_role(second.text) or named_line(first.text)))
    ):
        return False
    return is_institution(first.text) or is_institution(f"{first.text} {second.text}")
