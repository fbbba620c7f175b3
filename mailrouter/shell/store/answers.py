"""Answers in the register: numbered when a draft is approved, marked as sent when it went out, the letter closed.

Invariant: an answer joins the very letter of its draft's mail, also where a later year gave the letter's number again;
its number stays once it is given.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from mailrouter.core.case import outgoing_keys
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.register import Classification, Correspondent, Entry, answer_entry, closed_by, series_of
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.registry import Registry
from mailrouter.shell.store.schema import entries, intake


@dataclass(frozen=True, slots=True)
class Answer:
    """What the register must know of a draft that answers."""

    draft: int
    answers: str  # the letter's number
    intake_id: int | None  # the mail that the letter came with
    to: tuple[Address, ...]


class Answers:
    """What happens to answers inside the transactions of drafts."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def letter(self, tx: Connection, answer: Answer) -> tuple[int, Entry] | None:
        """The letter that is answered: its mail's entry, else the newest of that number."""
        if answer.intake_id is not None:
            query = (
                select(entries.c.id, entries.c.number)
                .join(intake, intake.c.entry_id == entries.c.id)
                .where(intake.c.id == answer.intake_id)
            )
            row = tx.execute(query).one_or_none()
            if row is not None and row.number == answer.answers:
                return row.id, self._registry.by_id(tx, row.id, to_change=True)
        return self._registry.by_number(tx, answer.answers, to_change=True)

    def number(
        self,
        tx: Connection,
        answer: Answer,
        *,
        who: str,
        at: datetime,
        classification: Classification,
        gone_out: bool = False,
    ) -> int:
        """A number for the answer; the entry's row. Permanent if the letter has none that stands.

        `gone_out`: a person sent it already, so it is registered even if the letter's own number is only proposed.
        """
        found = self.letter(tx, answer)
        if found is None:
            raise Permanent(
                f"draft {answer.draft} answers {answer.answers}, which is not registered; register it first"
            )
        incoming = found[1]
        if not incoming.confirmed and not gone_out:
            raise Permanent(
                f"{answer.answers} waits for its number in the other register: 'mailrouter register confirm'"
            )
        institution = incoming.sender.institution if incoming.sender else None
        recipients = tuple(Correspondent(institution, one.name, one.address) for one in answer.to)
        series = series_of(classification, incoming.series)
        if series is None:
            raise Permanent(f"the series {incoming.series} is not in register.yaml")
        entry = answer_entry(incoming, recipients=recipients, signer=who)
        numbered = self._registry.allocate(tx, entry, series, incoming, at)
        if isinstance(numbered, Hold):
            raise Permanent(numbered.reason)
        numbered = replace(numbered, confirmed=series.owner == "ours")
        return self._registry.insert(
            tx, numbered, outgoing_keys(numbered, ()), who=who, why=f"draft {answer.draft}", sent=False
        )

    def sent(
        self,
        tx: Connection,
        answer: Answer,
        entry_id: int,
        *,
        at: datetime,
        sha256: str | None,
        message_id: str | None,
        why: str,
    ) -> None:
        """The answer went out under this Message-ID: marked as sent, the letter closed by it."""
        when = at.isoformat(timespec="seconds")
        mine = self._registry.by_id(tx, entry_id, to_change=True)
        tx.execute(update(entries).where(entries.c.id == entry_id).values(sent=True))
        if sha256:
            mine = replace(mine, message=sha256)
            self._registry.change(tx, entry_id, mine, at=when, who="mailrouter", what="sent", why=why)
        self._registry.add_keys(tx, entry_id, outgoing_keys(mine, [message_id] if message_id else []))
        found = self.letter(tx, answer)
        if found is not None:
            closed = closed_by(found[1], mine.theirs or mine.number or "", when)
            if closed != found[1]:
                self._registry.change(
                    tx,
                    found[0],
                    closed,
                    at=when,
                    who="mailrouter",
                    what=f"closed by {mine.theirs or mine.number}",
                    why=f"draft {answer.draft} was sent",
                )
