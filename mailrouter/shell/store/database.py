"""One database, SQLite or PostgreSQL: transactions, their retries, the database's own clock.

Invariant: `write` is one transaction that either commits whole or leaves nothing; on SQLite it begins IMMEDIATE.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from mailrouter.shell.errors import Permanent, Temporary

T = TypeVar("T")

_RETRIED = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_TRIES = 6
_PATIENCE = 20.0  # seconds that a thread waits for another's transaction before it asks SQLite itself
# PostgreSQL's own limits, in milliseconds, where the administrator has set none.
_STALLED = {
    "idle_in_transaction_session_timeout": 10_000,  # a stopped node in the middle of settle must not lock the register
    "lock_timeout": 20_000,  # a lock that is not got by then: the transaction is run again
}


class Database:
    """An engine and how this project uses it."""

    def __init__(self, url: str, password: str | None = None) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise Permanent(
                f"store.url is no database URL: {url.rsplit('@', maxsplit=1)[-1]}; use sqlite:///file.db"
            ) from error
        if password:
            parsed = parsed.set(password=password)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self._writing = threading.Lock()
        options: dict[str, Any] = {} if self.sqlite else {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 8}
        try:
            self.engine: Engine = create_engine(parsed, **options)
        except (SQLAlchemyError, ImportError) as error:
            raise Permanent(
                f"store.url: no driver for {parsed.drivername}: pip install 'mailrouter[postgresql]'"
            ) from error
        if self.sqlite:
            event.listen(self.engine, "connect", _sqlite_connect)
            event.listen(self.engine, "begin", _sqlite_begin)
        else:
            event.listen(self.engine, "connect", _postgresql_connect)

    @property
    def path(self) -> str | None:
        """SQLite's file, None for a server."""
        return self.engine.url.database if self.sqlite else None

    @property
    def _where(self) -> str:
        """What to look at: the file, or the server, without user and password."""
        url = self.engine.url
        return (
            f" ({self.path})" if self.sqlite else f" ({url.host or 'local socket'}:{url.port or 5432}/{url.database})"
        )

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that only reads."""
        with self._errors(), self.engine.connect() as connection:
            return work(connection.execution_options(deferred=True))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction; run again where the database asks for it (deadlock, lock)."""
        for attempt in range(_TRIES):
            try:
                with self._turn(), self._errors(), self.engine.begin() as connection:
                    return work(connection)
            except _Again:
                time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - jitter, no secret
        raise Temporary("the database stayed locked; look for a long transaction of another program")

    def now(self, connection: Connection) -> float:
        """Seconds by the database's clock."""
        query = (
            "SELECT (julianday('now') - 2440587.5) * 86400.0"
            if self.sqlite
            else "SELECT EXTRACT(EPOCH FROM clock_timestamp())"
        )
        return float(connection.execute(text(query)).scalar_one())

    def add(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows that are not there yet; the number of rows that were inserted."""
        if not rows:
            return 0
        dialect = import_module(f"sqlalchemy.dialects.{'sqlite' if self.sqlite else 'postgresql'}")  # one is enough
        # without the option an INSERT's count is -1 on PostgreSQL: it is forgotten with the closed cursor
        insert = dialect.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        return int(connection.execute(insert, list(rows)).rowcount)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite takes one writer at a time, and lets a second one only ask again now and then: here it is woken."""
        got = self.sqlite and self._writing.acquire(timeout=_PATIENCE)
        try:
            yield
        finally:
            if got:
                self._writing.release()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if _retryable(error):
                raise _Again from error
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise Temporary(f"the database could not be used: {_first_line(error.orig)}{self._where}") from error
            if getattr(error.orig, "sqlite_errorcode", None) in _DAMAGED:
                raise Permanent(f"{self.path}: {_first_line(error.orig)}; put back a copy of the store") from error
            raise


class _Again(Temporary):
    """The database asks for the transaction to be run again."""


def _retryable(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in _RETRIED


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=20000"):
        connection.execute(f"PRAGMA {pragma}")


def _postgresql_connect(connection: Any, _record: Any) -> None:
    connection.autocommit = True  # SET outlives the transaction it stands in only if that commits
    for name, milliseconds in _STALLED.items():
        if connection.execute(f"SHOW {name}").fetchone()[0] == "0":
            connection.execute(f"SET {name} = {milliseconds}")
    connection.autocommit = False


def _sqlite_begin(connection: Connection) -> None:
    deferred = connection.get_execution_options().get("deferred")
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")
