"""One document carried over to a mirror: what is done first, and what each outcome is called in the outbox.

    recovering and there             done
    recovering and nobody knows      unknown, for a person: it is not repeated
    cannot be prepared               Permanent → failed, Temporary → pending; nothing was begun
    the claim is lost                nothing is told
    handed over                      done, with the other system's reference
    no answer                        unknown: its trace is searched for next time
    refused                          failed;   not reached: pending

Invariant: `begin` is called before the one command that cannot be taken back, and after everything that may fail before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.registers.interface import Document, Mirror, Unproven


@dataclass(frozen=True, slots=True)
class Ended:
    """How carrying over ended; `final`: an unknown outcome that no search can clear."""

    state: Literal["done", "pending", "failed", "unknown"]
    error: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    final: bool = False


def carry_over(mirror: Mirror, document: Document, *, recovering: bool, begin: Callable[[], bool]) -> Ended | None:
    """Hand one document over; None if the claim was lost. `begin` commits that the irrevocable command comes next."""
    try:
        if recovering and (cleared := _cleared(mirror, document)):
            return cleared
        mirror.prepare(document)
        if not begin():
            return None
        handed = mirror.hand_over(document)
    except Unproven as error:
        return Ended("unknown", str(error))
    except Temporary as error:
        return Ended("pending", str(error))
    except Permanent as error:
        return Ended("failed", str(error))
    return Ended("done", None, {"reference": handed.reference} if handed.reference else {})


def _cleared(mirror: Mirror, document: Document) -> Ended | None:
    """What the trace of the last try says; None if it did not arrive."""
    found = mirror.trace(document)
    if found == "nobody knows":
        number = document.entry.number
        reason = f"nobody knows whether {number} arrived: look there, then 'register confirm', or try again by hand"
        return Ended("unknown", reason, final=True)
    return Ended("done") if found == "there" else None
