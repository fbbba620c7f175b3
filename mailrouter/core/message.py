"""Bytes of a mail → Message; never raises.

Invariant: whatever the bytes, `parse` returns a Message; what could not be read as the standard says is in `defects`.
Headers keep their order. The standard library's `email` with compat32 does the parsing, every access guarded.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mailrouter.core.outcomes import Defect


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as printed, unfolded and unquoted: name "" if none; address None where it is absent or redacted."""

    name: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a container, as its certificate says; listing is not validation. The personal code is withheld."""

    name: str
    signed: str | None  # ISO time as the signature states it
    status: str = "not verified"


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came with a mail, opened containers included, without its bytes."""

    name: str
    media_type: str
    size: int  # bytes, decoded
    path: tuple[str, ...]  # names from the outermost attachment inwards; names are data, never paths
    inline: bool
    signers: tuple[Signer, ...] = ()
    sha256: str = ""  # of the decoded bytes
    state: str = "ok"  # "ok" | "encrypted" | "unreadable" | "needs-ocr" | "too-large"


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the MIME tree that is not the body: an attachment with its decoded bytes.

    An encapsulated mail (message/rfc822) is one Part whose content is that mail's bytes.
    """

    name: str  # decoded file name; "" if none was given
    media_type: str  # lower case, "application/octet-stream" if absent or absurd
    content: bytes
    inline: bool  # Content-Disposition inline, or referenced by Content-ID from the HTML
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a mail's own headers, groups flattened, names decoded."""

    sender: Annotated[Address | None, Field(alias="from")]  # From, the first
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    return_path: str | None = None  # "" is the null return path; None: no such header


@dataclass(frozen=True, slots=True)
class Message:
    """A mail as it lies in the mailbox, before anyone's words are told apart."""

    digest: str  # SHA-256 of the bytes, hex
    size: int
    message_id: str | None  # with angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    addresses: Addresses
    subject: str  # decoded, unfolded
    date: str | None  # ISO with offset; None if absent or unreadable (then a defect)
    text: str  # the text/plain body, "" if none; line ends are \n
    html: str  # the text/html body, "" if none
    parts: tuple[Part, ...]
    headers: tuple[tuple[str, str], ...]  # all of them, in order, unfolded, decoded where that is possible
    defects: tuple[Defect, ...]
