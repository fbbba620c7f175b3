"""Names of a package that are loaded when they are first asked for (PEP 562).

Invariant: a name means the same object, whenever it is loaded. A command that lists letters needs the type of a letter,
and not the reader with its word lists: a package that says so costs what is used of it.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def later(package: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package. `where`: submodule → the names, parted by blanks, that it has for the package."""
    modules = {name: f"{package}.{module}" for module, names in where.items() for name in names.split()}

    def found(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return found
