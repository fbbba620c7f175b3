"""The kinds of value that actions take: literals, `=path or path`, template strings; checked before any mail is seen.

Invariant: words of a mail are never rendered as a template, never split into several addresses.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mailrouter.core.actions.interface import Kind, Note, Scene, Site, Value, fixed
from mailrouter.core.case import Correspondence, Sender
from mailrouter.core.effects import Text
from mailrouter.core.letter.letters import Party
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.paths import Fault, Path, resolve
from mailrouter.core.people import Directory, Found, Person, expand, find, person_by_email, valid
from mailrouter.core.register import Responsible
from mailrouter.core.spelling import nearest
from mailrouter.core.template_check import check_string
from mailrouter.core.templates import is_template, one_line

# Text fields that name somebody; other texts are no recipients.
_NAMING = frozenset(
    ["address", "email", "reply_to", "responsible", "forward_to", "name", "person", "return_path", "institution"]
)
_NAMING_RECORDS = (Address, Sender, Correspondence, Person, Party)
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_PERIOD = re.compile(r"(\d{1,3}) (?:(working) )?(days?|hours?|weeks?)")


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in a rule: "3 working days", "2 hours"."""

    number: int
    unit: str  # "working days" | "days" | "hours" | "weeks"


def paths_of(value: str, site: Site) -> tuple[Path, ...] | None:
    """`=a or b` → its paths; None after saying what is wrong."""
    found: list[Path] = []
    for part in re.split(r"\s+or\s+", value[1:].strip()):
        path = resolve(part.strip()) if part.strip() else Fault("'=' wants a path behind it, such as '=incoming.from'")
        if isinstance(path, Fault):
            site.problem(path.message)
            return None
        found.append(path)
    return tuple(found)


def first_values(paths: Sequence[Path], scene: Scene) -> Sequence[Any]:
    """What the first path gives that gives anything."""
    view = scene.view
    for path in paths:
        values = [value for value in path.get(view) if value != ""]
        if values:
            return values
    return ()


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("=")


def _text(value: Any, site: Site) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int) or str(value).strip() == "":
        site.problem(f"wants a text, not '{value}'" if value not in ("", None) else "wants a text, and there is none")
        return None
    return str(value)


# -- people ---------------------------------------------------------------------------------------------------------


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
        return fixed(_unique(address for part in parts for address in part.constant))
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
    if _is_path(value):
        return _recipient_path(value, site)
    text = _text(value, site)
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
        address = _address_of(value)
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


def _address_of(value: Any) -> Address | None:
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


def _unique(addresses: Any) -> tuple[Address, ...]:
    """Each address once, in order, the first name kept."""
    seen: dict[str, Address] = {}
    for address in addresses:
        seen.setdefault((address.address or address.name).casefold(), address)
    return tuple(seen.values())


def _person(value: Any, site: Site) -> Value | None:
    if _is_path(value):
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
    text = _text(value, site)
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
    exact = [person for person in directory.people if person.name == name and valid(person, on)]
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
    address = _address_of(value)
    person = person_by_email(directory, address.address) if address and address.address else None
    name = value if isinstance(value, str) else address.name if address else ""
    person = person or person_named(name, scene)
    if person is None:
        reason = f"rule '{scene.rule}': {scene.action}: '{name}' is no single person in people.yaml"
        return Hold("unclear", f"{reason}; name the responsible by hand", (name,))
    return responsible_of(person)


# -- words ----------------------------------------------------------------------------------------------------------


def _body(value: Any, site: Site) -> Value | None:
    """A template's name, a template string, `=path`, or plain words → a Text with its body."""
    text = _text(value, site)
    if text is None:
        return None
    if _is_path(text):
        paths = paths_of(text, site)
        if paths is None:
            return None
        return Value(lambda scene: Text(text=_joined(first_values(paths, scene))), tuple(path.text for path in paths))
    if text.endswith(".j2"):
        return _template(text, site)
    made = Text(source=text) if _is_sound_template(text, site) else Text(text=text)
    return fixed(made)


def _template(value: Any, site: Site) -> Value | None:
    text = _text(value, site)
    if text is None:
        return None
    if site.world.templates.choose(text, ()) is None:
        site.problem(f"no template is called '{text}'{nearest(text, site.world.templates.known())}")
        return None
    made = Text(template=text)
    return fixed(made)


def _is_sound_template(text: str, site: Site) -> bool:
    if not is_template(text):
        return False
    for message in check_string(text, site.world.templates):
        site.problem(message)
    return True


def _line(value: Any, site: Site) -> Value | None:
    """A template string, `=path`, or plain words → a Text with its subject."""
    text = _text(value, site)
    if text is None:
        return None
    if _is_path(text):
        paths = paths_of(text, site)
        if paths is None:
            return None
        return Value(
            lambda scene: Text(subject=one_line(_joined(first_values(paths, scene)))),
            tuple(path.text for path in paths),
        )
    made = Text(subject_source=text) if _is_sound_template(text, site) else Text(subject=one_line(text))
    return fixed(made)


def _joined(values: Sequence[Any]) -> str:
    return ", ".join(value if isinstance(value, str) else _shown(value) for value in values)


