"""The phrases of one language, sought in a sentence all at once.

Owns the files data/instructions.*.yaml and what kinds of phrases there are.
Invariant: a lexicon is read once and never changes; a tag is a phrase found, with its place in words.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mailrouter.core.instruction.phrases import Index, Phrase, read_phrase, read_slot, written_out
from mailrouter.core.language import fold
from mailrouter.core.wordlists import load_words

# Kinds that are sought in lines, not in sentences: no *, ~ or {n} in them.
_LINES = frozenset(
    {"closings", "notices", "joiners", "reply_prefixes", "abbreviations", "asides", "spelling.meant", "spelling.known"}
)
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


# Actions, with the forms in which they order, ask or tell; "purposes" has a level of its own between.
ACTIONS = ("register", "forward", "send", "assign", "responsible", "purposes")
FORMS = ("order", "bare", "direct", "wish", "asked", "told", "noun", "verb", "after")
_TELLING = frozenset(
    {
        "cues.amend",
        "periods.due",
        "periods.labels",
        "restriction.mark",
        "restriction.spoken",
        "restriction.public",
        "restriction.basis",
    }
)


def tells(kind: str) -> bool:
    """Whether a phrase of a kind alone makes its sentence worth a closer look."""
    return kind in _TELLING or (kind.partition(".")[0] in ACTIONS and kind.rpartition(".")[2] in FORMS)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All phrases of one language."""

    language: str
    numbers: Mapping[str, int]
    options: frozenset[str]  # the language's own ways, e.g. "wish-needs-ask"
    kinds: frozenset[str]  # of all phrases that are sought in sentences
    phrases: Index[str]  # those phrases, with their kinds
    telling: tuple[Phrase, ...]  # those whose kind `tells`
    word_kinds: Mapping[str, Callable[[str], bool]]  # kinds of single words that are asked for one at a time
    lines: Mapping[str, tuple[str, ...]]  # kinds that are sought in lines

    def tags(self, words: Sequence[str]) -> list[Tag]:
        """Every phrase in a row of folded words, in order; of one kind at one place the longest."""
        best: dict[tuple[str, int], int] = {}
        for kind, first, last in self.phrases.found(words):
            if last > best.get((kind, first), 0):
                best[kind, first] = last
        return sorted(
            (Tag(kind, first, last) for (kind, first), last in best.items()), key=lambda t: (t.first, -t.last)
        )

    def is_kind(self, kind: str, word: str) -> bool:
        """Whether one folded word is of a kind of names, clauses or the like."""
        takes = self.word_kinds.get(kind)
        return takes is not None and takes(word)

    def plain(self, kind: str) -> tuple[str, ...]:
        """The phrases of a kind that is sought in lines, as folded words; alternatives are written out."""
        return self.lines.get(kind, ())


def speaking(words: Sequence[str]) -> frozenset[str]:
    """The languages in which a row of folded words holds a phrase that `tells`: none, for most of what people write."""
    return frozenset(language for language, _, _ in _telling().found(words))


@cache
def _telling() -> Index[str]:
    """The phrases that `tell`, in all languages at once, with their languages."""
    return Index((lexicon.language, phrase) for lexicon in lexicons() for phrase in lexicon.telling)


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
    numbers = {fold(word): int(value) for word, value in data.get("periods", {}).get("numbers", {}).items()}
    phrases: list[tuple[str, Phrase]] = []
    singles: dict[str, list[str]] = {}
    lines: dict[str, list[str]] = {}
    for kind, written in _written(data):
        if kind in _LINES:
            lines.setdefault(kind, []).extend(written_out(written))
            continue
        if kind.partition(".")[0] in _SINGLE or kind in _SINGLE:
            singles.setdefault(kind, []).extend(fold(written).split("|"))
            if kind not in _BOTH:
                continue
        phrases.append((kind, read_phrase(written, numbers)))
    return Lexicon(
        language=data["language"],
        numbers=numbers,
        options=frozenset(data.get("options", ())),
        kinds=frozenset(kind for kind, _ in phrases),
        phrases=Index(phrases),
        telling=tuple(phrase for kind, phrase in phrases if tells(kind)),
        word_kinds={kind: read_slot("|".join(words)).takes for kind, words in singles.items()},
        lines={kind: tuple(found) for kind, found in lines.items()},
    )


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
