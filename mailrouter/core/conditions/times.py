"""Conditions on dates and times: before, after, on, weekday, time of day, working day, within a period.

Invariant: dates are compared as printed, in their own zone; the day of receipt stands for "today".
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from mailrouter.core.conditions.interface import Facts, Site, Test, as_list, operator, text_of
from mailrouter.core.deadlines import add_working_days, is_working_day
from mailrouter.core.spelling import nearest

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(\d\d?):(\d\d)\s*[-–]\s*(\d\d?):(\d\d)")
_PERIOD = re.compile(r"(\d{1,4}) (working )?days?")
_DATE = {"type": "string", "format": "date"}


def _date(wanted: Any, site: Site) -> str | None:
    text = text_of(wanted, site)
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        site.problem(f"'{text}' is no date; write it as 2024-02-29")
        return None


def _on_day(wanted: Any, site: Site, met: Callable[[str, str], bool]) -> Test | None:
    day = _date(wanted, site)
    return None if day is None else Test(lambda value, _: _is_date(value) and met(value[:10], day), cost=1)


def _is_date(value: str) -> bool:
    """Whether the words are an ISO date; some fields may hold an event instead ("until the decision")."""
    return len(value) >= 10 and value[4] == "-" and value[7] == "-" and value[:4].isdigit()


@operator("before", takes=("date",), schema=_DATE)
def before(wanted: Any, site: Site) -> Test | None:
    """The date is before this day, the day itself left out: `before: 2024-07-01`."""
    return _on_day(wanted, site, lambda value, day: value < day)


@operator("after", takes=("date",), schema=_DATE)
def after(wanted: Any, site: Site) -> Test | None:
    """The date is after this day, the day itself left out."""
    return _on_day(wanted, site, lambda value, day: value > day)


@operator("on", takes=("date",), schema=_DATE)
def on(wanted: Any, site: Site) -> Test | None:
    """The date is this day."""
    return _on_day(wanted, site, lambda value, day: value == day)


@operator(
    "weekday",
    takes=("date",),
    schema={"anyOf": [{"enum": list(_DAYS)}, {"type": "array", "items": {"enum": list(_DAYS)}}]},
)
def weekday(wanted: Any, site: Site) -> Test | None:
    """The date is one of these days of the week: `weekday: [saturday, sunday]`."""
    listed = isinstance(wanted, list)
    days = set()
    for index, item in enumerate(as_list(wanted)):
        if str(item).casefold() not in _DAYS:
            site.problem(f"'{item}' is no day of the week{nearest(str(item), _DAYS)}", *((index,) if listed else ()))
            return None
        days.add(_DAYS.index(str(item).casefold()))
    if not days:
        site.problem("an empty list can never be met")
        return None
    return Test(lambda value, _: _is_date(value) and date.fromisoformat(value[:10]).weekday() in days, cost=2)


@operator("time", takes=("date",), schema={"type": "string", "pattern": r"^\d\d?:\d\d\s*[-–]\s*\d\d?:\d\d$"})
def time(wanted: Any, site: Site) -> Test | None:
    """The time of day lies in this window: `time: "08:00-17:00"`; one over midnight ("17:00-08:00") may be given."""
    match = _CLOCK.fullmatch(wanted) if isinstance(wanted, str) else None
    if match is None or int(match[1]) > 24 or int(match[3]) > 24 or int(match[2]) > 59 or int(match[4]) > 59:
        site.problem(f"'{wanted}' is no time window; write it as \"08:00-17:00\", in quotes")
        return None
    start, end = f"{int(match[1]):02}:{match[2]}", f"{int(match[3]):02}:{match[4]}"

    def check(value: str, _: Facts) -> bool:
        clock = value[11:16]
        if len(clock) < 5:
            return False
        return start <= clock < end if start <= end else clock >= start or clock < end

    return Test(check, cost=1)


@operator("working_day", takes=("date",), schema={"type": "boolean"})
def working_day(wanted: Any, site: Site) -> Test | None:
    """The date is a working day in Estonia (true), or a weekend or holiday (false)."""
    if not isinstance(wanted, bool):
        site.problem(f"'working_day' wants true or false, not '{wanted}'")
        return None
    return Test(lambda value, _: _is_date(value) and is_working_day(date.fromisoformat(value[:10])) is wanted, cost=4)


@operator("within", takes=("date",), schema={"type": "string", "pattern": r"^\d{1,4} (working )?days?$"})
def within(wanted: Any, site: Site) -> Test | None:
    """The date lies between the day of receipt and so many days after it: `letter.deadline: {within: 5 working days}`."""
    match = _PERIOD.fullmatch(wanted) if isinstance(wanted, str) else None
    if match is None:
        site.problem(f"'{wanted}' is no period; write it as '5 working days' or '10 days'")
        return None
    days, working = int(match[1]), bool(match[2])

    def check(value: str, facts: Facts) -> bool:
        if not _is_date(value):
            return False
        received = datetime.fromisoformat(facts.received).date()
        last = add_working_days(received, days) if working else received + timedelta(days=days)
        return received <= date.fromisoformat(value[:10]) <= last

    return Test(check, cost=5)
