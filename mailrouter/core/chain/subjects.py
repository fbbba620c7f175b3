"""Subjects: their reply and forward prefixes, and how the subject of one mail follows from another's.

Invariant: a prefix never decides anything; it is only taken off to compare or to show a subject.
"""

import re
from functools import lru_cache

from mailrouter.core.markers import Vocabulary, fold, load

# "Re:", "RE[2]:", "Fwd (3) :", "Re^2:", full-width colons; the word itself is looked up.
_PREFIX = re.compile(r"\s*([^\W\d_][\w.'’-]{0,14}?)\s?(?:[\[(]\d{1,3}[\])]|\^\d{1,3})?\s?[:：]\s*")
_TAG = re.compile(r"\s*\[(?:fwd|fw|re|external|ext|extern|välis)\]:?\s*", re.IGNORECASE)
_SHORT = re.compile(r"\s*([^\W\d_]{1,5}\.?)\s?(?:\[\d{1,3}\])?\s?[:：]\s*")
_LIMIT = 400  # characters in which prefixes are looked for


def strip_prefixes(subject: str, vocabulary: Vocabulary | None = None) -> str:
    """The subject without the reply and forward prefixes of any language: "FW: VS: Teabenõue" → "Teabenõue".

    Only known prefixes go; "Küsimus: relvaluba" stays. "[Fwd: x]" gives "x". Spaces are folded.
    """
    folded = " ".join(subject.split())
    rest = folded[prefix_length(folded, vocabulary) :]
    if re.match(r"\[(?:fwd|fw|re):", rest, re.IGNORECASE) and rest.endswith("]"):
        return strip_prefixes(rest[1:-1], vocabulary)
    return rest


def prefix_length(text: str, vocabulary: Vocabulary | None = None) -> int:
    """How many characters at the start of `text` are known prefixes, with the spaces behind them."""
    prefixes = (vocabulary or load()).prefixes
    at = 0
    while at < _LIMIT:
        match = _TAG.match(text, at)
        if match is None:
            match = _PREFIX.match(text, at)
            if match is None or fold(match[1]).rstrip(".") not in prefixes:
                break
        at = match.end()
    return at


def loose_length(text: str, vocabulary: Vocabulary | None = None) -> int:
    """Like `prefix_length`, but any word of up to five letters before a colon counts: for comparing only."""
    at = 0
    while at < _LIMIT:
        known = prefix_length(text[at : at + _LIMIT], vocabulary)
        match = _SHORT.match(text, at + known)
        at += known
        if match is None:
            break
        at = match.end()
    return at


@lru_cache(maxsize=512)
def core(subject: str, vocabulary: Vocabulary | None = None) -> str:
    """What two subjects of one thread share: folded, without known or likely prefixes."""
    text = " ".join(subject.split())
    return fold(text[loose_length(text, vocabulary) :])


def related(one: str, other: str, vocabulary: Vocabulary | None = None) -> bool:
    """Whether two subjects belong to one thread: the same, or one is the other behind a prefix that nobody knows."""
    first, second = core(one, vocabulary), core(other, vocabulary)
    if not first or not second:
        return False
    if first == second:
        return True
    shorter, longer = sorted((first, second), key=len)
    return len(shorter) >= 6 and (longer.endswith((f": {shorter}", f"] {shorter}")))
