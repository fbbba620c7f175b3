"""What is late: open letters past their due date, held mail past its due time; and the reminders of it.

Invariant: a reminder is a row of the outbox with a key of its own, so that it is sent once, whoever plans it how often.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, literal, select, update

from mailrouter.core.effects import EFFECT, RemindEffect
from mailrouter.core.register import Entry
from mailrouter.shell.clock import in_utc
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.registry import ENTRY
from mailrouter.shell.store.schema import effects, entries, intake

_POSITION = 2000  # after everything that a rule asks for
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Late:
    """One late matter: a letter with its entry, or a held mail (`entry` None) with the reason."""

    intake_id: int
    mailbox: str
    sha256: str
    due: str  # ISO date, or date-time of a held mail
    since: str  # ISO date-time: registered, or held; nobody is reminded of what is only just here
    entry: Entry | None = None
    reason: str = ""


class Overdue:
    """The transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def letters(self, today: date) -> list[Late]:
        """Open incoming letters whose due date has passed, each once however often it came in."""
        first = (
            select(func.min(intake.c.id).label("id"), intake.c.entry_id)
            .where(intake.c.entry_id.is_not(None), intake.c.state == "settled")
            .group_by(intake.c.entry_id)
            .subquery()
        )
        query = (
            select(
                entries.c.data, entries.c.due, entries.c.registered_at, intake.c.id, intake.c.mailbox, intake.c.sha256
            )
            .join(first, first.c.entry_id == entries.c.id)
            .join(intake, intake.c.id == first.c.id)
            .where(entries.c.state == "open", entries.c.direction == "incoming", entries.c.due < today.isoformat())
            .order_by(entries.c.id)
        )
        return [
            Late(row.id, row.mailbox, row.sha256 or "", row.due, row.registered_at, ENTRY.validate_json(row.data))
            for row in self._db.read(lambda tx: tx.execute(query).all())
        ]

    def held(self, now: datetime) -> list[Late]:
        """Held mail whose due time has passed."""
        query = (
            select(
                intake.c.id,
                intake.c.mailbox,
                intake.c.sha256,
                intake.c.hold_due_at,
                intake.c.hold_reason,
                intake.c.settled_at,
            )
            .where(intake.c.state == "held", intake.c.hold_due_at.is_not(None))
            .order_by(intake.c.id)
        )
        rows = self._db.read(lambda tx: tx.execute(query).all())
        return [
            Late(
                row.id,
                row.mailbox,
                row.sha256 or "",
                row.hold_due_at,
                row.settled_at or row.hold_due_at,
                None,
                row.hold_reason or "",
            )
            for row in rows
            if datetime.fromisoformat(row.hold_due_at) < now
        ]

    def counts(self, now: datetime) -> dict[str, tuple[int, int]]:
        """Late letters and late held mails by mailbox."""
        result: dict[str, tuple[int, int]] = {}
        for late in (*self.letters(now.date()), *self.held(now)):
            letters, held = result.get(late.mailbox, (0, 0))
            result[late.mailbox] = (letters + 1, held) if late.entry else (letters, held + 1)
        return result

    def planned(self, keys: Sequence[str]) -> set[str]:
        """Those of these reminders that are rows already."""
        found: set[str] = set()
        for start in range(0, len(keys), _CHUNK):
            query = select(effects.c.key).where(effects.c.key.in_(keys[start : start + _CHUNK]))
            found |= set(self._db.read(lambda tx, query=query: tx.execute(query).scalars().all()))  # type: ignore[misc]  # the default binds this round's query
        return found

    def misdated(self) -> list[tuple[Late, RemindEffect]]:
        """Reminders that wait for a due date which was corrected since, with the letter as it stands now."""
        dated = literal('%"due":"').concat(entries.c.due).concat('"%')
        query = (
            select(effects.c.payload, entries.c.data, entries.c.due, entries.c.registered_at, intake)
            .join(intake, intake.c.id == effects.c.intake_id)
            .join(entries, entries.c.id == intake.c.entry_id)
            .where(
                effects.c.state == "pending",
                effects.c.kind == "remind",
                effects.c.payload.contains('"due":"'),
                effects.c.payload.not_like(dated),
                entries.c.state == "open",
            )
        )
        found = []
        for row in self._db.read(lambda tx: tx.execute(query).all()):
            effect = EFFECT.validate_json(row.payload)
            assert isinstance(effect, RemindEffect)
            entry = ENTRY.validate_json(row.data)
            found.append((Late(row.id, row.mailbox, row.sha256 or "", row.due, row.registered_at, entry), effect))
        return found

    def redate(self, late: Late, old: RemindEffect, new: RemindEffect) -> bool:
        """The reminder of the new due date in place of the old one's; False if that went out meanwhile."""

        def work(tx: Connection) -> bool:
            over = {"state": "done", "error": f"the due date was corrected to {late.due}"}
            query = update(effects).where(effects.c.key == old.key, effects.c.state == "pending")
            return tx.execute(query.values(**over)).rowcount == 1 and self._add(tx, late, new)

        return self._db.write(work)

    def remind(self, late: Late, effect: RemindEffect) -> bool:
        """Put a reminder into the outbox; False if it is there."""
        return self._db.write(lambda tx: self._add(tx, late, effect))

    def _add(self, tx: Connection, late: Late, effect: RemindEffect) -> bool:
        row = {
            "key": effect.key,
            "intake_id": late.intake_id,
            "mailbox": late.mailbox,
            "kind": effect.kind,
            "rule": effect.rule,
            "position": _POSITION,
            "payload": EFFECT.dump_json(effect).decode(),
            "state": "pending",
            "attempts": 0,
            "at": in_utc(datetime.fromisoformat(effect.at)) if effect.at else None,
            "not_before_epoch": 0.0,
            "recovering": False,
        }
        return self._db.add(tx, effects, [row]) == 1
