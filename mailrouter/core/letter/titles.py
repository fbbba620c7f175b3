"""The title of a letter: labelled, bold, standing free in its head, or between its salutation and its text.

Invariant: a title is returned as printed, without its label; what is surely another part of the head is none.
"""

import re
from collections.abc import Sequence

from mailrouter.core.letter.layout import Line
from mailrouter.core.letter.marks import bare_line, date_line, is_ares, labelled, printed_mark
from mailrouter.core.letter.names import has_title, is_contact, is_institution, is_role, named_line
from mailrouter.core.letter.phrases import phrases
from mailrouter.core.letter.places import is_place


def title(head: Sequence[Line], body: Sequence[Line]) -> tuple[str | None, tuple[Line, ...]]:
    """(the title, the lines that print it): labelled, else bold or free-standing above the salutation or the text."""
    for zone in (head, body[:4]):
        for at, line in enumerate(zone):
            found = labelled(line, ("subject",), following=zone[at + 1] if at + 1 < len(zone) else None)
            if found and found.value:
                return _continued(zone, at, found.value)
    group = _free_title(_groups(head)) or _title_under_salutation(body)
    return (" ".join(line.text for line in group), tuple(group)) if group else (None, ())


_TITLE_LINES = 3
_LONGEST_TITLE = 160  # characters


def _title_under_salutation(body: Sequence[Line]) -> Sequence[Line]:
    """The lines that stand by themselves between the salutation and the text, and are no sentence."""
    count = next((at for at, line in enumerate(body[1:], 1) if line.gap), 0)
    lines = body[:count]
    text = " ".join(line.text for line in lines)
    if not 0 < count <= _TITLE_LINES or len(text) > _LONGEST_TITLE or not text[0].isupper() or text[-1] in ".,;:?!":
        return ()
    return () if _plainly_else(list(lines)) else lines


def _free_title(groups: list[list[Line]]) -> Sequence[Line]:
    """The lines of a title without a label: bold, opened as titles are, or standing last in the head."""
    while len(groups) > 1 and all(_says_when(line) for line in groups[-1]):
        groups.pop()  # a date or a number under the title
    kind = next((line for group in groups for line in group if _names_kind(line)), None)
    if kind:
        return (kind,)
    for number, group in reversed(list(enumerate(groups))):
        letterhead = number == 1 and all(is_institution(line.text) for line in group)
        if number and all(line.bold for line in group) and not letterhead and not _plainly_else(group):
            return group
    for group in reversed(groups[1:]):
        if phrases().title_opening.match(group[0].folded) and not is_contact(group[0].text):
            return group
    return _last_title(groups)


def _names_kind(line: Line) -> bool:
    """Whether a line is what the document calls itself: "KAEBUS", "TEABENÕUE HALDUSMENETLUSES"."""
    kinds = phrases().document_kinds
    found = kinds.search(line.folded) if line.text.isupper() else None
    return bool(kinds.fullmatch(line.folded)) or bool(found and found.start() == 0)


def _last_title(groups: Sequence[list[Line]]) -> Sequence[Line]:
    """The lines that stand last in the head, if they are none of its other parts."""
    last = groups[-1] if len(groups) > 1 else []
    if 1 <= len(last) <= _TITLE_LINES and not _plainly_else(last) and (len(groups) > 2 or not _names_somebody(last)):
        named_before = sum(_names_somebody(group) for group in groups[:-1])
        if not _names_somebody(last) or (named_before > 1 and len(last) == 1):
            return last
    return ()


def _says_when(line: Line) -> bool:
    dated = date_line(line, None) and not _titled_date(line)
    return bool(dated or bare_line(line) or labelled(line, ("ours", "theirs", "date")))


def _groups(head: Sequence[Line]) -> list[list[Line]]:
    """The head's lines by white space; a bold line next to plain ones stands alone."""
    groups: list[list[Line]] = []
    for line in head:
        if line.gap or not groups or line.bold != groups[-1][-1].bold:
            groups.append([])
        groups[-1].append(line)
    return groups


def _names_somebody(group: Sequence[Line]) -> bool:
    return any(named_line(line.text) or is_institution(line.text) or is_role(line.text) for line in group)


def _titled_date(line: Line) -> bool:
    """Whether a bold line with a date has words of a title, or ends one."""
    words = re.findall(r"[^\W\d_]+", line.text)
    return line.bold and (len(words) > _DATE_WORDS or len("".join(words)) > _DATE_LETTERS or line.text[0].islower())


_DATE_WORDS, _DATE_LETTERS = 3, 30  # of a place, a month, a weekday
_ROLE_ALONE = re.compile(r"(?:The|Le|La|L['’]|Der|Die)\s?(?:\S+\s?){1,4}$")


def _plainly_else(group: Sequence[Line]) -> bool:
    """Whether a group is surely no title: somebody's name, a way to reach one, a number, a date, a mark, one word."""
    kinds = tuple(kind for kind in phrases().labels if kind != "subject")
    if group[0].text[0].islower() or (len(group) == 1 and _ROLE_ALONE.match(group[0].text) and is_role(group[0].text)):
        return True  # the end of a broken line; the office of who signs
    for line in group:
        if (
            named_line(line.text)
            or is_contact(line.text)
            or printed_mark(line)
            or bare_line(line)
            or has_title(line.text)
        ):
            return True
        if (
            labelled(line, kinds)
            or (date_line(line, None) and not _titled_date(line))
            or "@" in line.text
            or is_ares(line.text)
        ):
            return True
    words = " ".join(line.text for line in group).split()
    least = 4 if words[0].isupper() else 6  # "VAIE"
    short = len(words) == 1 and (len(words[0]) < least or is_place(words[0]))
    return not group[0].bold and (short or len(words) > 40)


_FULL_LINE = 55  # characters
_OTHER_LABEL = re.compile(r"^[^\W\d][^:.,]{2,28}:\s")  # "Action required: …" under a title


def _runs_on(zone: Sequence[Line], index: int) -> bool:
    """Whether a title's line is full, or it and the next are bold."""
    return len(zone[index - 1].text) > _FULL_LINE or (zone[index - 1].bold and zone[index].bold)


def _continued(zone: Sequence[Line], at: int, value: str) -> tuple[str, tuple[Line, ...]]:
    """A title that runs on over the next lines, up to a gap or the next label."""
    parts = [value]
    index = at + (1 if zone[at].text.endswith(value) else 2)
    while index < len(zone) and not zone[index].gap and _runs_on(zone, index) and len(parts) < 4:
        if labelled(zone[index], tuple(phrases().labels)) or _OTHER_LABEL.match(zone[index].text):
            break
        parts.append(zone[index].text)
        index += 1
    return " ".join(parts).strip(" *"), tuple(zone[at:index])
