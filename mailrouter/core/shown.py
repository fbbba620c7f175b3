"""What a case had, for people: the words that met a condition, else what stands there, shortened."""

from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from typing import Any

from mailrouter.core.letter.letters import Ask, Letter, Party
from mailrouter.core.message import Address, Attachment
from mailrouter.core.paths import names, words

_LONGEST = 160  # characters of one text
_MOST = 12  # values of a list
_NUMBERS = (bool, int, float)

Words = Callable[[str], str | None]


def shown(values: Sequence[Any], many: bool, found: Words | None) -> Any:  # noqa: FBT001  # a path's property
    """The values as JSON: one where the path gives one, None where it gives none."""
    if not many:
        return _one(values[0], found) if values else None
    texts = [_one(value, found) for value in values[:_MOST]]
    if len(values) > _MOST:
        texts.append(f"… and {len(values) - _MOST} more")
    return texts


def _one(value: Any, found: Words | None) -> Any:
    if isinstance(value, _NUMBERS):
        return value
    if found is not None:
        texts = [value] if isinstance(value, str) else _texts(value)
        stretch = next((stretch for text in texts if (stretch := found(text))), None)
        if stretch is not None:
            return stretch
    return shorten(value if isinstance(value, str) else name_of(value))


def name_of(value: Any) -> str:
    """A record in a few words."""
    match value:
        case Address(name=name, address=address):
            return f"{name} <{address}>" if name and address else name or address or ""
        case Party():
            return ", ".join(text for text in (value.name, value.role, value.institution) if text)
        case Ask(kind=kind, text=text):
            return f"{kind}: {text}"
        case Attachment():
            return "/".join(value.path) or value.name
        case Letter():
            return "/".join(value.path) or value.subject or "the mail's own words"
    record: type = type(value)
    texts = [str(text) for get in names(record) for text in get(value) if text] if is_dataclass(record) else []
    return " ".join(texts) or record.__name__.lower()


def shorten(text: str) -> str:
    """A text in one line, cut where it is long."""
    line = " ".join(text[: 3 * _LONGEST].split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _texts(value: Any) -> list[str]:
    kind: type = type(value)
    return [str(text) for get in words(kind) for text in get(value)] if is_dataclass(kind) else []
