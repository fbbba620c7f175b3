"""The rules' own examples run: sample mail → case → decision → plan, compared with what the rule expects.

Invariant: an example that fails is a Problem at its place in the rule file, with the conditions that decided it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailrouter.core.case import Case, MailboxRef, resolve
from mailrouter.core.effects import EFFECT, Effect, Plan, RegisterEffect
from mailrouter.core.language import fold
from mailrouter.core.mail import Reading
from mailrouter.core.outcomes import Hold, Problem
from mailrouter.core.plan import fill, plan
from mailrouter.core.register import Entry, format_number, series_of
from mailrouter.core.rules import Decision, Example, Rule, RuleSet, decide
from mailrouter.core.sandbox import RenderError
from mailrouter.ruleset.building import build
from mailrouter.ruleset.sources import collect, locate
from mailrouter.settings import Settings

Read = Callable[[bytes], Reading]

# What a plain value means where an effect is expected: "move: Registered".
_SHORT = {
    "register": "series",
    "move": "folder",
    "flag": "flags",
    "assign": "responsible",
    "hand_over": "register",
}
_WORDS = frozenset({"subject", "text", "html"})  # compared as words that must occur
_UNDATED = "2024-01-02T09:00:00+02:00"  # stands for the day of receipt where a sample has no date


def check(
    folder: Path, settings: Settings, read: Read, *, rules: Path | None = None, templates: Path | None = None
) -> tuple[RuleSet | None, list[Problem]]:
    """The working copy built, its examples run: the rule set if nothing is wrong, and every problem with real paths.

    `read` turns a sample's bytes into a Reading; samples are found relative to the folder of rules.
    """
    ruleset, problems = build(collect(folder, settings, rules, templates))
    if ruleset is not None:
        runner = _Runner(ruleset, settings, read, rules or settings.rules)
        problems = [*problems, *runner.problems()]
    failed = any(problem.severity == "error" for problem in problems)
    return (None if failed else ruleset), locate(problems, folder, settings, rules, templates)


@dataclass(frozen=True, slots=True)
class Ran:
    """A sample mail under the rule set."""

    case: Case
    decision: Decision
    plan: Plan


class _Runner:
    def __init__(self, ruleset: RuleSet, settings: Settings, read: Read, folder: Path) -> None:
        self.ruleset = ruleset
        self.settings = settings
        self.read = read
        self.folder = folder
        self.ran: dict[str, Ran | str] = {}

    def problems(self) -> list[Problem]:
        """Every example that fails."""
        found = []
        for rule in self.ruleset.rules:
            for example in rule.examples:
                why = self._why(rule, example)
                if why:
                    found.append(Problem(rule.file, example.line, example.column, f"example {example.sample}: {why}"))
        return found

    def _why(self, rule: Rule, example: Example) -> str | None:
        ran = self.ran.get(example.sample)
        if ran is None:
            ran = self.ran[example.sample] = self._run(example.sample)
        if isinstance(ran, str):
            return ran
        return compare(rule, example.expect, ran)

    def _run(self, sample: str) -> Ran | str:
        """The sample decided and filled, or why that is not possible."""
        path = self.folder / sample
        try:
            reading = self.read(path.read_bytes())
        except OSError as error:
            return f"cannot be read: {error.strerror or error}; 'sample' is a path from the folder of rules"
        case = self._case(reading)
        decision = decide(case, self.ruleset, full=True)
        now = datetime.fromisoformat(case.received).astimezone(ZoneInfo(self.settings.timezone))
        planned = plan(decision, case, self.ruleset, now)
        try:
            return Ran(
                case, decision, fill(planned, case, self.ruleset, entry=preview(planned, self.ruleset, now), now=now)
            )
        except RenderError as error:
            return str(error)

    def _case(self, reading: Reading) -> Case:
        mail = reading.message
        named = {(one.address or "").casefold() for one in (*mail.to, *mail.cc)}
        boxes = self.settings.mailboxes
        box = next((box for box in boxes if box.address.casefold() in named), boxes[0])
        received = mail.date if mail.date and datetime.fromisoformat(mail.date).tzinfo else _UNDATED
        return resolve(
            reading,
            mailbox=MailboxRef(box.name, box.address),
            received=received,
            directory=self.ruleset.directory,
            domains=self.ruleset.domains,
            trust=self.ruleset.trust,
        )


def preview(planned: Plan, ruleset: RuleSet, now: datetime) -> Entry | None:
    """The entry that the plan would make, with the series' first number: for texts that are only looked at."""
    made = next((effect.entry for effect in planned.effects if isinstance(effect, RegisterEffect)), None)
    series = series_of(ruleset.classification, made.series) if made else None
    if made is None or series is None:
        return made
    suffix = 1 if series.numbering == "individualising" else None
    number = format_number(series, series.first, suffix, now.date())
    return replace(made, number=number, counter=series.first, suffix=suffix, registered=now.isoformat())


