"""A word that is not known → the nearest one that is; every message about what staff wrote uses this.

Invariant: pure and deterministic, whatever the order of the known words.
"""

import difflib
from collections.abc import Iterable

_SHOWN = 12  # so many known words are listed when none is near


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message: "; did you mean 'x'?" for the nearest known word, else "; known: …"; "" if none is."""
    words = sorted(set(known))
    close = difflib.get_close_matches(word, words, 1, 0.6)
    if not close:
        folded = {other.casefold(): other for other in reversed(words)}
        close = [folded[match] for match in difflib.get_close_matches(word.casefold(), sorted(folded), 1, 0.6)]
    if close:
        return f"; did you mean '{close[0]}'?"
    if not words:
        return ""
    more = ", …" if len(words) > _SHOWN else ""
    return f"; known: {', '.join(words[:_SHOWN])}{more}"
