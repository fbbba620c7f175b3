"""The ledger of intake in the store, and the bar at first contact."""

import io
import sys
import time

import pytest

from mailrouter.shell.progress import progress
from mailrouter.shell.store.store import Store

AT = "2024-02-29T12:00:00+02:00"
WHERE = ("registry", "INBOX", 7)


@pytest.fixture
def store(store_url):
    store = Store(store_url)
    store.intake.begin_epoch(*WHERE, 0, AT)
    yield store
    store.close()


def test_a_hundred_thousand_uids_are_written_down(store):
    """First contact with a large mailbox: every UID is seen, once, in a time that nobody minds."""
    begun = time.monotonic()
    for start in range(1, 100_001, 2000):
        store.intake.see(*WHERE, range(start, start + 2000))
    assert time.monotonic() - begun < 120
    assert store.intake.counts() == {"registry": {"seen": 100_000}}
    assert store.intake.last_uid(*WHERE) == 100_000
    assert [one.uid for one in store.intake.waiting(*WHERE, 3, 99_990)] == [99_991, 99_992, 99_993]
    assert store.intake.unread(*WHERE).count == 100_000


def test_seeing_twice_writes_once(store):
    """Two polls, or two nodes, that list the same UIDs add no row; the epoch's end never goes back."""
    store.intake.see(*WHERE, [1, 2, 3])
    store.intake.see(*WHERE, [2, 3, 4])
    store.intake.see(*WHERE, [1])
    assert [one.uid for one in store.intake.waiting(*WHERE, 10)] == [1, 2, 3, 4]
    assert store.intake.last_uid(*WHERE) == 4


def test_gone_counts_only_what_waited(store):
    """A mail that was settled is not made gone by a late word that it is not there."""
    store.intake.see(*WHERE, [1, 2])
    first, second = store.intake.waiting(*WHERE, 10)
    store.intake.gone([first.id], AT)
    store.intake.gone([first.id, second.id], AT)
    assert store.intake.counts() == {"registry": {"gone": 2}}
    assert store.intake.waiting(*WHERE, 10) == []


def test_an_ended_epoch_leaves_nothing_unaccounted(store):
    """UIDs of an older epoch that were never fetched are gone by that name; the new epoch's are not touched."""
    store.intake.see(*WHERE, [1, 2])
    store.intake.begin_epoch("registry", "INBOX", 8, 0, AT)
    store.intake.see("registry", "INBOX", 8, [1])
    assert store.intake.end_epoch("registry", "INBOX", 8, AT) == 2
    assert store.intake.counts() == {"registry": {"gone": 2, "seen": 1}}


def test_a_failing_mailbox_tells_since_when(store):
    """Staff see since when a mailbox fails and why; the last proven fetch stays."""
    store.intake.healthy("registry", "INBOX", "2024-02-29T12:00:00+02:00")
    store.intake.failing("registry", "INBOX", "2024-02-29T12:05:00+02:00", "server down")
    store.intake.failing("registry", "INBOX", "2024-02-29T12:10:00+02:00", "server down")
    [row] = store.intake.health()
    assert (row["state"], row["since_at"], row["last_fetch_at"], row["error"]) == (
        "failing", "2024-02-29T12:05:00+02:00", "2024-02-29T12:00:00+02:00", "server down",
    )  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("total", "stream", "shown"), [(5000, Terminal, True), (5000, io.StringIO, False), (20, Terminal, False)])  # fmt: skip
def test_a_bar_is_shown_where_a_person_looks(monkeypatch, total, stream, shown):
    """On a terminal and for much to do; never in a log file, never for a few mails."""
    monkeypatch.setattr(sys, "stderr", stream())
    with progress("registry: mails read", total) as advance:
        advance(total)
    written = sys.stderr.getvalue()
    assert ("mails read" in written) is shown
    assert (f"{total}/{total}" in written) is shown
