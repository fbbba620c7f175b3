"""Leases by the database's clock: who polls which mailbox, who refreshes which token. And the tokens themselves.

Invariant: a name has one owner at a time; an owner that is silent for the lease's length has lost it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, or_, select, update

from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import leases, secrets


class Leases:
    """The leases' transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def take(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew; False if another owner holds it."""

        def work(tx: Connection) -> bool:
            now = self._db.now(tx)
            self._db.add(tx, leases, [{"name": name, "owner": None, "until_epoch": None}])
            return (
                tx.execute(
                    update(leases)
                    .where(
                        leases.c.name == name,
                        or_(leases.c.owner == owner, leases.c.owner.is_(None), leases.c.until_epoch < now),
                    )
                    .values(owner=owner, until_epoch=now + seconds)
                ).rowcount
                == 1
            )

        return self._db.write(work)

    def drop(self, name: str, owner: str) -> None:
        """Give it back early."""
        self._db.write(
            lambda tx: tx.execute(
                update(leases)
                .where(leases.c.name == name, leases.c.owner == owner)
                .values(owner=None, until_epoch=None)
            )
        )

    def drop_all(self) -> None:
        """The store's only node has just started: whoever held a lease is dead."""
        self._db.write(lambda tx: tx.execute(update(leases).values(owner=None, until_epoch=None)))

    @contextmanager
    def held(self, name: str, owner: str, seconds: float) -> Iterator[bool]:
        """Hold a lease for the length of a block; yields whether it was got."""
        got = self.take(name, owner, seconds)
        try:
            yield got
        finally:
            if got:
                self.drop(name, owner)

    def owner(self, name: str) -> str | None:
        """Who holds it now, None if nobody does."""

        def work(tx: Connection) -> str | None:
            now = self._db.now(tx)
            query = select(leases.c.owner).where(leases.c.name == name, leases.c.until_epoch >= now)
            return tx.execute(query).scalar_one_or_none()

        return self._db.read(work)

    def load(self, name: str) -> str | None:
        """A stored secret, such as a rotated refresh token."""
        return self._db.read(
            lambda tx: tx.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar_one_or_none()
        )

    def load_or(self, name: str, value: str) -> str:
        """The stored secret; `value`, stored, if there is none: of several nodes that ask at once all get the first's."""

        def work(tx: Connection) -> str:
            self._db.add(tx, secrets, [{"name": name, "value": value}])
            return str(tx.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar_one())

        return self._db.write(work)

    def save(self, name: str, value: str) -> None:
        """Store a secret at once."""

        def work(tx: Connection) -> None:
            if not self._db.add(tx, secrets, [{"name": name, "value": value}]):
                tx.execute(update(secrets).where(secrets.c.name == name).values(value=value))

        self._db.write(work)
