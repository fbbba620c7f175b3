"""Paths into the Case ("incoming.from.address"), checked against its types before any mail is seen.

Invariant: a path that resolves never raises on a Case; what is absent gives no value. The key names are those of
`read --json`: an attribute with a pydantic alias is known by the alias alone.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from mailrouter.core.case import Case, Correspondence, MailboxRef, Sender, Thread, ThreadEntry
from mailrouter.core.chain.hops import Hop
from mailrouter.core.instruction import Restriction
from mailrouter.core.letter.letters import Ask, Event, Letter, Party
from mailrouter.core.message import Address, Attachment, Signer
from mailrouter.core.outcomes import Defect, Hold
from mailrouter.core.people import Person
from mailrouter.core.spelling import nearest

Kind = Literal["text", "date", "number", "flag", "choice", "record"]
Getter = Callable[[Any], Sequence[Any]]

# Text fields whose words are an ISO date or date-time.
_DATES = frozenset(
    [
        "received",
        "date",
        "sent",
        "dated",
        "signed",
        "deadline",
        "starts",
        "ends",
        "due",
        "until",
        "marking_until",
        "registered",
    ]
)
# What a plain word is compared with where a path ends at a record; "contains" may look at more of it.
_NAMES: Mapping[type, tuple[str, ...]] = {
    Address: ("name", "address"),
    Sender: ("name", "address"),
    Correspondence: ("from.name", "from.address"),
    Hop: ("from.name", "from.address"),
    Person: ("name", "email"),
    Party: ("name", "person", "post", "role", "institution"),
    MailboxRef: ("name", "address"),
    Ask: ("kind",),
    Attachment: ("name",),
    Event: ("title",),
    Thread: ("relation",),
    ThreadEntry: ("number",),
    Signer: ("name",),
    Defect: ("code",),
    Hold: ("code",),
    Restriction: ("code",),
}
_WORDS: Mapping[type, tuple[str, ...]] = {
    Ask: ("text",),
    Letter: ("subject", "text"),
    Correspondence: ("subject", "text"),
    Hop: ("subject", "text"),
    Hold: ("code", "reason"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record: how to get it, and what it holds."""

    key: str
    attribute: str
    kind: Kind
    many: bool = False
    record: type | None = None
    choices: tuple[str, ...] = ()
    optional: bool = True  # whether it may be None


@dataclass(frozen=True, slots=True)
class Path:
    """A path that resolved: `get` gives every value it reaches, in order, absent ones left out."""

    text: str
    field: Field
    get: Getter
    many: bool  # whether it may reach several values
    letter: bool  # whether it begins at the rule's own letter
    few: tuple[tuple[Any, ...], ...] = ()  # all that `get` can give, where that is known: of a single flag or choice


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a path does not resolve."""

    message: str


class View(NamedTuple):
    """A Case with the letter that a rule means: what paths start from."""

    case: Case
    letter: Letter | None


@cache
def fields_of(record: type) -> Mapping[str, Field]:
    """The keys of a record, by their JSON names."""
    if record is View:
        own = {key: field for key, field in fields_of(Case).items() if key != "sha256"}
        own["letter"] = Field("letter", "letter", "record", record=Letter)
        own["forwarded"] = Field("forwarded", "forwarded", "flag")
        return own
    hints = get_type_hints(record, include_extras=True)
    found = (_field(item.name, hints[item.name]) for item in fields(record) if is_dataclass(record))
    return {field.key: field for field in found if field is not None}


def _field(name: str, hint: Any) -> Field | None:
    key = name
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        key = next((note.alias for note in notes if isinstance(note, FieldInfo) and note.alias), name)
    optional = type(None) in get_args(hint)
    hint, many = _unwrap(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return Field(key, name, "record", many, hint, optional=optional)
    if get_origin(hint) is Literal:
        return Field(key, name, "choice", many, choices=tuple(str(choice) for choice in get_args(hint)))
    if hint is bool:
        return Field(key, name, "flag", many)
    if hint in {int, float}:
        return Field(key, name, "number", many)
    if hint is str:
        return Field(key, name, "date" if key in _DATES else "text", many)
    return None  # pairs, such as raw headers, are no matter for rules


def _unwrap(hint: Any) -> tuple[Any, bool]:
    """The type without None and without its tuple; whether there was a tuple."""
    if get_origin(hint) in {Union, types.UnionType}:
        rest = [item for item in get_args(hint) if item is not type(None)]
        hint = rest[0] if len(rest) == 1 else hint
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return _unwrap(inner[0])[0], True
    return hint, False


@cache
def resolve(text: str, root: type = View) -> Path | Fault:
    """A path's text → Path, or what is wrong with it."""
    steps: list[Field] = []
    here: type | None = root
    for step in text.split("."):
        if here is None:
            return Fault(f"'{'.'.join(f.key for f in steps)}' has no parts, so '{text}' leads nowhere")
        known = fields_of(here)
        if step not in known:
            where = f" in '{'.'.join(field.key for field in steps)}'" if steps else ""
            return Fault(f"unknown path '{text}': there is no '{step}'{where}{nearest(step, known)}")
        steps.append(known[step])
        here = known[step].record
    first_of_case = root is View and steps[0].key not in {"letter", "forwarded"}
    attributes = ("case." if first_of_case else "") + ".".join(field.attribute for field in steps)
    if root is View and text == "forwarded":
        return Path(text, steps[0], _forwarded, many=False, letter=False, few=_few(steps[0]))
    letter = root is View and steps[0].key == "letter"
    shape = ((False,) if first_of_case else ()) + tuple(field.many for field in steps)
    optional = ((False,) if first_of_case else ()) + tuple(field.optional for field in steps)
    many = any(shape)
    if many and shape.index(True) == len(shape) - 1:
        get = _list_getter(_plain_getter(attributes.split("."), optional))
    else:
        get = _getter(attributes.split("."), shape) if many else _plain_getter(attributes.split("."), optional)
    return Path(text, steps[-1], get, many, letter, () if many else _few(steps[-1]))


