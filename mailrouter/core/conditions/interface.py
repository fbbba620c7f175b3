"""What a condition is: an operator over the values that a path reaches; one file per family beside this one.

Invariant: a test is pure; its answer depends on the values and the directory alone. What a rule wants is checked when
it is compiled, so that no mail is needed to find a mistake.
"""

import importlib
import pkgutil
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from mailrouter.core.case import Case
from mailrouter.core.language import fold
from mailrouter.core.paths import Field, Kind, View
from mailrouter.core.people import Directory

Place = tuple[str | int, ...]
Report = Callable[[Place, str, bool, bool], None]  # place, message, whether at the key itself, whether a warning


@dataclass(frozen=True, slots=True)
class ConditionTrace:
    """One condition: what the rule wanted, what the case had, and whether they met. `found` has the words of the mail."""

    condition: str
    wanted: Any
    found: Any
    matched: bool


@dataclass(slots=True)
class Known:
    """Answers that were found already, and their lines in a trace: of the case, or of one letter."""

    answers: dict[str, bool]  # by the condition's `shared` key
    lines: dict[str, ConditionTrace]  # by the line's `key`


@dataclass(slots=True)
class Facts:
    """What was already computed for one case, to be asked once. Lives as long as the case is decided.

    `letter` is what is known of the letter that is being tried.
    """

    received: str
    views: Sequence[View]  # one for each letter; one without a letter where there is none
    folds: dict[str, str]
    keys: dict[str, Iterable[Hashable]]  # path and way of looking up → the keys of the case, or of all letters
    case: Known
    letters: Sequence[Known]  # one for each view
    letter: Known

    @classmethod
    def of(cls, case: Case) -> "Facts":
        """Those of a case, nothing computed yet."""
        views = [View(case, letter) for letter in case.letters] or [View(case, None)]
        letters = [Known({}, {}) for _ in views]
        return cls(case.received, views, {}, {}, Known({}, {}), letters, letters[0])

    @classmethod
    def of_no_case(cls) -> "Facts":
        """What tests are asked with whose values are known before there is a case."""
        return cls("", (), {}, {}, Known({}, {}), (), Known({}, {}))

    def elsewhere(self) -> "Facts":
        """The same under another directory: words and keys stay, answers are asked again."""
        letters = [Known({}, {}) for _ in self.views]
        return Facts(self.received, self.views, self.folds, self.keys, Known({}, {}), letters, letters[0])

    def fold(self, text: str) -> str:
        """`language.fold`, once a text."""
        found = self.folds.get(text)
        if found is None:
            found = self.folds[text] = text.lower() if text.isascii() else _folded(text)
        return found


_ASCII = bytes(range(128))
_FEW = 40  # characters of other alphabets up to which replacing each is sooner done than folding the whole


def _folded(text: str) -> str:
    """`language.fold`, which folds every character by itself: so the few that are not ASCII are folded apart."""
    data = text.encode("utf-8", "surrogatepass")
    foreign = set(data.translate(None, _ASCII).decode("utf-8", "surrogatepass"))
    if foreign <= _SINGLE:
        return text.encode("latin-1").translate(_LATIN).decode("latin-1")
    changed = {character: made for character in foreign if (made := _character(character)) != character}
    if len(foreign) > _FEW or not changed.keys().isdisjoint("".join(changed.values())):
        return fold(text)
    folded = data.lower().decode("utf-8", "surrogatepass")  # of bytes: ASCII letters alone
    for character, made in changed.items():
        folded = folded.replace(character, made)
    return folded


_CODES = [fold(chr(code)) for code in range(256)]  # of Latin-1
_SINGLE = frozenset(chr(code) for code, made in enumerate(_CODES) if len(made) == 1 and made <= "\xff")
_LATIN = bytes(ord(made) if chr(code) in _SINGLE else code for code, made in enumerate(_CODES))
_character = lru_cache(maxsize=1024)(fold)


