"""Runs of a service that is killed; see tests/servers/crash_runs.py."""

import random
from collections.abc import Callable, Iterator

import crash_runs
import pytest


@pytest.fixture(scope="session")
def forks() -> Iterator[crash_runs.Services]:
    with crash_runs.services() as services:
        yield services


@pytest.fixture
def killed(tmp_path, dovecot, smtp_sink, forks) -> crash_runs.Run:
    """A run on SQLite."""
    return crash_runs.Run(tmp_path, dovecot, smtp_sink, forks, f"sqlite:///{tmp_path / 'mailrouter.db'}")


@pytest.fixture
def nodes(tmp_path, dovecot, smtp_sink, forks, postgres_url) -> Callable[..., crash_runs.Run]:
    """A run on PostgreSQL, for several nodes."""

    def make(**options) -> crash_runs.Run:
        # a stopped node's transaction is ended by the server after so long; 10 seconds where nobody has set it
        soon = "?options=-c%20idle_in_transaction_session_timeout%3D2000"
        return crash_runs.Run(tmp_path, dovecot, smtp_sink, forks, postgres_url + soon, **options)

    return make


@pytest.fixture
def chance(request) -> random.Random:
    return random.Random(request.node.name)
