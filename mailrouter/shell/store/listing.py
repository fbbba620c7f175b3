"""What `messages` and `status` show, and what persons do to held mail.

Invariant: read only, but for `release`, which writes who and why.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from mailrouter.core.case import CASE, Case
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import acts, effects, entries, intake, messages

_DIGITS = 8  # a number so long is the beginning of a digest


@dataclass(frozen=True, slots=True)
class Listed:
    """One mail of the ledger, as `messages list` shows it."""

    id: int
    sha256: str | None
    mailbox: str
    folder: str
    uidvalidity: int
    uid: int
    received: str | None
    sender: str | None
    subject: str | None
    state: str
    hold: str | None
    hold_reason: str | None
    hold_due: str | None
    rules: tuple[str, ...]
    number: str | None
    ruleset: str | None
    trace: str | None
    closed: str | None
    effects: tuple[Mapping[str, Any], ...]


class Listing:
    """The ledger for people."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def messages(
        self,
        *,
        state: str | None = None,
        mailbox: str | None = None,
        wanted: str | None = None,
        limit: int | None = None,
        ids: Sequence[int] | None = None,
    ) -> list[Listed]:
        """Mails in the order they were seen; `wanted` is a register number, a row id, or the beginning of a digest."""
        query = (
            select(intake, entries.c.number)
            .outerjoin(entries, entries.c.id == intake.c.entry_id)
            .where(intake.c.same_as.is_(None))
            .order_by(intake.c.id)
        )
        if state is not None:
            query = query.where(intake.c.state == state)
        if mailbox is not None:
            query = query.where(intake.c.mailbox == mailbox)
        if ids is not None:
            query = query.where(intake.c.id.in_(list(ids)))
        if wanted is not None:
            query = query.where(_named(wanted))
        if limit is not None:
            query = query.limit(limit)

        def work(tx: Connection) -> list[Listed]:
            rows = tx.execute(query).all()
            done = self._effects(tx, [row.id for row in rows])
            return [_listed(row, done.get(row.id, ())) for row in rows]

        return self._db.read(work)

    def case(self, intake_id: int) -> Case | None:
        """The Case as it was decided; None if not decided or erased."""
        return self.cases_of([intake_id]).get(intake_id)

    def cases_of(self, ids: Sequence[int]) -> dict[int, Case]:
        """The Cases of these mails as they were decided, of those that were and are not erased."""
        query = select(intake.c.id, intake.c.case_json).where(
            intake.c.id.in_(list(ids)), intake.c.case_json.is_not(None)
        )
        return {row.id: CASE.validate_json(row.case_json) for row in self._db.read(lambda tx: tx.execute(query).all())}

    def case_of(self, sha256: str) -> Case | None:
        """The Case of the mail with this content, as it was first decided."""
        query = (
            select(intake.c.case_json)
            .where(intake.c.sha256 == sha256, intake.c.case_json.is_not(None))
            .order_by(intake.c.id)
            .limit(1)
        )
        text = self._db.read(lambda tx: tx.execute(query).scalar_one_or_none())
        return CASE.validate_json(text) if text else None

    def cases(
        self, *, since: str | None = None, mailbox: str | None = None, chunk: int = 500
    ) -> Iterator[tuple[str, str]]:
        """Every decided case of the archive as (digest, JSON), oldest first, in chunks."""
        after = 0
        while True:
            query = (
                select(intake.c.id, intake.c.sha256, intake.c.case_json)
                .where(intake.c.id > after, intake.c.case_json.is_not(None))
                .order_by(intake.c.id)
                .limit(chunk)
            )
            if since is not None:
                query = query.where(intake.c.received_at >= since)
            if mailbox is not None:
                query = query.where(intake.c.mailbox == mailbox)
            rows = self._db.read(lambda tx, query=query: tx.execute(query).all())  # type: ignore[misc]  # the default binds this round's query
            if not rows:
                return
            yield from ((row.sha256, row.case_json) for row in rows)
            after = rows[-1].id

    def count_cases(self, *, since: str | None = None, mailbox: str | None = None) -> int:
        """How many `cases` gives, for the progress bar."""
        query = select(func.count()).where(intake.c.case_json.is_not(None))
        if since is not None:
            query = query.where(intake.c.received_at >= since)
        if mailbox is not None:
            query = query.where(intake.c.mailbox == mailbox)
        return int(self._db.read(lambda tx: tx.execute(query).scalar_one()))

    def stored(self, sha256: str) -> tuple[bytes | None, str | None]:
        """A mail's bytes and its reading."""
        query = select(messages.c.raw, messages.c.reading).where(messages.c.sha256 == sha256)
        row = self._db.read(lambda tx: tx.execute(query).one_or_none())
        return (row.raw, row.reading) if row else (None, None)

    def release(self, intake_id: int, *, who: str, why: str, at: str) -> bool:
        """A person closes a held mail; its reminders end. False if it was not held."""

        def work(tx: Connection) -> bool:
            done = tx.execute(
                update(intake)
                .where(intake.c.id == intake_id, intake.c.state == "held")
                .values(state="released", closed_by=who, closed_reason=why)
            ).rowcount
            if done:
                self.act(tx, at, who, "released", f"message {intake_id}", why)
            return bool(done)

        return self._db.write(work)

    def act(self, tx: Connection, at: str, who: str, what: str, subject: str, why: str) -> None:
        """Write down what a person did."""
        tx.execute(acts.insert().values(at=at, who=who, what=what, subject=subject, why=why))

    def record(self, at: str, who: str, what: str, subject: str, why: str) -> None:
        """`act` in a transaction of its own."""
        self._db.write(lambda tx: self.act(tx, at, who, what, subject, why))

    def one(self, wanted: str) -> Listed:
        """The one mail that `wanted` names; Permanent if none or several."""
        found = self.messages(wanted=wanted)
        if not found:
            raise Permanent(
                f"no message '{wanted}'; name a digest, a register number or an id from 'mailrouter messages list'"
            )
        if len({one.sha256 for one in found}) > 1:
            shown = ", ".join(f"{one.id}: {(one.sha256 or '')[:12]}" for one in found[:5])
            raise Permanent(f"several messages match '{wanted}' ({shown}); name one by its id")
        return found[0]

    def reminder_wanted(self, intake_id: int, until: str) -> bool:
        """Whether what a reminder is about still waits: the letter's answer, or a person for the held mail."""
        query = (
            select(intake.c.state, entries.c.state.label("entry"))
            .outerjoin(entries, entries.c.id == intake.c.entry_id)
            .where(intake.c.id == intake_id)
        )
        row = self._db.read(lambda tx: tx.execute(query).one_or_none())
        if row is None:
            return False
        return bool(row.state == "held") if until == "released" else bool(row.entry != "closed")

    def _effects(self, tx: Connection, ids: Sequence[int]) -> dict[int, tuple[Mapping[str, Any], ...]]:
        result: dict[int, list[Mapping[str, Any]]] = {}
        for start in range(0, len(ids), 500):
            query = (
                select(effects)
                .where(effects.c.intake_id.in_(ids[start : start + 500]))
                .order_by(effects.c.intake_id, effects.c.position)
            )
            for row in tx.execute(query):
                result.setdefault(row.intake_id, []).append(
                    {
                        "kind": row.kind,
                        "state": row.state,
                        "rule": row.rule,
                        "key": row.key,
                        "error": row.error,
                        "at": row.at,
                        "done": row.done_at,
                        "payload": json.loads(row.payload) if row.payload else None,
                    }
                )
        return {key: tuple(value) for key, value in result.items()}


def _named(wanted: str) -> ColumnElement[bool]:
    """A short number is a row's id; else a register number, or the beginning of a digest."""
    if wanted.isascii() and wanted.isdigit() and len(wanted) < _DIGITS:
        return intake.c.id == int(wanted)
    return or_(entries.c.number == wanted, intake.c.sha256.startswith(wanted.lower(), autoescape=True))


def _listed(row: Any, done: Sequence[Mapping[str, Any]]) -> Listed:
    return Listed(
        id=row.id,
        sha256=row.sha256,
        mailbox=row.mailbox,
        folder=row.folder,
        uidvalidity=row.uidvalidity,
        uid=row.uid,
        received=row.received_at,
        sender=row.sender,
        subject=row.subject,
        state=row.state,
        hold=row.hold_code,
        hold_reason=row.hold_reason,
        hold_due=row.hold_due_at,
        rules=tuple(json.loads(row.rules)) if row.rules else (),
        number=row.number,
        ruleset=row.ruleset,
        trace=row.trace,
        closed=f"{row.closed_by}: {row.closed_reason}" if row.closed_by else None,
        effects=tuple(done),
    )
