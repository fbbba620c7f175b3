"""Text made comparable without moving a single character.

Invariant: `flat(text)` has the length of `text`, so a place found in it is the place in the print.
"""

from functools import lru_cache

from mailrouter.core.language import fold


@lru_cache(maxsize=4096)
def _flat(character: str) -> str:
    """One character folded to one character."""
    if character in "\u00a0\u202f\u2009\u2007":
        return " "
    if character in "\u2018\u2019\u02bc`\u00b4":
        return "'"
    folded = fold(character)
    return folded if len(folded) == 1 else character


def flat(text: str) -> str:
    """The text case-folded and without diacritics, character by character: "Läänemets" → "laanemets"."""
    return text.lower() if text.isascii() else "".join(map(_flat, text))
