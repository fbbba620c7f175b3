"""The only place that builds objects from settings.

Invariant: nothing is built, and no module loaded, that a command does not need: lists and shows open the store alone.
So what only some commands need is imported where it is built.
"""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailrouter import ruleset, yamltext
from mailrouter import settings as settings_file
from mailrouter.core.outcomes import Problem
from mailrouter.settings import Mailbox, OAuth, Reading, Settings
from mailrouter.shell.clock import Clock
from mailrouter.shell.errors import Refused

if TYPE_CHECKING:
    from mailrouter.core.rules import RuleSet
    from mailrouter.shell.explaining import Explainer
    from mailrouter.shell.mailboxes.interface import MailboxConnection
    from mailrouter.shell.performers.interface import Performer
    from mailrouter.shell.pipeline import Pipeline
    from mailrouter.shell.reading import ReadingPool
    from mailrouter.shell.rulebook import Rulebook
    from mailrouter.shell.scheduler import Service
    from mailrouter.shell.store.store import Store

__all__ = ["App", "Refused", "app", "performers", "plain_reader"]
_MOST_CHILDREN = 4  # that are begun unasked: each has up to reading.mebibytes of memory


@dataclass
class App:
    """What commands work with, built when it is first asked for."""

    folder: Path
    settings: Settings
    _store: "Store | None" = None
    _reader: "ReadingPool | None" = None
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        """The calendar is wanted by every command."""
        self.clock = Clock(self.settings.timezone, self.settings.clock)

    @property
    def store(self) -> "Store":
        """The store, opened and brought up to date."""
        if self._store is None:
            from mailrouter.shell.store.store import Store  # noqa: PLC0415 - SQLAlchemy

            name = self.settings.store.password_env
            self._store = Store(self.settings.store.url, os.environ.get(name) if name else None)
        return self._store

    @property
    def reader(self) -> "ReadingPool":
        """The reading children; they start with the first mail."""
        if self._reader is None:
            self._reader = _reader(self.settings.reading)
        return self._reader

    def rulebook(self) -> "Rulebook":
        """The rules in force."""
        from mailrouter.shell.rulebook import Rulebook  # noqa: PLC0415 - the store

        return Rulebook(self.store, self.clock, lambda: self.settings, self.folder)

    def pipeline(self) -> "Pipeline":
        """Fetch → core → settle."""
        from mailrouter.shell.pipeline import Pipeline  # noqa: PLC0415 - the whole core

        return Pipeline(self.settings, self.store, self.rulebook(), self.reader, self.clock)

    def service(self) -> "Service":
        """The whole service."""
        from mailrouter.shell.outbox import Outbox  # noqa: PLC0415 - SMTP
        from mailrouter.shell.scheduler import Service  # noqa: PLC0415 - APScheduler

        return Service(
            settings=self.settings,
            store=self.store,
            clock=self.clock,
            pipeline=self.pipeline(),
            outbox=Outbox(
                self.settings,
                self.store,
                self.clock,
                performers(),
                self.connect,
                self._token("smtp", self.settings.smtp.oauth),
            ),
            connect=self.connect,
            node=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        )

    def problems(self) -> list[Problem]:
        """Everything that is wrong in settings, rules, templates and directory, the rules' examples tried."""
        _, problems = ruleset.check(self.folder, self.settings, self.reader.read)
        return [*problems, *self._registers()]

    def _registers(self) -> list[Problem]:
        from mailrouter.shell.registers import discovery  # noqa: PLC0415 - every mirror

        path = self.folder / settings_file.FILE
        source, _ = yamltext.parse(path.read_text("utf-8"), str(path))
        wrong = discovery.settings_problems(self.settings.registers)
        return [source.problem(where, message) for where, message in wrong] if source else []

    def explainer(self, ruleset: "RuleSet", at: datetime | None = None) -> "Explainer":
        """Explains mails as the first mailbox would take them, against the register as it stands."""
        from mailrouter.core.case import MailboxRef  # noqa: PLC0415 - as the next
        from mailrouter.shell.explaining import Explainer  # noqa: PLC0415 - the whole core

        mailbox = self.settings.mailboxes[0]
        around = self.pipeline().around(mailbox)
        if at is not None:
            zone = around.now.tzinfo
            around = replace(around, now=at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone))
        return Explainer(ruleset, MailboxRef(mailbox.name, mailbox.address), around, self.store)

    def connect(self, mailbox: Mailbox) -> "MailboxConnection":
        """An open connection to a mailbox."""
        from mailrouter.shell import mailboxes  # noqa: PLC0415 - IMAP

        oauth = mailbox.imap.oauth if mailbox.imap else None
        return mailboxes.connect(mailbox, self._token(f"mailbox:{mailbox.name}", oauth))

    def close(self) -> None:
        """End the reading children and the store's connections."""
        if self._reader is not None:
            self._reader.close()
        if self._store is not None:
            self._store.close()

    def _token(self, name: str, settings: OAuth | None) -> Callable[[], str] | None:
        if settings is None:
            return None
        from mailrouter.shell import oauth  # noqa: PLC0415 - msal takes a while to import and few need it

        return oauth.source(name, settings, self.store.leases)


@contextmanager
def plain_reader(folder: Path | None) -> Iterator["ReadingPool"]:
    """Reading children by the settings of `folder`, or by the defaults where there are none."""
    given = app(folder) if folder is not None else None
    reader = given.reader if given else _reader(Reading())
    try:
        yield reader
    finally:
        reader.close()


def _reader(reading: Reading) -> "ReadingPool":
    from mailrouter.core.containers import Limits  # noqa: PLC0415 - as the next
    from mailrouter.shell.reading import ReadingPool  # noqa: PLC0415 - child processes

    return ReadingPool(
        seconds=reading.seconds,
        mebibytes=reading.mebibytes,
        workers=reading.workers or min(_MOST_CHILDREN, len(os.sched_getaffinity(0))),
        ocr=reading.ocr,
        limits=Limits(reading.depth, reading.parts, reading.megabytes * 1024 * 1024),
    )


def performers() -> tuple["Performer", ...]:
    """Those for each kind of effect outside the database, the most urgent first; what is answered is not reminded."""
    from mailrouter.shell.performers.drafting import Drafting  # noqa: PLC0415 - as the others, with the protocols
    from mailrouter.shell.performers.filing import Filing  # noqa: PLC0415
    from mailrouter.shell.performers.handing import Handing  # noqa: PLC0415
    from mailrouter.shell.performers.mailing import Mailing, Reminding  # noqa: PLC0415
    from mailrouter.shell.performers.sending import Sending  # noqa: PLC0415

    drafting = Drafting()  # again after sending: a letter that is answered needs no acknowledgement in Drafts
    return (Mailing(), drafting, Sending(), drafting, Reminding(), Handing(), Filing())


def app(folder: Path) -> App:
    """The application for a folder of settings; `Refused` with every problem."""
    settings, problems = settings_file.load(folder)
    if settings is None:
        raise Refused(problems)
    return App(folder.resolve(), settings)
