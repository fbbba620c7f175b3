"""A name as written → the directory's entry.

Invariant: exactly one entry answers, at the best way of matching that anything matches at; else the name is not found,
with the candidates where there are several. Entries that are not valid on the asked day do not answer.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from mailrouter.core.language import fold
from mailrouter.core.message import Address
from mailrouter.core.people.declension import forms, latin, loosely, same_noun, usual
from mailrouter.core.people.directory import Directory, Found, Group, Institution, NotFound, Person, Role, Unit

_WORDS = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"['’]s\b(?!\s+\w)")  # "Jaan Kukk's", but "minister's advisers"
_SMALL = frozenset({"of", "the", "meie", "our"})
_HEADS = ("juhataja", "juht", "juhi", "direktor", "ulem", "head", "director", "chief")
# Before a name; folded. Initials ("K.") are told by their length.
_TITLES = frozenset([
    "hr", "pr", "harra", "proua", "preili", "lgp", "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr",
    "frau", "m", "mme", "mlle", "monsieur", "madame", "rouva", "herra", "g", "gospodin", "gosposha", "kolleeg",
    "kolleegi", "kolleegile", "colleague", "our", "the", "a", "an", "minister", "commissioner",
])  # fmt: skip
# Of a unit's name too little is said by these alone.
_GENERIC = frozenset([
    "osakond", "talitus", "buroo", "teenistus", "valdkond", "department", "unit", "division", "office",
    "directorate", "section", "team", "group", "ruhm", "ja", "ning", "and", "of", "the", "for", "meie", "teie",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Index:
    """The directory's names by their forms, built once for a directory."""

    by_form: dict[str, frozenset[tuple[int, int]]]  # form of a name's word → (person, word)
    words: tuple[tuple[str, ...], ...]  # folded words of each person's name
    by_name: dict[tuple[str, ...], tuple[int, ...]]  # the same in Latin letters → persons


@lru_cache(maxsize=8)
def _index(directory: Directory) -> _Index:
    by_form: dict[str, set[tuple[int, int]]] = {}
    by_name: dict[tuple[str, ...], tuple[int, ...]] = {}
    words = []
    for number, person in enumerate(directory.people):
        parts = _WORDS.findall(person.name)
        words.append(tuple(fold(part) for part in parts))
        name = _words(person.name)
        by_name[name] = (*by_name.get(name, ()), number)
        for place, part in enumerate(parts):
            for form in forms(part):
                by_form.setdefault(form, set()).add((number, place))
    return _Index({form: frozenset(found) for form, found in by_form.items()}, tuple(words), by_name)


def valid(person: Person, on: str | None) -> bool:
    """Whether an entry is valid on a day (ISO date); without a day every entry is."""
    if on is None:
        return True
    day = on[:10]
    return (person.valid_from or "") <= day <= (person.valid_until or "9999")


def find(directory: Directory, name: str, *, on: str | None = None) -> Found | NotFound:
    """The person, group, unit or role that a name in any case form means.

    Folded letters count ("Laanemetsale"), a given name or surname alone where one person has it, a post before the
    name is passed over. An e-mail address stands for its person, else for itself. `on` (ISO date) leaves out persons
    that are not valid then.
    """
    return _find(directory, name, on)


@lru_cache(maxsize=4096)  # a mail names its parties several times, and most correspondents write again
def _find(directory: Directory, name: str, on: str | None) -> Found | NotFound:
    written = name.strip(" \t\n.,;:()[]<>\"'„“”«»")
    if "@" in written:
        return _find_address(directory, written, on)
    written = _POSSESSIVE.sub("", written)
    words = tuple(_WORDS.findall(latin(written)))
    if not words:
        return NotFound(name)
    for begin in range(min(_droppable(directory, written), len(words) - 1) + 1):
        for search in (_find_exactly, _find_person, _find_noun, _find_partly, _find_post):
            found = search(directory, words[begin:], on)
            if len(found) == 1:
                return found[0]
            if found:
                return NotFound(name, tuple(dict.fromkeys(entry.name for entry in found)))
    return NotFound(name)


def _droppable(directory: Directory, written: str) -> int:
    """How many words before a name may be passed over: a post or common nouns, never a given name.

    "nõunik Katarina Budrikule" means Katarina Budrik, but "Peeter Budrikule" does not.
    """
    words = _WORDS.findall(written)
    posts = _posts(directory)
    count = 0
    for word in words[:-1]:
        folded = fold(word)
        common = word[:1].islower() and not usual(word)
        if not (common or folded in _TITLES or any(same_noun(post, folded) for post in posts)):
            break
        count += 1
    return count


@lru_cache(maxsize=8)
def _posts(directory: Directory) -> frozenset[str]:
    """The folded words of the directory's jobs and roles; short ones are no posts by themselves."""
    titles = [person.job for person in directory.people]
    titles += [form for role in directory.roles for form in (role.name, *role.printed)]
    return frozenset(post for title in titles for word in _WORDS.findall(title) if len(post := fold(word)) > 3)


