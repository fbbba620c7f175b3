"""The phrases of one language, sought in a sentence all at once.

Owns the little language in which staff write phrases (docs/instructions.md) and the files data/instructions.*.yaml.
Invariant: a lexicon is read once and never changes; a tag is a phrase found, with its place in words.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, product, repeat
from typing import Any

from mailrouter.core.language import fold
from mailrouter.core.wordlists import load_words

# Kinds that are sought in lines, not in sentences: no *, ~ or {n} in them.
_LINES = frozenset({"closings", "notices", "joiners", "reply_prefixes", "abbreviations", "asides"})
# Sections and kinds of single words, asked for one at a time; the others are sought in sentences.
_SINGLE = frozenset(
    {
        "names",
        "clauses",
        "periods.translative",
        "periods.behind",
        "cues.carry",
        "restriction.until",
        "restriction.basis",
    }
)
_BOTH = frozenset({"cues.carry", "restriction.basis"})
_OPENING = 2  # letters by which phrases that begin with a beginning are found
_GAP = 4  # words that "~" may stand for
_WIDE_GAP = 10  # words that "~~" may stand for
_GAPS = {"~": _GAP, "~~": _WIDE_GAP}


@dataclass(frozen=True, slots=True)
class Tag:
    """A phrase found: what it means ("cue.ask", "register.wish") and the words first..last-1 that say it."""

    kind: str
    first: int
    last: int

    @property
    def action(self) -> str:
        """What stands before the first full stop of the kind."""
        return self.kind.partition(".")[0]

    @property
    def form(self) -> str:
        """What stands after the last full stop of the kind."""
        return self.kind.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a phrase: folded words, beginnings ("kui*"), endings ("*le"), middles; or any number; or a gap."""

    words: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    number: bool = False
    gap: int = 0  # words that may be passed over

    def takes(self, word: str, numbers: Mapping[str, int]) -> bool:
        """Whether a folded word fits."""
        if self.number:
            return word.isdecimal() or word in numbers
        return word in self.words or word.startswith(self.beginnings) or word.endswith(self.endings)


# Actions, with the forms in which they order, ask or tell; "purposes" has a level of its own between.
ACTIONS = ("register", "forward", "send", "assign", "responsible", "purposes")
FORMS = ("order", "bare", "direct", "wish", "asked", "told", "noun", "verb", "after")
_TELLING = frozenset(
    {"periods.labels", "restriction.mark", "restriction.spoken", "restriction.public", "restriction.basis"}
)


def tells(kind: str) -> bool:
    """Whether a phrase of a kind alone makes its sentence worth a closer look."""
    return kind in _TELLING or (kind.partition(".")[0] in ACTIONS and kind.rpartition(".")[2] in FORMS)


Phrase = tuple[Slot, ...]


Phrases = tuple[tuple[str, Phrase], ...]  # kind and phrase


@dataclass(frozen=True, slots=True)
class Begun:
    """What a word can begin: kinds with what must follow the word, and whether one of them `tells`."""

    phrases: Phrases = ()
    tells: bool = False


_NOTHING = Begun()
_REMEMBERED = 1 << 14  # words of each language
_FIGURE = "0"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All phrases of one language, by the word they begin with."""

    language: str
    numbers: Mapping[str, int]
    options: frozenset[str]  # the language's own ways, e.g. "wish-needs-ask"
    by_word: Mapping[str, Phrases]  # by first word
    by_beginning: Mapping[str, Phrases]  # by the first two letters of a first word with an ending
    by_number: Phrases  # those that begin with a number
    rest: Phrases  # those that begin with an ending
    word_kinds: Mapping[str, Slot]  # kinds whose phrases are single words that are asked for one at a time
    lines: Mapping[str, tuple[str, ...]]  # kinds that are sought in lines
    opening: Slot  # how phrases that can order something begin
    begun: Callable[[str], Begun]  # what a folded word can begin, remembered for words that come again and again

    def may_speak(self, words: frozenset[str]) -> bool:
        """Whether some of a text's folded words begin a phrase that can order something: a quick no for other texts."""
        return not self.opening.words.isdisjoint(words) or any(
            map(str.startswith, words, repeat(self.opening.beginnings))
        )

    def tags(self, words: Sequence[str]) -> list[Tag]:
        """Every phrase in a row of folded words, in order; of one kind at one place the longest."""
        best: dict[tuple[str, int], int] = {}
        for first, word in enumerate(words):
            for kind, rest in self.begun(word).phrases:
                last = self._end(rest, words, first + 1)
                if last > best.get((kind, first), 0):
                    best[kind, first] = last
        return sorted(
            (Tag(kind, first, last) for (kind, first), last in best.items() if last), key=lambda t: (t.first, -t.last)
        )

    def may_tell(self, words: Iterable[str]) -> bool:
        """Whether one of the folded words begins a phrase whose sentence is worth a closer look."""
        begun = self.begun
        return any(begun(word).tells for word in words)

    def is_kind(self, kind: str, word: str) -> bool:
        """Whether one folded word is of a kind of names, clauses or the like."""
        slot = self.word_kinds.get(kind)
        return slot is not None and slot.takes(word, self.numbers)

    def plain(self, kind: str) -> tuple[str, ...]:
        """The phrases of a kind that is sought in lines, as folded words; alternatives are written out."""
        return self.lines.get(kind, ())

    def _end(self, phrase: Phrase, words: Sequence[str], at: int) -> int:
        """Past the last word of the phrase if it begins at `at`, else 0."""
        if not phrase:
            return at
        slot, rest = phrase[0], phrase[1:]
        if slot.gap:
            for skipped in range(slot.gap + 1):
                if end := self._end(rest, words, at + skipped):
                    return end
                if at + skipped < len(words) and not words[at + skipped][:1].isalnum():
                    return 0
            return 0
        if at >= len(words) or not slot.takes(words[at], self.numbers):
            return 0
        return self._end(rest, words, at + 1)


