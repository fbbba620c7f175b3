"""Two rule sets over the same cases → what would change.

Invariant: only what is decided counts: the hold and the effects, without keys, rendered texts and the time of day. The
same case under the same rules never differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mailrouter.core.case import Case
from mailrouter.core.conditions.interface import Facts
from mailrouter.core.effects import EFFECT, Effect, Plan
from mailrouter.core.outcomes import Hold
from mailrouter.core.plan import plan
from mailrouter.core.rules import Decision, Matches, Memo, RuleSet, decided, match


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
    facts = Facts.of(case)
    same = bool(old.surroundings) and old.surroundings == new.surroundings
    met_before, met_after = match(old, facts), match(new, facts if same else facts.elsewhere())
    alike = same and _alike(met_before, met_after)
    if alike and _places(met_before) == _places(met_after):
        return None
    known: Memo = {}
    first = decided(case, old, met_before, memo=known)
    if alike and (first.hold is None or first.hold.code != "conflict"):  # a conflict names where its rules stand
        return None
    elsewhere = known if same else {}
    second = decided(case, new, met_after, memo=elsewhere)
    if alike and first.hold == second.hold:
        return None
    now = datetime.fromisoformat(case.received)
    naming = not same  # else both name the same
    before = plan(first, case, old, now, naming=naming, memo=known)
    after = plan(second, case, new, now, naming=naming, memo=elsewhere)
    return _difference(case, (first, before), (second, after))


def _difference(case: Case, old: tuple[Decision, Plan], new: tuple[Decision, Plan]) -> Difference | None:
    (first, before), (second, after) = old, new
    if _held(before) == _held(after) and _same(before.effects, after.effects):
        return None
    told = {
        id(effect): shown(effect) for effect in {id(one): one for one in (*before.effects, *after.effects)}.values()
    }
    return Difference(
        sha256=case.sha256,
        subject=case.message.subject,
        before=Side(first.rules, _held(before), tuple(told[id(effect)] for effect in before.effects)),
        after=Side(second.rules, _held(after), tuple(told[id(effect)] for effect in after.effects)),
        gained=tuple(name for name in second.rules if name not in first.rules),
        lost=tuple(name for name in first.rules if name not in second.rules),
    )


def _alike(first: Matches, second: Matches) -> bool:
    """Whether the same rules with the same actions apply to the same letters: then, elsewhere the same, so is all done."""
    return _asked(first) == _asked(second) and _shadows(first) == _shadows(second)


def _asked(matches: Matches) -> list[tuple[str, str, bool, int]]:
    return [(rule.name, rule.actions, rule.of_thread, index) for rule, index in matches.every if not rule.shadow]


def _shadows(matches: Matches) -> dict[str, int]:
    return {rule.name: index for rule, index in matches.every if rule.shadow}


def _places(matches: Matches) -> list[tuple[str, int]]:
    return [(rule.file, rule.line) for rule in matches.rules]


def _held(planned: Plan) -> str | None:
    hold: Hold | None = planned.hold
    return f"{hold.code}: {hold.reason}" if hold else None


def _same(first: Sequence[Effect], second: Sequence[Effect]) -> bool:
    """Whether the same is done, by whatever rules."""
    pairs = zip(first, second, strict=False)
    return len(first) == len(second) and all(one is two or _normal(one) == _normal(two) for one, two in pairs)


def _normal(effect: Effect) -> Effect:
    return replace(effect, key="", rule="")


def shown(effect: Effect) -> dict[str, Any]:
    """An effect as JSON with what is worth comparing; empty values left out."""
    data: dict[str, Any] = EFFECT.dump_python(effect, mode="json", by_alias=True)
    return {key: value for key, value in data.items() if value not in (None, "", [], {}) and key not in {"key", "rule"}}


def compare_all(old: RuleSet, new: RuleSet, cases: Iterable[Case]) -> Iterable[Difference | None]:
    """`compare` over many cases, one at a time."""
    return (compare(old, new, case) for case in cases)
