"""Conditions on words: equal, one of several, containing, beginning, ending, matching an expression.

Invariant: words are compared case- and diacritic-folded, except by `matches`, which sees them as printed.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import re2

from mailrouter.core.conditions.interface import (
    Check,
    Facts,
    Lookup,
    Site,
    Test,
    Words,
    as_list,
    operator,
    text_of,
    texts_of,
)
from mailrouter.core.language import fold, stem_matches
from mailrouter.core.paths import Field, Getter, names, words
from mailrouter.core.spelling import nearest

_TEXT = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_ANY = {"type": ["string", "number", "boolean", "null"]}
_AROUND = 60  # characters shown on both sides of the words found
_MAX_PATTERN = 2000


@operator("is", takes=("text", "date", "number", "flag", "choice", "record"), schema=_ANY)
def equals(wanted: Any, site: Site) -> Test | None:
    """Equals the value; case and diacritics do not count. `path: value` says the same."""
    return one_of_values([wanted], site, single=True)


@operator(
    "one_of",
    takes=("text", "date", "number", "choice", "record"),
    schema={"type": "array", "minItems": 1, "items": _ANY},
)
def one_of(wanted: Any, site: Site) -> Test | None:
    """Equals one of the values. `path: [a, b]` says the same."""
    if not isinstance(wanted, list):
        site.problem("'one_of' wants a list")
        return None
    if not wanted:
        site.problem("an empty list can never be met")
        return None
    return one_of_values(wanted, site)


def one_of_values(wanted: Sequence[Any], site: Site, *, single: bool = False) -> Test | None:
    """The test that a value is one of these, by the kind of the site's field."""

    def steps(index: int) -> tuple[int, ...]:
        return () if single else (index,)

    kind = site.field.kind
    if kind == "flag":
        return _flag(wanted[0], site, *steps(0))
    if kind == "number":
        return _numbers(wanted, site, steps)
    texts = [(index, text_of(item, site, *steps(index))) for index, item in enumerate(wanted)]
    if kind == "choice":
        for index, text in texts:
            if text is not None and text not in site.field.choices:
                site.problem(f"'{text}' is never met{nearest(text, site.field.choices)}", *steps(index))
    if any(text is None for _, text in texts):
        return None
    if kind == "record" and not names(_record(site.field)):
        site.problem(
            f"'{site.field.key}' has several parts; name one of them, as in '{site.field.key}: {{part: value}}'"
        )
        return None
    folded = frozenset(fold(str(text)) for _, text in texts)
    get = text_getter(site.field, names)
    if get is None:
        found = Lookup("is", lambda values, facts: [facts.fold(value) for value in values], folded)
        return Test(lambda value, facts: facts.fold(value) in folded, lookup=found)
    found = Lookup("is", lambda values, facts: [facts.fold(text) for value in values for text in get(value)], folded)
    return Test(lambda value, facts: any(facts.fold(text) in folded for text in get(value)), None, 2, found)


def _flag(wanted: Any, site: Site, *steps: int) -> Test | None:
    if not isinstance(wanted, bool):
        site.problem(f"wants true or false, not '{wanted}'", *steps)
        return None
    return Test(lambda value, _: value is wanted, None, 0, _plain(wanted))


def _plain(*wanted: Hashable) -> Lookup:
    return Lookup("is", lambda values, _: values, frozenset(wanted))


def _numbers(wanted: Sequence[Any], site: Site, steps: Callable[[int], tuple[int, ...]]) -> Test | None:
    numbers = set()
    for index, item in enumerate(wanted):
        if isinstance(item, bool) or not isinstance(item, int | float):
            site.problem(f"wants a number, not '{item}'", *steps(index))
            return None
        numbers.add(item)
    return Test(lambda value, _: value in numbers, None, 0, _plain(*numbers))


def _record(field: Field) -> type:
    return field.record or str


def text_getter(field: Field, chosen: Callable[[type], tuple[Getter, ...]]) -> Callable[[Any], list[str]] | None:
    """How to get the texts of a record's parts; None where the value is itself the text."""
    if field.kind != "record":
        return None
    getters = chosen(_record(field))
    return lambda value: [str(text) for get in getters for text in get(value)]


def _on_texts(
    site: Site,
    met: Callable[[str, Facts], bool],
    found: Words,
    cost: int,
    parts: Sequence[str] = (),
    *,
    exact: bool = False,
) -> Test | None:
    """A test on the words of a value: of the text itself, or of a record's parts.

    `parts` are folded words of which it has one wherever it is met; `exact`: and is met wherever it has one.
    """
    get = text_getter(site.field, words)

    def texts(values: Sequence[Any], facts: Facts) -> list[str]:
        return [facts.fold(text) for value in values for text in (get(value) if get else (value,))]

    lookup = Lookup("words", texts, frozenset(parts), exact=exact, within=True) if parts else None
    if get is None:
        return Test(met, found, cost, lookup)
    if not words(_record(site.field)):
        site.problem(f"'{site.field.key}' has no words of its own; name one of its parts")
        return None
    check: Check = lambda value, facts: any(met(text, facts) for text in get(value))  # noqa: E731  # typed, and used once
    return Test(check, found, cost + 1, lookup)


