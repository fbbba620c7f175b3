"""Patterns that say a quick no: what words a text has is found once, and asked by all patterns of a vocabulary.

Invariant: a `Wording` finds what its pattern finds. Only where the text has none of the words that every phrase of it
needs is the pattern not tried: most sentences have none, and a pattern of some hundred phrases takes its time.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Literal, NamedTuple

_LEAST = 2  # letters that are worth looking for inside words
_TEXTS, _WORDS = 1 << 10, 1 << 14  # remembered: what some texts and words hold
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Need:
    """A word that a text must have: one with these letters, as the whole, at its begin, or anywhere inside."""

    letters: str
    place: Literal["whole", "begin", "inside"]

    @property
    def tells(self) -> int:
        """How much it says that a text has it: few texts have a long word, many have a piece of one."""
        return len(self.letters) + {"whole": 1, "begin": 0, "inside": -1}[self.place]


class Vocabulary:
    """The words that wordings need. Each wording has a bit; a text's bits say which may be found there."""

    def __init__(self) -> None:
        self._whole: dict[str, int] = {}
        self._begun: dict[int, dict[str, int]] = {}  # by their length
        self._inside: dict[str, int] = {}
        self._always = 0
        self._bits = 0
        self._of_token = lru_cache(maxsize=_WORDS)(self._token_bits)
        self.of_text: Callable[[str], int] = lru_cache(maxsize=_TEXTS)(self._text_bits)

    def bit(self, needs: frozenset[Need] | None) -> int:
        """The bit of one more wording; `needs` None: nothing is known of it, it may be found anywhere."""
        bit = 1 << self._bits
        self._bits += 1
        if needs is None:
            self._always |= bit
        for need in needs or ():
            words = self._places(need)
            words[need.letters] = words.get(need.letters, 0) | bit
        return bit

    def _places(self, need: Need) -> dict[str, int]:
        if need.place == "begin":
            return self._begun.setdefault(len(need.letters), {})
        return self._whole if need.place == "whole" else self._inside

    def _word_bits(self, word: str) -> int:
        bits = self._whole.get(word, 0)
        for length, words in self._begun.items():
            bits |= words.get(word[:length], 0)
        for letters, bit in self._inside.items():
            if letters in word:
                bits |= bit
        return bits

    def _text_bits(self, text: str) -> int:
        return reduce(or_, map(self._of_token, text.split()), self._always)

    def _token_bits(self, token: str) -> int:
        """Those of the words between two white spaces, with the marks at and in them."""
        return reduce(or_, map(self._word_bits, _WORD.findall(token)), 0)


class Wording:
    """A pattern, with the methods of a compiled one that are used here.

    It is compiled when a text is first met that has the words: few letters have those of every phrase, and compiling
    them all would be half of the time in which a reading child gets ready.
    """

    __slots__ = ("_source", "bit", "of_text", "pattern")

    pattern: re.Pattern[str]

    def __init__(self, source: str, needs: frozenset[Need] | None, vocabulary: Vocabulary) -> None:
        self._source = source
        self.bit = vocabulary.bit(needs)
        self.of_text = vocabulary.of_text

    def __getattr__(self, name: str) -> re.Pattern[str]:
        """The compiled pattern, while it is not there yet."""
        if name != "pattern":
            raise AttributeError(name)
        self.pattern = re.compile(self._source)
        return self.pattern

    def may_be_in(self, text: str) -> bool:
        """Whether it may be found in a text; where not, it is not."""
        return bool(self.of_text(text) & self.bit)

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """As `re.Pattern.search`."""
        return self.pattern.search(text, start) if self.of_text(text) & self.bit else None

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """As `re.Pattern.fullmatch`."""
        return self.pattern.fullmatch(text) if self.of_text(text) & self.bit else None

    def finditer(self, text: str, start: int = 0) -> Iterator[re.Match[str]]:
        """As `re.Pattern.finditer`."""
        return self.pattern.finditer(text, start) if self.of_text(text) & self.bit else iter(())

    def sub(self, replacement: Callable[[re.Match[str]], str], text: str) -> str:
        """As `re.Pattern.sub`."""
        return self.pattern.sub(replacement, text) if self.of_text(text) & self.bit else text


class Hint:
    """A quick no for several wordings of one vocabulary at once."""

    __slots__ = ("_bits", "_of_text")

    def __init__(self, wordings: Iterable[Wording]) -> None:
        listed = list(wordings)
        self._bits = reduce(or_, (wording.bit for wording in listed))
        self._of_text = listed[0].of_text

    def may_be_in(self, text: str) -> bool:
        """Whether one of the wordings may be found in a text; where not, none is."""
        return bool(self._of_text(text) & self._bits)


# What a piece of a pattern is: a letter of a word, a mark or blank between words, alternatives, or anything else.
_LETTER, _BETWEEN, _CHOICE, _OTHER = range(4)


class _Piece(NamedTuple):
    """One piece of a pattern: its letter or its alternatives, how often it stands (`least`), and whether just once."""

    kind: int
    letter: str = ""
    choices: "tuple[tuple[_Piece, ...], ...]" = ()
    least: int = 1
    once: bool = True


