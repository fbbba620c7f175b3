"""The kinds of value that actions take beside people: words, templates, dates, marks of the register.

Invariant: words of a mail are never rendered as a template.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mailrouter.core.actions.interface import Kind, Site, Value, fixed
from mailrouter.core.actions.recipients import address_of
from mailrouter.core.actions.sources import first_values, is_path, paths_of, text_of
from mailrouter.core.effects import Text
from mailrouter.core.spelling import nearest
from mailrouter.core.template_check import check_string
from mailrouter.core.templates import is_template, one_line

_PERIOD = re.compile(r"(\d{1,3}) (?:(working) )?(days?|hours?|weeks?)")


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in a rule: "3 working days", "2 hours"."""

    number: int
    unit: str  # "working days" | "days" | "hours" | "weeks"


def _body(value: Any, site: Site) -> Value | None:
    """A template's name, a template string, `=path`, or plain words → a Text with its body."""
    text = text_of(value, site)
    if text is None:
        return None
    if is_path(text):
        paths = paths_of(text, site)
        if paths is None:
            return None
        return Value(lambda scene: Text(text=_joined(first_values(paths, scene))), tuple(path.text for path in paths))
    if text.endswith(".j2"):
        return _template(text, site)
    made = Text(source=text) if _is_sound_template(text, site) else Text(text=text)
    return fixed(made)


def _template(value: Any, site: Site) -> Value | None:
    text = text_of(value, site)
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
    text = text_of(value, site)
    if text is None:
        return None
    if is_path(text):
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
    address = address_of(value)
    return (address.name or address.address or "") if address else str(value)


def _word(value: Any, site: Site) -> Value | None:
    """Plain words or `=path`, no template."""
    text = text_of(value, site)
    if text is None:
        return None
    if is_path(text):
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
    texts = [text_of(item, site) for item in items]
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
    if is_path(value):
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


def _series(value: Any, site: Site) -> Value | None:
    if is_path(value):
        return _word(value, site)
    if isinstance(value, float):
        site.problem(f"'{value}' was read as a number; write the series in quotes")
        return None
    text = text_of(value, site)
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
    text = text_of(value, site)
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
