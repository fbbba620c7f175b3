"""Words as the phrases know them: folded, a case ending parted by an apostrophe joined, slips of the pen mended.

Invariant: only long words of ordering are mended (`spelling` in the languages' files), and only where the slip lies
within the word: its ending, which tells an order from a report, is never changed.
"""

import re
from functools import cache, lru_cache

from mailrouter.core.instruction.lexicon import lexicons
from mailrouter.core.language import fold

_SHORTEST = 7  # letters of a word that may be a slip
_OPENING = 2  # letters that must be right
_ENDING = 2  # letters that must be right, unless two neighbours changed places
_PARTED = re.compile(r"['’](sse|ssegi|le|lle|legi|ks|ga|st|lt|ni|ile)$")  # "Marge'le", "Delta'sse"
_FIGURE = re.compile(r"[a-z][26]")
_FIGURED = re.compile(r"(?<![\w.@/-])[a-zõäöüA-ZÕÄÖÜ]++(?:[26]{1,2}[a-zõäöü]{2,}+)++(?![\w@/])")
_LETTERS = str.maketrans("26", "äõ")


@lru_cache(maxsize=1 << 14)  # the same words come again and again
def folded(word: str) -> str:
    """A printed word as the phrases are written: no capitals, no diacritics, no slips in the words of ordering."""
    plain = fold(word)
    if "'" in plain or "’" in plain:
        return _PARTED.sub(r"\1", plain)
    if len(plain) < _SHORTEST:
        return plain
    known, meant = _meant()
    if plain in known:
        return plain
    return next((each for each in meant.get(plain[:_OPENING], ()) if _slip(plain, each)), plain)


def lettered(text: str) -> str:
    """The text with letters for figures that stand for them, as where a keyboard has no ä: "t2htaeg", "t66p2eva"."""
    return _FIGURED.sub(lambda found: found[0].translate(_LETTERS), text) if _FIGURE.search(text) else text


@cache
def _meant() -> tuple[frozenset[str], dict[str, tuple[str, ...]]]:
    """Words that are no slips, and words that slips are sought of, by their first letters."""
    meant: dict[str, tuple[str, ...]] = {}
    for word in _all("spelling.meant"):
        meant[word[:_OPENING]] = (*meant.get(word[:_OPENING], ()), word)
    return frozenset((*_all("spelling.known"), *_all("spelling.meant"))), meant


def _all(kind: str) -> list[str]:
    return [word for lexicon in lexicons() for word in lexicon.plain(kind)]


def _slip(written: str, meant: str) -> bool:
    """Whether `written` is `meant` with one slip, with the same letters in its ending."""
    if written == meant or abs(len(written) - len(meant)) > 1:
        return False
    swapped = sorted(written) == sorted(meant)
    if written[-_ENDING:] != meant[-_ENDING:] and not swapped:
        return False
    return _distance(written, meant) <= 1


def _distance(left: str, right: str) -> int:
    """How many letters must be put in, left out, changed, or exchanged with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for at, mine in enumerate(left, 1):
        earlier, before, row = before, row, [at]
        for to, theirs in enumerate(right, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (mine != theirs))
            if at > 1 and to > 1 and mine == right[to - 2] and left[at - 2] == theirs:
                cost = min(cost, earlier[to - 2] + 1)
            row.append(cost)
    return row[-1]
