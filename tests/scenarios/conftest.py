"""A registry at work: Dovecot, an SMTP sink, the shipped rules and templates, a calendar that a test sets."""

import imaplib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import local_dovecot
import local_smtp
import pytest
from ruamel.yaml import YAML

from mailrouter import bootstrap

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "rules" / "samples"


@dataclass
class Office:
    """One functional mailbox and everything around it."""

    folder: Path
    dovecot: local_dovecot.DovecotServer
    sink: local_smtp.SmtpSink
    user: str
    apps: list[bootstrap.App] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config"

    def configure(self, clock: str | None = "2024-02-29T13:06:00+02:00", **changes: Any) -> None:
        """Write mailrouter.yaml; `changes` replace its top-level keys."""
        data: dict[str, Any] = {
            "institution": {"name": "Siseministeerium", "domains": ["ministry.example"]},
            "clock": clock,
            "trust": {"authserv_ids": ["mx.ministry.example"], "internal": "authentication-results"},
            "mailboxes": [self.mailbox("registry", "info@ministry.example", self.user)],
            "smtp": {"host": self.sink.host, "port": self.sink.port, "timeout_seconds": 5},
            "store": {"url": f"sqlite:///{self.folder / 'mailrouter.db'}"},
            "rules": "../rules",
            "templates": "../templates",
            "outbox": {"lease_seconds": 20, "backoff_seconds": 0.2},
        }
        data.update(changes)
        with (self.config / "mailrouter.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(data, file)

    def mailbox(self, name: str, address: str, user: str) -> dict[str, Any]:
        """A mailbox's settings for a Dovecot user."""
        return {
            "name": name,
            "address": address,
            "registrars": ["registraatorid"],
            "poll_seconds": 60,
            "imap": {
                "host": self.dovecot.host,
                "port": self.dovecot.port,
                "tls": False,
                "user": user,
                "password_env": "MAILROUTER_TEST_PASSWORD",
                "timeout_seconds": 5,
            },
        }

    def app(self, clock: str | None = None) -> bootstrap.App:
        """The application on these settings; `clock` moves the calendar."""
        app = bootstrap.app(self.config)
        if clock:
            app.clock.set(datetime.fromisoformat(clock))
        self.apps.append(app)
        return app

    def run_once(self, clock: str | None = None) -> int:
        """`run --once` in this process."""
        app = self.app(clock)
        code = app.service().run_once()
        app.close()
        return code

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command line, as a person types it."""
        return subprocess.run(
            [sys.executable, "-m", "mailrouter", *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "MAILROUTER_TEST_PASSWORD": self.dovecot.password},
            check=False,
        )

    def imap(self) -> imaplib.IMAP4:
        """A colleague's mail program, logged in."""
        client = imaplib.IMAP4(self.dovecot.host, self.dovecot.port)
        client.login(self.user, self.dovecot.password)
        return client

    def deliver(self, raw: bytes, folder: str = "INBOX", when: str = "2024-02-29T13:05:30+02:00") -> None:
        """Put a mail into the mailbox."""
        client = self.imap()
        client.append(folder, "", imaplib.Time2Internaldate(datetime.fromisoformat(when)), raw)
        client.logout()

    def sample(self, name: str) -> bytes:
        return (SAMPLES / f"{name}.eml").read_bytes()

    def mails(self, folder: str) -> list[Message]:
        """What lies in a folder; [] if it is not there."""
        client = self.imap()
        status, _ = client.select(f'"{folder}"', readonly=True)
        if status != "OK":
            client.logout()
            return []
        _, found = client.search(None, "ALL")
        mails = []
        for number in found[0].split():
            _, data = client.fetch(number, "(BODY.PEEK[])")
            mails.append(message_from_bytes(data[0][1]))
        client.logout()
        return mails


@pytest.fixture
def office(
    tmp_path: Path,
    dovecot: local_dovecot.DovecotServer,
    smtp_sink: local_smtp.SmtpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Office]:
    """A registry of this test's own, with the shipped rules and templates."""
    for name in ("config", "rules", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.setenv("MAILROUTER_TEST_PASSWORD", dovecot.password)
    office = Office(tmp_path, dovecot, smtp_sink, dovecot.user())
    office.configure()
    yield office
    for app in office.apps:
        app.close()
