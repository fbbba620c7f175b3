"""The service and a fault at every command: when the fault is over, each mail was handled once, or it is shown.

| fault | outcome that each mail must have |
|---|---|
| IMAP cut, silent or slow at any command or byte | all handled once when the server is well again |
| SMTP cut or silent before the mail is handed over | sent once |
| SMTP cut or silent after it | sent once, or shown as unknown and not sent again |
| SMTP 4xx | tried again; 5xx for a recipient: shown as failed, the others sent |
| the disk is full, the database is locked, gone and back | all handled once when it is well again |
"""

import random
import sqlite3
import threading
import time

import pytest
from fault_proxy import Faults
from sqlalchemy import event

from mailrouter import bootstrap
from mailrouter.shell.errors import Temporary

IMAP = [b"LOGIN", b"SELECT", b"SEARCH", b"FETCH", b"LIST", b"CREATE", b"MOVE", b"APPEND", b"STORE"]
BEFORE = [b"EHLO", b"MAIL FROM", b"RCPT TO", b"DATA\r\n"]


@pytest.mark.parametrize(
    ("command", "then"), [*((one, "cut") for one in IMAP), *((one, "deaf") for one in (b"SELECT", b"MOVE", b"APPEND"))]
)
def test_imap_fails_at_a_command(behind, command, then):
    """Twice the connection is cut before the command, or its answer never comes."""
    run = behind(Faults(at=command, then=then, times=2))
    run.until_quiet()
    assert run.check() == {"sent": 8, "unknown": 0}


def test_imap_is_cut_at_any_byte_or_slow(behind):
    """Cut after any number of bytes, in either direction, several times over; then slow."""
    chance = random.Random(5)
    run = behind(Faults(cut_down=chance.randrange(100, 9000), times=3))
    run.until_quiet()
    assert run.check() == {"sent": 8, "unknown": 0}


@pytest.mark.parametrize("place", [700, 2500, 6000])
def test_imap_is_cut_in_what_we_say(behind, place):
    """The same in the other direction."""
    run = behind(Faults(cut_up=place, delay_seconds=0.005, times=4))
    run.until_quiet()
    assert run.check() == {"sent": 8, "unknown": 0}


@pytest.mark.parametrize("then", ["cut", "deaf"])
@pytest.mark.parametrize("command", BEFORE)
def test_smtp_fails_before_the_mail_is_handed_over(behind, command, then):
    """Nothing was handed over: it is tried again, and sent once."""
    run = behind(None, Faults(at=command, then=then, times=2))
    run.until_quiet()
    sent = run.check()
    assert sent["sent"] + sent["unknown"] == 8
    assert sent["unknown"] <= (1 if command == b"DATA\r\n" else 0)


@pytest.mark.parametrize("then", ["cut", "deaf"])
def test_smtp_fails_after_the_mail_was_handed_over(behind, then):
    """Nobody knows: it is shown as unknown and not sent again; the other mails go out."""
    run = behind(None, Faults(at=b"\r\n\\.\r\n", then=then, times=1))
    run.until_quiet()
    sent = run.check()
    assert sent["unknown"] == 1
    assert sent["sent"] == (8 if then == "deaf" else 7)


def test_smtp_says_later(behind, smtp_sink):
    """4xx for everything, then for nothing: sent once each."""
    smtp_sink.answer = "451 4.3.0 later"
    run = behind()
    pid = run.start()
    time.sleep(1.0)
    smtp_sink.answer = ""
    assert run.forks.wait(pid) == 0
    assert run.check() == {"sent": 8, "unknown": 0}


def test_smtp_refuses_a_recipient(behind, smtp_sink):
    """5xx for one address: those effects are shown as failed with the server's words, the others are sent."""
    smtp_sink.refuse["adviser.one@ministry.example"] = "550 5.1.1 no such user"
    run = behind()
    run.until_quiet()
    app = bootstrap.app(run.config)
    failed = [
        effect["error"]
        for one in app.store.listing.messages()
        for effect in one.effects
        if effect["kind"] == "forward" and effect["state"] == "failed"
    ]
    counts = app.store.intake.effect_counts()["registry"]
    app.close()
    assert len(failed) == 4
    assert all("no such user" in error for error in failed)
    assert counts["failed"] == 4
    assert {one.recipients for one in smtp_sink.mails} == {("adviser.two@ministry.example",)}
    assert run._message_ids("INBOX") == [], "filed although a forward was given up: the failure is shown, not the mail"


@pytest.mark.parametrize("room", [0, 12])
def test_the_disk_is_full(behind, room):
    """The store cannot grow: nothing is half done, and all is done when there is room again."""
    run = behind()
    app = bootstrap.app(run.config)
    engine = app.store._db.engine
    engine.dispose()

    @event.listens_for(engine, "connect")
    def no_room(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + room}")

    try:
        code = app.service().run_once()
    except Temporary:  # which the command line shows as 3
        code = 3
    app.close()
    assert code == 3
    run.until_quiet()
    assert run.check() == {"sent": 8, "unknown": 0}


def test_the_database_is_locked_for_a_while(behind):
    """Another program holds the store's lock for a second, again and again: the service waits for it."""
    run = behind()
    bootstrap.app(run.config).store.close()
    stop = threading.Event()

    def hold():
        while not stop.is_set():
            with sqlite3.connect(run.folder / "mailrouter.db", timeout=20, isolation_level=None) as other:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(0.4)
                other.execute("ROLLBACK")
            other.close()
            time.sleep(0.02)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        pid = run.start()
        time.sleep(4)
    finally:
        stop.set()
        holder.join()
    assert run.forks.wait(pid) == 0
    assert run.check() == {"sent": 8, "unknown": 0}


def test_the_database_is_gone_and_back(behind, postgres_server, postgres_url):
    """PostgreSQL ends every connection, five times: the service goes on with new ones."""
    run = behind(url=postgres_url, lease_seconds=2)
    bootstrap.app(run.config).store.close()  # a start without its database fails, and is the supervisor's to repeat
    pid = run.start(serve=True)
    name = postgres_url.rsplit("/", 1)[-1]
    for _ in range(5):
        time.sleep(0.5)
        postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert run.forks.wait(pid) == 0, run.log.read_text()[-2000:]
    counts = run.check()
    assert counts["sent"] + counts["unknown"] >= 8
