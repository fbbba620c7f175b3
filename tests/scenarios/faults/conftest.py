"""A whole service behind proxies and on servers that misbehave."""

from collections.abc import Callable, Iterator

import crash_runs
import fault_proxy
import pytest


@pytest.fixture(scope="session")
def fault_forks() -> Iterator[crash_runs.Services]:
    with crash_runs.services() as services:
        yield services


@pytest.fixture
def behind(tmp_path, dovecot, smtp_sink, fault_forks) -> Iterator[Callable[..., crash_runs.Run]]:
    """A run whose IMAP and SMTP go through proxies with these faults."""
    with (
        fault_proxy.fault_proxy(dovecot.port) as imap,
        fault_proxy.fault_proxy(smtp_sink.port) as smtp,
    ):

        def make(imap_faults=None, smtp_faults=None, url=None, **options) -> crash_runs.Run:
            imap.faults = imap_faults or fault_proxy.Faults()
            smtp.faults = smtp_faults or fault_proxy.Faults()
            store = url or f"sqlite:///{tmp_path / 'mailrouter.db'}"
            return crash_runs.Run(
                tmp_path, dovecot, smtp_sink, fault_forks, store,
                imap_port=imap.port, smtp_port=smtp.port, **{"mails": 12, **options},
            )  # fmt: skip

        yield make