Check = Callable[[Any, Facts], bool]  # one value
Words = Callable[[str, Facts], str | None]  # the stretch of a text that a check was met by


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a test can be looked up instead of asked: it is met if the values give one of the `wanted` keys.

    `way` names how `keys` are made: equal ways give equal keys for the same path, whatever is wanted and whatever the
    directory says. `refuses`: met if the values give no such key. `exact` False: it is met only then, but not always
    then. `within`: the keys are texts, and one of the `wanted` must stand in one of them.
    """

    way: str
    keys: Callable[[Sequence[Any], Facts], Iterable[Hashable]]
    wanted: frozenset[Hashable]
    refuses: bool = False
    exact: bool = True
    within: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A compiled test of one value; `words` tells what in a text met it; `cost` orders tests, cheap ones first."""

    check: Check
    words: Words | None = None
    cost: int = 1
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A compiled test of all the values together."""

    check: Callable[[Sequence[Any], Facts], bool]
    cost: int = 1
    lookup: Lookup | None = None


def something(values: Sequence[Any]) -> bool:
    """Whether a path gives anything; an empty text is nothing."""
    for value in values:  # noqa: SIM110  # a generator costs twice as much here
        if value.__class__ is not str or value:
            return True
    return False


def existence(*, wanted: bool) -> Lookup:
    """How it is looked up whether a path gives something."""
    return Lookup("exists", lambda values, _: (something(values),), frozenset({True}), not wanted)


@dataclass(frozen=True, slots=True)
class Site:
    """Where in a rule a condition stands, what it is about, and what it may ask."""

    place: Place
    report: Report
    field: Field
    directory: Directory

    def problem(self, message: str, *steps: str | int, key: bool = False) -> None:
        """Say what is wrong here, or at `steps` below."""
        self.report((*self.place, *steps), message, key, False)  # a plain error, no warning


@dataclass(frozen=True, slots=True)
class Operator:
    """A word that a condition may use: `takes` names the kinds of value it is for, `schema` its JSON Schema."""

    name: str
    description: str
    takes: frozenset[Kind]
    schema: Mapping[str, Any]
    compile: Callable[[Any, Site], Test | Counted | None]


def operator(
    name: str, *, takes: Sequence[Kind], schema: Mapping[str, Any]
) -> Callable[[Callable[[Any, Site], Test | Counted | None]], Operator]:
    """Make an operator of a function; its docstring is the staff's reference."""

    def make(function: Callable[[Any, Site], Test | Counted | None]) -> Operator:
        return Operator(name, " ".join((function.__doc__ or "").split()), frozenset(takes), schema, function)

    return make


@cache
def operators() -> Mapping[str, Operator]:
    """Every operator of every file in this package; two of one name refuse to start."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    found: dict[str, Operator] = {}
    for module in sorted(item.name for item in pkgutil.iter_modules(package.__path__)):
        for value in vars(importlib.import_module(f"{package.__name__}.{module}")).values():
            if not isinstance(value, Operator) or found.get(value.name) is value:
                continue
            if value.name in found:
                raise ValueError(f"two conditions are called '{value.name}'")
            found[value.name] = value
    return found


def as_list(wanted: Any) -> list[Any]:
    """A list as it is, anything else as a list of one."""
    return list(wanted) if isinstance(wanted, list | tuple) else [wanted]


def text_of(item: Any, site: Site, *steps: str | int) -> str | None:
    """A text that a rule wants; whole numbers may stand without quotes. None after saying what is wrong."""
    if isinstance(item, bool) or not isinstance(item, str | int):
        site.problem(f"'{item}' is no text; write it in quotes", *steps)
        return None
    if str(item) == "":
        site.problem("an empty text meets nothing; 'exists: false' asks for what is absent", *steps)
        return None
    return str(item)


def texts_of(wanted: Any, site: Site) -> list[str]:
    """A text or a list of texts; wrong ones are said and left out."""
    if isinstance(wanted, list):
        if not wanted:
            site.problem("an empty list can never be met")
        return [text for index, item in enumerate(wanted) if (text := text_of(item, site, index)) is not None]
    text = text_of(wanted, site)
    return [] if text is None else [text]
