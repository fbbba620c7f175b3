"""Mailboxes and mails for the tests of the shell."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailrouter import settings
from mailrouter.shell import mailboxes


@pytest.fixture
def secret_variable(monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment variable that has the password of every local server."""
    monkeypatch.setenv("MAILROUTER_TEST_PASSWORD", "secret")
    return "MAILROUTER_TEST_PASSWORD"


@pytest.fixture
def imap_mailbox(secret_variable: str) -> Callable[..., settings.Mailbox]:
    """Settings of a mailbox on a local Dovecot: imap_mailbox(server, user, **imap_settings)."""

    def make(server, user: str, **changes) -> settings.Mailbox:
        imap = {"host": server.host, "port": server.port, "tls": False, "user": user, "timeout_seconds": 10,
                "password_env": secret_variable} | changes  # fmt: skip
        return settings.Mailbox(name="registry", address=f"{user}@ministry.example", imap=settings.Imap(**imap))

    return make


@pytest.fixture
def connected(imap_mailbox) -> Iterator[Callable]:
    """An open mailbox on a local Dovecot: connected(server, user); closed at the end."""
    opened = []

    def connect(server, user: str, **changes):
        opened.append(mailboxes.connect(imap_mailbox(server, user, **changes)))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def directory_mailbox(tmp_path: Path) -> settings.Mailbox:
    """Settings of a mailbox that is a directory of .eml files."""
    (tmp_path / "mail").mkdir()
    return settings.Mailbox(name="files", address="info@ministry.example", directory=tmp_path / "mail")


@pytest.fixture
def mail() -> Callable[..., bytes]:
    """A small mail: mail(1) has the Message-ID <1@x.example>."""

    def make(number: int | str, *headers: str, body: str = "Tere!") -> bytes:
        lines = [f"Message-ID: <{number}@x.example>", "From: Mari <mari@x.example>", "To: info@ministry.example"]
        return "\r\n".join([*lines, f"Subject: mail {number}", *headers, "", body, ""]).encode()

    return make
