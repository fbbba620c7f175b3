"""What the words of one mail say, read to the bottom: the value that is stored with its digest and never read twice.

Invariant: a Reading depends on the bytes and `READER_VERSION` alone. Who may be believed, who people are and what
"reedeks" means depends on the directory, the trust and the day, and is resolved afresh each time. What fills a Reading
is in reading.py; whoever only keeps or shows one needs nothing of that.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field, TypeAdapter

from mailrouter.core.chain.hops import Hop, Mark
from mailrouter.core.instruction.orders import Orders
from mailrouter.core.letter.letters import Letter
from mailrouter.core.message import Address, Attachment
from mailrouter.core.nature import FailedRecipient, Nature
from mailrouter.core.outcomes import Defect, Hold

READER_VERSION: Final = "2"  # raised with every change of what a Reading means or holds: older ones are read again


@dataclass(frozen=True, slots=True)
class Mail:
    """The fetched mail itself, with the JSON keys of `read --json`. `author` has the key "from".

    `text` is the outer author's own words, banners left out. `headers` are those that trust, nature, loops and
    threading look at, in their order. `verified` is None until it is resolved against the settings.
    """

    message_id: str | None
    author: Annotated[Address | None, Field(alias="from")]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: str | None  # ISO with offset
    text: str
    banners: tuple[str, ...] = ()
    language: str | None = None  # ISO 639-1
    nature: Nature = "person"
    verified: bool | None = None
    attachments: tuple[Attachment, ...] = ()
    defects: tuple[Defect, ...] = ()
    reply_to: tuple[Address, ...] = ()
    return_path: str | None = None  # "" is the null return path; None: no such header
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    marks: tuple[Mark, ...] = ()  # in `text`
    bounced: tuple[str, ...] = ()  # Message-IDs of ours that this bounce came back for
    failed_recipients: tuple[FailedRecipient, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is read from one mail. `orders` are what the mail's own author orders, as printed."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        defer_build=True
    )  # its adapter is built when it is first used

    version: str
    sha256: str
    size: int  # bytes
    message: Mail
    forwarded: bool
    chain: tuple[Hop, ...] = ()
    letters: tuple[Letter, ...] = ()
    orders: Orders | None = None
    holds: tuple[Hold, ...] = ()


READING: Final[TypeAdapter[Reading]] = TypeAdapter(Reading)


def as_json(reading: Reading, file: str, index: int) -> dict[str, Any]:
    """One line of `read --json`: what the words say; `verified`, `incoming` and `instruction` need settings."""
    data = READING.dump_python(reading, mode="json", by_alias=True)
    return {
        "file": file,
        "index": index,
        "sha256": data["sha256"],
        "error": next((hold.reason for hold in reading.holds if hold.code == "unreadable"), None),
        "message": data["message"],
        "forwarded": data["forwarded"],
        "incoming": None,
        "chain": data["chain"],
        "letters": data["letters"],
        "instruction": None,
        "holds": data["holds"],
    }
