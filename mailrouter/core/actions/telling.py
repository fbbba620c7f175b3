"""notify, calendar, remind: mails to colleagues."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mailrouter.core.actions.contents import LANGUAGE, SUBJECT, TEXT, TEXT_TEMPLATE, content
from mailrouter.core.actions.interface import Note, Outcome, Parameter, Scene, Site, Value, action
from mailrouter.core.actions.recipients import RECIPIENTS
from mailrouter.core.actions.values import PERIOD, Period
from mailrouter.core.deadlines import add_working_days
from mailrouter.core.effects import NotifyEffect, RemindEffect

_TO = Parameter("to", RECIPIENTS, "Who is told: names, groups, roles, addresses, or paths.", required=True)


def _check_words(given: Mapping[str, Value], site: Site) -> None:
    if all(given[name].constant is None and not given[name].paths for name in ("template", "text")):
        site.problem("'notify' needs 'template' or 'text'", key=True)


@action("notify", _TO, TEXT_TEMPLATE, TEXT, SUBJECT, LANGUAGE, check=_check_words)
def notify(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Tells colleagues by mail what was done and what waits for them.

    The template has the entry's number, all effects, the drafts and the due date.
    """
    return NotifyEffect(scene.key, scene.rule, values["to"], content(values, "template", scene, outside=False))


@action("calendar", _TO, TEXT_TEMPLATE, TEXT, SUBJECT, LANGUAGE, short="to", once=True)
def calendar(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Sends the letter's events as a calendar file: those that are exact to the day."""
    events = scene.letter.events if scene.letter else ()
    if not any(event.starts for event in events):
        return Note(f"rule '{scene.rule}': calendar: the letter has no event that is exact to the day")
    text = content(values, "template", scene, outside=False)
    return NotifyEffect(scene.key, scene.rule, values["to"], text, kind="calendar")


def _check_time(given: Mapping[str, Value], site: Site) -> None:
    timed = [name for name in ("before_due", "after") if given[name].constant is not None]
    if not timed:
        site.problem("'remind' needs 'before_due' or 'after'", key=True)
    elif len(timed) > 1:
        site.problem("'before_due' and 'after' contradict each other; keep one", "after", key=True)


@action(
    "remind",
    _TO,
    Parameter("before_due", PERIOD, "How long before the letter's due date: 3 working days."),
    Parameter("after", PERIOD, "How long from now: 5 working days, 4 hours."),
    TEXT_TEMPLATE,
    TEXT,
    SUBJECT,
    LANGUAGE,
    once=True,
    check=_check_time,
)
def remind(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Reminds colleagues by mail, unless the letter is answered by then.

    A letter without a due date has no reminder `before_due`.
    """
    text = content(values, "template", scene, outside=False)
    before: Period | None = values.get("before_due")
    after: Period | None = values.get("after")
    return RemindEffect(
        scene.key,
        scene.rule,
        values["to"],
        text,
        at=_later(after, scene) if after else None,
        before_due=f"{before.number} {before.unit}" if before else None,
    )


def _later(period: Period, scene: Scene) -> str:
    now = scene.now
    match period.unit:
        case "working days":
            moment = now + (add_working_days(now.date(), period.number) - now.date())
        case "hours":
            moment = now + timedelta(hours=period.number)
        case "weeks":
            moment = now + timedelta(weeks=period.number)
        case _:
            moment = now + timedelta(days=period.number)
    return moment.isoformat(timespec="seconds")