def compare(rule: Rule, expect: Any, ran: Ran) -> str | None:
    """Why what came of a sample is not what a rule's example expects; None if it is."""
    line = next(line for line in ran.decision.trace if line.rule == rule.name)
    if expect == "no match" or not line.matched:
        if line.matched:
            return f"the rule matches, and should not: {_told(line.conditions, met=True)}"
        return (
            None
            if expect == "no match"
            else f"the rule does not match, and should: {_told(line.conditions, met=False)}"
        )
    if expect == "match":
        return None
    hold = ran.decision.hold
    if hold is not None and "hold" not in expect:
        return f"the mail is held ({hold.code}): {hold.reason}"
    effects = [_data(effect) for effect in (*ran.plan.effects, *ran.plan.shadow) if effect.rule == rule.name]
    for kind, wanted in expect.items():
        why = (
            _unheld(str(wanted), hold)
            if kind == "hold"
            else _missing(kind, wanted, [effect for effect in effects if effect["kind"] == kind])
        )
        if why:
            notes = "; ".join(note for note in ran.plan.notes if f"'{rule.name}'" in note)
            return f"{why}{f' ({notes})' if notes else ''}"
    return None


def _unheld(wanted: str, hold: Hold | None) -> str | None:
    """Why a mail is not held as wanted: by a code, or with words of the reason."""
    if hold is None:
        return f"the mail should be held ({wanted}), and is not"
    if wanted == hold.code or fold(wanted) in fold(hold.reason):
        return None
    return f"the mail should be held ({wanted}), and is held ({hold.code}): {hold.reason}"


def _told(conditions: Sequence[Any], *, met: bool) -> str:
    """The conditions that decided it, with what was wanted and found."""
    told = [line for line in conditions if line.matched is met] or list(conditions)
    shown = [f"{line.condition} wanted {line.wanted!r}, found {line.found!r}" for line in told[:6]]
    return "; ".join(shown) or "it has no conditions"


def _missing(kind: str, wanted: Any, effects: Sequence[Mapping[str, Any]]) -> str | None:
    """Why no effect of this kind is as wanted."""
    if not effects:
        return f"expected '{kind}', and nothing of that kind is done"
    for item in wanted if isinstance(wanted, list) and kind != "flag" else [wanted]:
        parts = item if isinstance(item, Mapping) else {_SHORT.get(kind, "to"): item}
        reasons = [_differs(parts, effect) for effect in effects]
        if all(reasons):
            return f"{kind}: {reasons[0]}"
    return None


def _differs(parts: Mapping[str, Any], effect: Mapping[str, Any]) -> str | None:
    for key, wanted in parts.items():
        if key not in effect:
            return f"there is no '{key}' in it; it has {', '.join(sorted(effect))}"
        if not _fits(key, wanted, effect[key]):
            return f"{key} should be {wanted!r}, and is {effect[key]!r}"
    return None


def _fits(key: str, wanted: Any, found: Any) -> bool:
    if isinstance(found, list):
        items = wanted if isinstance(wanted, list) else [wanted]
        return all(any(_fits(key, item, one) for one in found) for item in items)
    if isinstance(found, Mapping):
        if isinstance(wanted, Mapping):
            return all(part in found and _fits(part, value, found[part]) for part, value in wanted.items())
        return any(_fits(part, wanted, value) for part, value in found.items() if isinstance(value, str))
    if isinstance(wanted, list):
        return all(_fits(key, item, found) for item in wanted)
    if isinstance(wanted, str) and isinstance(found, str):
        return fold(wanted) in fold(found) if key in _WORDS else fold(wanted) == fold(found)
    return bool(wanted == found)


def _data(effect: Effect) -> dict[str, Any]:
    """An effect's parts by their names, the entry's and the text's among them."""
    data: dict[str, Any] = EFFECT.dump_python(effect, mode="json", by_alias=True)
    for inner in ("entry", "content"):
        part = data.pop(inner, None)
        if isinstance(part, dict):
            data |= {key: value for key, value in part.items() if key not in data}
    return data
