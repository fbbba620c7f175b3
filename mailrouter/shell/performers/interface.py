"""What the outbox asks of a performer; one file per kind of effect beside this one.

Invariant: a performer calls `desk.begin` (or `begin_many`) before the first command that cannot be taken back, and
tells exactly one outcome for each task, as soon as it is known. A task that is `recovering` is first searched for in
the world outside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mailrouter.settings import Mailbox, Settings
from mailrouter.shell.clock import Clock
from mailrouter.shell.mailboxes.interface import MailboxConnection
from mailrouter.shell.store.queue import Task
from mailrouter.shell.store.store import Store

State = Literal["done", "pending", "failed", "held", "unknown"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended; `pending` is tried again after a backoff."""

    state: State
    error: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    final: bool = False  # an unknown outcome that no search can clear


Tell = Callable[[Task, Outcome], None]


class Desk(Protocol):
    """What performers work with."""

    settings: Settings
    store: Store
    clock: Clock

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox's settings; Permanent if it is no longer configured."""
        ...

    def connection(self, name: str) -> MailboxConnection:
        """An open connection to the mailbox, kept between batches."""
        ...

    def smtp_token(self) -> Callable[[], str] | None:
        """Where SMTP's access token comes from; None without OAuth."""
        ...

    def begin(self, task: Task, needed_seconds: float) -> bool:
        """Commit that the irrevocable command comes next; False: leave it, the claim is lost."""
        ...

    def not_after(self, task: Task) -> float:
        """The monotonic time after which the command that `begin` was for must not begin any more."""
        ...

    def begin_many(self, tasks: Sequence[Task], needed_seconds: float) -> set[str]:
        """`begin` for a batch: the keys that may go on."""
        ...


class Performer(Protocol):
    """Performs effects of some kinds."""

    kinds: tuple[str, ...]

    def perform(self, tasks: Sequence[Task], desk: Desk, tell: Tell) -> None:
        """Perform a batch; each outcome is told as it is known. What is never told is tried again alone."""
        ...


def timeout_of(mailbox: Mailbox) -> float:
    """How long one command to the mailbox may take: no command starts with less lease left."""
    return mailbox.imap.timeout_seconds if mailbox.imap else 1.0
