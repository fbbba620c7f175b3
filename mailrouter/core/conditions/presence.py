"""Conditions on whether something is there, and how many of it."""

from typing import Any

from mailrouter.core.conditions.interface import Counted, Site, existence, operator, something
from mailrouter.core.conditions.numbers import comparison
from mailrouter.core.paths import Kind

_KINDS: tuple[Kind, ...] = ("text", "date", "number", "flag", "choice", "record")


@operator("exists", takes=_KINDS, schema={"type": "boolean"})
def exists(wanted: Any, site: Site) -> Counted | None:
    """Something is there (true) or nothing is (false). An empty text is nothing."""
    if not isinstance(wanted, bool):
        site.problem(f"'exists' wants true or false, not '{wanted}'")
        return None
    return Counted(lambda values, _: something(values) is wanted, 0, existence(wanted=wanted))


@operator(
    "count",
    takes=_KINDS,
    schema={"anyOf": [{"type": "integer", "minimum": 0}, {"type": "object", "description": "at_least, at_most, …"}]},
)
def count(wanted: Any, site: Site) -> Counted | None:
    """How many there are: `count: 2`, or `count: {at_least: 1, at_most: 3}`."""
    if isinstance(wanted, dict):
        tests = comparison(wanted, site)
        if not tests:
            return None
        return Counted(lambda values, facts: all(test.check(len(values), facts) for test in tests), cost=1)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        site.problem(f"'count' wants a whole number, not '{wanted}'")
        return None
    return Counted(lambda values, _: len(values) == wanted, cost=1)
