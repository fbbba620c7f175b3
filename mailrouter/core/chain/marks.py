"""Signatures, disclaimers and the lines that phones add: they stay in a text and are marked for the rules.

Invariant: marks lie inside the text, in order; a mark never changes it.
"""

import re

from mailrouter.core.chain.hops import Mark
from mailrouter.core.markers import Vocabulary, fold

_DELIMITER = re.compile(r"^--[ \xa0]?$", re.MULTILINE)  # RFC 3676 § 4.3, the space often lost on the way
_LAST = 12  # lines from the end in which a closing phrase opens a signature


def find_marks(text: str, vocabulary: Vocabulary) -> tuple[Mark, ...]:
    """The marks of one mail's own words, by where they start."""
    if not text:
        return ()
    marks: list[Mark] = []
    start = _signature(text, vocabulary)
    if start is not None:
        marks.append(Mark("signature", start, len(text)))
    if vocabulary.printed.search(fold(text)) is None:
        return tuple(marks)
    for match in re.finditer(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*", text):
        folded = fold(match[0][:2000])
        if len(folded) >= 60 and sum(phrase in folded for phrase in vocabulary.disclaimers) >= (
            1 if len(folded) > 90 else 2
        ):
            marks.append(Mark("disclaimer", match.start(), match.end()))
            continue
        marks.extend(
            Mark("device", match.start() + line.start(), match.start() + line.end())
            for line in re.finditer(r"[^\n]+", match[0][:4000])
            if len(line[0]) <= 90 and fold(line[0]).startswith(vocabulary.devices)
        )
    return tuple(sorted(marks, key=lambda mark: (mark.start, mark.kind)))


def _signature(text: str, vocabulary: Vocabulary) -> int | None:
    """Where the signature begins: behind "-- ", else at the last closing phrase near the end."""
    match = _DELIMITER.search(text)
    if match is not None:
        return match.start()
    start: int | None = None
    at = len(text)
    for line in reversed(text.rsplit("\n", _LAST)):
        at -= len(line)
        if len(line) <= 60 and fold(line.strip(" ,.!*")) in vocabulary.closings:
            start = at
            break
        at -= 1
    return start
