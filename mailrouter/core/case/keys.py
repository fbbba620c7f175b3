"""The keys that a letter is recognised by, in the register and when it comes again.

    raw:<sha256>              the very bytes
    mid:<Message-ID>          the mail that wrote to us
    via:<Message-ID>          the colleague's mail that passed it on
    hop:<digest>              subject and minute of the mail that wrote to us, as every later mail prints them
    text:<digest>             its words, where they are many enough to be its own
    ref:<reference>|<date>    the sender's reference and the letter's date
    sref:<reference>          the sender's reference alone: how later letters name it
    doc:<sha256>              an attached document that is a letter
    annex:<sha256>            any other attached document; images, calendars and containers do not count
    num:<number>              our own number

Invariant: keys say what is printed; what two letters' keys prove together is said in threads.py. Lookup keys are a
superset of identity keys, so that the directory may change between the lookup and the decision.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from mailrouter.core.case.cases import Case, Correspondence
from mailrouter.core.case.parties import correspondence
from mailrouter.core.chain.subjects import core as subject_core
from mailrouter.core.language import fold
from mailrouter.core.letter.letters import Letter
from mailrouter.core.mail import Reading
from mailrouter.core.message import Attachment
from mailrouter.core.people import Directory
from mailrouter.core.register import Entry, find_numbers, find_references

ZONE = "Europe/Tallinn"  # printed times without an offset are ours
_ENOUGH_TEXT = 200  # letters and digits: shorter texts are covering words that many mails share
_TEXT = 4_000
_BETWEEN = re.compile(r"[\W_]+")  # all but letters and digits
_LONGEST_KEY = 250  # characters
_MOST = 200  # numbers, references and Message-IDs of one mail that are looked up
# The Commission's own programs print its history in its own time, ours print ours.
_SHIFTS_HOURS = (0, 1, -1, 2, -2)
_NOBODY = Directory()
_NO_DOCUMENT = ("image/", "audio/", "video/", "message/", "multipart/")
_NO_DOCUMENTS = frozenset(
    {
        "text/calendar",
        "text/vcard",
        "text/x-vcard",
        "application/ics",
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/ms-tnef",
        "application/vnd.ms-tnef",
        "application/vnd.ms-outlook",
        "application/zip",
        "application/x-zip-compressed",
        "application/vnd.etsi.asic-e+zip",
        "application/vnd.etsi.asic-s+zip",
        "application/x-ddoc",
        "application/octet-stream+xml",
    }
)
_CONTAINER_NAMES = (
    ".asice",
    ".sce",
    ".bdoc",
    ".ddoc",
    ".asics",
    ".zip",
    ".p7m",
    ".p7s",
    ".ics",
    ".vcf",
    ".eml",
    ".msg",
)


def documents(attachments: Iterable[Attachment], letters: Sequence[Letter]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Digests of the attached letters, and of the other documents: no inline parts, images, calendars, containers."""
    paths = {letter.path for letter in letters if letter.path}
    of_letters: dict[str, None] = {}
    others: dict[str, None] = {}
    for attachment in attachments:
        if not attachment.sha256 or attachment.size == 0:
            continue
        if attachment.path in paths:
            of_letters[attachment.sha256] = None
        elif _is_document(attachment):
            others[attachment.sha256] = None
    return tuple(of_letters), tuple(others)


def _is_document(attachment: Attachment) -> bool:
    kind = attachment.media_type.lower()
    if attachment.inline or kind.startswith(_NO_DOCUMENT) or kind in _NO_DOCUMENTS:
        return False
    return not attachment.name.lower().endswith(_CONTAINER_NAMES)


def identity_keys(
    sha256: str, mail: Correspondence, letters: Sequence[Letter], attachments: Sequence[Attachment], *, zone: str = ZONE
) -> tuple[str, ...]:
    """The keys of a letter that came with `mail` (`incoming`, or the fetched mail): its identity, locked when settling."""
    own, annexes = documents(attachments, letters)
    keys = [f"raw:{sha256}"]
    if mail.message_id:
        keys.append(make_key("mid", mail.message_id))
    keys += hop_keys(mail.subject, mail.sent, zone=zone)[:1]
    keys += text_keys(mail.text)
    keys += [
        make_key("ref", f"{normal(letter.reference)}|{letter.dated}")
        for letter in letters
        if letter.reference and letter.dated and identifies(letter.reference)
    ]
    keys += [f"doc:{digest}" for digest in own]
    keys += [f"annex:{digest}" for digest in annexes]
    return tuple(dict.fromkeys(keys))


def registered_keys(case: Case, entry: Entry | None = None, *, zone: str = ZONE) -> tuple[str, ...]:
    """All keys that the register keeps with the entry of this mail; with `entry` its number's too.

    For a duplicate they are added to the first entry's.
    """
    mail = case.incoming or _outer(case)
    keys = list(identity_keys(case.sha256, mail, case.letters, case.attachments, zone=zone))
    keys += hop_keys(mail.subject, mail.sent, zone=zone)
    if mail.index >= 0 and case.message.message_id:
        keys.append(make_key("via", case.message.message_id))
    keys += [
        make_key("sref", normal(letter.reference))
        for letter in case.letters
        if letter.reference and identifies(letter.reference)
    ]
    return tuple(dict.fromkeys((*keys, *number_keys(entry))))


def _outer(case: Case) -> Correspondence:
    mail = case.message
    return Correspondence(
        -1, mail.author, mail.to, mail.cc, mail.subject, mail.date, mail.message_id, mail.text, None, claimed=False
    )


