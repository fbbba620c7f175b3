"""Phrases as staff write them, and where one stands in a row of folded words.

Owns the little language of docs/instructions.md: "a|b", "kui*", "*le", "{n}", "~" and "~~". Invariant: whether a phrase
begins at a word depends on that word and those behind it alone, so what a word can begin is found once and remembered.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, product, zip_longest
from operator import itemgetter
from typing import Generic, TypeVar

from mailrouter.core.language import fold

_OPENING = 2  # letters by which phrases that begin with a beginning are found
_GAPS = {"~": 4, "~~": 10}  # words that a gap may stand for
_REMEMBERED = 1 << 14  # words of each index
_FIGURE = "0"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a phrase: folded words, beginnings ("kui*"), endings ("*le"); or any number; or a gap.

    `takes(word)` says whether a folded word fits.
    """

    words: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    number: bool = False  # figures fit as well
    gap: int = 0  # words that may be passed over
    takes: Callable[[str], bool] = field(init=False, repr=False, compare=False)
    plain: bool = field(init=False, repr=False, compare=False)  # words alone, as most slots are

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain", not (self.beginnings or self.endings or self.number or self.gap))
        object.__setattr__(self, "takes", self._taker())

    def _taker(self) -> Callable[[str], bool]:
        """`takes`, asking only what can be: it is what reading orders asks most often."""
        words, beginnings, endings = self.words, self.beginnings, self.endings
        if self.plain:
            return words.__contains__
        if self.number:
            return lambda word: (
                word in words or word.isdecimal() or word.startswith(beginnings) or word.endswith(endings)
            )
        if not endings:
            return lambda word: word in words or word.startswith(beginnings)
        if not beginnings:
            return lambda word: word in words or word.endswith(endings)
        return lambda word: word in words or word.startswith(beginnings) or word.endswith(endings)


Phrase = tuple[Slot, ...]


def end_of(phrase: Phrase, words: Sequence[str], at: int) -> int:
    """Past the last word of a phrase that begins at word `at`, else 0; what a gap stands for is as short as can be."""
    for index, slot in enumerate(phrase):
        if slot.gap:
            return _end_behind_gap(slot.gap, phrase[index + 1 :], words, at)
        if at >= len(words) or not slot.takes(words[at]):
            return 0
        at += 1
    return at


def _end_behind_gap(gap: int, phrase: Phrase, words: Sequence[str], at: int) -> int:
    """The same for what follows a gap; no punctuation lies in a gap."""
    if not any(map(phrase[0].takes, words[at : at + gap + 1])):
        return 0
    for begin in range(at, at + gap + 1):
        if end := end_of(phrase, words, begin):
            return end
        if begin < len(words) and not words[begin][:1].isalnum():
            return 0
    return 0


class Begun(Generic[T]):
    """What a word can begin, by the word that follows: what each phrase stands for, with what must follow its first word.

    Phrases are numbered, so that those found keep the order in which they are written.
    """

    __slots__ = ("_by_next", "_others")

    def __init__(self, phrases: Iterable[tuple[T, Phrase]]) -> None:
        self._by_next: dict[str, list[tuple[int, T, Phrase]]] = {}  # those that go on with plain words
        self._others: list[tuple[int, T, Phrase]] = []
        for number, (means, rest) in enumerate(phrases):
            if rest and rest[0].plain:
                for word in rest[0].words:
                    self._by_next.setdefault(word, []).append((number, means, rest))
            else:
                self._others.append((number, means, rest))

    def before(self, word: str | None) -> Sequence[tuple[int, T, Phrase]]:
        """The phrases that may stand here when `word` follows (None: nothing does)."""
        going_on = self._by_next.get(word) if word is not None else None
        if not going_on:
            return self._others
        return sorted((*going_on, *self._others), key=itemgetter(0)) if self._others else going_on


class Index(Generic[T]):
    """Phrases by the word they begin with, each with what it stands for."""

    def __init__(self, phrases: Iterable[tuple[T, Phrase]]) -> None:
        self._begun: Callable[[str], Begun[T] | None] = lru_cache(maxsize=_REMEMBERED)(self._begun_by)
        self._by_word: dict[str, list[tuple[T, Phrase]]] = {}
        self._by_beginning: dict[str, list[tuple[T, Phrase]]] = {}  # by its first letters
        ended: list[tuple[T, Phrase]] = []
        counted: list[tuple[T, Phrase]] = []
        for means, phrase in phrases:
            first = phrase[0]
            if first.number:
                counted.append((means, phrase))
                continue
            for word in first.words:
                self._by_word.setdefault(word, []).append((means, phrase))
            for letters in {beginning[:_OPENING] for beginning in first.beginnings}:
                self._by_beginning.setdefault(letters, []).append((means, phrase))
            if first.endings:
                ended.append((means, phrase))
        self._others = (*ended, *counted)

    def found(self, words: Sequence[str]) -> Iterator[tuple[T, int, int]]:
        """Every phrase in a row of folded words: what it stands for, and the words first..last-1 that say it."""
        for at, (begun, after) in enumerate(zip_longest(map(self._begun, words), words[1:]), start=1):
            if begun is None:
                continue
            for _, means, rest in begun.before(after):
                if last := end_of(rest, words, at):
                    yield means, at - 1, last

    def _begun_by(self, word: str) -> Begun[T] | None:
        letters = word[:_OPENING]
        if word.isdecimal() and word != _FIGURE and word not in self._by_word and letters not in self._by_beginning:
            return self._begun(_FIGURE)  # what one number begins, any other does
        sought = chain(self._by_word.get(word, ()), self._by_beginning.get(letters, ()), self._others)
        phrases = [(means, phrase[1:]) for means, phrase in sought if phrase[0].takes(word)]
        return Begun(phrases) if phrases else None


def read_phrase(written: str, numbers: Mapping[str, int]) -> Phrase:
    """A phrase as staff write it → its slots; `numbers` are the language's folded number words."""
    slots = []
    for piece in written.split():
        if piece in _GAPS:
            slots.append(Slot(gap=_GAPS[piece]))
        elif piece == "{n}":
            slots.append(Slot(frozenset(numbers), number=True))
        else:
            slots.append(read_slot(piece))
    if slots[0].gap or slots[-1].gap:
        raise ValueError(f"{written!r}: a phrase cannot begin or end with ~")
    return tuple(slots)


def read_slot(piece: str) -> Slot:
    """One place of a phrase as staff write it: "see|kiri", "registreeri*", "*le"."""
    words, beginnings, endings = set(), [], []
    for alternative in fold(piece).split("|"):
        if alternative.startswith("*"):
            endings.append(alternative[1:])
        elif alternative.endswith("*"):
            if len(alternative) <= _OPENING:
                raise ValueError(f"{piece!r}: at least {_OPENING} letters before *")
            beginnings.append(alternative[:-1])
        else:
            words.add(alternative)
    return Slot(frozenset(words), tuple(beginnings), tuple(endings))


def written_out(written: str) -> list[str]:
    """The choices of a phrase with alternatives: "see kiri|sõnum" gives "see kiri" and "see sonum"."""
    return [" ".join(choice) for choice in product(*(piece.split("|") for piece in fold(written).split()))]
