"""Rules: Case × RuleSet → Decision with its trace.

Invariant: decide is deterministic, independent of dict order and locale; it reads the Case and the RuleSet only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailrouter.core.deadlines import Term
from mailrouter.core.nominations import Nominations
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import Directory
from mailrouter.core.register import Classification
from mailrouter.core.trust import Trust


@dataclass(frozen=True, slots=True)
class ConditionTrace:
    """One condition: what the rule wanted, what the case had, and whether they met. `found` has the words of the mail."""

    condition: str
    wanted: Any
    found: Any
    matched: bool


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
    """Which rules apply, or why a person must look first. `letter` indexes the letter that each rule's actions mean."""

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
    rules: tuple[Any, ...]  # compiled rules, in order
    templates: Mapping[str, str]  # name → source
    directory: Directory
    classification: Classification
    nominations: Nominations
    terms: tuple[Term, ...]
    trust: Trust
