"""Rules: Case × RuleSet → Decision with its trace.

Invariant: decide is deterministic, independent of dict order and locale; it reads the Case and the RuleSet only.
Rules are tried in order; every rule that matches applies, until one that says `stop: true`.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from mailrouter.core.actions.interface import Note, Outcome, Ready, Scene, Step, World
from mailrouter.core.case import Case, ThreadEntry
from mailrouter.core.conditions.interface import ConditionTrace as ConditionTrace  # noqa: PLC0414  # part of the trace
from mailrouter.core.conditions.interface import Facts
from mailrouter.core.conditions.lines import Layout, Line, told
from mailrouter.core.conditions.sieve import Sieve, sieve
from mailrouter.core.conditions.tree import Node
from mailrouter.core.deadlines import Term
from mailrouter.core.nominations import Nominations
from mailrouter.core.outcomes import Hold
from mailrouter.core.paths import View
from mailrouter.core.people import Directory
from mailrouter.core.register import Classification
from mailrouter.core.trust import Trust


@dataclass(frozen=True, slots=True)
class Example:
    """A sample mail that a rule names, and what must come of it: "no match", or parts of the effects."""

    sample: str
    expect: Any
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule."""

    name: str
    file: str
    line: int
    column: int
    when: Node
    then: tuple[Step, ...]
    stop: bool = False
    shadow: bool = False
    enabled: bool = True
    valid_from: str | None = None  # ISO dates, both included, compared with the day of receipt
    valid_until: str | None = None
    owner: str = ""
    description: str = ""
    examples: tuple[Example, ...] = ()
    actions: str = ""  # `then` as written, without its places: equal words do the same in the same world
    of_letter: bool = False  # whether a condition is about `letter`
    of_thread: bool = False  # whether a condition is about `thread`: then it means duplicates when it matches them

    def out_of_force(self, received: str) -> ConditionTrace | None:
        """Why the rule is not tried for a mail received then; None if it is."""
        if not self.enabled:
            return ConditionTrace("enabled", wanted=True, found=False, matched=False)
        day = received[:10]
        if self.valid_from and day < self.valid_from:
            return ConditionTrace("valid_from", self.valid_from, day, matched=False)
        if self.valid_until and day > self.valid_until:
            return ConditionTrace("valid_until", self.valid_until, day, matched=False)
        return None


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule: where it stands and how its conditions went."""

    rule: str
    file: str
    line: int
    matched: bool
    conditions: tuple[ConditionTrace, ...] = ()
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Which rules apply, or why a person must look first. `letters` has the index of the letter that each rule means.

    `trace` has the matched rules (shadow rules among them), or all rules where everything was asked for.
    """

    rules: tuple[str, ...]
    hold: Hold | None
    trace: tuple[RuleTrace, ...]
    ruleset: str  # the digest
    letters: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that decide() and plan() read besides the Case; `digest` covers every one of its source files."""

    digest: str
    institution: str
    domains: tuple[str, ...]
    rules: tuple[Rule, ...]  # compiled, in order
    templates: Mapping[str, str]  # name → source
    directory: Directory
    classification: Classification
    nominations: Nominations
    terms: tuple[Term, ...]
    trust: Trust
    world: World = field(default_factory=World, repr=False, compare=False)  # the same, as actions see it
    surroundings: str = ""  # the digest of everything but the rules
    sieve: Sieve = field(init=False, repr=False, compare=False)  # of the rules that are enabled
    lines: Mapping[str, tuple[Line, ...]] = field(init=False, repr=False, compare=False)  # of each rule in a trace

    def __post_init__(self) -> None:
        layout = Layout({})
        object.__setattr__(self, "lines", {rule.name: layout.of(rule.when) for rule in self.rules})
        tried = {place: rule.when for place, rule in enumerate(self.rules) if rule.enabled}
        object.__setattr__(self, "sieve", sieve(tried))


class Planned(NamedTuple):
    """What one action of one matched rule comes to."""

    rule: Rule
    step: Step
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Matches:
    """The rules that a case meets, in order, each with the index of its letter (0 where there is none)."""

    every: tuple[tuple[Rule, int], ...]
    stopped: Rule | None  # the rule after which none was tried

    @property
    def rules(self) -> list[Rule]:
        """Those that apply."""
        return [rule for rule, _ in self.every if not rule.shadow]

    @property
    def shadows(self) -> list[Rule]:
        """Those that are only recorded."""
        return [rule for rule, _ in self.every if rule.shadow]


# What a rule's actions came to: kept while one case is decided more than once in the same world.
Memo = dict[tuple[Hashable, ...], list[tuple[Step, Outcome]]]


def decide(case: Case, ruleset: RuleSet, *, full: bool = False, traced: bool = True) -> Decision:
    """Which rules apply to a case.

    `full`: the trace has every rule, so that it says why the others do not. `traced` False: only shadow rules are in the
    trace, without their conditions, for counting many cases.
    """
    facts = Facts.of(case)
    matches = match(ruleset, facts)
    lines: Iterable[RuleTrace] | None = None
    if full or traced:
        lines = _full_trace(ruleset, matches, facts) if full else _trace(ruleset, matches, facts)
    return decided(case, ruleset, matches, lines)


def match(ruleset: RuleSet, facts: Facts) -> Matches:
    """The rules that a case meets, in order, as far as one that says `stop`. `facts` are those of the case."""
    matched: list[tuple[Rule, int]] = []
    left = ruleset.sieve.left_of_one if len(facts.views) == 1 else ruleset.sieve.left
    for place in ruleset.sieve.kept(facts):
        rule = ruleset.rules[place]
        index = _match(rule, left[place], facts)
        if index is None:
            continue
        matched.append((rule, index))
        if rule.stop and not rule.shadow:
            return Matches(tuple(matched), rule)
    return Matches(tuple(matched), None)


def decided(
    case: Case,
    ruleset: RuleSet,
    matches: Matches,
    lines: Iterable[RuleTrace] | None = None,
    memo: Memo | None = None,
) -> Decision:
    """What the rules that a case meets come to. `lines` is the trace; None: shadow rules alone are in it."""
    rules = matches.rules
    letters = {rule.name: index if case.letters else None for rule, index in matches.every}
    if lines is None:
        shadows = matches.shadows
        lines = (RuleTrace(rule.name, rule.file, rule.line, matched=True, shadow=True) for rule in shadows)
    return Decision(
        rules=tuple(rule.name for rule in rules),
        hold=_held(case) or _hold_of_rules(case, ruleset, rules, letters, memo),
        trace=tuple(lines),
        ruleset=ruleset.digest,
        letters=letters,
    )


def _match(rule: Rule, left: Node, facts: Facts) -> int | None:
    """The index of the first letter that meets what is left to ask of a rule; 0 where it is not about letters, or None."""
    if (rule.valid_from or rule.valid_until) and rule.out_of_force(facts.received) is not None:
        return None
    if not rule.of_letter:
        return 0 if left.holds(facts.views[0], facts) else None
    for index, view in enumerate(facts.views):
        facts.letter = facts.letters[index]
        if left.holds(view, facts):
            return index
    return None


def _trace(ruleset: RuleSet, matches: Matches, facts: Facts) -> Iterator[RuleTrace]:
    """The rules that matched, each with the letter that it means."""
    for rule, index in matches.every:
        conditions = _told(ruleset.lines[rule.name], index, facts, met=True)
        yield RuleTrace(rule.name, rule.file, rule.line, matched=True, conditions=conditions, shadow=rule.shadow)


def _full_trace(ruleset: RuleSet, matches: Matches, facts: Facts) -> Iterator[RuleTrace]:
    """Every rule, with why it does not match."""
    met = dict(zip((rule.name for rule, _ in matches.every), _trace(ruleset, matches, facts), strict=True))
    stopped = matches.stopped
    after_stop = False
    for rule in ruleset.rules:
        if after_stop:
            line = ConditionTrace(
                "stop", wanted=False, found=f"rule '{stopped.name}'" if stopped else "", matched=False
            )
            conditions: tuple[ConditionTrace, ...] = (line,)
        elif refused := rule.out_of_force(facts.received):
            conditions = (refused,)
        elif rule.name in met:
            yield met[rule.name]
            after_stop = rule is stopped
            continue
        else:
            conditions = _nearest(ruleset, rule, facts)
        yield RuleTrace(rule.name, rule.file, rule.line, matched=False, conditions=conditions, shadow=rule.shadow)


def _nearest(ruleset: RuleSet, rule: Rule, facts: Facts) -> tuple[ConditionTrace, ...]:
    """The conditions of a rule that does not match, with the letter that meets most of them."""
    lines = ruleset.lines[rule.name]
    tried = range(len(facts.views) if rule.of_letter else 1)
    every = [_told(lines, index, facts, met=False) for index in tried]
    return max(every, key=lambda conditions: sum(line.matched for line in conditions))


def _told(lines: Sequence[Line], index: int, facts: Facts, *, met: bool) -> tuple[ConditionTrace, ...]:
    facts.letter, view = facts.letters[index], facts.views[index]
    return told(lines, view, facts, met=met)


def _held(case: Case) -> Hold | None:
    """What holds a case whatever the rules say."""
    if case.holds:
        first, *others = case.holds
        if not others:
            return first
        reasons = "; ".join(hold.reason for hold in case.holds)
        return Hold(first.code, reasons, tuple(words for hold in case.holds for words in hold.evidence))
    if case.nature == "loop":
        return Hold("loop", "the mail goes round: it bears our own token or too many Received lines")
    if case.instruction is not None and case.instruction.hold:
        why = case.instruction.unclear or "what the colleague asks is unclear"
        return Hold("unclear", f"{why}; ask the colleague, then retry", case.instruction.evidence)
    if case.thread.conflict:
        return Hold("conflict", f"{case.thread.conflict}; compare the letters, then retry or release")
    return None


def _hold_of_rules(
    case: Case, ruleset: RuleSet, rules: Sequence[Rule], letters: Mapping[str, int | None], memo: Memo | None
) -> Hold | None:
    if not rules:
        return Hold("no-rule", "no rule matches; file it by hand and release it, or write a rule and retry")
    now = datetime.fromisoformat(case.received)
    done = list(outcomes(case, ruleset, rules, letters, now, probing=True, memo=memo))
    holds = [item.outcome for item in done if isinstance(item.outcome, Hold)]
    if holds:
        return holds[0] if len(holds) == 1 else Hold(holds[0].code, "; ".join(hold.reason for hold in holds))
    return _conflict(done)


def _conflict(done: Sequence[Planned]) -> Hold | None:
    """Two rules that want different things of what can be done only once."""
    ready: dict[str, list[Planned]] = {}
    for item in done:
        if isinstance(item.outcome, Ready):
            ready.setdefault(item.step.action.name, []).append(item)
    registers = ready.get("register", ())
    if len(registers) > 1:
        return _contradiction("register it", registers)
    for name, what in (("move", "move it to different folders"), ("assign", "make different persons responsible")):
        wanted = ready.get(name, ())
        if len(wanted) > 1 and len({item.outcome.what for item in wanted if isinstance(item.outcome, Ready)}) > 1:
            return _contradiction(what, wanted)
    return None


def _contradiction(what: str, done: Sequence[Planned]) -> Hold:
    named = " and ".join(f"'{item.rule.name}' ({item.rule.file}:{item.rule.line})" for item in done)
    return Hold("conflict", f"the rules {named} both match and both {what}; change one of them, then retry")


def outcomes(
    case: Case,
    ruleset: RuleSet,
    rules: Iterable[Rule],
    letters: Mapping[str, int | None],
    now: datetime,
    *,
    probing: bool = False,
    naming: bool = True,
    memo: Memo | None = None,
) -> Iterator[Planned]:
    """What every action of these rules comes to, in order. A duplicate keeps only what its own colleague asks for.

    `probing`: only whether it can be done is told, and nothing of actions that always can. `memo` has what was found
    for the same case at the same time in the same surroundings.
    """
    rules = tuple(rules)
    series = _series(case, rules)
    again = case.thread.entry if case.thread.relation == "duplicate" else None
    for rule in rules:
        index = letters.get(rule.name)
        key = (rule.name, rule.actions, rule.of_thread, index, series, probing, naming)
        found = memo.get(key) if memo is not None else None
        if found is None:
            letter = case.letters[index] if index is not None and index < len(case.letters) else None
            view, rest = View(case, letter), (now, ruleset.world, series, naming)
            found = []
            for step in rule.then:
                if probing and step.always_ready:
                    continue
                outcome: Outcome | None = _left_out(again, rule, step) if again else None
                scene = Scene(view, rule.name, step.action.name, step.ordinal, *rest)
                found.append((step, outcome or step.outcome(scene, probing=probing)))
            if memo is not None:
                memo[key] = found
        for step, done in found:
            yield Planned(rule, step, done)


def _left_out(entry: ThreadEntry, rule: Rule, step: Step) -> Note | None:
    """Why an action is not repeated for a letter that was registered before, as `entry`."""
    name = step.action.name
    if name == "register":
        return Note(f"rule '{rule.name}': the letter is registered as {entry.number}; this mail is linked to it")
    if rule.of_thread:
        return None
    if step.action.once or (name == "forward" and not step.asked_for):
        return Note(f"rule '{rule.name}': {name}: done for {entry.number} already")
    return None


def _series(case: Case, rules: Iterable[Rule]) -> str | None:
    """The mark that the case is registered in: its thread's, else its rules'."""
    if case.thread.entry is not None:
        return case.thread.entry.series
    steps = (step for rule in rules for step in rule.then if step.action.name == "register")
    return next((str(step.given["series"].constant) for step in steps if step.given["series"].constant), None)
