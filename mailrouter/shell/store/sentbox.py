"""How far each mailbox's Sent and Drafts were looked at for what persons send and change themselves.

Invariant: a place is moved on only after what lies before it was dealt with; a new UIDVALIDITY begins anew.
"""

from sqlalchemy import select, update

from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import epochs


class Sentbox:
    """The places, kept beside the epochs of the watched folders."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def place(self, mailbox: str, folder: str, uidvalidity: int) -> int | None:
        """The last UID that was looked at; None if none was under this UIDVALIDITY."""
        query = select(epochs.c.last_uid).where(
            epochs.c.mailbox == mailbox, epochs.c.folder == folder, epochs.c.uidvalidity == uidvalidity
        )
        return self._db.read(lambda tx: tx.execute(query).scalar_one_or_none())

    def move_on(self, mailbox: str, folder: str, uidvalidity: int, last_uid: int, at: str) -> None:
        """Everything up to this UID was dealt with."""
        row = {
            "mailbox": mailbox,
            "folder": folder,
            "uidvalidity": uidvalidity,
            "last_uid": last_uid,
            "since_at": at,
            "current": True,
        }
        moved = (
            update(epochs)
            .where(
                epochs.c.mailbox == mailbox,
                epochs.c.folder == folder,
                epochs.c.uidvalidity == uidvalidity,
                epochs.c.last_uid < last_uid,
            )
            .values(last_uid=last_uid)
        )
        self._db.write(lambda tx: self._db.add(tx, epochs, [row]) or tx.execute(moved))