def _find_address(directory: Directory, address: str, on: str | None) -> Found:
    person = person_by_email(directory, address, on=on)
    if person is not None:
        return Found("person", person.name, (_address(person),))
    for unit in directory.units:
        if unit.email.casefold() == address.casefold():
            return Found("unit", unit.name, (Address(unit.name, unit.email),))
    return Found("address", address, (Address("", address),))


def _address(person: Person) -> Address:
    return Address(person.name, person.email or None)


def _find_exactly(directory: Directory, words: tuple[str, ...], on: str | None) -> list[Found]:
    """Entries whose name is exactly this, folded."""
    people = [directory.people[number] for number in _index(directory).by_name.get(words, ())]
    found = [Found("person", person.name, (_address(person),)) for person in people if valid(person, on)]
    found += _nouns(directory, on, lambda name: name == words)
    return _unique(found)


def _words(name: str) -> tuple[str, ...]:
    """The words of a name, folded and in Latin letters."""
    return tuple(_WORDS.findall(latin(name)))


@lru_cache(maxsize=16384)
def _job_words(job: str) -> tuple[str, ...]:
    """The words of a job of the directory, folded."""
    return tuple(_WORDS.findall(fold(job)))


def _find_person(directory: Directory, words: tuple[str, ...], on: str | None) -> list[Found]:
    """Persons whose name has all the words, each in some form; the nearest way of matching first."""
    index = _index(directory)
    bare = tuple(word for word in words if word not in _TITLES and len(word) > 1) or words
    initials = tuple(word for word in words if len(word) == 1)
    for tier in (_match_forms, _match_loosely):
        numbers = tier(index, bare)
        people = [
            directory.people[number]
            for number in sorted(numbers)
            if valid(directory.people[number], on) and _initials_fit(index.words[number], initials)
        ]
        exact = [person for person in people if set(bare) <= set(_WORDS.findall(fold(person.name)))]
        people = exact or people
        if people:
            return [Found("person", person.name, (_address(person),)) for person in people]
    return []


def _initials_fit(name: tuple[str, ...], initials: tuple[str, ...]) -> bool:
    return all(any(word.startswith(initial) for word in name) for initial in initials)


def _match_forms(index: _Index, words: tuple[str, ...]) -> set[int]:
    """Persons of whose name every word is a form of another word."""
    matches = [index.by_form.get(word, frozenset()) for word in words]
    people = {number for number, _ in matches[0]}
    for found in matches[1:]:
        people &= {number for number, _ in found}
    return {
        number for number in people if _distinct([{place for n, place in found if n == number} for found in matches])
    }


def _distinct(places: list[set[int]]) -> bool:
    """Whether each word can have a place of its own."""
    if not places:
        return True
    first, rest = places[0], places[1:]
    return any(_distinct([other - {place} for other in rest]) for place in first)


def _match_loosely(index: _Index, words: tuple[str, ...]) -> set[int]:
    """Persons whose full name the words may be in a language whose cases are not listed; two words at least."""
    if len(words) < 2:
        return set()
    return {
        number
        for number, name in enumerate(index.words)
        if len(name) >= len(words)
        and _distinct([{place for place, part in enumerate(name) if loosely(part, word)} for word in words])
    }


def _find_noun(directory: Directory, words: tuple[str, ...], on: str | None) -> list[Found]:
    """Groups, units and roles whose name these words are, in any case or number."""
    return _unique(_nouns(directory, on, lambda name: _same(name, words)))


def _find_post(directory: Directory, words: tuple[str, ...], on: str | None) -> list[Found]:
    """Persons whose job these words are, with or without their unit before it."""
    if head := _head_of_unit(directory, words, on):
        return [head]
    posts = [person for person in directory.people if valid(person, on) and person.job]
    return [
        Found("person", person.name, (_address(person),))
        for person in posts
        if _same(_job_words(person.job), words) or _same(_job_words(f"{person.unit} {person.job}"), words)
    ]


def _head_of_unit(directory: Directory, words: tuple[str, ...], on: str | None) -> Found | None:
    """The head of a unit: "õigusosakonna juhatajale", "Head of the Legal Department"."""
    rest = tuple(word for word in words if word not in _SMALL)
    for post, unit_words in ((rest[-1:], rest[:-1]), (rest[:1], rest[1:])):
        if not unit_words or not any(same_noun(head, post[0]) for head in _HEADS):
            continue
        for unit in _units(directory):
            if unit.head and any(_same(_words(name), unit_words) for name in (unit.name, *unit.also)):
                return Found("person", unit.head, _members(directory, (unit.head,), on))
    return None


def _same(entry: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return len(entry) == len(words) and all(same_noun(mine, theirs) for mine, theirs in zip(entry, words, strict=True))


def _find_partly(directory: Directory, words: tuple[str, ...], on: str | None) -> list[Found]:
    """Groups and units of whose name the words are a telling part ("välissuhete osakonda", "nõunikele")."""
    if all(
        any(same_noun(generic, word) for generic in _GENERIC if len(generic) > 3) or word in _GENERIC for word in words
    ):
        return []

    def partly(entry: tuple[str, ...]) -> bool:
        return len(words) < len(entry) and all(any(same_noun(mine, word) for mine in entry) for word in words)

    return _unique([found for found in _nouns(directory, on, partly) if found.kind in ("group", "unit")])


@dataclass(frozen=True, slots=True)
class _Noun:
    """A group, unit or role with the words of its names."""

    entry: Group | Unit | Role
    names: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=8)
