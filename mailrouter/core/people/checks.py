"""What is wrong in a directory, each with its place in the file.

Invariant: every problem is found in one pass; a place is the path of keys and positions in config/people.yaml.
"""

from collections.abc import Iterator
from datetime import date

from mailrouter.core.language import fold
from mailrouter.core.people.directory import Directory

Place = tuple[str | int, ...]


def check_directory(directory: Directory) -> list[tuple[Place, str]]:
    """The problems of a directory as (path, message): ("groups", 0, "members", 1) is the second member of the first group.

    Members and heads of units who are not in it, names or addresses that two entries share, absurd periods.
    """
    return [
        *_members(directory),
        *_heads(directory),
        *_duplicates(directory),
        *_addresses(directory),
        *_periods(directory),
    ]


def _members(directory: Directory) -> Iterator[tuple[Place, str]]:
    people = {fold(person.name) for person in directory.people}
    for at, group in enumerate(directory.groups):
        for place, member in enumerate(group.members):
            if "@" not in member and fold(member) not in people:
                yield (
                    ("groups", at, "members", place),
                    f"{member!r} is no person of the directory: add the person, or write an e-mail address",
                )
        if not group.members:
            yield ("groups", at, "members"), f"the group {group.name!r} has no members"


def _heads(directory: Directory) -> Iterator[tuple[Place, str]]:
    """Heads of units who are not in the directory.

    A role may be held by somebody whom letters name and nobody writes to, such as the minister; a unit's head is
    written to.
    """
    people = {fold(person.name) for person in directory.people}
    for at, unit in enumerate(directory.units):
        if unit.head and fold(unit.head) not in people:
            yield ("units", at, "head"), f"{unit.head!r}, head of {unit.name!r}, is no person of the directory"


def _duplicates(directory: Directory) -> Iterator[tuple[Place, str]]:
    """Names and addresses that two entries share; a role may be named like a post."""
    names: list[tuple[Place, str]] = [
        (("people", at, "name"), person.name) for at, person in enumerate(directory.people)
    ]
    for at, group in enumerate(directory.groups):
        names.append((("groups", at, "name"), group.name))
        names += [(("groups", at, "also", place), name) for place, name in enumerate(group.also)]
    for at, unit in enumerate(directory.units):
        names.append((("units", at, "name"), unit.name))
        names += [(("units", at, "also", place), name) for place, name in enumerate(unit.also)]
    seen: dict[str, Place] = {}
    for place_of, name in names:
        if first := seen.get(fold(name)):
            yield place_of, f"{name!r} is already a name in {first[0]}: a name must mean one entry"
        seen.setdefault(fold(name), place_of)
    emails: dict[str, str] = {}
    for at, person in enumerate(directory.people):
        if not person.email:
            continue
        if owner := emails.get(person.email.casefold()):
            yield ("people", at, "email"), f"{person.email} is already the address of {owner}"
        emails.setdefault(person.email.casefold(), person.name)


def _addresses(directory: Directory) -> Iterator[tuple[Place, str]]:
    """Institutions that share an address or domain."""
    for key in ("addresses", "domains"):
        seen: dict[str, str] = {}
        for at, institution in enumerate(directory.institutions):
            for place, value in enumerate(getattr(institution, key)):
                folded = value.casefold()
                if first := seen.get(folded):
                    yield ("institutions", at, key, place), f"{value} already belongs to {first}"
                seen.setdefault(folded, institution.name)


def _periods(directory: Directory) -> Iterator[tuple[Place, str]]:
    for at, person in enumerate(directory.people):
        days: dict[str, date] = {}
        for key in ("valid_from", "valid_until"):
            value = getattr(person, key)
            if value is None:
                continue
            try:
                days[key] = date.fromisoformat(value)
            except ValueError:
                yield ("people", at, key), f"{value!r} is no date: write it as 2024-02-29"
        if len(days) == 2 and days["valid_from"] > days["valid_until"]:
            yield ("people", at, "valid_until"), f"{person.name}'s entry ends before it begins"
