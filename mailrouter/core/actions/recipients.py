"""Values that mean people: recipients, and who is responsible.

Invariant: a name means exactly one entry of people.yaml, or the rule is refused and the mail held; nothing is guessed.
"""

import re
from collections.abc import Sequence
from typing import Any

from mailrouter.core.actions.interface import Kind, Note, Scene, Site, Value, fixed
from mailrouter.core.actions.sources import first_values, is_path, paths_of, text_of
from mailrouter.core.case import Correspondence, Sender
from mailrouter.core.letter.letters import Party
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import Directory, Found, Person, expand, find, person_by_email, valid
from mailrouter.core.register import Responsible
from mailrouter.core.spelling import nearest

# Text fields that name somebody; other texts are no recipients.
_NAMING = frozenset(
    ["address", "email", "reply_to", "responsible", "forward_to", "name", "person", "return_path", "institution"]
)
_NAMING_RECORDS = (Address, Sender, Correspondence, Person, Party)
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


def _recipients(value: Any, site: Site) -> Value | None:
    items = value if isinstance(value, list) else [value]
    if not items:
        site.problem("nobody is named")
        return None
    made = [
        _recipient(item, site.below(index) if isinstance(value, list) else site) for index, item in enumerate(items)
    ]
    if any(item is None for item in made):
        return None
    parts = [item for item in made if item is not None]
    if all(part.constant is not None for part in parts):
        return fixed(_unique([address for part in parts for address in part.constant]))
    if len(parts) == 1:
        return parts[0]
    return Value(lambda scene: _gather(parts, scene), tuple(path for part in parts for path in part.paths))


def _gather(parts: Sequence[Value], scene: Scene) -> tuple[Address, ...] | Hold | Note:
    gathered: list[Address] = []
    notes: list[Note] = []
    for part in parts:
        found = part.get(scene)
        if isinstance(found, Hold):
            return found
        if isinstance(found, Note):
            notes.append(found)
        else:
            gathered += found
    return _unique(gathered) if gathered else notes[0]


def _recipient(value: Any, site: Site) -> Value | None:
    if is_path(value):
        return _recipient_path(value, site)
    text = text_of(value, site)
    if text is None:
        return None
    found = find(site.world.directory, text)
    if _ADDRESS.fullmatch(text.strip()):
        address = (Address(found.name if isinstance(found, Found) and found.kind == "person" else "", text.strip()),)
        return fixed(address)
    if not isinstance(found, Found) or not found.members:
        site.problem(_unknown(text, site.world.directory))
        return None
    members = tuple(found.members)
    if any(person.valid_from or person.valid_until for person in site.world.directory.people):
        return Value(lambda scene: _addresses([text], scene, text), constant=None)
    return fixed(members)


def _unknown(text: str, directory: Directory) -> str:
    return f"nobody in people.yaml is called '{text}'{nearest(text, _names(directory))}"


def _names(directory: Directory) -> list[str]:
    entries: list[Any] = [*directory.people, *directory.groups, *directory.roles, *directory.units]
    return [entry.name for entry in entries]


def _recipient_path(value: str, site: Site) -> Value | None:
    paths = paths_of(value, site)
    if paths is None:
        return None
    for path in paths:
        known = path.field.record in _NAMING_RECORDS if path.field.record else path.field.key in _NAMING
        if not known:
            site.problem(f"'{path.text}' names nobody; a recipient is taken from a name or an address")
            return None
    ordered = all(path.text.startswith("instruction.") for path in paths)

    def get(scene: Scene) -> tuple[Address, ...] | Hold | Note:
        values = first_values(paths, scene)
        if not values:
            if ordered:  # nothing was ordered, so there is nothing to do
                return Note(f"rule '{scene.rule}': {scene.action}: {value} names nobody")
            return _nobody(scene, value)
        return _addresses(values, scene, value)

    return Value(get, tuple(path.text for path in paths))


def _nobody(scene: Scene, value: str) -> Hold:
    return Hold(
        "unclear",
        f"rule '{scene.rule}': {scene.action}: {value} names nobody in this mail; do it by hand, or mend the rule",
    )


