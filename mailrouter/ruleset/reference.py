"""The rule language for editors and people: JSON Schema, and the reference from the docstrings.

Invariant: everything here is made from what the compiler itself knows, so that it cannot lag behind.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mailrouter.core.actions.interface import Action, Parameter, actions
from mailrouter.core.conditions.interface import Operator, operators
from mailrouter.core.paths import Field, View, fields_of
from mailrouter.core.rulefile import KEYS, KINDS

_DEPTH = 4  # steps of a path that editors complete
_SCALARS = {
    "text": ["string", "integer", "null"],
    "date": ["string", "null"],
    "number": ["number", "null"],
    "flag": ["boolean", "null"],
}
_ROOTS = {
    "letter": "The letter that the rule is about: one letter must meet all its conditions.",
    "letters": "All letters of the mail, for counting.",
    "message": "The fetched mail itself: the newest author's own words.",
    "chain": "The earlier mails that it quotes or encloses, newest first.",
    "sender": "The author of the fetched mail, with whether that is verified.",
    "incoming": "The newest author outside our domains: who wrote to us.",
    "oldest": "The bottom of the chain.",
    "forwarder": "The sender, if a colleague.",
    "instruction": "What a verified colleague orders.",
    "attachments": "Everything attached, containers opened.",
    "nature": "What kind of mail it is.",
    "thread": "Where it belongs in the register.",
    "mailbox": "The mailbox it arrived in.",
    "received": "When our server took it.",
    "forwarded": "Whether it passes another mail on.",
    "holds": "What was found wrong while it was read.",
}


def rules_schema() -> dict[str, Any]:
    """JSON Schema of a rule file, for completion and hover in editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of mailrouter",
        "type": "array",
        "items": {"$ref": "#/$defs/rule"},
        "$defs": {
            "rule": _rule(),
            "conditions": _conditions(),
            "condition_list": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/conditions"}},
            "test": {"description": "A value, a list of values (one of them), or conditions."},
            **{f"{kind}_test": _test(kind) for kind in ("text", "date", "number", "flag", "choice", "record")},
            "action": _action_item(),
            "example": _example(),
        },
    }


def _rule() -> dict[str, Any]:
    kinds: Mapping[str, Any] = {
        "rule": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "owner": {"type": "string"},
        "enabled": {"type": "boolean", "default": True},
        "shadow": {"type": "boolean", "default": False},
        "valid_from": {"type": "string", "format": "date"},
        "valid_until": {"type": "string", "format": "date"},
        "when": {"anyOf": [{"const": "always"}, {"$ref": "#/$defs/conditions"}, {"$ref": "#/$defs/condition_list"}]},
        "then": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/action"}},
        "stop": {"type": "boolean", "default": False},
        "examples": {"type": "array", "items": {"$ref": "#/$defs/example"}},
    }
    return {
        "type": "object",
        "description": "A rule: when a mail meets the conditions, then the actions are done.",
        "properties": {key: {**kinds[key], "description": text} for key, text in KEYS.items()},
        "required": ["rule", "when", "then"],
        "additionalProperties": False,
    }


def _conditions() -> dict[str, Any]:
    logic = {
        "all": {"$ref": "#/$defs/condition_list", "description": "Every one of these holds."},
        "any": {"$ref": "#/$defs/condition_list", "description": "One of these holds."},
        "not": {
            "anyOf": [{"$ref": "#/$defs/conditions"}, {"$ref": "#/$defs/condition_list"}],
            "description": "These do not hold.",
        },
    }
    paths = {
        path: {**_test_of(field), "description": _about(path, field)} for path, field in paths_of(View, (), _DEPTH)
    }
    return {"type": "object", "minProperties": 1, "properties": logic | paths, "additionalProperties": False}


def paths_of(record: type, before: tuple[str, ...], depth: int) -> Iterator[tuple[str, Field]]:
    """Every path below a record, to a depth."""
    for key, field in fields_of(record).items():
        steps = (*before, key)
        yield ".".join(steps), field
        if field.record is not None and depth > 1:
            yield from paths_of(field.record, steps, depth - 1)


