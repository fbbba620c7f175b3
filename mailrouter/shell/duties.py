"""What falls due by the calendar and no mail brings: late letters and held mails, nominees whose validity has ended.

A late letter: after its due date the head of the responsible's unit is reminded, with the responsible, and again every
few days until it is answered. A reminder before the due date moves with it when it is corrected. A held mail: the registrars, until somebody decides. Each reminder goes out on a working
day. Invariant: looking again plans nothing twice.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailrouter.core.deadlines import is_working_day
from mailrouter.core.effects import Plan, RemindEffect, Text, effect_key
from mailrouter.core.language import fold
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import Directory, expand
from mailrouter.core.plan import fill
from mailrouter.core.rules import RuleSet
from mailrouter.settings import Settings
from mailrouter.shell.clock import Clock
from mailrouter.shell.nominating import reopen_lapsed
from mailrouter.shell.rulebook import Rulebook
from mailrouter.shell.store.overdue import Late
from mailrouter.shell.store.store import Store

RULE = "overdue"  # the rule's name in reminders that no rule asked for
TEMPLATE = "overdue.txt.j2"  # used if there is one
REMINDER = "reminder.txt.j2"  # the same, before the due date
_MORNING = 9  # o'clock
_EVERY = 60.0  # seconds between two looks of a running service
_SUBJECT = "Tähtaeg möödas / Overdue: {{ entry.number if entry else message.subject }} {{ entry.title if entry }}"
_LETTER = """\
Kiri {{ entry.number }} „{{ entry.title }}“ on vastamata, tähtaeg oli {{ due | date("et", "short") }}
{%- if entry.responsible %}, vastutaja {{ entry.responsible.name }}{% endif %}.

The letter {{ entry.number }} was due on {{ due | date("en_GB") }} and is not answered
{%- if entry.responsible %}; responsible: {{ entry.responsible.name }}{% endif %}.
"""
_REMINDER = """\
Kiri {{ entry.number }} „{{ entry.title }}“ ootab vastust hiljemalt {{ due | date("et", "short") }}.
The letter {{ entry.number }} is to be answered by {{ due | date("en_GB") }}.
"""
_HELD = """\
Kiri „{{ message.subject }}“ ootab endiselt inimese otsust; see tuli registreerida hiljemalt {{ due | date("et", "short") }}.
The mail is still held; it was to be registered by {{ due | date("en_GB") }}.

{{ hold.reason }}
"""


@dataclass
class Duties:
    """The calendar's duties of one service."""

    settings: Settings
    store: Store
    rulebook: Rulebook
    clock: Clock
    _next: float = 0.0

    def now_and_then(self) -> None:
        """`attend`, not more often than every minute."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            self.attend()

    def attend(self) -> int:
        """Plan every reminder that is due by now, reopen drafts that name somebody who left; how many were new."""
        now, ruleset = self.clock.now(), self.rulebook.current()
        wanted = {}
        for late in (*self.store.overdue.letters(now.date()), *self.store.overdue.held(now)):
            turn = self._turn(max(_day(late.due, now), _day(late.since, now)), now.date())
            if turn is not None:
                day, ordinal = turn
                key = effect_key(late.sha256, late.mailbox, RULE, f"remind {late.due}", ordinal)
                wanted[key] = (late, day)
        new = 0
        for key in wanted.keys() - self.store.overdue.planned(list(wanted)):
            late, day = wanted[key]
            new += self._remind(key, late, day, ruleset, now)
        new += sum(self._redate(late, old, ruleset, now) for late, old in self.store.overdue.misdated())
        return new + len(reopen_lapsed(self.store, ruleset.directory, now))

    def _redate(self, late: Late, old: RemindEffect, ruleset: RuleSet, now: datetime) -> bool:
        """A due date was corrected: who would have been reminded of the old one is reminded of the new one."""
        case = self.store.listing.case(late.intake_id)
        if case is None:
            return False
        key = effect_key(late.sha256, late.mailbox, old.rule, f"remind {late.due}")
        text = Text(template=REMINDER, source=_REMINDER, subject_source=None)
        new = RemindEffect(key, old.rule, old.to, text, before_due=old.before_due, until=old.until)
        filled = fill(Plan((new,)), case, ruleset, entry=late.entry, now=now).effects
        return any(self.store.overdue.redate(late, old, one) for one in filled if isinstance(one, RemindEffect))

    def _turn(self, since: date, today: date) -> tuple[date, int] | None:
        """The last day up to today on which a reminder is due, and which one it is; those before it are not made up."""
        reminders = self.settings.reminders
        first = since + timedelta(days=max(1, reminders.overdue_after_days))
        for ordinal in range((today - first).days // reminders.repeat_days, -1, -1):
            day = first + timedelta(days=ordinal * reminders.repeat_days)
            while not is_working_day(day):
                day += timedelta(days=1)
            if day <= today:
                return day, ordinal
        return None

    def _remind(self, key: str, late: Late, day: date, ruleset: RuleSet, now: datetime) -> bool:
        to = self._recipients(late, ruleset.directory, now)
        case = self.store.listing.case(late.intake_id)
        if not to or case is None:
            return False
        at = datetime(day.year, day.month, day.day, _MORNING, tzinfo=now.tzinfo)
        text = Text(
            template=TEMPLATE if late.entry else None,
            source=_LETTER if late.entry else _HELD,
            subject_source=_SUBJECT,
        )
        effect = RemindEffect(
            key, RULE, to, text, at=at.isoformat(timespec="seconds"), until="answered" if late.entry else "released"
        )
        hold = None if late.entry else Hold("overdue", late.reason)
        filled = fill(Plan((effect,), hold=hold), case, ruleset, entry=late.entry, now=now).effects
        return any(self.store.overdue.remind(late, one) for one in filled if isinstance(one, RemindEffect))

    def _recipients(self, late: Late, directory: Directory, now: datetime) -> tuple[Address, ...]:
        """A letter: the head of the responsible's unit and the responsible; else, and for held mail, the registrars."""
        on = now.date().isoformat()
        names: list[str] = []
        responsible = late.entry.responsible if late.entry else None
        if responsible:
            heads = [unit.head for unit in directory.units if unit.head and fold(unit.name) == fold(responsible.unit)]
            names = [*heads, responsible.email or responsible.name]
            if not heads or fold(heads[0]) == fold(responsible.name):
                names += self._registrars(late.mailbox)
        else:
            names = list(self._registrars(late.mailbox))
        return _reachable(directory, names, on)

    def _registrars(self, mailbox: str) -> tuple[str, ...]:
        return next((one.registrars for one in self.settings.mailboxes if one.name == mailbox), ())


def _day(moment: str, now: datetime) -> date:
    """The calendar's day of an ISO date or date-time."""
    return datetime.fromisoformat(moment).astimezone(now.tzinfo).date() if "T" in moment else date.fromisoformat(moment)


def _reachable(directory: Directory, names: Iterable[str], on: str) -> tuple[Address, ...]:
    addresses, _ = expand(directory, names, on=on)
    return addresses
