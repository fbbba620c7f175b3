"""`=path or path`: values taken from the case.

Invariant: a path is checked when the rule is compiled; what it gives is never rendered as a template.
"""

import re
from collections.abc import Sequence
from typing import Any

from mailrouter.core.actions.interface import Scene, Site
from mailrouter.core.paths import Fault, Path, resolve


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
        values = path.get(view)
        if path.field.kind != "record":
            values = [value for value in values if value != ""]
        if values:
            return values
    return ()


def is_path(value: Any) -> bool:
    """Whether a value is to be taken from the case."""
    return isinstance(value, str) and value.startswith("=")


def text_of(value: Any, site: Site) -> str | None:
    """A value as text; None after saying that it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int) or str(value).strip() == "":
        site.problem(f"wants a text, not '{value}'" if value not in ("", None) else "wants a text, and there is none")
        return None
    return str(value)
