"""Leases by the database's clock, on both databases."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailrouter.shell.errors import Permanent
from mailrouter.shell.node import alone
from mailrouter.shell.store.store import Store


@pytest.fixture
def store(store_url):
    store = Store(store_url)
    yield store
    store.close()


def test_a_name_has_one_owner_at_a_time(store):
    """Ten nodes ask at once: one gets it, and may renew; the others do not."""
    barrier = threading.Barrier(10)

    def take(number):
        barrier.wait()
        return store.leases.take("mailbox:a", f"node{number}", 60)

    with ThreadPoolExecutor(10) as pool:
        got = list(pool.map(take, range(10)))
    assert got.count(True) == 1
    owner = f"node{got.index(True)}"
    assert store.leases.owner("mailbox:a") == owner
    assert store.leases.take("mailbox:a", owner, 60)


def test_a_silent_owner_loses_it_after_its_length(store):
    """Taken over when the lease is over, not before; the earlier owner cannot renew or give back."""
    assert store.leases.take("mailbox:a", "one", 0.4)
    assert not store.leases.take("mailbox:a", "two", 60)
    time.sleep(0.5)
    assert store.leases.take("mailbox:a", "two", 60)
    assert not store.leases.take("mailbox:a", "one", 60)
    store.leases.drop("mailbox:a", "one")
    assert store.leases.owner("mailbox:a") == "two"


def test_the_clock_is_the_databases(store, monkeypatch):
    """A node whose clock is a minute ahead, or behind, takes nothing early and loses nothing."""
    assert store.leases.take("mailbox:a", "one", 30)
    true = time.time
    for minutes in (1, -1):
        monkeypatch.setattr(time, "time", lambda minutes=minutes: true() + minutes * 60)
        assert not store.leases.take("mailbox:a", "two", 30)
        assert store.leases.owner("mailbox:a") == "one"


def test_a_block_holds_it_and_gives_it_back(store):
    """One refresher at a time; the name is free after the block, even if it failed."""

    def refresh():
        with store.leases.held("token", "one", 60) as got, store.leases.held("token", "two", 60) as other:
            assert (got, other) == (True, False)
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        refresh()
    assert store.leases.owner("token") is None


def test_secrets_are_kept_and_replaced(store):
    """A rotated refresh token is what the next one to ask gets."""
    assert store.leases.load("token") is None
    store.leases.save("token", "first")
    store.leases.save("token", "second")
    assert store.leases.load("token") == "second"
    assert store.secret("loop") == store.secret("loop")


def test_a_file_has_one_node(tmp_path):
    """SQLite refuses a second service, and says what several nodes need; a server's store needs no lock."""
    path = str(tmp_path / "mailrouter.db")
    with alone(path):
        with pytest.raises(Permanent, match="several nodes need PostgreSQL"), alone(path):
            pass
        with alone(None), alone(None):
            pass
    with alone(path):
        pass


def test_nodes_that_start_at_once_have_one_secret(store_url):
    """A secret that is first asked for by several at once is the same for all, then and later."""
    stores = [Store(store_url) for _ in range(6)]
    with ThreadPoolExecutor(len(stores)) as pool:
        told = set(pool.map(lambda one: one.secret("loop"), stores))
    assert told == {stores[0].secret("loop")}
    for store in stores:
        store.close()
