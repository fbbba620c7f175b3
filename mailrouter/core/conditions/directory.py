"""Conditions on who someone is by config/people.yaml: a person, a role, a group, a unit.

Invariant: a letter's party is known by the entry that it was resolved to; a mail's author by the e-mail address.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from mailrouter.core.case import Correspondence, Sender
from mailrouter.core.chain.hops import Hop
from mailrouter.core.conditions.interface import Facts, Lookup, Site, Test, operator, texts_of
from mailrouter.core.language import fold
from mailrouter.core.letter.letters import Party
from mailrouter.core.message import Address
from mailrouter.core.paths import names
from mailrouter.core.people import Directory, Person
from mailrouter.core.spelling import nearest

_SOMEBODY: frozenset[type] = frozenset({Address, Sender, Correspondence, Hop, Person, Party})
_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


@operator("person", takes=("text", "record"), schema=_SCHEMA)
def person(wanted: Any, site: Site) -> Test | None:
    """It is this person of people.yaml, by name. Of a list: one of them."""
    people = {fold(entry.name): entry.name for entry in site.directory.people}
    chosen = _known(wanted, site, people, "person")
    return _is_one_of(site, chosen) if chosen else None


@operator("role", takes=("text", "record"), schema=_SCHEMA)
def role(wanted: Any, site: Site) -> Test | None:
    """The party of a letter holds this role of people.yaml; anyone else: is the role's holder.

    A party holds it as printed ("Minister of Interior") or by the holder's name. Of a list: one of them.
    """
    roles = {fold(entry.name): entry for entry in site.directory.roles}
    chosen = _known(wanted, site, {key: entry.name for key, entry in roles.items()}, "role")
    if not chosen:
        return None
    if site.field.record is Party:
        posts = {("post", fold(name)) for name in chosen}
        wanted = frozenset(posts | {("name", fold(roles[fold(name)].holder)) for name in chosen})

        def keys(party: Party, facts: Facts) -> list[tuple[str, str]]:
            if party.post:
                return [("post", facts.fold(party.post))]
            return [("name", facts.fold(name)) for name in (party.person, party.name) if name is not None]

        return _met_by_key("post", keys, wanted, 1)
    return _is_one_of(site, [roles[fold(name)].holder for name in chosen])


@operator("group", takes=("text", "record"), schema=_SCHEMA)
def group(wanted: Any, site: Site) -> Test | None:
    """It is a member of this group of people.yaml. Of a list: of one of them."""
    groups = {fold(name): entry for entry in site.directory.groups for name in (entry.name, *entry.also)}
    chosen = _known(wanted, site, {key: entry.name for key, entry in groups.items()}, "group")
    members = [member for name in chosen for member in groups[fold(name)].members]
    return _is_one_of(site, members) if chosen else None


@operator("unit", takes=("text", "record"), schema=_SCHEMA)
def unit(wanted: Any, site: Site) -> Test | None:
    """It is a person of this unit of people.yaml. Of a list: of one of them."""
    known = {fold(entry.unit): entry.unit for entry in site.directory.people if entry.unit}
    known |= {fold(name): entry.name for entry in site.directory.units for name in (entry.name, *entry.also)}
    chosen = {fold(name) for name in _known(wanted, site, known, "unit")}
    members = [entry.name for entry in site.directory.people if fold(entry.unit) in chosen]
    members += [entry.head for entry in site.directory.units if entry.head and fold(entry.name) in chosen]
    return _is_one_of(site, members) if chosen else None


def _known(wanted: Any, site: Site, known: dict[str, str], kind: str) -> list[str]:
    """The entries' own names; unknown ones are said. [] if one is unknown."""
    listed = isinstance(wanted, list)
    chosen = []
    for index, text in enumerate(texts_of(wanted, site)):
        name = known.get(fold(text))
        if name is None:
            steps = (index,) if listed else ()
            site.problem(f"no {kind} in people.yaml is called '{text}'{nearest(text, known.values())}", *steps)
            return []
        chosen.append(name)
    return chosen


def _is_one_of(site: Site, members: Iterable[str]) -> Test | None:
    """The value is one of these persons (names or addresses), by name or address."""
    if site.field.record is not None and site.field.record not in _SOMEBODY:
        site.problem(f"'{site.field.key}' is nobody; name one of its parts")
        return None
    wanted = _names_and_addresses(site.directory, members)
    if site.field.kind != "record":
        return _met_by_key("is", lambda value, facts: (facts.fold(value),), wanted, 2)
    if site.field.record is Party:
        return _met_by_key("person", _by_party, wanted, 2)
    return _met_by_key("person", _by_address(site), wanted, 2)


def _met_by_key(
    way: str, keys: Callable[[Any, Facts], Iterable[Hashable]], wanted: frozenset[Hashable], cost: int
) -> Test:
    """The test that a value gives one of the keys."""

    def of_all(values: Sequence[Any], facts: Facts) -> list[Hashable]:
        return [key for value in values for key in keys(value, facts)]

    found = Lookup(way, of_all, wanted)
    return Test(lambda value, facts: not wanted.isdisjoint(keys(value, facts)), None, cost, found)


def _by_party(party: Party, facts: Facts) -> list[str]:
    return [facts.fold(name) for name in (party.person, party.name) if name]


def _by_address(site: Site) -> Callable[[Any, Facts], Iterable[str]]:
    """By the address where there is one: a display name alone proves nothing."""
    getters = names(site.field.record or str)

    def keys(value: Any, facts: Facts) -> list[str]:
        texts = [text for get in getters for text in get(value) if text]
        addresses = [text for text in texts if "@" in text]
        return [facts.fold(text) for text in addresses or texts]

    return keys


def _names_and_addresses(directory: Directory, members: Iterable[str]) -> frozenset[Hashable]:
    emails = {fold(entry.name): fold(entry.email) for entry in directory.people}
    by_address = {email: name for name, email in emails.items()}
    result: set[Hashable] = set()
    for member in map(fold, members):
        result |= {member, emails.get(member, member), by_address.get(member, member)}
    return frozenset(result)
