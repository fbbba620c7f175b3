"""Migrations: alembic, run when a store is opened; a store of a newer version is refused.

Invariant: a store written by any earlier version opens in this one. A store that has this version's schema, as nearly
all that are opened do, is told by one query: alembic is loaded where there is something to migrate.
"""

from sqlalchemy import Connection, inspect, text

from mailrouter.shell.store.database import Database

HEAD = "0001"  # the newest revision under migrations/; a test compares
_REVISIONS = "alembic_version"  # alembic's own table


def migrate(database: Database) -> None:
    """Bring the store to this version's schema; Permanent where a newer version wrote it."""
    current = database.read(_current)
    if current == HEAD:
        return
    from mailrouter.shell.store.upgrade import upgrade  # noqa: PLC0415 - alembic is slow to load and seldom needed

    upgrade(database, current)


def _current(tx: Connection) -> str | None:
    """The revision of the store; None if it is empty."""
    if not inspect(tx).has_table(_REVISIONS):
        return None
    return tx.execute(text(f"SELECT version_num FROM {_REVISIONS}")).scalar_one_or_none()  # noqa: S608 - our own constant