def needs_of(patterns: Iterable[str], *, begins: bool, ends: bool) -> frozenset[Need] | None:
    """The words of which every text that one of the patterns finds has at least one; None where any text may be found.

    `begins`, `ends`: the patterns are only found at a word's begin, up to a word's end.
    """
    listed = list(patterns)
    if not listed:
        return frozenset()  # what finds nothing needs a word that no text has
    return _any_of((piece for pattern in listed for piece in _parse(pattern)), begins=begins, ends=ends)


def _any_of(choices: Iterable[Sequence[_Piece]], *, begins: bool, ends: bool) -> frozenset[Need] | None:
    needs: set[Need] = set()
    for pieces in choices:
        found = _all_of(pieces, begins=begins, ends=ends)
        if found is None:
            return None
        needs |= found
    return frozenset(needs) or None


def _all_of(pieces: Sequence[_Piece], *, begins: bool, ends: bool) -> frozenset[Need] | None:
    """The most telling of the words that a row of pieces needs."""
    found: list[frozenset[Need]] = []
    letters, at_begin, boundary = "", False, begins

    def end_word(*, whole: bool) -> None:
        nonlocal letters
        if letters and at_begin:
            found.append(frozenset({Need(letters, "whole" if whole else "begin")}))
        elif len(letters) >= _LEAST:
            found.append(frozenset({Need(letters, "inside")}))
        letters = ""

    for at, piece in enumerate(pieces):
        if piece.kind == _LETTER and piece.least:
            at_begin = boundary if not letters else at_begin
            letters += piece.letter
            boundary = False
            if not piece.once:
                end_word(whole=False)
        elif piece.kind == _CHOICE:
            end_word(whole=False)
            behind = pieces[at + 1] if at + 1 < len(pieces) else None
            parted = ends if behind is None else behind.kind == _BETWEEN and behind.least > 0
            inner = _any_of(piece.choices, begins=boundary, ends=parted and piece.once) if piece.least else None
            found += [inner] if inner else []
            boundary = boundary and not piece.least and all(_parts(choice) for choice in piece.choices)
        else:
            parts = piece.kind == _BETWEEN and piece.least > 0
            after = pieces[at + 1] if piece.kind == _BETWEEN and at + 1 < len(pieces) else None
            if not parts and letters and at_begin and after and after.kind == _LETTER and after.least:
                # "r.s.v.p." and "rsvp": the word ends here, or goes on with the next letter
                found.append(frozenset({Need(letters, "whole"), Need(letters + after.letter, "begin")}))
                letters = ""
            end_word(whole=parts)
            boundary = parts
    end_word(whole=ends)
    return max(found, key=lambda needs: min(need.tells for need in needs), default=None)


def _parts(choice: Sequence[_Piece]) -> bool:
    """Whether a row of pieces ends between words."""
    return bool(choice) and choice[-1].kind == _BETWEEN and choice[-1].least > 0


_COUNT = re.compile(r"(?:([?*+])|\{(\d*),?\d*\})[?+]?")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_OPEN = re.compile(r"\((?:\?(?:P<\w+>|:|(?P<around><?[=!])))?")


def _parse(pattern: str) -> list[tuple[_Piece, ...]]:
    """The alternatives of a pattern in the part of the language of `re` that phrases use."""
    rows, at = _alternatives(pattern, 0)
    if at != len(pattern):
        raise ValueError(f"a bracket too many in {pattern!r}")
    return rows


def _alternatives(pattern: str, at: int) -> tuple[list[tuple[_Piece, ...]], int]:
    """Alternatives from a place up to the closing bracket or the end, and where that is."""
    rows: list[tuple[_Piece, ...]] = []
    row: list[_Piece] = []
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            rows.append(tuple(row))
            row, at = [], at + 1
            continue
        kind, letter, choices, at = _piece(pattern, at)
        least, once = 1, True
        if count := _COUNT.match(pattern, at):
            least = int(count[2] or 0) if count[1] is None else int(count[1] == "+")
            once, at = False, count.end()
        row.append(_Piece(kind, letter, choices, least, once))
    return [*rows, tuple(row)], at


def _piece(pattern: str, at: int) -> tuple[int, str, tuple[tuple[_Piece, ...], ...], int]:
    """Kind, letter and alternatives of the piece at a place, and where it ends."""
    character = pattern[at]
    if opened := _OPEN.match(pattern, at):
        rows, end = _alternatives(pattern, opened.end())
        return (_OTHER, "", (), end + 1) if opened["around"] else (_CHOICE, "", tuple(rows), end + 1)
    if listed := _CLASS.match(pattern, at):
        return _OTHER, "", (), listed.end()
    if character == "\\":
        escaped = pattern[at + 1]
        kind = _BETWEEN if escaped in "sW" else _OTHER if escaped.isalnum() else _literal(escaped)
        return kind, escaped, (), at + 2
    return (_OTHER if character in ".^$" else _literal(character)), character, (), at + 1


def _literal(character: str) -> int:
    return _LETTER if character.isalnum() or character == "_" else _BETWEEN