def outgoing_keys(entry: Entry, message_ids: Iterable[str]) -> tuple[str, ...]:
    """The keys that the register keeps with an outgoing letter: its number and the Message-IDs it went out under."""
    return (*number_keys(entry), *(make_key("mid", each) for each in message_ids))


def number_keys(entry: Entry | None) -> tuple[str, ...]:
    """How others name an entry: its number, the other system's number, and the bare stem for the initial letter."""
    if entry is None:
        return ()
    numbers = [number for number in (entry.number, entry.theirs) if number]
    if entry.suffix == 1:
        numbers += [number.removesuffix("-1") for number in numbers]
    return tuple(dict.fromkeys(make_key("num", number) for number in numbers))


def thread_lookup_keys(reading: Reading, domains: Sequence[str] = (), *, zone: str = ZONE) -> tuple[str, ...]:
    """Every key under which the register may know this letter or its matter; asked for before `resolve`.

    `domains` is accepted for the callers' symmetry: the keys of every mail in the chain are asked for, whoever is ours.
    """
    del domains
    return tuple(dict.fromkeys(_lookups(reading, zone)))


def _lookups(reading: Reading, zone: str) -> Iterator[str]:
    # Whose letter it is takes the directory; the keys of every mail in the chain do not.
    bare = replace(reading, letters=())
    for index in range(-1, len(reading.chain)):
        mail = correspondence(bare, index, _NOBODY)
        yield from identity_keys(reading.sha256, mail, reading.letters, reading.message.attachments, zone=zone)
        yield from hop_keys(mail.subject, mail.sent, zone=zone)
    for each in message_ids(reading):
        yield make_key("mid", each)
        yield make_key("via", each)
    texts = list(all_texts(reading))
    yield from (make_key("num", number) for text in texts for number in find_numbers(text)[:_MOST])
    yield from (make_key("sref", normal(reference)) for text in texts for reference in find_references(text)[:_MOST])
    for letter in reading.letters:
        yield from their_reference_keys(letter)
        if letter.reference and identifies(letter.reference):
            yield make_key("sref", normal(letter.reference))


def all_texts(reading: Reading) -> Iterator[str]:
    """Every text of a mail that may name a number: subjects, words, letters."""
    yield reading.message.subject
    yield reading.message.text
    for hop in reading.chain:
        yield hop.subject
        yield hop.text
    for letter in reading.letters:
        yield letter.subject or ""
        yield letter.text


def their_reference_keys(letter: Letter) -> tuple[str, ...]:
    """The keys of our number that a letter says it answers; a label is put before it so that a bare one counts."""
    if not letter.their_reference:
        return ()
    numbers = find_numbers(f"nr {letter.their_reference}") or (letter.their_reference.strip(),)
    return tuple(make_key("num", number) for number in numbers)


def message_ids(reading: Reading) -> tuple[str, ...]:
    """The Message-IDs that a mail stands in thread with, the nearest first: answered, hops', References, bounced."""
    mail = reading.message
    own = {mail.message_id}
    hops = [hop.message_id for hop in reading.chain if hop.message_id]
    found = (*mail.in_reply_to, *hops, *reversed(mail.references[-_MOST:]), *mail.bounced)
    return tuple(dict.fromkeys(each for each in found if each not in own))


def hop_keys(subject: str, sent: str | None, *, zone: str = ZONE) -> tuple[str, ...]:
    """The keys of a mail by subject and minute; the first is its own, the others allow for other zones' clocks.

    () where no time is printed: a subject and a day prove nothing.
    """
    bare = subject_core(subject)
    if not bare or not sent or "T" not in sent:
        return ()
    try:
        moment = datetime.fromisoformat(sent)
        if moment.tzinfo is not None:
            moments = [moment.astimezone(_zone(zone)).replace(tzinfo=None)]
        else:
            moments = [moment + timedelta(hours=hours) for hours in _SHIFTS_HOURS]
    except (ValueError, OverflowError):  # no date, or one at the ends of time
        return ()
    return tuple(f"hop:{_digest(f'{bare}|{each:%Y-%m-%dT%H:%M}')}" for each in moments)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def text_keys(text: str) -> tuple[str, ...]:
    """The key of a mail's words, whatever line breaks and marks a program put between them; () if they are few."""
    return _text_keys(text[: 4 * _TEXT])


@lru_cache(maxsize=512)  # asked for when the register is looked up, and again when the mail is settled
def _text_keys(text: str) -> tuple[str, ...]:
    letters = _BETWEEN.sub("", fold(text))[:_TEXT]
    return (f"text:{_digest(letters)}",) if len(letters) >= _ENOUGH_TEXT else ()


def normal(reference: str) -> str:
    """A reference as it is compared: case, spaces and kinds of hyphens do not count."""
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", reference)
    return re.sub(r"\s+", "", plain).casefold()[:200]


def identifies(reference: str) -> bool:
    """Whether a reference names one letter: it has a number in it, and is no mere unit's mark (HOME.C.2/AB)."""
    return bool(find_references(f"nr {reference}") or re.search(r"\d{3}|\d/\d|-\d+$", reference))


def make_key(kind: str, value: str) -> str:
    """The key of this kind; what is too long for the register's column is told by its digest."""
    plain = f"{kind}:{value.strip()}"
    return plain if len(plain) <= _LONGEST_KEY else f"{kind}:{_digest(plain)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
