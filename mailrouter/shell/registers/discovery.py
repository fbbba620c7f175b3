"""Mirrors by name, and their settings.

`registers` in mailrouter.yaml maps a name of staff's choice, which rules use in `hand_over`, to a mirror's settings;
`kind` names the file here, by default the name itself. Invariant: unknown kinds and keys are told when the settings are
read, not when a letter is handed over.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from mailrouter.shell.errors import Permanent
from mailrouter.shell.registers.interface import Mirror, OpenMailbox


@cache
def mirrors() -> Mapping[str, ModuleType]:
    """Every mirror that there is: its kind → its module."""
    package = importlib.import_module("mailrouter.shell.registers")
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        if hasattr(module, "SETTINGS") and hasattr(module, "connect"):
            found[info.name] = module
    return found


def connect(name: str, settings: Mapping[str, Any], open_mailbox: OpenMailbox) -> Mirror:
    """The mirror that `registers.<name>` describes; Permanent if it is not described or described wrongly."""
    described = settings.get(name)
    if described is None:
        raise Permanent(f"no register {name!r}: describe it under 'registers' in mailrouter.yaml")
    problems = [message for path, message in settings_problems(settings) if path[1] == name]
    if problems:
        raise Permanent(f"registers.{name}: {problems[0]}")
    module = mirrors()[_kind(name, described)]
    mirror: Mirror = module.connect(_model(module).model_validate(_own(described)), open_mailbox)
    return mirror


def settings_problems(settings: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong under `registers`: (path in mailrouter.yaml, message)."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    for name, described in settings.items():
        if not isinstance(described, Mapping):
            found.append((("registers", name), "needs keys, such as 'kind' and those of its kind"))
            continue
        module = mirrors().get(_kind(name, described))
        if module is None:
            known = ", ".join(sorted(mirrors()))
            found.append((("registers", name), f"no kind of register {_kind(name, described)!r}; there are: {known}"))
            continue
        try:
            _model(module).model_validate(_own(described))
        except ValidationError as error:
            found += [(("registers", name, *item["loc"]), item["msg"]) for item in error.errors()]
    return found


def _kind(name: str, described: Mapping[str, Any]) -> str:
    return str(described.get("kind", name))


def _own(described: Mapping[str, Any]) -> dict[str, Any]:
    """A mirror's own keys."""
    return {key: value for key, value in described.items() if key != "kind"}


def _model(module: ModuleType) -> type[BaseModel]:
    model: type[BaseModel] = module.SETTINGS
    return model
