"""How many mails went to each address lately, for the brake against loops (`outbox.per_address`).

Invariant: what is remembered here is only a copy of rows already read; each call reads what is new in the database.
"""

import json
from collections import Counter, deque
from collections.abc import Mapping

from sqlalchemy import Connection, select

from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import effects

_KINDS = ("forward", "acknowledge", "reply", "notify")
_LATE = 10.0  # seconds by which another node's outcome may be committed after the time that it says


class Brake:
    """Counts by mailbox and address."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._read_to: dict[str, float] = {}
        self._rows: dict[str, deque[tuple[float, str, tuple[str, ...]]]] = {}
        self._counts: dict[str, Counter[str]] = {}

    def sent_lately(self, mailbox: str, seconds: float) -> Mapping[str, int]:
        """Mails that went from this mailbox in the last seconds, by address; always ask for the same time."""
        self._db.read(lambda tx: self._update(tx, mailbox, seconds))
        return self._counts[mailbox]

    def _update(self, tx: Connection, mailbox: str, seconds: float) -> None:
        now = self._db.now(tx)
        rows = self._rows.setdefault(mailbox, deque())
        counts = self._counts.setdefault(mailbox, Counter())
        while rows and rows[0][0] < now - seconds:
            for address in rows.popleft()[2]:
                counts[address] -= 1
                if not counts[address]:
                    del counts[address]
        since = max(now - seconds, self._read_to.get(mailbox, 0.0) - _LATE)
        known = {key for done, key, _ in rows if done >= since}
        query = (
            select(effects.c.key, effects.c.done_epoch, effects.c.payload)
            .where(
                effects.c.mailbox == mailbox,
                effects.c.done_epoch >= since,
                effects.c.kind.in_(_KINDS),
                effects.c.payload.is_not(None),
            )
            .order_by(effects.c.done_epoch)
        )
        fresh = [row for row in tx.execute(query) if row.key not in known]
        for row in fresh:
            addresses = _addresses(row.payload)
            rows.append((row.done_epoch, row.key, addresses))
            counts.update(addresses)
        self._read_to[mailbox] = now


def _addresses(payload: str) -> tuple[str, ...]:
    effect = json.loads(payload)
    listed = (one["address"] for name in ("to", "cc") for one in effect.get(name, ()) if one.get("address"))
    return tuple(dict.fromkeys(listed))
