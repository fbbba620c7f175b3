"""The types of a Case and its parts.

Invariant: a Case is stored as decided; backtest and "why not" use it so, explain and retry resolve afresh.
Paths in rules and templates use the key names of `read --json` ("incoming.from").
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from mailrouter.core.chain.hops import Hop
from mailrouter.core.instruction import Instruction
from mailrouter.core.letter.letters import Letter
from mailrouter.core.mail import Mail
from mailrouter.core.message import Address, Attachment
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import Person


@dataclass(frozen=True, slots=True)
class Loops:
    """When a mail goes round: our key of the loop token, and how many passes and Received lines are too many."""

    key: bytes
    hops: int = 5
    received: int = 50


@dataclass(frozen=True, slots=True)
class MailboxRef:
    """The functional mailbox that a mail arrived in."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Sender:
    """The author of the fetched mail. `why` says how it was verified, or why not."""

    name: str
    address: str | None
    verified: bool
    internal: bool
    institution: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Correspondence:
    """`incoming` (who wrote to us) or `oldest` (the bottom hop). `index` in the chain, -1 for the fetched mail.

    `claimed` is True where the words stand in quoted text, which nobody verified.
    """

    index: int
    author: Annotated[Address | None, Field(alias="from")]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    sent: str | None
    message_id: str | None
    text: str
    institution: str | None
    claimed: bool


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """An entry of the register that this mail belongs to, as it stood when the case was decided."""

    number: str
    series: str
    file: str
    function: str
    title: str
    direction: Literal["incoming", "outgoing"]
    responsible: str | None
    by: str  # what linked it: "identity", "our number", "their reference", "references", "history"
    registered: str | None = None  # ISO; tells entries of different years apart that bear one number
    message: str = ""  # SHA-256 of the entry's mail


@dataclass(frozen=True, slots=True)
class Thread:
    """Where the mail belongs. duplicate: the same letter was registered; reply, follow-up: joins `entry`'s stem."""

    relation: Literal["new", "duplicate", "reply", "follow-up"] = "new"
    entry: ThreadEntry | None = None
    related: tuple[str, ...] = ()  # numbers of entries found in the history
    conflict: str | None = None  # "same reference, different documents": a person must look


@dataclass(frozen=True, slots=True)
class Case:
    """Everything about one mail that rules and templates may use."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(defer_build=True)  # built when first used

    sha256: str
    received: str  # ISO with offset: when our server took it
    mailbox: MailboxRef
    message: Mail
    chain: tuple[Hop, ...]
    sender: Sender
    incoming: Correspondence | None  # the newest author outside our domains
    oldest: Correspondence
    forwarder: Person | None  # `sender` if internal
    letters: tuple[Letter, ...]
    attachments: tuple[Attachment, ...]
    instruction: Instruction | None
    nature: Literal["person", "list", "automatic", "bounce", "receipt", "loop"]
    thread: Thread
    holds: tuple[Hold, ...] = ()  # found while reading or resolving: these hold whatever the rules say


CASE: Final[TypeAdapter[Case]] = TypeAdapter(Case)
