"""An author's own words → orders as printed → an Instruction with names and periods resolved.

Invariant: only what is ordered counts; negation and open permission order nothing; a contradiction is said, not solved.
Orders are read from words alone; who may order, who "minu" is, and what "reedeks" means is resolved afterwards.
"""

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["information", "assignment", "reply", "review", "opinion", "signature", "decision"]


@dataclass(frozen=True, slots=True)
class Restriction:
    """An access restriction as ordered: the code (AK or Avalik), its basis and its end (ISO date or event)."""

    code: str
    basis: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """What one author's words order, as printed: names in the form written, periods as words."""

    register: bool = False
    responsible_raw: str | None = None  # "@author" is the one who writes ("minu", "me")
    forward_to_raw: tuple[str, ...] = ()
    purpose: Purpose | None = None
    deadline_raw: str | None = None
    restriction: Restriction | None = None
    unclear: str | None = None  # contradictory or unclear: the sentence and why
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instruction:
    """A verified colleague's orders, resolved. `hold` is True when a person must say what was meant (`unclear` why)."""

    register: bool
    responsible: str | None
    forward_to: tuple[str, ...]
    purpose: Purpose | None
    deadline: str | None  # ISO date
    restriction: Restriction | None
    hold: bool
    unclear: str | None
    evidence: tuple[str, ...]
