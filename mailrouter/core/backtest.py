"""Two rule sets over the same cases → what would change.

Invariant: only what is decided counts: the hold and the effects, without keys, rendered texts and the time of day. The
same case under the same rules never differs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mailrouter.core.case import Case
from mailrouter.core.effects import EFFECT, Effect, Plan
from mailrouter.core.outcomes import Hold
from mailrouter.core.plan import plan
from mailrouter.core.rules import Decision, RuleSet, decide


@dataclass(frozen=True, slots=True)
class Side:
    """A case under one rule set: the rules that apply, the hold's code and reason, the effects normalised."""

    rules: tuple[str, ...]
    hold: str | None
    effects: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One case that would be decided otherwise. `gained` and `lost` are rules that it comes under, or no longer does."""

    sha256: str
    subject: str
    before: Side
    after: Side
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """The sum over many cases; memory stays flat: only numbers, and the first few changed cases of each rule."""

    shown: int = 3
    cases: int = 0
    changed: int = 0
    gained: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)  # rule → digests of mails

    def add(self, difference: Difference | None) -> None:
        """Count one case."""
        self.cases += 1
        if difference is None:
            return
        self.changed += 1
        for names, table in ((difference.gained, self.gained), (difference.lost, self.lost)):
            for name in names:
                table[name] = table.get(name, 0) + 1
        for name in {*difference.gained, *difference.lost}:
            examples = self.examples.setdefault(name, [])
            if len(examples) < self.shown:
                examples.append(difference.sha256)

    def merge(self, other: "Tally") -> None:
        """Add another part's sum."""
        self.cases += other.cases
        self.changed += other.changed
        for mine, theirs in ((self.gained, other.gained), (self.lost, other.lost)):
            for name, number in theirs.items():
                mine[name] = mine.get(name, 0) + number
        for name, examples in other.examples.items():
            self.examples[name] = [*self.examples.get(name, []), *examples][: self.shown]


def compare(old: RuleSet, new: RuleSet, case: Case) -> Difference | None:
    """How a case would be decided otherwise under `new`; None if the same is decided and done."""
    now = datetime.fromisoformat(case.received)
    first, second = decide(case, old, traced=False), decide(case, new, traced=False)
    if _alike(first, second, old, new):
        return None
    naming = not old.surroundings or old.surroundings != new.surroundings  # else both name the same
    before, effects_before = _planned(plan(first, case, old, now, naming=naming))
    after, effects_after = _planned(plan(second, case, new, now, naming=naming))
    if before == after and effects_before == effects_after:
        return None
    return Difference(
        sha256=case.sha256,
        subject=case.message.subject,
        before=Side(first.rules, before, tuple(map(shown, effects_before))),
        after=Side(second.rules, after, tuple(map(shown, effects_after))),
        gained=tuple(name for name in second.rules if name not in first.rules),
        lost=tuple(name for name in first.rules if name not in second.rules),
    )


def _alike(first: Decision, second: Decision, old: RuleSet, new: RuleSet) -> bool:
    """Whether the same rules with the same actions apply in the same surroundings: then the same is done."""
    if (first.rules, first.hold, first.letters) != (second.rules, second.hold, second.letters):
        return False
    if not old.surroundings or old.surroundings != new.surroundings:
        return False
    return _actions(first, old) == _actions(second, new)


def _actions(decision: Decision, ruleset: RuleSet) -> list[tuple[str, bool]]:
    return [(rule.actions, rule.of_thread) for rule in ruleset.rules if rule.name in decision.rules]


def _planned(planned: Plan) -> tuple[str | None, list[Effect]]:
    hold: Hold | None = planned.hold
    return (f"{hold.code}: {hold.reason}" if hold else None), [_normal(effect) for effect in planned.effects]


def _normal(effect: Effect) -> Effect:
    """An effect without its key and rule: by whatever rule, the same is done."""
    return replace(effect, key="", rule="")


def shown(effect: Effect) -> dict[str, Any]:
    """An effect as JSON with what is worth comparing; empty values left out."""
    data: dict[str, Any] = EFFECT.dump_python(effect, mode="json", by_alias=True)
    return {key: value for key, value in data.items() if value not in (None, "", [], {}) and key not in {"key", "rule"}}


def compare_all(old: RuleSet, new: RuleSet, cases: Iterable[Case]) -> Iterable[Difference | None]:
    """`compare` over many cases, one at a time."""
    return (compare(old, new, case) for case in cases)
