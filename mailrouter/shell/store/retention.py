"""Erasure: raw mail, what was read in it, the case, evidence, texts of effects and drafts go together.

The register, the ledger's outcomes, the names of the rules that decided and what persons did stay.
Invariant: nothing is erased that still waits for a person or for the outbox.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from mailrouter.core.effects import EFFECT, DraftEffect, Text
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.queue import OPEN
from mailrouter.shell.store.schema import acts, drafts, effects, intake, messages

_BATCH = 500  # mails erased in one transaction


@dataclass(frozen=True, slots=True)
class Erased:
    """How many mails were erased, and the rows of those that still wait for something."""

    mails: int
    waiting: tuple[int, ...]


class Retention:
    """The erasing transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def after(self, mailbox: str, before: datetime) -> int:
        """Erase what was settled in the mailbox before that time; the number of mails."""
        old = and_(intake.c.mailbox == mailbox, intake.c.settled_at < before.isoformat(timespec="seconds"))

        def work(tx: Connection) -> int:
            query = select(intake.c.id).where(old, _kept(), ~_waits()).order_by(intake.c.id).limit(_BATCH)
            ids = tx.execute(query).scalars().all()
            self._erase(tx, ids)
            return len(ids)

        total = 0
        while erased := self._db.write(work):
            total += erased
        return total

    def person(self, address: str, *, who: str, why: str, at: datetime) -> Erased:
        """Erase every mail that a person wrote, or that names their address; recorded without saying whose it was."""
        wanted = address.strip().lower()
        named = or_(
            func.lower(intake.c.sender) == wanted, func.lower(intake.c.case_json).contains(wanted, autoescape=True)
        )

        def work(tx: Connection) -> Erased:
            waiting = tx.execute(select(intake.c.id).where(named, _waits()).order_by(intake.c.id)).scalars().all()
            ids = tx.execute(select(intake.c.id).where(named, ~_waits())).scalars().all()
            self._erase(tx, ids)
            name = hashlib.sha256(wanted.encode()).hexdigest()[:12]
            subject = f"person {name}: {len(ids)} mails, {len(waiting)} still waiting"
            now = at.isoformat(timespec="seconds")
            tx.execute(acts.insert().values(at=now, who=who, what="erased", subject=subject, why=why))
            return Erased(len(ids), tuple(waiting))

        return self._db.write(work)

    def _erase(self, tx: Connection, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), _BATCH):
            some = list(ids[start : start + _BATCH])
            of_them = effects.c.intake_id.in_(some)
            tx.execute(update(effects).where(of_them).values(payload=None, result=None, error=None))
            self._erase_drafts(tx, some)
            digests = set(tx.execute(select(intake.c.sha256).where(intake.c.id.in_(some))).scalars()) - {None}
            blank = {"case_json": None, "trace": None, "hold_reason": None, "sender": None, "subject": None}
            tx.execute(update(intake).where(or_(intake.c.id.in_(some), intake.c.same_as.in_(some))).values(**blank))
            other = intake.alias()  # the same content may lie in another mailbox, where it is still kept
            needed = exists(
                select(other.c.id).where(other.c.sha256 == messages.c.sha256, other.c.case_json.is_not(None))
            )
            tx.execute(update(messages).where(messages.c.sha256.in_(digests), ~needed).values(raw=None, reading=None))

    def _erase_drafts(self, tx: Connection, ids: Sequence[int]) -> None:
        query = select(drafts.c.id, drafts.c.content).where(drafts.c.intake_id.in_(list(ids)))
        for row in tx.execute(query).all():
            effect = EFFECT.validate_json(row.content)
            assert isinstance(effect, DraftEffect)
            empty = replace(
                effect, to=(), cc=(), content=Text(), in_reply_to=None, references=(), nominees=(), unnamed=None
            )
            content = EFFECT.dump_json(empty).decode()
            tx.execute(update(drafts).where(drafts.c.id == row.id).values(content=content, note=None))


def _kept() -> ColumnElement[bool]:
    """There is something left to erase."""
    raw = select(messages.c.sha256).where(messages.c.sha256 == intake.c.sha256, messages.c.raw.is_not(None))
    return or_(
        intake.c.case_json.is_not(None), intake.c.sender.is_not(None), and_(intake.c.same_as.is_(None), exists(raw))
    )


def _waits() -> ColumnElement[bool]:
    """A person or the outbox still needs it: seen, held, an effect open or unknown, a draft that may go out."""
    undone = select(effects.c.key).where(
        effects.c.intake_id == intake.c.id, effects.c.state.in_((*OPEN, "unknown", "held"))
    )
    open_draft = select(drafts.c.id).where(
        drafts.c.intake_id == intake.c.id, drafts.c.state.in_(("waiting", "approved"))
    )
    return or_(intake.c.state.in_(("seen", "held")), exists(undone), exists(open_draft))
