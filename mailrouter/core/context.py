"""What templates see: the Case by the key names of `read --json`, and what was decided about it.

Invariant: a template reaches these keys and nothing else: a `Shown` gives keys, never attributes or methods.
"""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any

from mailrouter.core.case import Case
from mailrouter.core.effects import OWN_DATE, OWN_NUMBER
from mailrouter.core.letter.letters import Letter
from mailrouter.core.message import Address
from mailrouter.core.nominations import Nominee
from mailrouter.core.outcomes import Hold
from mailrouter.core.paths import Field, View, fields_of
from mailrouter.core.register import Entry
from mailrouter.core.shown import name_of


@dataclass(frozen=True, slots=True)
class Own:
    """The outgoing document's own number and date: placeholders until it is approved."""

    number: str = OWN_NUMBER
    date: str = OWN_DATE


@dataclass(frozen=True, slots=True)
class Done:
    """An effect as texts speak of it."""

    kind: str
    rule: str
    to: tuple[Address, ...] = ()
    subject: str = ""
    purpose: str = ""
    folder: str = ""
    needs: tuple[str, ...] = ()
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What was decided: beside the Case, a template has these names."""

    institution: str  # our institution's name
    today: str  # ISO date
    rule: str  # the rule that the text belongs to
    language: str  # of the text
    entry: Entry | None = None  # the letter's register entry: entry.number, entry.responsible.name …
    due: str | None = None  # ISO date by which the letter is to be answered
    nominee: Nominee | None = None
    nominees: tuple[Nominee, ...] = ()
    own: Own = Own()
    effects: tuple[Done, ...] = ()  # everything that is done for this mail
    drafts: tuple[Done, ...] = ()  # those of them that wait for a person
    hold: Hold | None = None


class Shown:
    """A record that gives its keys; printed, it is a name."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def keys(self) -> Mapping[str, Field]:
        """What `get` knows."""
        kind: type = type(self._value)
        return fields_of(kind)

    def get(self, key: str) -> Any:
        """The value of a key, shown; KeyError if there is no such key."""
        return show(getattr(self._value, self.keys()[key].attribute))

    def __str__(self) -> str:
        return name_of(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shown) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def show(value: Any) -> Any:
    """A value as templates see it."""
    if is_dataclass(value) and not isinstance(value, type):
        return Shown(value)
    if isinstance(value, tuple | list):
        return tuple(show(item) for item in value)
    return value


@cache
def roots() -> Mapping[str, Field]:
    """Every name that a template may begin with."""
    return {**fields_of(View), **fields_of(Context)}


def variables(case: Case, letter: Letter | None, context: Context) -> dict[str, Any]:
    """The names and values that a template is rendered with."""
    found = {
        key: show(getattr(case, field.attribute)) for key, field in fields_of(Case).items() if key in fields_of(View)
    }
    found["letter"] = show(letter)
    found["forwarded"] = any(hop.kind == "forward" for hop in case.chain)
    return found | {key: show(getattr(context, field.attribute)) for key, field in fields_of(Context).items()}
