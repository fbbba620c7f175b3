"""YAML text → plain data with the place of every key and value; data → frozen models, or every Problem at once.

Invariant: a Problem names file:line:column as an editor counts them, from 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailrouter.core.outcomes import Problem
from mailrouter.core.spelling import nearest as nearest  # noqa: PLC0414  # part of what this module offers

T = TypeVar("T")
Path = tuple[str | int, ...]

_SCALARS = {"tag:yaml.org,2002:" + kind for kind in ("null", "bool", "int", "float")}
_DEPTH = 60  # deeper nesting is no configuration
_NODES = 100_000  # more values are none either: aliases of aliases would otherwise grow without end


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class YamlText:
    """Plain data (mappings, lists, scalars; dates stay text) and where each key and value stands."""

    file: str
    data: Any
    values: Mapping[Path, Place] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)  # the place of the key itself

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where `path` stands; the nearest enclosing place if it is not there."""
        table = self.keys if key else self.values
        for length in range(len(path), -1, -1):
            found = table.get(path[:length]) or self.values.get(path[:length])
            if found:
                return found
        return Place(1, 1)

    def problem(self, path: Path, message: str, *, key: bool = False, warning: bool = False) -> Problem:
        """A Problem at `path`."""
        at = self.place(path, key=key)
        return Problem(self.file, at.line, at.column, message, "warning" if warning else "error")


def parse(text: str, file: str) -> tuple[YamlText | None, list[Problem]]:
    """Parse one YAML document; problems are syntax errors, duplicate keys, and nesting or aliases out of all measure."""
    try:
        node = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return None, [Problem(file, line, column, f"not valid YAML: {error.problem or error.context}")]
    except (YAMLError, ValueError, RecursionError) as error:
        return None, [Problem(file, 1, 1, f"not valid YAML: {str(error).splitlines()[0]}")]
    builder = _Builder(file)
    data = builder.build(node, (), 0) if node is not None else {}
    return YamlText(file, data, builder.values, builder.keys), builder.problems


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self.nodes = 0
        self.scalar = SafeConstructor(
            loader=YAML(typ="safe", pure=True)
        )  # an integer asks its loader for the YAML version

    def build(self, node: Node, path: Path, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > _NODES:
            if self.nodes == _NODES + 1:
                self._problem(node, f"more than {_NODES} values, aliases counted each time")
            return None
        self.values.setdefault(path, Place(node.start_mark.line + 1, node.start_mark.column + 1))
        if depth > _DEPTH:
            self._problem(node, f"nested deeper than {_DEPTH} levels")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.build(child, (*path, index), depth + 1) for index, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._problem(key_node, "a key must be a plain word")
                continue
            key = str(key_node.value)
            if key in result:
                self._problem(key_node, f"the key '{key}' stands twice; remove one of them")
                continue
            self.keys[(*path, key)] = Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            result[key] = self.build(value_node, (*path, key), depth + 1)
        return result

    def _scalar(self, node: Node) -> Any:
        tag = str(node.tag)
        if tag not in _SCALARS:
            return str(node.value)
        try:
            return self.scalar.construct_object(node)
        except (ValueError, YAMLError):
            return str(node.value)

    def _problem(self, node: Node, message: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, node.start_mark.column + 1, message))


def validate(adapter: TypeAdapter[T], source: YamlText) -> tuple[T | None, list[Problem]]:
    """Data → the adapter's type, or every problem with its place and, for an unknown key, the nearest known one."""
    try:
        return adapter.validate_python(source.data if source.data is not None else {}), []
    except ValidationError as error:
        schema: dict[str, Any] | None = None
        problems = []
        for item in error.errors(include_url=False):
            path = _data_path(source.data, item["loc"])
            if item["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
                schema = schema or adapter.json_schema()
                problems.append(source.problem(path, _unknown(path, schema), key=True))
            else:
                problems.append(source.problem(path, _message(path, item)))
        return None, sorted(set(problems), key=lambda p: (p.line, p.column, p.message))


def _data_path(data: Any, loc: tuple[int | str, ...]) -> Path:
    """Pydantic's loc without the names of union branches: only steps that exist in the data, and the last one."""
    path: list[str | int] = []
    here = data
    for index, step in enumerate(loc):
        if isinstance(here, dict) and step in here:
            path.append(step)
            here = here[step]
        elif isinstance(here, list) and isinstance(step, int):
            if step < len(here):
                path.append(step)
                here = here[step]
        elif index == len(loc) - 1 and isinstance(here, dict):
            path.append(step)
    return tuple(path)


def _message(path: Path, item: Any) -> str:
    name = ".".join(str(step) for step in path if not isinstance(step, int)) or "the file"
    if item["type"] in {"missing", "missing_argument"}:
        return f"'{name}' is missing"
    text = str(item["msg"]).removeprefix("Value error, ")
    given = item.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    return f"{name}: {text[:1].lower()}{text[1:]}{shown}"


def _unknown(path: Path, schema: dict[str, Any]) -> str:
    return f"unknown key '{path[-1]}'{nearest(str(path[-1]), _properties(schema, path[:-1]))}"


def _properties(schema: dict[str, Any], path: Path) -> list[str]:
    """The keys that the JSON Schema knows at `path`."""
    nodes = [schema]
    for step in path:
        nodes = [child for node in _expand(nodes, schema) for child in _children(node, step)]
    return sorted({key for node in _expand(nodes, schema) for key in node.get("properties", {})})


def _expand(nodes: list[dict[str, Any]], root: dict[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    queue = list(nodes)
    while queue:
        node = queue.pop()
        if "$ref" in node:
            queue.append(root["$defs"][node["$ref"].rsplit("/", 1)[1]])
            continue
        result.append(node)
        for union in ("anyOf", "oneOf", "allOf"):
            queue.extend(node.get(union, []))
    return result


def _children(node: dict[str, Any], step: str | int) -> list[dict[str, Any]]:
    if isinstance(step, int):
        items = node.get("items")
        return [items] if isinstance(items, dict) else []
    if step in node.get("properties", {}):
        return [node["properties"][step]]
    extra = node.get("additionalProperties")
    return [extra] if isinstance(extra, dict) else []
