"""Access to a document: what the letter's mark, the rule, the colleague's order and the series say together.

Invariant: a mark of the sender's is never overruled towards "Avalik" by a machine; a person is asked (AvTS § 35 (3)).
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, cast

from mailrouter.core.instruction import Restriction
from mailrouter.core.language import fold
from mailrouter.core.letter.letters import Letter
from mailrouter.core.outcomes import Hold
from mailrouter.core.register.entries import Access, Series

FOREIGN_BASIS = "AvTS § 35 lg 3"  # what a foreign state or international organisation sent with a mark

# Classified by law, not merely restricted: no part of it belongs into a mailbox or this register.
_CLASSIFIED = re.compile(
    r"\b(?:eu|ue|nato|otan)[ /-]*(?:eu|ue)?\W*(?:confidential|confidentiel|secret|tres secret|top secret)\b"
    r"|\b(?:confidentiel ue|secret ue|cosmic top secret|riigisaladus|(?:taiesti )?salajane)\b"
)
_OWN_MARK = re.compile(r"asutusesiseseks kasutamiseks|\bak\b")
_BOILERPLATE = "ametialaseks kasutamiseks"  # stands in the signatures of whole institutions' mail


class Granted(NamedTuple):
    """The access of an entry; `until` an ISO date or an event, None if no end is known."""

    access: Access
    basis: str | None
    until: str | None


def access_of(
    letters: Sequence[Letter],
    wanted: Access | None,
    series: Series,
    *,
    registered: date,
    basis: str | None = None,
    until: str | None = None,
    restriction: Restriction | None = None,
) -> Granted | Hold:
    """The access of a mail with these letters, or the Hold that asks a person.

    `wanted`, `basis`, `until` are the rule's; `restriction` is a verified colleague's order and goes before them; the
    series' default stands last. A sender's mark (LIMITE, SENSITIVE, "For official use only") blocks "Avalik"; with the
    national mark ASUTUSESISESEKS KASUTAMISEKS its printed basis and end are taken over. Classified marks are held always.
    """
    ordered = _ordered(restriction) if restriction else None
    marked = next((letter for letter in letters if is_mark(letter)), None)
    access = ordered or wanted or (series.access if not (marked and _own(marked)) else "AK")
    if marked is not None and (hold := _blocked(marked, access, series)):
        return hold
    if access == "Avalik":
        return Granted("Avalik", None, None)
    grounds = (
        restriction.basis if restriction else None,
        basis,
        marked.marking_basis if marked else None,
        series.access_basis,
        FOREIGN_BASIS if marked and not _own(marked) else None,
    )
    ends = (
        restriction.until if restriction else None,
        until,
        marked.marking_until if marked else None,
        _years_later(registered, series.access_years),
    )
    return Granted(access, next(filter(None, grounds), None), next(filter(None, ends), None))


def is_mark(letter: Letter) -> bool:
    """Whether the letter bears a restriction mark; the footer AMETIALASEKS KASUTAMISEKS of a mail is none."""
    if not letter.marking:
        return False
    return bool(letter.path) or _BOILERPLATE not in fold(letter.marking)


def _blocked(marked: Letter, access: Access, series: Series) -> Hold | None:
    printed = marked.marking or ""
    where = " / ".join(marked.path) or "the mail itself"
    if _CLASSIFIED.search(fold(printed)):
        reason = f"{where} is marked {printed}: classified information may not be kept here; call the security officer"
        return Hold("restricted", reason, (printed,))
    if access in {"AK", "Piiratud"}:
        return None
    reason = (
        f"{where} is marked {printed}, so it may not be registered as {access} (AvTS § 35 (3)): "
        f"decide its access, or let a rule for such marks say 'access: AK' (series {series.mark})"
    )
    return Hold("restricted", reason, (printed,))


def _own(letter: Letter) -> bool:
    return bool(_OWN_MARK.search(fold(letter.marking or "")))


def _ordered(restriction: Restriction) -> Access | None:
    folded = fold(restriction.code).strip()
    codes = {"ak": "AK", "avalik": "Avalik", "majasisene": "Majasisene", "piiratud": "Piiratud"}
    return cast("Access | None", codes.get(folded))


def _years_later(day: date, years: int | None) -> str | None:
    if not years:
        return None
    try:
        return day.replace(year=day.year + years).isoformat()
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, month=3, day=1).isoformat()