def _shown(value: Any) -> str:
    address = _address_of(value)
    return (address.name or address.address or "") if address else str(value)


def _word(value: Any, site: Site) -> Value | None:
    """Plain words or `=path`, no template."""
    text = _text(value, site)
    if text is None:
        return None
    if _is_path(text):
        paths = paths_of(text, site)
        if paths is None:
            return None
        return Value(lambda scene: _joined(first_values(paths, scene)) or None, tuple(path.text for path in paths))
    return fixed(text)


def choice(*words: str) -> Kind:
    """One of a few words."""

    def compile_choice(value: Any, site: Site) -> Value | None:
        if value not in words:
            site.problem(f"'{value}' is not one of {', '.join(words)}{nearest(str(value), words)}")
            return None
        return fixed(value)

    return Kind("choice", {"enum": list(words)}, compile_choice)


def _flag(value: Any, site: Site) -> Value | None:
    if not isinstance(value, bool):
        site.problem(f"wants true or false, not '{value}'")
        return None
    return fixed(value)


def _words(value: Any, site: Site) -> Value | None:
    items = value if isinstance(value, list) else [value]
    texts = [_text(item, site) for item in items]
    if not texts or any(text is None for text in texts):
        if not texts:
            site.problem("an empty list")
        return None
    chosen = tuple(str(text) for text in texts)
    return fixed(chosen)


def _period(value: Any, site: Site) -> Value | None:
    match = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        site.problem(f"'{value}' is no period; write it as '3 working days', '10 days' or '4 hours'")
        return None
    if match[2] and not match[3].startswith("day"):
        site.problem("only days may be working days")
        return None
    unit = "working days" if match[2] else f"{match[3].rstrip('s')}s"
    period = Period(int(match[1]), unit)
    return fixed(period)


def _date(value: Any, site: Site) -> Value | None:
    if _is_path(value):
        paths = paths_of(value, site)
        wrong = next((path for path in paths or () if path.field.kind != "date"), None)
        if wrong is not None:
            site.problem(f"'{wrong.text}' is no date")
        if paths is None or wrong is not None:
            return None
        return Value(lambda scene: next(iter(first_values(paths, scene)), None), tuple(path.text for path in paths))
    try:
        day = date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        site.problem(f"'{value}' is no date; write it as 2024-02-29")
        return None
    return fixed(day)


# -- the register ---------------------------------------------------------------------------------------------------


def _series(value: Any, site: Site) -> Value | None:
    if _is_path(value):
        return _word(value, site)
    if isinstance(value, float):
        site.problem(f"'{value}' was read as a number; write the series in quotes")
        return None
    text = _text(value, site)
    marks = {series.mark for series in site.world.classification.series}
    if text is None:
        return None
    if not marks:
        site.problem(f"there is no register.yaml: series '{text}' is numbered by default", warning=True)
    elif text not in marks:
        site.problem(f"register.yaml has no series '{text}'{nearest(text, marks)}")
        return None
    return fixed(text)


def _term(value: Any, site: Site) -> Value | None:
    text = _text(value, site)
    names = {term.name for term in site.world.terms}
    if text is None:
        return None
    if names and text not in names:  # without deadlines.yaml only a letter's own deadline counts
        site.problem(f"deadlines.yaml has no term '{text}'{nearest(text, names)}")
        return None
    return fixed(text)


def _folder(value: Any, site: Site) -> Value | None:
    """A folder's name → a Text whose subject is the name (it may be a template string)."""
    made = _line(value, site)
    if made is None or not isinstance(value, str) or value.startswith("=") or is_template(value):
        return made
    wrong = next((c for c in value if c in "*%\\" or not c.isprintable()), None)
    if wrong is not None or value.startswith("/") or value.endswith("/") or "//" in value:
        site.problem(f"'{value}' is no name of a folder")
        return None
    if value.casefold() == "inbox":
        site.problem("INBOX is where mail arrives; file it in another folder")
        return None
    return made


_TEXT_SCHEMA: Mapping[str, Any] = {"type": "string"}
_LIST_SCHEMA: Mapping[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}

RECIPIENTS = Kind("recipients", _LIST_SCHEMA, _recipients)
PERSON = Kind("person", _TEXT_SCHEMA, _person)
BODY = Kind("text or template", _TEXT_SCHEMA, _body)
TEMPLATE = Kind("template", {"type": "string", "pattern": r"\.j2$"}, _template)
LINE = Kind("line", _TEXT_SCHEMA, _line)
WORD = Kind("text", _TEXT_SCHEMA, _word)
WORDS = Kind("texts", _LIST_SCHEMA, _words)
FLAG = Kind("true or false", {"type": "boolean"}, _flag)
PERIOD = Kind("period", {"type": "string", "pattern": _PERIOD.pattern}, _period)
DATE = Kind("date", _TEXT_SCHEMA, _date)
SERIES = Kind("series", {"type": ["string", "integer"]}, _series)
TERM = Kind("term", _TEXT_SCHEMA, _term)
FOLDER = Kind("folder", _TEXT_SCHEMA, _folder)
