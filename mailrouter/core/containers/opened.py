"""What comes out of a mail when its containers are opened, and how far they are."""

from dataclasses import dataclass

from mailrouter.core.message import Attachment, Message, Signer
from mailrouter.core.outcomes import Defect, Hold


@dataclass(frozen=True, slots=True)
class Limits:
    """How far containers are opened."""

    depth: int = 8
    parts: int = 500
    bytes: int = 200 * 1024 * 1024  # decoded, in all


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """A leaf, or a container itself, with its bytes."""

    attachment: Attachment
    content: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """All that a mail carries: leaves and containers in reading order, a container before what it holds.

    `messages` are the enclosed mails of every level, each before those that it encloses itself; `enclosed_in` says for
    each which of them it lies in (-1: in the mail itself). `message` is the mail with the body that a wrapper (signed
    S/MIME, winmail.dat) kept from view.
    """

    parts: tuple[OpenedPart, ...]
    messages: tuple[Message, ...]  # encapsulated mails, parsed
    defects: tuple[Defect, ...]
    holds: tuple[Hold, ...]  # encrypted, password-protected: a person must open these
    message: Message
    enclosed_in: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A file found inside a container."""

    name: str  # as the container gives it
    content: bytes
    media_type: str = ""  # "" if the container does not say
    signers: tuple[Signer, ...] = ()
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """What one container holds. `encrypted` names the method if it cannot be opened without a key or password."""

    items: tuple[Item, ...] = ()
    signers: tuple[Signer, ...] = ()
    defects: tuple[Defect, ...] = ()
    encrypted: str | None = None
