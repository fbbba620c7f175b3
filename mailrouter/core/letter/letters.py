"""Letter and its parts: who writes to whom, about what, wanting what by when. Field meanings: see each class."""

from dataclasses import dataclass
from typing import Literal

AskKind = Literal["nominate", "attend", "reply", "inform", "transmit"]


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a letter as printed: a name without titles, the role, the institution of the letterhead.

    `person` and `post` are the directory's names for it, filled when the case is resolved.
    """

    name: str | None = None
    role: str | None = None
    institution: str | None = None
    person: str | None = None
    post: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing the letter wants: the sentence, and the ISO date to do it by with the words it was read from.

    nominate: name persons; attend: take part (deadline = the date to answer by); reply: an opinion, comments, an
    explanation or decision; inform: data or documents; transmit: hand on. `deadline` is None for a period that runs
    from receipt ("15 tööpäeva jooksul"): then only `deadline_raw` is set and the register computes the date.
    """

    kind: AskKind
    text: str
    deadline: str | None = None
    deadline_raw: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A dated occasion ahead. `starts`/`ends` are ISO dates, None unless exact to the day; one day: ends = starts."""

    date_raw: str
    starts: str | None
    ends: str | None
    title: str
    place: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A document that is a letter, or the mail's own body (`path` empty) where that is the letter."""

    path: tuple[str, ...]
    author: Party
    addressee: Party
    reference: str | None = None  # the sender's own number without its label; Ares before a unit reference
    their_reference: str | None = None  # "Teie: … nr …": our number that the letter answers
    dated: str | None = None  # ISO date: printed, else the Ares stamp, else the e-signature's day in the signer's zone
    signed: str | None = None  # ISO date or date-time with offset of the e-signature
    subject: str | None = None  # the labelled or bold title
    language: str | None = None  # ISO 639-1
    asks: tuple[Ask, ...] = ()
    reply_to: str | None = None  # the address that the text names for the answer
    deadline: str | None = None  # the earliest ask's
    deadline_raw: str | None = None
    marking: str | None = None  # as printed: LIMITE, EU RESTRICTED, ASUTUSESISESEKS KASUTAMISEKS …
    marking_basis: str | None = None  # "AvTS § 35 lg 1 p 9"
    marking_until: str | None = None  # ISO date, or the event as printed
    annexes: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    text: str = ""
