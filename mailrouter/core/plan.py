"""Decision → Plan: the effects of the rules that apply; `fill` renders their texts once the number is known.

Invariant: both are pure: the same decision, case, rule set, entry and time give the same plan with the same keys.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mailrouter.core.actions.interface import Note, Ready
from mailrouter.core.case import Case
from mailrouter.core.deadlines import registration_due
from mailrouter.core.effects import Effect, FlagEffect, NotifyEffect, Plan, RemindEffect, Text, effect_key
from mailrouter.core.filling import Filler
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.register import Entry
from mailrouter.core.rules import Decision, Memo, Planned, RuleSet, outcomes

HOLD = ""  # the rule's name in effects that no rule asked for
_CLOSING_HOUR = 17  # when the working day ends by which a held mail is due
HOLD_TEMPLATE = "hold.txt.j2"  # used if there is one
_HOLD_SUBJECT = "Ootab otsust / On hold: {{ message.subject }}"
_HOLD_TEXT = """\
{{ hold.reason }}

Kirjast / From the mail: {{ sender }}, {{ message.subject }}
{% for words in hold.evidence %}
  {{ words }}
{% endfor %}
Registreerimise tähtaeg / To be registered by: {{ due | date }}
"""


def plan(
    decision: Decision,
    case: Case,
    ruleset: RuleSet,
    now: datetime,
    *,
    registrars: Sequence[Address] = (),
    flag: str = "\\Flagged",
    remind_hours: float = 4,
    naming: bool = True,
    memo: Memo | None = None,
) -> Plan:
    """The effects of a decision, in the order of rules.

    With a hold: the registrars are told and reminded, the mail is flagged, and of the rules' own effects only notices,
    reminders and flags of a rule that itself says `hold` remain.
    `registrars` are the mailbox's; `remind_hours` how long before the working day's end they are reminded. `naming`
    False leaves nominees unsought, for comparing many cases; `memo` is that of `outcomes`.
    """
    by_name = {rule.name: rule for rule in ruleset.rules}
    rules = [by_name[name] for name in decision.rules if name in by_name]
    done = list(outcomes(case, ruleset, rules, decision.letters, now, naming=naming, memo=memo))
    held = decision.hold or next((item.outcome for item in done if isinstance(item.outcome, Hold)), None)
    shadows = [by_name[line.rule] for line in decision.trace if line.shadow and line.matched and line.rule in by_name]
    shadow = tuple(_effects(outcomes(case, ruleset, shadows, decision.letters, now, naming=naming, memo=memo)))
    notes = tuple(item.outcome.text for item in done if isinstance(item.outcome, Note))
    link = case.thread.entry.number if case.thread.relation == "duplicate" and case.thread.entry else None
    if held is not None:
        effects = [*_of_hold(case, now, registrars, flag, remind_hours), *_kept(done, held)]
        return Plan(tuple(effects), None, notes, shadow, decision.letters, held)
    return Plan(tuple(_once(_effects(done))), link, notes, shadow, decision.letters)


def _effects(done: Iterable[Planned]) -> list[Effect]:
    return [item.outcome for item in done if not isinstance(item.outcome, Hold | Note | Ready)]


def _once(effects: Sequence[Effect]) -> list[Effect]:
    """Without a second move to the same folder, and the move last."""
    moves = [effect for effect in effects if effect.kind == "move"][:1]
    return [*(effect for effect in effects if effect.kind != "move"), *moves]


def _kept(done: Sequence[Planned], held: Hold) -> list[Effect]:
    if held.code != "rule":
        return []
    holding = {item.rule.name for item in done if isinstance(item.outcome, Hold)}
    mild = [item for item in done if item.rule.name in holding]
    return [effect for effect in _effects(mild) if effect.kind in {"notify", "remind", "flag"}]


def _of_hold(case: Case, now: datetime, registrars: Sequence[Address], flag: str, remind_hours: float) -> list[Effect]:
    def key(kind: str) -> str:
        return effect_key(case.sha256, case.mailbox.name, HOLD, kind)

    effects: list[Effect] = []
    if registrars:
        to = tuple(registrars)
        text = Text(template=HOLD_TEMPLATE, source=_HOLD_TEXT, subject_source=_HOLD_SUBJECT)
        effects.append(NotifyEffect(key("notify"), HOLD, to, text))
        at = max(_reminder_time(case, now, remind_hours), now)
        effects.append(
            RemindEffect(key("remind"), HOLD, to, text, at=at.isoformat(timespec="seconds"), until="released")
        )
    effects.append(FlagEffect(key("flag"), HOLD, (flag,)))
    return effects


def hold_due(case: Case, now: datetime) -> datetime:
    """Until when a held mail must be decided: the end of the next working day after arrival (AvTS § 12 (1))."""
    received = datetime.fromisoformat(case.received).astimezone(now.tzinfo)
    day = registration_due(received.date())
    return datetime(day.year, day.month, day.day, _CLOSING_HOUR, tzinfo=now.tzinfo)


def _reminder_time(case: Case, now: datetime, hours: float) -> datetime:
    return hold_due(case, now) - timedelta(hours=hours)


def fill(plan: Plan, case: Case, ruleset: RuleSet, *, entry: Entry | None, now: datetime) -> Plan:
    """The plan with every text rendered, the entry's number in it and reminders timed; RenderError if a text fails.

    `entry` is the letter's register entry with its number: the one just made, or for a duplicate (`plan.link`) the
    first one; None where nothing is registered. `own.number` and `own.date` stay placeholders until approval.
    """
    return Filler(case, ruleset, plan, entry, now).filled()
