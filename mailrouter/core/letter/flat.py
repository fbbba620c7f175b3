"""Text made comparable without moving a single character.

Invariant: `flat(text)` has the length of `text`, so a place found in it is the place in the print.
"""

import re
from functools import lru_cache

from mailrouter.core.language import fold

_MARKED = re.compile(r"[^\x00-\x7f]")


@lru_cache(maxsize=4096)
def _flat(character: str) -> str:
    """One character folded to one character."""
    if character in "\u00a0\u202f\u2009\u2007":
        return " "
    if character in "\u2018\u2019\u02bc`\u00b4":
        return "'"
    folded = fold(character)
    return folded if len(folded) == 1 else character


@lru_cache(maxsize=4096)
def _settled(character: str) -> bool:
    """Whether a character, once folded, is small and stays as it is."""
    folded = _flat(character)
    return folded.lower() == folded == _flat(folded)


@lru_cache(maxsize=2048)  # the same lines and sentences are compared with one list of phrases after the other
def flat(text: str) -> str:
    """The text case-folded and without diacritics, character by character: "Läänemets" → "laanemets"."""
    if text.isascii():
        return text.lower()
    marked = set(_MARKED.findall(text))
    if not all(map(_settled, marked)):
        return "".join(map(_flat, text))
    for character in marked:  # few differ: replacing each takes a fraction of the time of a walk over the text
        folded = _flat(character)
        if folded != character:
            text = text.replace(character, folded)
    return text.replace("`", "'").lower()