def _addresses(values: Sequence[Any], scene: Scene, wanted: str) -> tuple[Address, ...] | Hold:
    found: list[Address] = []
    for value in values:
        address = address_of(value)
        if address is not None and address.address:
            found.append(address)
            continue
        name = value if isinstance(value, str) else address.name if address else ""
        if name in scene.world.reach:
            found += scene.world.reach[name]
            continue
        members, missing = expand(scene.world.directory, [name], on=scene.now.date().isoformat())
        if missing or not members:
            several = ", ".join(missing[0].candidates) if missing and missing[0].candidates else ""
            why = f"could be {several}" if several else "nobody in people.yaml is called so"
            return Hold("unclear", f"rule '{scene.rule}': {scene.action}: '{name}' ({wanted}): {why}", (name,))
        found += members
    return _unique(found)


def reachable(directory: Directory) -> dict[str, tuple[Address, ...]]:
    """Whom the full names of the directory mean, looked up once; {} where that depends on the day."""
    if any(person.valid_from or person.valid_until for person in directory.people):
        return {}
    found = {name: expand(directory, [name]) for name in _names(directory)}
    return {name: members for name, (members, missing) in found.items() if members and not missing}


def address_of(value: Any) -> Address | None:
    """Whom a value of a case names."""
    match value:
        case str():
            return Address("", value.strip()) if _ADDRESS.fullmatch(value.strip()) else None
        case Address():
            return value
        case Person(name=name, email=address) | Sender(name=name, address=address):
            return Address(name, address)
        case Correspondence(author=author):
            return author
        case Party(name=name, person=person):
            return Address(person or name or "", None)
    return None


def _unique(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """Each address once, in order, the first name kept."""
    if len(addresses) == 1:
        return tuple(addresses)
    seen: dict[str, Address] = {}
    for address in addresses:
        seen.setdefault((address.address or address.name).casefold(), address)
    return tuple(seen.values())


def _person(value: Any, site: Site) -> Value | None:
    if is_path(value):
        paths = paths_of(value, site)
        if paths is None:
            return None
        wrong = next((p for p in paths if not (p.field.record in _NAMING_RECORDS or p.field.key in _NAMING)), None)
        if wrong is not None:
            site.problem(f"'{wrong.text}' names nobody; a responsible is taken from a name or an address")
            return None
        return Value(
            lambda scene: _responsible_of(first_values(paths, scene), scene), tuple(path.text for path in paths)
        )
    text = text_of(value, site)
    if text is None:
        return None
    found = find(site.world.directory, text)
    person = _one_person(found, site.world.directory)
    if person is None:
        what = f"'{text}' is no single person" if isinstance(found, Found) else _unknown(text, site.world.directory)
        site.problem(what)
        return None
    responsible = responsible_of(person)
    return fixed(responsible)


def person_named(name: str, scene: Scene) -> Person | None:
    """The one person of a name, post or unit that is valid on the day; the plain full name is found first."""
    directory, on = scene.world.directory, scene.now.date().isoformat()
    exact = [person for person in scene.world.named.get(name, ()) if valid(person, on)]
    return exact[0] if len(exact) == 1 else _one_person(find(directory, name, on=on), directory)


def _one_person(found: Any, directory: Directory) -> Person | None:
    if not isinstance(found, Found) or len(found.members) != 1:
        return None
    return person_by_email(directory, found.members[0].address)


def responsible_of(person: Person) -> Responsible:
    """A person as the register names the responsible."""
    return Responsible(person.name, person.email, person.unit, person.job)


def _responsible_of(values: Sequence[Any], scene: Scene) -> Responsible | Hold | None:
    if not values:
        return None
    value = values[0]
    if isinstance(value, Person):
        return responsible_of(value)
    directory = scene.world.directory
    address = address_of(value)
    person = person_by_email(directory, address.address) if address and address.address else None
    name = value if isinstance(value, str) else address.name if address else ""
    person = person or person_named(name, scene)
    if person is None:
        reason = f"rule '{scene.rule}': {scene.action}: '{name}' is no single person in people.yaml"
        return Hold("unclear", f"{reason}; name the responsible by hand", (name,))
    return responsible_of(person)


RECIPIENTS = Kind(
    "recipients",
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    _recipients,
)
PERSON = Kind("person", {"type": "string"}, _person)