def _test_of(field: Field) -> dict[str, Any]:
    if field.kind == "choice":
        words = {"enum": list(field.choices)}
        return {"anyOf": [words, {"type": "array", "items": words, "minItems": 1}, {"$ref": "#/$defs/choice_test"}]}
    if field.kind == "record":
        return {"anyOf": [{"type": ["string", "array", "null"]}, {"$ref": "#/$defs/record_test"}]}
    plain = {"type": _SCALARS[field.kind]}
    return {"anyOf": [plain, {"type": "array", "items": plain, "minItems": 1}, {"$ref": f"#/$defs/{field.kind}_test"}]}


def _test(kind: str) -> dict[str, Any]:
    fitting = {item.name: item for item in operators().values() if kind in item.takes}
    logic: dict[str, Any] = {"all": {"type": "array"}, "any": {"type": "array"}, "not": {}}
    words = {name: {**item.schema, "description": item.description} for name, item in sorted(fitting.items())}
    # A record's own parts may stand beside the words.
    return {"type": "object", "minProperties": 1, "properties": words | logic, "additionalProperties": kind == "record"}


def _about(path: str, field: Field) -> str:
    if "." not in path and path in _ROOTS:
        return _ROOTS[path]
    if field.record is not None:
        return " ".join((inspect.getdoc(field.record) or "").split("\n\n")[0].split())
    many = "several: " if field.many else ""
    choices = f": {', '.join(field.choices)}" if field.choices else ""
    return f"{many}{field.kind}{choices}"


def _action_item() -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {name: _action(item) for name, item in sorted(actions().items())},
        "additionalProperties": False,
    }


def _action(item: Action) -> dict[str, Any]:
    full = {
        "type": "object",
        "properties": {one.name: _parameter(one) for one in item.parameters},
        "required": [one.name for one in item.parameters if one.required],
        "additionalProperties": False,
    }
    short = next((one for one in item.parameters if one.name == item.short), None)
    forms = [{**short.kind.schema}, full] if short else [full]
    return {"description": item.description, "anyOf": forms}


def _parameter(one: Parameter) -> dict[str, Any]:
    default = {} if one.default is None else {"default": one.default}
    schema = dict(one.kind.schema)
    return {**schema, "description": one.description, **default}


def _example() -> dict[str, Any]:
    expected = {kind: {"description": f"Parts of a '{kind}' effect of this rule."} for kind in KINDS}
    return {
        "type": "object",
        "properties": {
            "sample": {"type": "string", "description": "A mail's file, relative to the folder of rules."},
            "expect": {
                "description": "no match, match, or parts of the rule's effects.",
                "anyOf": [
                    {"enum": ["no match", "match"]},
                    {"type": "object", "properties": expected, "additionalProperties": False},
                ],
            },
        },
        "required": ["sample", "expect"],
        "additionalProperties": False,
    }


def describe(what: str) -> str:
    """The staff's reference of "conditions" or "actions", as Markdown; ValueError for anything else."""
    if what == "conditions":
        return "\n".join(_described_conditions())
    if what == "actions":
        return "\n".join(_described_actions())
    raise ValueError(f"'{what}' has no reference; conditions and actions have")


def _described_conditions() -> Iterator[str]:
    yield "# Conditions"
    yield ""
    yield "## What they are about"
    yield ""
    for key, field in fields_of(View).items():
        yield f"- `{key}` ({_kind(field)}): {_ROOTS.get(key, '')}"
        if field.record is not None:
            parts = ", ".join(f"`{key}.{part}`" for part in fields_of(field.record))
            yield f"  - {parts}"
    yield ""
    yield "## What they ask"
    yield ""
    yield "- `all`, `any`, `not`: combine conditions, anywhere."
    for name, item in sorted(operators().items()):
        yield f"- `{name}` ({_takes(item)}): {item.description}"


def _kind(field: Field) -> str:
    many = "list of " if field.many else ""
    names = {"record": "record", "choice": "one of " + ", ".join(field.choices), "flag": "true or false"}
    return f"{many}{names.get(field.kind, field.kind)}"


def _takes(item: Operator) -> str:
    return "any" if len(item.takes) == 6 else ", ".join(sorted(item.takes))


def _described_actions() -> Iterator[str]:
    yield "# Actions"
    for name, item in sorted(actions().items()):
        yield ""
        yield f"## {name}"
        yield ""
        yield item.description
        yield ""
        for one in item.parameters:
            needed = ", needed" if one.required else f", default `{one.default}`" if one.default is not None else ""
            short = f"; `{name}: value` says the same" if one.name == item.short else ""
            yield f"- `{one.name}` ({one.kind.name}{needed}): {one.description}{short}"
