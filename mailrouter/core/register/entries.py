"""What the register is made of: functions, series, entries, relations.

Invariant: plain values; nothing here allocates or stores.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

RelationKind = Literal["initial", "reply", "follow-up", "related"]
Direction = Literal["incoming", "outgoing"]
Access = Literal["Avalik", "AK", "Majasisene", "Piiratud"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the institution's classification: mark "5", title."""

    mark: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A series of the classification and how it numbers.

    `pattern` has {series}, {file}, {file_year}, {year}, {counter}; a counter may have a width ("{counter:03}"), a year
    is printed with two digits, or with four as "{year:4}". The suffix is appended as "-1" where the series is
    individualising. `file` is the file's mark: {series}, {year} (four digits), {year:2}. `numbering`: "individualising"
    gives the initial letter -1 and replies the same stem with the next suffix; "fresh" a new counter for every
    document; "same" the same number again.
    """

    mark: str
    title: str = ""
    function: str = ""
    pattern: str = "{series}/{counter}"
    numbering: Literal["individualising", "fresh", "same"] = "individualising"
    counter: str | None = None  # the counter's name; several series may share one; default: the mark
    yearly: bool = True  # whether the counter starts again each year
    first: int = 1  # the counter's first value
    file: str = "{series}/{year}"  # the file's mark
    access: Access = "Avalik"
    access_basis: str | None = None
    access_years: int | None = None  # how long AK lasts by default
    responsible: str | None = None
    owner: str = "ours"  # "ours", or the mirror that owns the counter: then our number is a proposal until confirmed


@dataclass(frozen=True, slots=True)
class Classification:
    """config/register.yaml."""

    functions: tuple[Function, ...] = ()
    series: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Responsible:
    """The official who answers for a document."""

    name: str
    email: str = ""
    unit: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class Correspondent:
    """The other party: institution and display name, kept apart."""

    institution: str | None
    name: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A link to another entry: `kind` is what that other document is to this one.

    An answer has "initial" (alusdokument) to the letter it answers, the letter "reply" (vastusdokument) to its answer.
    """

    kind: RelationKind
    number: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One document in the register; the keys are those of `register list --json`. Dates ISO."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(defer_build=True)  # built when first used

    direction: Direction
    title: str
    function: str
    series: str
    number: str | None = None  # None until it is allocated
    counter: int | None = None
    suffix: int | None = None
    registered: str | None = None  # ISO date-time with offset
    file: str = ""
    access: Access = "Avalik"
    access_basis: str | None = None
    access_from: str | None = None
    access_until: str | None = None
    responsible: Responsible | None = None
    state: Literal["open", "closed"] = "open"
    sender: Correspondent | None = None
    sender_reference: str | None = None
    sender_date: str | None = None
    arrival: str | None = None
    due: str | None = None
    answered: str | None = None
    recipients: tuple[Correspondent, ...] = ()
    signer: str | None = None
    note: str = ""
    kind: Annotated[str, Field(description="letter | request | information-request | draft-answer")] = "letter"
    private: bool = False  # the other party is a private person: initials only in public
    confirmed: bool = True  # False while another system owns the number and has not confirmed it
    theirs: str | None = None  # the other system's number
    relations: tuple[Relation, ...] = ()
    message: str = ""  # SHA-256 of the mail
    stem: str | None = None  # counter's name and value of the initial letter, which all that join it share


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry that the register found by keys: `matched` of those that were asked for, and all `keys` it was kept with."""

    entry: Entry
    matched: tuple[str, ...]
    keys: tuple[str, ...] = ()
