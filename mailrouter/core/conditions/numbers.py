"""Conditions on numbers and sizes; a size may be written with its unit: "2 MB"."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from mailrouter.core.conditions.interface import Operator, Site, Test, operator
from mailrouter.core.spelling import nearest

_SIZE = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)\s*")
_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SCHEMA = {"type": ["number", "string"], "description": 'a number, or a size such as "2 MB"'}


def _number(wanted: Any, site: Site) -> float | None:
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return wanted
    match = _SIZE.fullmatch(wanted) if isinstance(wanted, str) else None
    if match is None:
        site.problem(f"wants a number or a size such as '2 MB', not '{wanted}'")
        return None
    return float(match[1].replace(",", ".")) * _UNITS[match[2]]


def _compare(wanted: Any, site: Site, met: Callable[[float, float], bool]) -> Test | None:
    bound = _number(wanted, site)
    return None if bound is None else Test(lambda value, _: met(value, bound), cost=0)


@operator("at_least", takes=("number",), schema=_SCHEMA)
def at_least(wanted: Any, site: Site) -> Test | None:
    """The number or size is this or more."""
    return _compare(wanted, site, lambda value, bound: value >= bound)


@operator("at_most", takes=("number",), schema=_SCHEMA)
def at_most(wanted: Any, site: Site) -> Test | None:
    """The number or size is this or less."""
    return _compare(wanted, site, lambda value, bound: value <= bound)


@operator("more_than", takes=("number",), schema=_SCHEMA)
def more_than(wanted: Any, site: Site) -> Test | None:
    """The number or size is more than this."""
    return _compare(wanted, site, lambda value, bound: value > bound)


@operator("less_than", takes=("number",), schema=_SCHEMA)
def less_than(wanted: Any, site: Site) -> Test | None:
    """The number or size is less than this."""
    return _compare(wanted, site, lambda value, bound: value < bound)


_COMPARISONS: Sequence[Operator] = (at_least, at_most, more_than, less_than)


def comparison(wanted: dict[str, Any], site: Site) -> list[Test]:
    """The tests of a mapping such as {at_least: 1, at_most: 3}; () after saying what is wrong."""
    known = {item.name: item for item in _COMPARISONS}
    tests: list[Test] = []
    for key, bound in wanted.items():
        if key not in known:
            site.problem(f"unknown key '{key}'{nearest(key, known)}", key, key=True)
            return []
        below = Site((*site.place, key), site.report, site.field, site.directory)
        test = known[key].compile(bound, below)
        if not isinstance(test, Test):
            return []
        tests.append(test)
    if not tests:
        site.problem("'count' wants a number, or one of at_least, at_most, more_than, less_than")
    return tests
