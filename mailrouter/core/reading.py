"""What the words of one mail say, read to the bottom: the value that is stored with its digest and never read twice.

Invariant: a Reading depends on the bytes and `READER_VERSION` alone. Who may be believed, who people are and what
"reedeks" means depends on the directory, the trust and the day, and is resolved afresh each time.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from mailrouter.core.chain import Enclosed, unwind
from mailrouter.core.chain.hops import Chain, Hop, Mark
from mailrouter.core.containers import Limits, Opened, mail_bytes, open_parts
from mailrouter.core.instruction import Orders, read_orders
from mailrouter.core.language import detect
from mailrouter.core.letter.letters import Letter
from mailrouter.core.message import Address, Attachment, Message, parse
from mailrouter.core.mime import header_end
from mailrouter.core.nature import FailedRecipient, Nature, bounced_message_ids, failed_recipients, nature
from mailrouter.core.outcomes import Defect, Hold

READER_VERSION: Final = "1"  # raised with every change of what a Reading means or holds: older ones are read again

# The headers that a Reading keeps: what trust, nature, loops and threading look at, and what rules may ask for.
_KEPT_HEADERS: Final = frozenset(
    [
        "received",
        "authentication-results",
        "from",
        "sender",
        "reply-to",
        "return-path",
        "delivered-to",
        "x-original-to",
        "x-ms-exchange-organization-authas",
        "auto-submitted",
        "precedence",
        "importance",
        "priority",
        "x-priority",
        "sensitivity",
        "content-type",
        "content-language",
        "message-id",
        "in-reply-to",
        "references",
        "thread-index",
        "thread-topic",
        "disposition-notification-to",
        "x-auto-response-suppress",
        "x-failed-recipients",
        "x-mailrouter-loop",
        "x-spam-flag",
        "x-spam-status",
        "list-id",
        "list-post",
        "list-unsubscribe",
        "mailing-list",
    ]
)
_MAX_KEPT: Final = 300  # headers; and characters of each:
_MAX_KEPT_VALUE: Final = 4_000
_MAX_HEADER_BYTES: Final = 1024 * 1024


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
    """All that is read from one mail. `orders` are those of each author, as printed: the outer one, then each hop."""

    version: str
    sha256: str
    size: int  # bytes
    message: Mail
    forwarded: bool
    chain: tuple[Hop, ...] = ()
    letters: tuple[Letter, ...] = ()
    orders: tuple[Orders | None, ...] = (None,)
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


def read(raw: bytes, limits: Limits, ocr: Callable[[bytes], str] | None = None) -> Reading:
    """The bytes of a mail (or of an Outlook .msg file) → Reading. Runs in a child process: it may be slow, never wrong.

    `ocr` turns a scanned PDF into text; without it a scan is listed as one.
    """
    content, defects = mail_bytes(raw)
    opened = open_parts(parse(content), limits)
    message = opened.message
    chain = unwind(message, _enclosed(opened))
    mail = replace(_mail(message, chain), attachments=tuple(part.attachment for part in opened.parts))
    orders = (read_orders(mail.text, mail.subject, mail.language), *(_orders(hop) for hop in chain.hops))
    return Reading(
        version=READER_VERSION,
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        message=replace(mail, defects=(*defects, *message.defects, *opened.defects)),
        forwarded=chain.forwarded,
        chain=chain.hops,
        orders=orders,
        holds=opened.holds,
    )


def read_headers(raw: bytes, hold: Hold) -> Reading:
    """What the header block alone gives, for a mail that could not be read further; `hold` says why."""
    start = raw.lstrip(b"\r\n")[:_MAX_HEADER_BYTES]
    cut, _ = header_end(start)
    message = parse(start[:cut])
    kept = tuple(defect for defect in message.defects if defect.code in {"header", "date"})
    return Reading(
        version=READER_VERSION,
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        message=replace(_mail(message, Chain((), "")), defects=kept),
        forwarded=False,
        holds=(hold,),
    )


def _enclosed(opened: Opened) -> tuple[Enclosed, ...]:
    """The enclosed mails as the chain wants them: each with those that it encloses itself."""
    below: dict[int, list[Enclosed]] = {}
    for index in range(len(opened.messages) - 1, -1, -1):  # from the end: what a mail encloses comes after it
        inner = tuple(reversed(below.pop(index, [])))
        below.setdefault(opened.enclosed_in[index], []).append(Enclosed(opened.messages[index], inner))
    return tuple(reversed(below.get(-1, [])))


def _orders(hop: Hop) -> Orders | None:
    return read_orders(hop.text, hop.subject)


def _mail(message: Message, chain: Chain) -> Mail:
    kept = [(name, value[:_MAX_KEPT_VALUE]) for name, value in message.headers if name.lower() in _KEPT_HEADERS]
    return Mail(
        message_id=message.message_id,
        author=message.addresses.sender,
        to=message.addresses.to,
        cc=message.addresses.cc,
        subject=message.subject,
        date=message.date,
        text=chain.text,
        banners=chain.banners,
        language=detect(chain.text),
        nature=nature(message),
        reply_to=message.addresses.reply_to,
        return_path=message.addresses.return_path,
        in_reply_to=message.in_reply_to,
        references=message.references,
        headers=tuple(kept[:_MAX_KEPT]),
        marks=chain.marks,
        bounced=bounced_message_ids(message) if nature(message) == "bounce" else (),
        failed_recipients=failed_recipients(message),
    )
