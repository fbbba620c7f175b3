"""The entries of config/people.yaml, and the answers to a name.

Invariant: a directory is a value; nothing here looks anything up.
"""

from dataclasses import dataclass, field

from mailrouter.core.message import Address


@dataclass(frozen=True, slots=True)
class Translated:
    """A person's post as letters in another language print it; what is empty stays as it is."""

    language: str  # ISO 639-1
    job: str = ""
    unit: str = ""
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """An official of ours. Names and posts are public; `valid_until` (ISO date) ends the entry."""

    name: str
    email: str
    job: str = ""
    unit: str = ""
    area: str = ""  # the chancellor's or deputy's area, as registers print it
    phone: str = ""
    organisation: str = ""
    valid_from: str | None = None
    valid_until: str | None = None
    translated: tuple[Translated, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Several persons under one name; members are names of persons (or e-mail addresses) in the directory."""

    name: str
    members: tuple[str, ...]
    also: tuple[str, ...] = ()  # other names of the group


@dataclass(frozen=True, slots=True)
class Role:
    """A post as letters print it and who holds it."""

    name: str
    holder: str
    printed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A department; `head` is a person's name."""

    name: str
    email: str = ""
    head: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Institution:
    """A body that writes to us. An address beats a domain, the longer domain beats the shorter, case ignored."""

    name: str
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a name: its entries' addresses; `name` is the entry's full name, `kind` what it is.

    For a role `name` is its holder's.
    """

    kind: str  # "person" | "group" | "unit" | "role" | "address"
    name: str
    members: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """No entry, or several: `candidates` then has their names."""

    name: str
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """config/people.yaml."""

    people: tuple[Person, ...] = ()
    groups: tuple[Group, ...] = ()
    roles: tuple[Role, ...] = ()
    units: tuple[Unit, ...] = ()
    institutions: tuple[Institution, ...] = field(default=())

    def __hash__(self) -> int:
        """Of a few entries: what was worked out for a directory is asked for with every name that a mail has."""
        return hash((len(self.people), self.people[:1], self.roles[:1], self.units[:1], len(self.institutions)))
