"""What the service asks of a mirror of our register; one file per register system beside this one.

A file here is a mirror if it has `SETTINGS` (a pydantic model) and `connect(settings, open_mailbox) -> Mirror`; its name is
the file's. Invariant: a mirror never says "done" without proof, and says so itself where repeating would be unsafe.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from mailrouter.core.register import Entry
from mailrouter.shell.errors import Temporary
from mailrouter.shell.mailboxes.interface import MailboxConnection

OpenMailbox = Callable[[str], MailboxConnection]  # a mailbox's name → its open connection
Trace = Literal["there", "not there", "nobody knows"]


class Unproven(Temporary):
    """The command was given and no answer came: it may or may not have been done. Search for its trace first."""


@dataclass(frozen=True, slots=True)
class Document:
    """One entry with its mail, as it is handed over. `key` is the effect's: what it can be found again by."""

    key: str
    entry: Entry
    mailbox: str  # the name of the mailbox that it came by
    raw: bytes | None = None  # None: erased, or over the size limit
    message_id: str | None = None  # of `raw`, with angle brackets
    received: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """What the other system told; `reference` is its word for the document, if it gave one."""

    reference: str | None = None


class Mirror(Protocol):
    """Another register system. Every method raises `Temporary` or `Permanent` and nothing else."""

    needed_seconds: float  # how long `hand_over` may take

    def prepare(self, document: Document) -> None:
        """See that it can be handed over (folder there, fields allowed); nothing outside changes."""
        ...

    def trace(self, document: Document) -> Trace:
        """Whether an earlier try arrived. "nobody knows" must not be repeated by a machine."""
        ...

    def hand_over(self, document: Document) -> Handed:
        """Give the document to the other system; `Unproven` where the answer is missing."""
        ...
