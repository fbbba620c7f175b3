"""The service: one thread a mailbox, one for the outbox, APScheduler as the alarm clock.

Invariant: a mailbox that fails is reported and retried alone; SIGTERM ends everything within ten seconds and gives back
what was claimed; nothing is remembered outside the database.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from apscheduler.schedulers.background import BackgroundScheduler

from mailrouter.settings import Mailbox, Settings
from mailrouter.shell import log
from mailrouter.shell.clock import Clock
from mailrouter.shell.draftwatch import look_at_drafts
from mailrouter.shell.duties import Duties
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes.interface import MailboxConnection
from mailrouter.shell.outbox import Outbox
from mailrouter.shell.pipeline import Pipeline
from mailrouter.shell.sentwatch import look
from mailrouter.shell.store.store import Store

_RENEW_IDLE = 540.0  # seconds; RFC 2177 asks for less than 29 minutes, servers drop it sooner
_LONGEST_PAUSE = 300.0  # between attempts at a failing mailbox
_TICK = 5.0
_AT_ONCE = frozenset({"forward", "notify", "flag", "move"})  # what no person's doing makes unwanted
_DRAIN = 9.0  # seconds that threads have to end


@dataclass
class Service:
    """Polls and performs until it is told to stop."""

    settings: Settings
    store: Store
    clock: Clock
    pipeline: Pipeline
    outbox: Outbox
    connect: Callable[[Mailbox], MailboxConnection]
    node: str
    stopping: threading.Event = field(default_factory=threading.Event)
    duties: Duties = field(init=False)
    _wake: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _alarm: BackgroundScheduler | None = None
    _leased: dict[str, float] = field(default_factory=dict)  # when each mailbox's lease was asked for last

    def __post_init__(self) -> None:
        """What the calendar asks for is looked after beside the mail."""
        self.duties = Duties(self.settings, self.store, self.pipeline.rulebook, self.clock)

    # Once ------------------------------------------------------------------------------------------------------------

    def run_once(self) -> int:
        """Poll every mailbox and perform what is due. 0 quiet (holds included), 1 something failed, 3 unreachable."""
        self._alone()
        before = self.outbox.given_up
        with self._performing():
            unreachable = [mailbox for mailbox in self.settings.mailboxes if not self.poll_once(mailbox)]
        self.duties.attend()
        self.outbox.run_due()
        self.outbox.close()
        if unreachable:
            return 3
        return 1 if self.outbox.given_up > before or self.store.queue.tried_in_vain() else 0

    def poll_once(self, mailbox: Mailbox) -> bool:
        """One poll of one mailbox; False if it could not be reached, which is written down."""
        if not self._lease(mailbox):
            return True  # another node has it
        connection: MailboxConnection | None = None
        try:
            connection = self.connect(mailbox)
            self.pipeline.poll(mailbox, connection, lambda: self._between(mailbox))
            self._look_for_persons(mailbox, connection)
        except Exception as error:  # noqa: BLE001 - the pipeline's boundary: the other mailboxes go on
            self._failing(mailbox, error)
            return False
        finally:
            if connection is not None:
                connection.close()
            self._give_back(mailbox)
        return True

    # For good --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all threads and the alarm clock."""
        self._alone()
        for mailbox in self.settings.mailboxes:
            self._thread(f"mailbox {mailbox.name}", self._watch, mailbox)
        self._thread("outbox", self._perform, self.stopping)
        self._alarm = BackgroundScheduler(
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}, timezone="UTC"
        )
        self._alarm.add_job(self._tick, "interval", seconds=_TICK, id="tick")
        self._alarm.start()
        log.event("service.started", node=self.node, mailboxes=len(self.settings.mailboxes))

    def stop(self) -> None:
        """Let every thread finish its command and end, within ten seconds."""
        self.stopping.set()
        self._wake.set()
        if self._alarm is not None:
            self._alarm.shutdown(wait=False)
        until = time.monotonic() + _DRAIN
        for thread in self._threads:
            thread.join(max(0.1, until - time.monotonic()))
        for mailbox in self.settings.mailboxes:
            self._give_back(mailbox)
        self._threads.clear()
        log.event("service.stopped", node=self.node)

    def quiet(self) -> bool:
        """Whether nothing waits: no unread UID, no effect due."""
        unread = sum(states.get("seen", 0) for states in self.store.intake.counts().values())
        return unread == 0 and self.store.queue.due(self.clock.iso()) == 0

    def wake(self) -> None:
        """Something was settled or approved: perform now."""
        self._wake.set()

    def _alone(self) -> None:
        """A file's store has one node (shell/node.py): what an earlier one held is given back at once."""
        if self.store.sqlite:
            self.store.leases.drop_all()
            self.store.queue.expire(alone=True)

    def _thread(self, name: str, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watch(self, mailbox: Mailbox) -> None:
        """One mailbox for good: poll, then wait by IDLE, behind which the next poll always stands."""
        failures = 0
        while not self.stopping.is_set():
            connection: MailboxConnection | None = None
            try:
                if not self._lease(mailbox):
                    self.stopping.wait(self.settings.outbox.lease_seconds / 3)
                    continue
                connection = self.connect(mailbox)
                while not self.stopping.is_set() and self._lease(mailbox):
                    self._look_for_persons(mailbox, connection)  # before the poll: IDLE goes on from what the poll saw
                    polled = self.pipeline.poll(mailbox, connection, lambda: self._between(mailbox))
                    if failures:
                        log.event("mailbox.recovered", mailbox=mailbox.name)
                    failures = 0
                    if polled.seen:
                        self.wake()
                    self._wait(mailbox, connection)
            except Exception as error:  # noqa: BLE001 - the pipeline's boundary: this mailbox alone is retried
                failures += 1
                self._failing(mailbox, error)
                pause = min(_LONGEST_PAUSE, self.settings.outbox.backoff_seconds * 2 ** min(failures - 1, 8))
                self.stopping.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            finally:
                if connection is not None:
                    connection.close()

    def _look_for_persons(self, mailbox: Mailbox, connection: MailboxConnection) -> None:
        """Record what persons answered from their own mail programs, and what they changed in Drafts."""
        look_at_drafts(mailbox, connection, self.store, self.clock.now())
        look(
            mailbox,
            connection,
            self.store,
            domains=self.settings.institution.domains,
            at=self.clock.now(),
            classification=self.pipeline.rulebook.current().classification,
        )

    def _wait(self, mailbox: Mailbox, connection: MailboxConnection) -> None:
        """Until something new is told, or the poll is due."""
        seconds = min(mailbox.poll_seconds, _RENEW_IDLE, self.settings.outbox.lease_seconds / 2)
        if mailbox.idle:
            connection.idle(mailbox.folder, seconds, self.stopping)
        else:
            self.stopping.wait(seconds)

    def _between(self, mailbox: Mailbox) -> bool:
        """Between two chunks of a poll: what is settled may be performed; True if the poll is to end here."""
        self.wake()
        return self.stopping.is_set() or not self._lease(mailbox)

    def _perform(self, ended: threading.Event, kinds: Container[str] | None = None) -> None:
        """The outbox's thread: whenever woken, and each second for what backoff has let wait."""
        while not ended.is_set():
            self._wake.wait(1.0)
            self._wake.clear()
            try:
                self.outbox.run_due(ended.is_set, kinds)
            except Exception as error:  # noqa: BLE001 - the outbox's boundary: the database may come back
                log.event("service.tick_failed", warning=True, error=f"{type(error).__name__}: {error}")
                ended.wait(1.0)
        self.outbox.close()

    @contextmanager
    def _performing(self) -> Iterator[None]:
        """While this lasts mail is passed on and filed beside it; after it nobody is at the outbox.

        The rest waits: the poll may find that it is no longer wanted, because a person has answered meanwhile.
        """
        ended = threading.Event()
        thread = threading.Thread(target=self._perform, args=(ended, _AT_ONCE), name="outbox", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            self.wake()
            thread.join()  # no longer than the command in hand, which has its timeout

    def _tick(self) -> None:
        try:
            self.store.queue.expire()
            self.pipeline.rulebook.current()
            self.duties.now_and_then()
        except Exception as error:  # noqa: BLE001 - the alarm clock goes on
            log.event("service.tick_failed", warning=True, error=f"{type(error).__name__}: {error}")
        self._wake.set()

    def _lease(self, mailbox: Mailbox) -> bool:
        """Take or renew; not again while most of the lease is still to come."""
        name, seconds = _lease_name(mailbox), self.settings.outbox.lease_seconds
        asked = time.monotonic()
        if asked - self._leased.get(name, -math.inf) < seconds / 4:
            return True
        got = self.store.leases.take(name, self.node, seconds)
        if got:
            self._leased[name] = asked
        else:
            self._leased.pop(name, None)
        return got

    def _give_back(self, mailbox: Mailbox) -> None:
        self._leased.pop(_lease_name(mailbox), None)
        self.store.leases.drop(_lease_name(mailbox), self.node)

    def _failing(self, mailbox: Mailbox, error: Exception) -> None:
        reason = str(error) if isinstance(error, Temporary | Permanent) else f"{type(error).__name__}: {error}"
        log.event("mailbox.failing", warning=True, mailbox=mailbox.name, error=reason)
        try:
            self.store.intake.failing(
                mailbox.name, mailbox.folder, self.clock.now().isoformat(timespec="seconds"), reason
            )
        except Exception as lost:  # noqa: BLE001 - what fails may be the store itself: this thread goes on
            log.event("service.tick_failed", warning=True, error=f"{type(lost).__name__}: {lost}")


def _lease_name(mailbox: Mailbox) -> str:
    return f"mailbox:{mailbox.name}"