@cache
def lexicons() -> tuple[Lexicon, ...]:
    """Every language of data/instructions.*.yaml, in the order of their names."""
    folder = files("mailrouter.core").joinpath("data")
    named = sorted(
        (
            entry
            for entry in folder.iterdir()
            if entry.name.startswith("instructions.") and entry.name.endswith(".yaml")
        ),
        key=lambda entry: entry.name,
    )
    return tuple(build(load_words(entry.read_text(encoding="utf-8"))) for entry in named)


def build(data: Mapping[str, Any]) -> Lexicon:
    """A lexicon from the content of one file; ValueError names a phrase that cannot be read."""
    by_word: dict[str, list[tuple[str, Phrase]]] = {}
    by_beginning: dict[str, list[tuple[str, Phrase]]] = {}
    by_number: list[tuple[str, Phrase]] = []
    rest: list[tuple[str, Phrase]] = []
    singles: dict[str, list[str]] = {}
    lines: dict[str, list[str]] = {}
    opening: list[Slot] = []
    for kind, written in _written(data):
        if kind in _LINES:
            lines.setdefault(kind, []).extend(_written_out(written))
            continue
        if kind.partition(".")[0] in _SINGLE or kind in _SINGLE:
            singles.setdefault(kind, []).extend(fold(written).split("|"))
            if kind not in _BOTH:
                continue
        phrase = _phrase(written)
        first = phrase[0]
        if tells(kind):
            opening.append(first)
        for word in first.words:
            by_word.setdefault(word, []).append((kind, phrase))
        for letters in {beginning[:_OPENING] for beginning in first.beginnings}:
            by_beginning.setdefault(letters, []).append((kind, phrase))
        if first.endings:
            rest.append((kind, phrase))
        if first.number:
            by_number.append((kind, phrase))
    numbers = {fold(word): int(value) for word, value in data.get("periods", {}).get("numbers", {}).items()}
    return Lexicon(
        language=data["language"],
        numbers=numbers,
        options=frozenset(data.get("options", ())),
        by_word={word: tuple(found) for word, found in by_word.items()},
        by_beginning={letters: tuple(found) for letters, found in by_beginning.items()},
        by_number=tuple(by_number),
        rest=tuple(rest),
        word_kinds={kind: _slot("|".join(words)) for kind, words in singles.items()},
        lines={kind: tuple(phrases) for kind, phrases in lines.items()},
        opening=Slot(
            frozenset().union(*(slot.words for slot in opening)),
            tuple({beginning for slot in opening for beginning in slot.beginnings}),
        ),
        begun=_begun(by_word, by_beginning, (*rest, *by_number), numbers),
    )


def _begun(
    by_word: Mapping[str, list[tuple[str, Phrase]]],
    by_beginning: Mapping[str, list[tuple[str, Phrase]]],
    others: Phrases,
    numbers: Mapping[str, int],
) -> Callable[[str], Begun]:
    """What each word can begin, worked out when it is first asked for."""

    def begun(word: str) -> Begun:
        if word.isdecimal() and word != _FIGURE and word not in by_word and word[:_OPENING] not in by_beginning:
            return remembered(_FIGURE)  # what one number begins, any other does
        sought = chain(by_word.get(word, ()), by_beginning.get(word[:_OPENING], ()), others)
        kept = tuple((kind, phrase[1:]) for kind, phrase in sought if phrase[0].takes(word, numbers))
        return Begun(kept, any(tells(kind) for kind, _ in kept)) if kept else _NOTHING

    remembered = lru_cache(maxsize=_REMEMBERED)(begun)
    return remembered


def _written_out(written: str) -> list[str]:
    """The choices of a phrase with alternatives: "see kiri|sõnum" gives "see kiri" and "see sonum"."""
    return [" ".join(choice) for choice in product(*(piece.split("|") for piece in fold(written).split()))]


def _written(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and phrase as written: the path of keys in the file, "actions" left out."""
    for section, content in data.items():
        if section in ("language", "options"):
            continue
        yield from _walk("" if section == "actions" else section, content)


def _walk(kind: str, content: object) -> Iterator[tuple[str, str]]:
    if isinstance(content, Mapping):
        for key, inner in content.items():
            if key != "numbers":
                yield from _walk(f"{kind}.{key}".lstrip("."), inner)
    elif isinstance(content, list):
        for phrase in content:
            if not isinstance(phrase, str) or not phrase.strip():
                raise ValueError(f"{kind}: {phrase!r} is not a phrase")
            yield kind, phrase


def _phrase(written: str) -> Phrase:
    """A phrase as staff write it → its slots."""
    slots = []
    for piece in written.split():
        if piece in _GAPS:
            slots.append(Slot(gap=_GAPS[piece]))
        elif piece == "{n}":
            slots.append(Slot(number=True))
        else:
            slots.append(_slot(piece))
    if slots[0].gap:
        raise ValueError(f"{written!r}: a phrase cannot begin with ~")
    return tuple(slots)


def _slot(piece: str) -> Slot:
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
