"""The outbox: claim → perform → finish, one effect at a time or a batch of one kind.

Invariant: whatever a performer does or fails to do, each claimed effect gets an outcome: an error before `begin` waits
and is tried again; an error after it is an unknown outcome, whose trace is searched for before anything is repeated.
The states and their transitions stand in shell/store/queue.py.
"""

import math
import random
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field

from mailrouter.settings import Mailbox, Settings
from mailrouter.shell import log
from mailrouter.shell.clock import Clock
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes.interface import MailboxConnection
from mailrouter.shell.performers.interface import Outcome, Performer
from mailrouter.shell.store.queue import Finished, Task
from mailrouter.shell.store.store import Store

_LONGEST_WAIT = 3600.0  # seconds between two attempts, at most
_SLACK = 0.5  # seconds of the lease within which a command begins after `begin`, besides its timeout
_GROUP = 100  # outcomes written in one transaction…
_GROUPED = frozenset({"move", "flag"})  # …where repeating is harmless; a mail that went out is written down at once


@dataclass
class Outbox:
    """Performs what is due, in the thread that calls it."""

    settings: Settings
    store: Store
    clock: Clock
    performers: Sequence[Performer]
    connect: Callable[[Mailbox], MailboxConnection]
    token: Callable[[], str] | None = None
    given_up: int = 0  # how many effects ended so that only a person can bring them on
    _connections: dict[str, MailboxConnection] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)  # key → when its command must have begun

    def run_due(self, stop: Callable[[], bool] = lambda: False, kinds: Container[str] | None = None) -> int:
        """Perform everything that is due now, or what is of these kinds; the number of tries."""
        if not self.store.queue.anything(self.clock.iso()):
            return 0
        self.store.queue.expire()
        tries = 0
        for performer in self.performers:
            wanted = [kind for kind in performer.kinds if kinds is None or kind in kinds]
            while wanted and not stop():
                tasks = self.store.queue.claim(
                    wanted,
                    self.clock.iso(),
                    self.settings.outbox.lease_seconds,
                    self.settings.outbox.batch,
                    [mailbox.name for mailbox in self.settings.mailboxes],
                )
                if not tasks:
                    break
                tries += len(tasks)
                self._perform(performer, tasks)
        return tries

    def close(self) -> None:
        """Log out everywhere."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    # What performers work with -----------------------------------------------------------------------------------

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox's settings."""
        for mailbox in self.settings.mailboxes:
            if mailbox.name == name:
                return mailbox
        raise Permanent(f"the mailbox '{name}' is no longer in mailrouter.yaml; put it back or close its effects")

    def connection(self, name: str) -> MailboxConnection:
        """An open connection, kept between batches."""
        if name not in self._connections:
            self._connections[name] = self.connect(self.mailbox(name))
        return self._connections[name]

    def smtp_token(self) -> Callable[[], str] | None:
        """See performers/interface.py."""
        return self.token

    def begin(self, task: Task, needed_seconds: float) -> bool:
        """See performers/interface.py."""
        asked = time.monotonic()
        if not self.store.queue.begin(task, needed_seconds + _SLACK):
            log.event("lease.lost", warning=True, effect=task.key)
            return False
        self._begun[task.key] = asked + _SLACK
        return True

    def not_after(self, task: Task) -> float:
        """See performers/interface.py."""
        return self._begun[task.key]

    def begin_many(self, tasks: Sequence[Task], needed_seconds: float) -> set[str]:
        """See performers/interface.py."""
        kept = self.store.queue.begin_many(tasks, needed_seconds)
        self._begun |= dict.fromkeys(kept, math.inf)  # moving or flagging late what another node did does nothing
        return kept

    # One batch ----------------------------------------------------------------------------------------------------

    def _perform(self, performer: Performer, tasks: Sequence[Task]) -> None:
        rest = self._try(performer, tasks)
        if len(tasks) > 1:  # one bad effect must not hold up its batch: those left over go one by one
            for task in rest:
                for alone in self._try(performer, [task]):
                    self._finish([(alone, Outcome("pending", "nothing came of it"))])
        elif rest:
            self._finish([(rest[0], Outcome("pending", "nothing came of it"))])

    def _try(self, performer: Performer, tasks: Sequence[Task]) -> list[Task]:
        """Perform a batch; the tasks that an error kept from being tried at all."""
        left = {task.key: task for task in tasks}
        group: list[tuple[Task, Outcome]] = []

        def tell(task: Task, outcome: Outcome) -> None:
            group.append((task, outcome))
            left.pop(task.key, None)
            if len(group) >= _GROUP or task.kind not in _GROUPED:
                self._finish(group)
                group.clear()

        try:
            performer.perform(tasks, self, tell)
        except Exception as error:  # noqa: BLE001 - the outbox's boundary: an unknown error is temporary
            self._drop_connections(tasks)
            for task in list(left.values()):
                if self._settles(task, len(tasks)):
                    tell(task, self._after(task, error))
        self._finish(group)
        return list(left.values())

    def _settles(self, task: Task, batch: int) -> bool:
        """Whether an error is this task's own outcome: it was tried alone, or nobody knows how far it came."""
        return batch == 1 or (task.kind not in _GROUPED and (task.key in self._begun or task.recovering))

    def _after(self, task: Task, error: Exception) -> Outcome:
        reason = str(error) if isinstance(error, Temporary | Permanent) else f"{type(error).__name__}: {error}"
        if isinstance(error, Permanent):
            return Outcome("failed", reason, dict(task.result))
        if task.kind not in _GROUPED and (task.key in self._begun or task.recovering):
            return Outcome("unknown", reason, dict(task.result))
        return Outcome("pending", reason, dict(task.result))

    def _finish(self, outcomes: Sequence[tuple[Task, Outcome]]) -> None:
        finished = [self._finished(task, outcome) for task, outcome in outcomes]
        self.store.finish(finished, self.clock.now())
        for one in finished:
            self._begun.pop(one.task.key, None)
            if one.state not in {"done", "pending"} and not one.task.recovering:
                self.given_up += 1
            name = {"done": "effect.done", "pending": "effect.waits", "unknown": "effect.unknown"}.get(
                one.state, "effect.given_up"
            )
            log.event(
                name,
                warning=one.state not in {"done", "pending"},
                effect=one.task.key,
                kind=one.task.kind,
                mailbox=one.task.mailbox,
                attempts=one.task.attempts,
            )

    def _finished(self, task: Task, outcome: Outcome) -> Finished:
        state, wait = outcome.state, 0.0
        final = outcome.final or (state == "unknown" and task.attempts >= self.settings.outbox.attempts)
        if state == "pending" and task.attempts >= self.settings.outbox.attempts:
            state = "failed"
        elif state == "pending" or (state == "unknown" and not final and task.recovering):
            first = self.settings.outbox.backoff_seconds
            wait = min(_LONGEST_WAIT, first * 2 ** (task.attempts - 1)) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        return Finished(task, state, outcome.error, outcome.result, wait, final)

    def _drop_connections(self, tasks: Sequence[Task]) -> None:
        for name in {task.mailbox for task in tasks}:
            connection = self._connections.pop(name, None)
            if connection is not None:
                connection.close()
