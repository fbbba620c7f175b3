"""How many mails went to each address lately, for the brake against loops (`outbox.per_address`).

Invariant: what is remembered here is only a copy of rows already read; each call reads what is new in the database.
"""

import json
from collections import deque

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

    def sent_lately(self, mailbox: str, address: str, seconds: float) -> int:
        """Mails that went to an address from this mailbox in the last seconds."""
        since = self._db.read(lambda tx: self._update(tx, mailbox, seconds))
        return sum(address in addresses for done, _, addresses in self._rows[mailbox] if done >= since)

    def _update(self, tx: Connection, mailbox: str, seconds: float) -> float:
        now = self._db.now(tx)
        rows = self._rows.setdefault(mailbox, deque())
        while rows and rows[0][0] < now - seconds:
            rows.popleft()
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
        rows.extend((row.done_epoch, row.key, _addresses(row.payload)) for row in fresh)
        self._read_to[mailbox] = now
        return now - seconds


def _addresses(payload: str) -> tuple[str, ...]:
    effect = json.loads(payload)
    return tuple(one["address"] for name in ("to", "cc") for one in effect.get(name, ()) if one.get("address"))
