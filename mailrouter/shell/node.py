"""One service a store, where the store is a file.

Invariant: the kernel gives the lock back when the process ends, however it ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailrouter.shell.errors import Permanent


@contextmanager
def alone(database: str | None) -> Iterator[None]:
    """Hold the lock beside an SQLite file; Permanent if another service has it. A server's store needs none."""
    if database is None:
        yield
        return
    path = Path(f"{database}.node")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Permanent(
                f"another mailrouter runs on {database}; several nodes need PostgreSQL: store.url: postgresql+psycopg://…"
            ) from error
        yield