def _few(field: Field) -> tuple[tuple[Any, ...], ...]:
    values = (True, False) if field.kind == "flag" else field.choices
    return ((), *((value,) for value in values)) if values else ()


def _forwarded(view: View) -> Sequence[Any]:
    return (any(hop.kind == "forward" for hop in view.case.chain),)


def _getter(attributes: Sequence[str], shape: Sequence[bool]) -> Getter:
    steps = tuple(zip(attributes, shape, strict=True))

    def get(root: Any) -> Sequence[Any]:
        values = [root]
        for attribute, many in steps:
            following: list[Any] = []
            for value in values:
                found = getattr(value, attribute)
                if many:
                    following.extend(found)
                elif found is not None:
                    following.append(found)
            values = following
        return values

    return get


def _list_getter(get_list: Getter) -> Getter:
    """The getter of a path through single values to a list at its end."""

    def get(root: Any) -> Sequence[Any]:
        found = get_list(root)
        values: Sequence[Any] = found[0] if found else ()
        return values

    return get


def _plain_getter(attributes: Sequence[str], optional: Sequence[bool]) -> Getter:
    """The getter of a path through single values: it stops to look only where a value may be absent."""
    steps: list[str] = []
    begun: list[str] = []
    for attribute, may_be_absent in zip(attributes, (*optional[:-1], True), strict=True):
        begun.append(attribute)
        if may_be_absent:
            steps.append(".".join(begun))
            begun = []
    *earlier, last = [attrgetter(step) for step in steps]
    if not earlier:

        def get_at_once(root: Any) -> Sequence[Any]:
            value = last(root)
            return () if value is None else (value,)

        return get_at_once

    def get(root: Any) -> Sequence[Any]:
        for step in earlier:
            root = step(root)
            if root is None:
                return ()
        value = last(root)
        return () if value is None else (value,)

    return get


@cache
def names(record: type) -> tuple[Getter, ...]:
    """What a plain word is compared with in such a record; () if it has no name."""
    return tuple(path.get for key in _NAMES.get(record, ()) if isinstance(path := resolve(key, record), Path))


@cache
def words(record: type) -> tuple[Getter, ...]:
    """The texts of such a record in which words are sought."""
    keys = (
        _WORDS.get(record)
        or _NAMES.get(record)
        or tuple(field.key for field in fields_of(record).values() if field.key in {"subject", "text"})
    )
    return tuple(path.get for key in keys if isinstance(path := resolve(key, record), Path))
