"""Header lines without colons: eM Client's (`From "A" <a@b>`), Notes' (a label's line, then its value's), and tables'.

Invariant: only a run of labels that can be nothing else is touched; each becomes "label: value" on one line.
"""

import re

from mailrouter.core.chain.fields import kind_of
from mailrouter.core.chain.lines import Line
from mailrouter.core.chain.mailboxes import begins_list
from mailrouter.core.markers import Vocabulary, fold

_TITLE = re.compile(r"[-_=*]{3,}[^\n]{0,80}[-_=*]{3,}:?\s*$")
_ROW = re.compile(r"(?P<label>[^\W\d_][^\t:：@<>\d]{0,38})\t(?P<value>[^\t]*)$")
_WORDS = 3  # of a label
_FIELDS = 8


def colons(lines: list[Line], vocabulary: Vocabulary) -> list[Line]:
    """The lines, with a colon behind the labels of header blocks that are printed without."""
    result: list[Line] = []
    at = 0
    while at < len(lines):
        run = _beside(lines, at, vocabulary) if at and _TITLE.match(lines[at - 1].text) else []
        if not run and "\t" in lines[at].text and (not at or "\t" not in lines[at - 1].text):  # the first row
            run = _celled(lines, at, vocabulary)
        end = at + len(run)
        if not run and 0 < len(lines[at].text) <= 24 and _role(lines[at].text, vocabulary) is not None:
            run, end = _above(lines, at, vocabulary)
        if run:
            result += run
            at = end
        else:
            result.append(lines[at])
            at += 1
    return result


def _role(text: str, vocabulary: Vocabulary) -> str | None:
    known = vocabulary.labels.get(fold(text.strip("*_ \xa0")))
    return known.role if known is not None and known.role not in ("other", "form") else None


def _beside(lines: list[Line], at: int, vocabulary: Vocabulary) -> list[Line]:
    """Right under a title: labels with their values behind them on the line, the first an author's."""
    found: list[Line] = []
    seen: set[str] = set()
    for line in lines[at : at + _FIELDS]:
        words = line.text.split(" ")
        if line.depth != lines[at].depth or (":" in words[0] and line.text.strip()):
            break
        for size in range(min(_WORDS, len(words)), 0, -1):
            label, value = " ".join(words[:size]), " ".join(words[size:]).strip()
            role = _role(label, vocabulary)
            if role is not None and role not in seen and (found or (role == "from" and begins_list(value))):
                seen.add(role)
                found.append(line._replace(text=f"{label}: {value}"))
                break
        else:
            break
    return found if {"from", "date", "subject"} <= seen else []


def _celled(lines: list[Line], at: int, vocabulary: Vocabulary) -> list[Line]:
    """Rows of a table with a label and a value each, below a title or with known labels among them."""
    found: list[Line] = []
    kinds: set[str] = set()
    known = at > 0 and (_TITLE.match(lines[at - 1].text) is not None or lines[at - 1].text.endswith((":", "：")))
    for line in lines[at : at + _FIELDS]:
        match = _ROW.match(line.text)
        if match is None or line.depth != lines[at].depth:
            break
        kinds.add(kind_of(match["value"].strip()))
        known = known or _role(match["label"], vocabulary) == "from"
        found.append(line._replace(text=f"{match['label'].strip()}: {match['value'].strip()}"))
    return found if known and len(found) >= 3 and {"address", "date"} <= kinds else []


def _above(lines: list[Line], at: int, vocabulary: Vocabulary) -> tuple[list[Line], int]:
    """Labels alone on their lines, each above its value, and the number of the line behind them."""
    found: list[Line] = []
    seen: set[str] = set()
    end = at
    while end < len(lines) and len(found) < _FIELDS:
        line = lines[end]
        role = _role(line.text, vocabulary) if len(line.text) <= 24 and line.depth == lines[at].depth else None
        if role is None or role in seen:
            break
        value = lines[end + 1].text if end + 1 < len(lines) else ""
        empty = not value.strip() or _role(value, vocabulary) is not None
        if role in ("to", "from") and kind_of(value.strip()) in ("date", "day", "figure"):
            break
        seen.add(role)
        found.append(line._replace(text=f"{line.text.strip()}: {'' if empty else value.strip()}"))
        end += 1 if empty else 2
        while (
            empty
            and end < len(lines)
            and not lines[end].text.strip()
            and end + 1 < len(lines)
            and _role(lines[end + 1].text, vocabulary)
        ):
            end += 1
    return (found, end) if {"to", "subject"} <= seen and len(seen) >= 3 else ([], at)
