"""Word lists in YAML → values, fast: a child that reads mails loads a dozen of them before its first mail.

Invariant: the value is the one that ruamel gives. Only the part of YAML that the lists use is read here (block mappings,
lists on lines of their own, flow lists and mappings, plain and quoted scalars); any other text is given to ruamel.
"""

import re
from collections.abc import Iterator
from typing import Any

_KEY = re.compile(r"( *)(\w[\w.-]*|\"[^\"\\\n]*\"|'[^'\n]*'):(?= |$)[ ]*", re.MULTILINE)
_DASH = re.compile(r"( *)- +(?=\S)")
_BLANK = re.compile(r"(?:[ ]*(?:#[^\n]*)?(?:\n|\Z))+")
_REST = re.compile(r"[ ]*(?:(?<= )#[^\n]*)?(?:\n|\Z)")  # of a line behind a value
_GAP = re.compile(r"(?:\s+(?:#[^\n]*)?)*")  # between values of a flow list
_QUOTED = re.compile(r"'((?:[^'\n]|'')*)'|\"((?:[^\"\\\n]|\\\\)*)\"")
_PLAIN_IN_FLOW = re.compile(r"[^\W_][^\[\]{},:#\"\n]*|-?\d+(?=\s*[,\]}])")
_PLAIN = re.compile(r"[^\W_][^:#\"\n]*(?=\n|\Z)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)")
_MEANT = {"true": True, "false": False, "null": None}  # plain words that are none


class _UnusualError(Exception):
    """The text uses more of YAML than is read here."""


def load_words(text: str) -> Any:
    """The value of a YAML text. Raises ruamel's `YAMLError` where it is none."""
    try:
        return _Reader(text).document()
    except _UnusualError:
        from ruamel.yaml import YAML  # noqa: PLC0415  # it is not needed for the lists as they are shipped

        return YAML(typ="safe").load(text)


class _Reader:
    """A place in a text, and what can be read there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> Any:
        """The whole text as a mapping or a list."""
        if "\t" in self._text or "\r" in self._text or self._text.startswith(("---", "%", "\ufeff")):
            raise _UnusualError
        value = self._block(0)
        if self._at < len(self._text):
            raise _UnusualError
        return value

    def _block(self, least: int) -> Any:
        """A mapping or a list, its lines indented by `least` blanks or more."""
        self._skip(_BLANK)
        entry = _DASH.match(self._text, self._at) or _KEY.match(self._text, self._at)
        if entry is None or len(entry[1]) < least:
            raise _UnusualError
        return self._list(len(entry[1])) if entry.re is _DASH else self._mapping(len(entry[1]))

    def _list(self, indent: int) -> list[Any]:
        values = []
        while (dash := _DASH.match(self._text, self._at)) and len(dash[1]) == indent:
            self._at = dash.end()
            values.append(self._value())
            self._end_line()
        return values

    def _mapping(self, indent: int) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        while (key := _KEY.match(self._text, self._at)) and len(key[1]) == indent:
            name = key[2][1:-1] if key[2][0] in "'\"" else _word(key[2])
            if name in values:
                raise _UnusualError
            self._at = key.end()
            if _REST.match(self._text, self._at):
                self._end_line()
                values[name] = self._block(indent + 1)
            else:
                values[name] = self._value()
                self._end_line()
        return values

    def _value(self) -> Any:
        """What stands behind a key or a dash on its line; a flow list or mapping may run over several."""
        if self._text[self._at] in "[{":
            return self._flow()
        return self._quoted() if self._text[self._at] in "'\"" else _word(self._take(_PLAIN).rstrip())

    def _flow(self) -> Any:
        """A value in brackets, or one within them."""
        opened = self._text[self._at : self._at + 1]
        if opened == "[":
            return [self._flow() for _ in self._values("]")]
        if opened == "{":
            pairs = [self._pair() for _ in self._values("}")]
            if len({key for key, _ in pairs}) < len(pairs):
                raise _UnusualError
            return dict(pairs)
        return self._quoted() if opened in {"'", '"'} else _word(self._take(_PLAIN_IN_FLOW).rstrip())

    def _pair(self) -> tuple[Any, Any]:
        key = self._flow()
        self._skip(_GAP)
        if not self._text.startswith(": ", self._at) or isinstance(key, list | dict):
            raise _UnusualError
        self._at += 1
        self._skip(_GAP)
        return key, self._flow()

    def _values(self, end: str) -> Iterator[None]:
        """Stop at each value between brackets, the commas stepped over."""
        self._at += 1
        self._skip(_GAP)
        while not self._text.startswith(end, self._at):
            yield
            self._skip(_GAP)
            if self._text.startswith(",", self._at):
                self._at += 1
                self._skip(_GAP)
            elif not self._text.startswith(end, self._at):
                raise _UnusualError
        self._at += 1

    def _quoted(self) -> str:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise _UnusualError
        self._at = found.end()
        return found[2].replace("\\\\", "\\") if found[1] is None else found[1].replace("''", "'")

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _UnusualError
        self._at = found.end()
        return found.group()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()

    def _end_line(self) -> None:
        """The rest of a line and the empty ones after it; nothing but a comment may stand there."""
        if self._at and self._text[self._at - 1] != "\n":
            self._take(_REST)
        self._skip(_BLANK)


def _word(plain: str) -> str | int | None:
    """A plain scalar: words, unless it is a number or means a value."""
    if _NUMBER.fullmatch(plain):
        return int(plain)
    if plain in _MEANT:
        return _MEANT[plain]
    if plain[0].isdecimal() or plain[0] == "-" or plain.lower() in _MEANT:
        raise _UnusualError
    return plain
