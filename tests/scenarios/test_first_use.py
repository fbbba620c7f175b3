"""What an administrator meets in the first weeks: damaged files, settings in the making, a database that comes and goes."""

import json
import signal
import subprocess
import sys
import time

from mailrouter.shell.errors import Temporary


def until(what, seconds=30.0):
    """Wait until `what` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


class Faltering:
    """Leases of a database that is away for the first few questions."""

    def __init__(self, leases, times):
        self.leases = leases
        self.times = times

    def take(self, *args):
        if self.times:
            self.times -= 1
            raise Temporary("the database is away")
        return self.leases.take(*args)

    def __getattr__(self, name):
        return getattr(self.leases, name)


def test_a_mailbox_is_watched_on_when_the_database_was_away(office):
    """A question to the database that fails between two polls does not end the mailbox's thread."""
    app = office.app()
    app.store.leases = Faltering(app.store.leases, 3)
    service = app.service()
    office.deliver(office.sample("newsletter"))
    service.start()
    try:
        until(lambda: app.store.listing.messages(state="settled"))
    finally:
        service.stop()


def test_a_mailbox_with_a_defect_leaves_the_others_alone(office):
    """`run --once` polls every mailbox, though one of them fails in a way that nobody foresaw."""
    broken = {**office.mailbox("broken", "b@ministry.example", office.user), "backfill": "2024-02-29"}
    office.configure(mailboxes=[broken, office.mailbox("registry", "info@ministry.example", office.user)])
    office.deliver(office.sample("newsletter"))
    app = office.app()
    connect = app.connect

    def failing(mailbox):
        if mailbox.name == "broken":
            raise LookupError("a defect of ours")
        return connect(mailbox)

    app.connect = failing
    assert app.service().run_once() == 3
    assert [one.mailbox for one in app.store.listing.messages(state="settled")] == ["registry"]
    assert {row["mailbox"]: row["error"] for row in app.store.intake.health()}["broken"] == "LookupError: a defect of ours"


def test_new_settings_that_cannot_work_keep_the_old_ones(office):
    """SIGHUP with another, unreachable database: the service says why and goes on."""
    log = office.folder / "log"
    with log.open("wb") as file:
        running = subprocess.Popen([sys.executable, "-m", "mailrouter", "run", "--config", office.config], stderr=file)
    try:
        until(lambda: "service.started" in log.read_text())
        office.configure(store={"url": "postgresql+psycopg://nobody@127.0.0.1:1/none"})
        running.send_signal(signal.SIGHUP)
        until(lambda: "service.settings_kept" in log.read_text())
        assert "another database needs a restart" in log.read_text()
        office.configure()
        running.send_signal(signal.SIGHUP)
        until(lambda: "service.settings_taken" in log.read_text())
        assert running.poll() is None
    finally:
        running.terminate()
        assert running.wait(15) == 0


def test_a_damaged_store_is_told_with_its_file(office):
    """A file that is no database ends a command with its name, not with a traceback."""
    (office.folder / "mailrouter.db").write_bytes(b"no database at all " * 500)
    done = office.command("status")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "mailrouter.db" in done.stderr


def test_settings_are_checked_as_far_as_they_can_be(office):
    """A zone and a date that are none are found before the service meets them."""
    box = {**office.mailbox("registry", "info@ministry.example", office.user), "backfill": "last week"}
    office.configure(timezone="Mars/Olympus", mailboxes=[box])
    done = office.command("check")
    assert done.returncode == 1
    assert "Mars/Olympus" in done.stdout
    assert "last week" in done.stdout


def test_an_empty_password_file_is_a_missing_password(office):
    """The mailbox is reported with the remedy; `run --once` says that it could not be reached."""
    box = office.mailbox("registry", "info@ministry.example", office.user)
    del box["imap"]["password_env"]
    box["imap"]["password_file"] = str(office.folder / "password")
    (office.folder / "password").write_bytes(b"")
    office.configure(mailboxes=[box])
    assert office.run_once() == 3
    assert "has no password" in office.command("status").stdout


def test_a_version_that_waited_too_long_does_not_come_into_force(office):
    """The second person agrees to an older version after a newer one came into force: refused, nothing changes."""
    office.configure(four_eyes=True)
    office.command("status")
    assert office.command("explain", str(office.folder / "rules" / "samples" / "unknown.eml")).returncode == 0
    note = office.folder / "rules" / "95-first.yaml"
    note.write_text("- rule: first\n  when: {message.subject: {contains: first}}\n  then: [{move: First}]\n")
    assert "version 2 waits" in office.command("rules", "publish", "--as", "Ann").stdout
    note.write_text("- rule: second\n  when: {message.subject: {contains: second}}\n  then: [{move: Second}]\n")
    assert "version 3 waits" in office.command("rules", "publish", "--as", "Ann").stdout
    assert office.command("rules", "publish", "--agree", "3", "--as", "ann").returncode == 1
    assert office.command("rules", "publish", "--agree", "3", "--as", "Bo").returncode == 0
    late = office.command("rules", "publish", "--agree", "2", "--as", "Bo")
    assert late.returncode == 1
    assert "newer" in late.stderr
    versions = [json.loads(line) for line in office.command("rules", "history", "--json").stdout.splitlines()]
    assert [(one["id"], one["in_force"], one["waits"]) for one in versions] == [
        (3, True, False), (2, False, True), (1, False, False),
    ]  # fmt: skip
    assert "in force already" in office.command("rules", "rollback", "3").stdout
    assert office.command("rules", "rollback", versions[-1]["digest"][0]).returncode == 1
