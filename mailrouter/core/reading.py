"""The bytes of one mail → its Reading: message, chain, documents, letters and orders read to the bottom.

Invariant: a Reading depends on the bytes and `READER_VERSION` alone; reading never raises.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mailrouter.core.chain import Enclosed, unwind
from mailrouter.core.chain.hops import Chain
from mailrouter.core.containers import Limits, Opened, OpenedPart, mail_bytes, open_parts
from mailrouter.core.documents import to_text
from mailrouter.core.instruction import Orders, read_orders
from mailrouter.core.language import detect
from mailrouter.core.letter import Letter, read_body, read_letters
from mailrouter.core.mail import READER_VERSION, READING, Mail, Reading, as_json
from mailrouter.core.message import Attachment, Message, parse
from mailrouter.core.mime import header_end
from mailrouter.core.nature import bounced_message_ids, failed_recipients, nature
from mailrouter.core.outcomes import Defect, Hold

__all__ = ["READER_VERSION", "READING", "Mail", "Reading", "as_json", "read", "read_headers"]

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
# Attachments in which no words are looked for; enclosed mails have their own place in the chain.
_WORDLESS: Final = ("image/", "audio/", "video/", "font/", "message/", "application/pkcs7", "application/x-pkcs7")
# What may well be a letter though its format is not read: said; that a table or a film is not read goes without saying.
_UNREAD_LETTERS: Final = frozenset({"application/msword", "application/rtf", "text/rtf", "application/vnd.ms-word"})
_MAX_OWN_WORDS: Final = 20_000  # characters in which orders, or a letter in the mail itself, are looked for
_MAX_LETTER: Final = 150_000  # the same of an attached document: a letter of fifty pages with its annexes
_MAX_LINE: Final = 2_000  # characters of a paragraph
_MAX_DOCUMENTS: Final = 100  # in which letters are looked for
_MAX_HEADER_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Document:
    """An attachment with its words."""

    attachment: Attachment
    text: str
    defects: tuple[Defect, ...] = ()
    holds: tuple[Hold, ...] = ()


def read(raw: bytes, limits: Limits, ocr: Callable[[bytes], str] | None = None) -> Reading:
    """The bytes of a mail (or of an Outlook .msg file) → Reading. Runs in a child process: it may be slow, never wrong.

    `ocr` turns a scanned PDF into text; without it a scan is listed as one.
    """
    content, defects = mail_bytes(raw)
    opened = open_parts(parse(content), limits)
    message = opened.message
    chain = unwind(message, _enclosed(opened))
    texts = [_text_of(part, ocr) for part in opened.parts]
    mail = replace(
        _mail(message, chain),
        attachments=tuple(each.attachment for each in texts),
        defects=(*defects, *message.defects, *opened.defects, *(found for each in texts for found in each.defects)),
    )
    orders = read_orders(_bounded(mail.text), mail.subject, mail.language)
    return Reading(
        version=READER_VERSION,
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        message=mail,
        forwarded=chain.forwarded,
        chain=chain.hops,
        letters=_letters(mail, chain, orders, texts),
        orders=orders,
        holds=(
            *(Hold("unreadable", each.detail) for each in defects),
            *opened.holds,
            *(hold for each in texts for hold in each.holds),
        ),
    )


def _text_of(part: OpenedPart, ocr: Callable[[bytes], str] | None) -> _Document:
    """The words of one attachment; a scan is given to `ocr`, and said to be one where that is missing or sees nothing."""
    attachment = part.attachment
    if attachment.state != "ok" or attachment.media_type.startswith(_WORDLESS):
        return _Document(attachment, "")
    read_as = to_text(part.content, attachment.media_type, attachment.name)
    text, state = read_as.text, read_as.state
    defects = tuple(
        each for each in read_as.defects if state != "unsupported" or attachment.media_type in _UNREAD_LETTERS
    )
    if state == "needs-ocr" and ocr is not None:
        text = ocr(part.content)
        if text:
            return _Document(attachment, text, tuple(each for each in defects if each.code != "needs-ocr"))
    if state == "encrypted":
        reason = f"{attachment.name} is protected by a password: a person who knows it must open it"
        hold = Hold("encrypted", reason, (attachment.name,))
        return _Document(replace(attachment, state=state), "", defects, (hold,))
    known = state if state in {"needs-ocr", "unreadable"} else "ok"
    return _Document(replace(attachment, state=known), text, defects)


def _letters(mail: Mail, chain: Chain, orders: Orders | None, texts: Sequence[_Document]) -> tuple[Letter, ...]:
    """The attached documents that are letters; if there is none, the mail's own words where they are the letter.

    Which of a chain's mails wrote to us is not known here: our domains are settings. So the words of the newest mail
    that make a letter are taken: those of the outer mail, unless it only passes on what is below it or orders what to
    do with it, then those of each hop downwards. A covering note to a document that is a letter is none itself.
    """
    documents = [
        (each.attachment.path, _bounded(each.text, _MAX_LETTER)) for each in texts[:_MAX_DOCUMENTS] if each.text.strip()
    ]
    found = read_letters(documents, mail_date=mail.date)
    if found or mail.nature in {"bounce", "receipt", "automatic"}:  # what a machine writes by itself is no letter
        return found
    candidates = [] if chain.forwarded and orders is not None else [(mail.text, mail.subject, mail.author, mail.date)]
    if chain.forwarded:
        candidates += [(hop.text, hop.subject, hop.author, hop.sent) for hop in chain.hops]
    for text, subject, author, sent in candidates:
        letter = read_body(_bounded(text), subject, author, sent) if text.strip() else None
        if letter:
            return (letter,)
    return ()


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


def _bounded(text: str, most: int = _MAX_OWN_WORDS) -> str:
    """As much of a text as a person writes or a letter has, no line longer than a paragraph.

    What reads it compares lines with phrases: its time must not grow with what a hostile mail puts into one line.
    """
    if len(text) > most:
        text = text[:most]
    if max(map(len, text.split("\n"))) <= _MAX_LINE:
        return text
    return "\n".join(
        line[at : at + _MAX_LINE] for line in text.split("\n") for at in range(0, max(1, len(line)), _MAX_LINE)
    )


def _mail(message: Message, chain: Chain) -> Mail:
    kept = [
        (name, value if name.lower() == "from" else value[:_MAX_KEPT_VALUE])
        for name, value in message.headers
        if name.lower() in _KEPT_HEADERS
    ]
    # Every From, whole: that there is a second author must not be hidden by putting it far down.
    kept[_MAX_KEPT:] = [header for header in kept[_MAX_KEPT:] if header[0].lower() == "from"]
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
        headers=tuple(kept),
        marks=chain.marks,
        bounced=bounced_message_ids(message) if nature(message) == "bounce" else (),
        failed_recipients=failed_recipients(message),
    )
