"""The store: one object that has every transaction, by subject.

Invariant: the database is the only state; what is not here is not remembered.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from mailrouter.core.case import outgoing_keys
from mailrouter.core.effects import SendEffect
from mailrouter.core.register import Entry
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.drafts import Drafts
from mailrouter.shell.store.intake import Intake
from mailrouter.shell.store.leases import Leases
from mailrouter.shell.store.listing import Listing
from mailrouter.shell.store.migrate import migrate
from mailrouter.shell.store.overdue import Overdue
from mailrouter.shell.store.queue import Finished, Queue
from mailrouter.shell.store.registry import Registry
from mailrouter.shell.store.retention import Retention
from mailrouter.shell.store.sentbox import Sentbox
from mailrouter.shell.store.versions import Versions

if TYPE_CHECKING:
    from mailrouter.shell.store.settlement import Settler


class Store:
    """Every transaction, by subject."""

    def __init__(self, url: str, password: str | None = None) -> None:
        database = Database(url, password)
        if database.path and database.path != ":memory:":
            Path(database.path).parent.mkdir(parents=True, exist_ok=True)
        migrate(database)
        self._db = database
        self._secrets: dict[str, str] = {}
        self.path = database.path
        self.sqlite = database.sqlite
        self.intake = Intake(database)
        self.queue = Queue(database)
        self.registry = Registry(database)
        self.drafts = Drafts(database, self.registry)
        self.sentbox = Sentbox(database)
        self.overdue = Overdue(database)
        self.leases = Leases(database)
        self.retention = Retention(database)
        self.versions = Versions(database)
        self.listing = Listing(database)

    @cached_property
    def settler(self) -> "Settler":
        """Settle: what the service alone does."""
        from mailrouter.shell.store.settlement import Settler  # noqa: PLC0415 - it knows rules; lists do not need them

        return Settler(self._db, self.registry)

    def finish(self, finished: Sequence[Finished], now: datetime) -> None:
        """Write outcomes of effects; a draft that went out closes its letter in the same transaction."""

        def work(tx: Connection) -> None:
            for one in self.queue.finish_in(tx, finished, now.isoformat(timespec="seconds")):
                effect = one.task.effect
                if isinstance(effect, SendEffect) and one.state == "done" and not one.result.get("skipped"):
                    self.drafts.sent(
                        tx, effect.draft, now, one.result.get("sha256"), message_id=one.result.get("message_id")
                    )
                elif isinstance(effect, SendEffect) and one.state == "failed":
                    self.drafts.fell(tx, effect.draft, f"it could not be sent: {one.error}", now)

        if finished:
            self._db.write(work)

    def confirm(self, ours: str, theirs: str, *, who: str, at: datetime, why: str = "confirmed") -> Entry:
        """The number that the register which owns the counter gave to our proposal; drafts that name it go on."""

        def work(tx: Connection) -> Entry:
            before = self.registry.by_number(tx, ours)
            other = self.registry.confirmed_as(tx, theirs, before[1]) if before else None
            if other is not None and before is not None and other != before[0]:
                raise Permanent(f"{theirs} is the number of another entry already; look at 'mailrouter register list'")
            fields = {"theirs": theirs, "confirmed": True}
            entry_id, entry = self.registry.correct_in(
                tx, ours, fields, at=at.isoformat(timespec="seconds"), who=who, why=why
            )
            was = before[1].theirs if before else None
            if was is not None and before is not None:  # a mistyped number finds nothing any more
                self.registry.drop_keys(tx, entry_id, set(outgoing_keys(before[1], ())) - set(outgoing_keys(entry, ())))
            self.registry.add_keys(tx, entry_id, outgoing_keys(entry, ()))
            self.drafts.confirmed(tx, entry_id, was or ours, theirs, at)
            return entry

        return self._db.write(work)

    def secret(self, name: str) -> str:
        """A random secret of this store, made when it is first asked for (the loop token's key)."""
        if name not in self._secrets:  # it never changes
            value = self.leases.load(name)
            self._secrets[name] = value or self.leases.load_or(name, secrets.token_hex(32))
        return self._secrets[name]

    def close(self) -> None:
        """Close every connection."""
        self._db.close()