def _all_nouns(directory: Directory) -> tuple[_Noun, ...]:
    """The directory's groups, units and roles, built once for a directory."""
    named: list[tuple[Group | Unit | Role, tuple[str, ...]]] = [
        *((group, (group.name, *group.also)) for group in directory.groups),
        *((unit, (unit.name, *unit.also)) for unit in _units(directory)),
        *((role, (role.name, *role.printed)) for role in directory.roles),
    ]
    return tuple(_Noun(entry, tuple(_words(name) for name in names)) for entry, names in named)


def _nouns(directory: Directory, on: str | None, fits: Callable[[tuple[str, ...]], bool]) -> list[Found]:
    """Groups, units and roles one of whose names, as words, fits."""
    found = []
    for noun in _all_nouns(directory):
        if not any(map(fits, noun.names)):
            continue
        match noun.entry:
            case Group() as group:
                found.append(Found("group", group.name, _members(directory, group.members, on)))
            case Unit() as unit:
                found.append(Found("unit", unit.name, _unit_members(directory, unit, on)))
            case Role() as role:
                found.append(Found("role", role.holder, _members(directory, (role.holder,), on)))
    return found


@lru_cache(maxsize=8)
def _units(directory: Directory) -> tuple[Unit, ...]:
    """The units of the directory, and those that only its persons' entries name."""
    named = {fold(unit.name) for unit in directory.units}
    others = dict.fromkeys(person.unit for person in directory.people if person.unit and fold(person.unit) not in named)
    return (*directory.units, *(Unit(name) for name in others))


def _unit_members(directory: Directory, unit: Unit, on: str | None) -> tuple[Address, ...]:
    """A unit's own address, else its head, else its persons."""
    if unit.email:
        return (Address(unit.name, unit.email),)
    if unit.head:
        return _members(directory, (unit.head,), on)
    return tuple(
        _address(person) for person in directory.people if valid(person, on) and fold(person.unit) == fold(unit.name)
    )


def _members(directory: Directory, names: Iterable[str], on: str | None) -> tuple[Address, ...]:
    """The addresses of persons by name or e-mail address; those not valid on the day are left out."""
    by_name = {fold(person.name): person for person in directory.people if valid(person, on)}
    found = []
    for name in names:
        if "@" in name:
            person = person_by_email(directory, name, on=on)
            found.append(_address(person) if person else Address("", name))
        elif (person := by_name.get(fold(name))) is not None:
            found.append(_address(person))
    return tuple(found)


def _unique(found: list[Found]) -> list[Found]:
    """Without entries that name the same (a role and its holder)."""
    return list({(entry.name, entry.members): entry for entry in reversed(found)}.values())[::-1]


def expand(
    directory: Directory, names: Iterable[str], *, on: str | None = None
) -> tuple[tuple[Address, ...], tuple[NotFound, ...]]:
    """Names → addresses to send to, each once, and the names that mean nobody.

    A group or unit stands for its members, an e-mail address for itself. A name whose entry has no address that is
    valid on the day counts as not found.
    """
    addresses: dict[str, Address] = {}
    missing: list[NotFound] = []
    for name in names:
        found = find(directory, name, on=on)
        if isinstance(found, NotFound):
            missing.append(found)
            continue
        reachable = [member for member in found.members if member.address]
        if not reachable:
            missing.append(NotFound(name))
        for member in reachable:
            addresses.setdefault((member.address or "").casefold(), member)
    return tuple(addresses.values()), tuple(missing)


def person_by_email(directory: Directory, email: str | None, *, on: str | None = None) -> Person | None:
    """The person with an e-mail address, case ignored; None if nobody valid on the day has it."""
    wanted = (email or "").strip().casefold()
    if not wanted:
        return None
    return next((p for p in directory.people if p.email.casefold() == wanted and valid(p, on)), None)


def institution_of(directory: Directory, address: str | None) -> Institution | None:
    """The institution that an address belongs to: an address beats a domain, the longer domain the shorter.

    Case is ignored and subdomains count ("cab.ec.europa.eu" is of "ec.europa.eu").
    """
    wanted = (address or "").strip().casefold()
    for institution in directory.institutions:
        if wanted and wanted in (known.casefold() for known in institution.addresses):
            return institution
    host = wanted.rpartition("@")[2]
    best: tuple[int, Institution] | None = None
    for institution in directory.institutions:
        for domain in institution.domains:
            folded = domain.casefold().lstrip("@.")
            fits = bool(folded) and (host == folded or host.endswith("." + folded))
            if fits and (best is None or len(folded) > best[0]):
                best = (len(folded), institution)
    return best[1] if best else None