@operator(
    "contains",
    takes=("text", "choice", "record"),
    schema={
        "anyOf": [
            *_TEXT["anyOf"],
            {"type": "object", "properties": {"stem": _TEXT}, "required": ["stem"], "additionalProperties": False},
        ]
    },
)
def contains(wanted: Any, site: Site) -> Test | None:
    """Has these words (of a list: one of them); case and diacritics do not count.

    `{stem: kontaktisik}` finds whole words in any case form: kontaktisiku, kontaktisikut, kontaktisikuks.
    """
    if isinstance(wanted, dict):
        return _stem(wanted, site)
    texts = texts_of(wanted, site)
    if not texts:
        return None
    folded = tuple(fold(text) for text in texts)
    if len(folded) == 1:
        only = folded[0]
        return _on_texts(site, lambda text, facts: only in facts.fold(text), _around(folded), 5, folded, exact=True)

    def met(text: str, facts: Facts) -> bool:
        return any(part in facts.fold(text) for part in folded)

    return _on_texts(site, met, _around(folded), 6, folded, exact=True)


def _stem(wanted: dict[str, Any], site: Site) -> Test | None:
    for key in wanted:
        if key != "stem":
            site.problem(f"unknown key '{key}'{nearest(key, ['stem'])}", key, key=True)
    if "stem" not in wanted:
        return None
    stems = [fold(stem) for item in as_list(wanted["stem"]) if (stem := text_of(item, site, "stem")) is not None]
    if not stems:
        return None
    by_first_word = [(_first_word(stem), stem) for stem in stems]

    def met(text: str, facts: Facts) -> bool:
        folded = facts.fold(text)
        for word, stem in by_first_word:  # noqa: SIM110  # a generator costs twice as much here
            if word in folded and stem_matches(stem, folded):
                return True
        return False

    return _on_texts(site, met, _around(stems), 7, [word for word, _ in by_first_word])


def _first_word(stem: str) -> str:
    return stem.split(maxsplit=1)[0] if stem.split() else stem


@operator("starts_with", takes=("text", "record"), schema=_TEXT)
def starts_with(wanted: Any, site: Site) -> Test | None:
    """Begins with these words (of a list: with one of them); case and diacritics do not count."""
    texts = tuple(fold(text) for text in texts_of(wanted, site))
    if not texts:
        return None
    return _on_texts(site, lambda text, facts: facts.fold(text).startswith(texts), _around(texts), 5, texts)


@operator("ends_with", takes=("text", "record"), schema=_TEXT)
def ends_with(wanted: Any, site: Site) -> Test | None:
    """Ends with these words (of a list: with one of them); case and diacritics do not count."""
    texts = tuple(fold(text) for text in texts_of(wanted, site))
    if not texts:
        return None
    return _on_texts(site, lambda text, facts: facts.fold(text).endswith(texts), _around(texts), 5, texts)


@operator("matches", takes=("text", "choice", "record"), schema=_TEXT)
def matches(wanted: Any, site: Site) -> Test | None:
    r"""An expression (RE2) is found in the text as printed: `matches: 'Ares\(\d{4}\)\d+'`.

    `(?i)` in front ignores case. Of a list: one of them. RE2 takes linear time and so has no back references and no
    look-around.
    """
    listed = isinstance(wanted, list)
    patterns = []
    for index, item in enumerate(as_list(wanted)):
        steps = (index,) if listed else ()
        text = text_of(item, site, *steps)
        if text is None:
            return None
        compiled = _compile(text, site, steps)
        if compiled is None:
            return None
        patterns.append(compiled)
    if not patterns:
        site.problem("an empty list can never be met")
        return None

    def found(text: str, _: Facts) -> str | None:
        hit = next((match for pattern in patterns if (match := pattern.search(text))), None)
        return _snippet(text, hit.start(), hit.end()) if hit else None

    if len(patterns) == 1:
        search_only = patterns[0].search
        return _on_texts(site, lambda text, _: search_only(text) is not None, found, 8)
    searches = tuple(pattern.search for pattern in patterns)
    return _on_texts(site, lambda text, _: any(search(text) for search in searches), found, 8)


def _compile(text: str, site: Site, steps: tuple[int, ...]) -> Any:
    if len(text) > _MAX_PATTERN:
        site.problem(f"an expression longer than {_MAX_PATTERN} characters", *steps)
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not understood"
        words = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        site.problem(f"the expression is wrong: {words}", *steps)
        return None


def _around(parts: Sequence[str]) -> Words:
    def found(text: str, facts: Facts) -> str | None:
        folded = facts.fold(text)
        for part in parts:
            at = folded.find(part)
            if at >= 0:
                shown = text if len(folded) == len(text) else folded
                return _snippet(shown, at, at + len(part))
        return None

    return found


def _snippet(text: str, start: int, end: int) -> str:
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    body = " ".join(text[first:last].split())
    return f"{'…' if first else ''}{body}{'…' if last < len(text) else ''}"
