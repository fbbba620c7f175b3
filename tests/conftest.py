"""Servers for all tests: Dovecot, an SMTP sink, PostgreSQL; started when a test first asks, ended with the run.

Their code is in tests/servers/, which benchmarks use as well.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "servers"))

import local_dovecot
import local_postgres
import local_smtp


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m "not dovecot and not postgresql"` leaves out what needs those servers, without a word in each test."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if any(name.startswith("dovecot") for name in fixtures):
            item.add_marker(pytest.mark.dovecot)
        if "postgres_url" in fixtures:
            item.add_marker(pytest.mark.postgresql)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[local_dovecot.DovecotServer]:
    """A Dovecot for the whole run: take a fresh `dovecot.user()`, its password is `dovecot.password`."""
    with local_dovecot.dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def dovecot_plain() -> Iterator[local_dovecot.DovecotServer]:
    """A Dovecot that advertises no MOVE, no UIDPLUS, no SPECIAL-USE and no IDLE."""
    with local_dovecot.dovecot(capability="IMAP4rev1 LITERAL+") as server:
        yield server


@pytest.fixture(scope="session")
def dovecot_uidplus() -> Iterator[local_dovecot.DovecotServer]:
    """A Dovecot that advertises UIDPLUS but no MOVE."""
    with local_dovecot.dovecot(capability="IMAP4rev1 LITERAL+ UIDPLUS SPECIAL-USE IDLE") as server:
        yield server


@pytest.fixture
def smtp_sink() -> Iterator[local_smtp.SmtpSink]:
    """An SMTP sink of this test's own, with its switches."""
    with local_smtp.smtp_sink() as sink:
        yield sink


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[local_postgres.PostgresServer]:
    """A PostgreSQL for the whole run."""
    with local_postgres.postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: local_postgres.PostgresServer) -> Iterator[str]:
    """The URL of a fresh database, postgresql+psycopg://…"""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh store's URL, on both databases in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mailrouter.db'}"
    return request.getfixturevalue("postgres_url")
