"""Containers opened to their leaves: encapsulated mails, .msg, winmail.dat, S/MIME, ASiC-E/BDOC/DDOC, zip.

Invariant: bounded by `Limits` whatever comes in; names inside are data, never paths; nothing raises.
"""

from dataclasses import dataclass

from mailrouter.core.message import Attachment, Message
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
    """All that a mail carries: leaves and containers in reading order, and the mails that it encloses, outermost first."""

    parts: tuple[OpenedPart, ...]
    messages: tuple[Message, ...]  # encapsulated mails, parsed
    defects: tuple[Defect, ...]
    holds: tuple[Hold, ...]  # encrypted, password-protected: a person must open these
