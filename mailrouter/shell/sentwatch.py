"""Answers that persons send from their own mail programs: found in Sent, registered, never sent a second time.

A mail in Sent answers a draft if it goes to the other party and (first line that applies)

    it has the Message-ID of one of our copies           it is the draft, changed or not
    it answers the letter, or the mail that passed it on     In-Reply-To and References
    it names the letter's number or the answer's             in its subject or its own words
    it goes to the same address and says the same            the draft sent without its thread

Where several drafts answer one letter, the one whose words it has is meant; of a mail with words of its own, the draft
that answers; a mere "we have received it" answers nothing.
Invariant: what our own service sent is never taken for a person's; nothing is changed outside but the unchanged copy
that is left in Drafts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mailrouter.core.chain import unwind
from mailrouter.core.chain.subjects import core as subject_core
from mailrouter.core.language import fold
from mailrouter.core.message import Message, parse
from mailrouter.core.register import Classification, find_numbers
from mailrouter.settings import Mailbox
from mailrouter.shell import log
from mailrouter.shell.draftwatch import says_the_same
from mailrouter.shell.errors import Permanent
from mailrouter.shell.mailboxes.interface import MailboxConnection
from mailrouter.shell.store.draft import ByHand, Draft
from mailrouter.shell.store.store import Store

_ALIKE = 0.5  # of a draft's words that a mail must have to be taken for it
_THE_SAME = 0.75  # where nothing else links them
_SHORT = 90  # words of a mere confirmation
_HEADERS = 0  # a size limit that leaves the headers alone
# How a mere confirmation of receipt speaks, folded: it answers nothing.
_RECEIVED = re.compile(
    r"confirm\w* (?:the )?receipt|acknowledge\w* (?:the )?receipt|(?:have|has been|was) received|received your"
    r"|come back to you|revert to you|reply in due course|respond in due course"
    r"|katte ?saa|oleme saanud|saime teie|kinnitame kirja|vastame esimesel|vastame teile hiljem|on registreeritud"
    r"|accus\w+ (?:de )?reception|bien recu|reviendrons vers vous|bestatig\w+ den (?:eingang|empfang)|haben .{0,40}erhalten"
    r"|vastaanotta|vahvistamme|bekraftar|mottagit|sanem|gavom|подтвержда\w+ получени|получили"
)


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A draft that somebody may answer by hand, and what its answer is known by."""

    draft: Draft
    copies: frozenset[str]  # Message-IDs of our copies, of every revision
    thread: frozenset[str]  # Message-IDs of the letter's mail and of the mail that passed it on
    numbers: frozenset[str]
    addresses: frozenset[str]
    domains: frozenset[str]
    since: date


@dataclass(frozen=True, slots=True)
class _Found:
    """A mail in Sent that may be an answer."""

    message: Message
    words: str  # its author's own
    matches: tuple[tuple[_Awaited, str], ...]


def look(
    mailbox: Mailbox,
    connection: MailboxConnection,
    store: Store,
    *,
    domains: Sequence[str],
    at: datetime,
    classification: Classification,
    only: int | None = None,
) -> list[int]:
    """Record the answers that persons sent since the last look; the drafts that are sent by them.

    `only`: the outbox asks for one draft that it is about to send; nothing is said of the others, and they are looked
    for again.
    """
    waiting, fresh = store.drafts.open_in(mailbox.name)
    folder = connection.special("sent") if waiting else mailbox.folder
    if folder == mailbox.folder:
        return []
    state = connection.state(folder)
    uidvalidity = state.uidvalidity
    place = store.sentbox.place(mailbox.name, folder, uidvalidity)
    if state.exists == 0 or (place is not None and not fresh and 0 < state.uidnext <= place + 1):
        return []  # most often: nothing new was sent
    awaited = [_awaited(one, mailbox, store) for one in store.drafts.unanswered(mailbox.name)]
    if not awaited:
        return []
    if place is None:
        place = connection.last_uid_before(folder, uidvalidity, min(one.since for one in awaited))
    uids = _earlier(awaited, connection, folder, place) | set(connection.uids(folder, uidvalidity, place))
    done: list[int] = []
    last = max(uids, default=0)
    for uid in sorted(uids):
        left = [one for one in awaited if one.draft.id not in done]
        chosen = _chosen(_found(uid, folder, uidvalidity, left, mailbox, connection, store, domains))
        if chosen is None or (only is not None and chosen[0].draft.id != only):
            continue
        recorded = _record(chosen, store, at, classification, mine=only is not None)
        if recorded == "busy":  # looked at again when the outbox has said what became of it
            last = uid - 1
            break
        if recorded == "sent":
            done.append(chosen[0].draft.id)
            log.event("sent.found", mailbox=mailbox.name, draft=chosen[0].draft.id)
            _clear(chosen[0], connection)
    if only is None:
        store.sentbox.move_on(mailbox.name, folder, uidvalidity, max(place, last), at.isoformat(timespec="seconds"))
        _sought(awaited, store)
    return done


def _sought(awaited: Sequence[_Awaited], store: Store) -> None:
    if fresh := [one.draft.id for one in awaited if not one.draft.sought]:
        store.drafts.sought(fresh)


def _record(
    chosen: tuple[_Awaited, ByHand], store: Store, at: datetime, classification: Classification, *, mine: bool
) -> str:
    """Write it down; what the register refuses is told in the log, and holds up neither the mailbox nor the others."""
    draft = chosen[0].draft.id
    try:
        return store.drafts.sent_by_hand(draft, chosen[1], at=at, classification=classification, mine=mine)
    except Permanent as error:
        log.event("sent.found", warning=True, draft=draft, error=str(error))
        return "refused"


def _awaited(draft: Draft, mailbox: Mailbox, store: Store) -> _Awaited:
    host = mailbox.address.rsplit("@", 1)[-1]
    keys = [draft.effect_key, *(f"{draft.effect_key}.{number}" for number in range(1, draft.revision + 1))]
    case = store.listing.case(draft.intake_id) if draft.intake_id else None
    thread = [draft.content.in_reply_to, case.message.message_id if case else None]
    parties = [one.address for one in draft.content.to]
    if case and case.incoming and case.incoming.author:
        thread.append(case.incoming.message_id)
        parties.append(case.incoming.author.address)
    addresses = frozenset(one.casefold() for one in parties if one)
    numbers = [draft.letter, draft.answers, draft.number]
    return _Awaited(
        draft=draft,
        copies=frozenset(f"<{key}@{host}>" for key in keys),
        thread=frozenset(one for one in thread if one),
        numbers=frozenset(one for one in numbers if one),
        addresses=addresses,
        domains=frozenset(one.rpartition("@")[2] for one in addresses),
        since=datetime.fromisoformat(case.received).date() if case else date(1970, 1, 1),
    )


def _earlier(awaited: Sequence[_Awaited], connection: MailboxConnection, folder: str, place: int) -> set[int]:
    """Answers older than their draft, such as to a letter that was held: searched for once."""
    fresh = {message_id for one in awaited if not one.draft.sought for message_id in one.thread} if place else set()
    return {uid for message_id in sorted(fresh) for uid in connection.find_references(folder, message_id)}


def _found(
    uid: int,
    folder: str,
    uidvalidity: int,
    awaited: Sequence[_Awaited],
    mailbox: Mailbox,
    connection: MailboxConnection,
    store: Store,
    domains: Sequence[str],
) -> _Found | None:
    """The mail of this UID where it may be an answer: its headers are looked at first, its body only if they allow it."""
    headers = next((parse(one.raw) for one in connection.fetch(folder, uidvalidity, [uid], _HEADERS)), None)
    if headers is None or _automatic(headers):
        return None
    possible = [one for one in awaited if _possible(headers, one, domains)]
    if not possible or _ours(headers.message_id, possible, store):
        return None
    for fetched in connection.fetch(folder, uidvalidity, [uid], mailbox.size_limit):
        message = parse(fetched.raw)
        words = unwind(message).text if fetched.whole else ""
        matches = [(one, why) for one in possible if (why := _why(message, words, one))]
        return _Found(message, words, tuple(matches))
    return None


def _automatic(message: Message) -> bool:
    """What our service, or any other program, sent by itself."""
    return any(
        name.lower() == "x-mailrouter-loop" or (name.lower() == "auto-submitted" and value.strip().lower() != "no")
        for name, value in message.headers
    )


def _ours(message_id: str | None, awaited: Sequence[_Awaited], store: Store) -> bool:
    """Whether our service sent it: its Message-ID is an effect's, and of no copy that a person may have sent."""
    if message_id is None or any(message_id in one.copies for one in awaited):
        return False
    return store.queue.by_message_id(re.split(r"[.@]", message_id.strip("<>"), maxsplit=1)[0]) is not None


def _recipients(message: Message) -> frozenset[str]:
    listed = (*message.addresses.to, *message.addresses.cc)
    return frozenset(one.address.casefold() for one in listed if one.address)


def _possible(message: Message, one: _Awaited, domains: Sequence[str]) -> bool:
    """Whether the headers allow that it answers: it goes to the other party, or outside in the letter's thread."""
    to = _recipients(message)
    if to & one.addresses:
        return True
    outside = {address.rpartition("@")[2] for address in to} - {domain.casefold() for domain in domains}
    named = set(find_numbers(message.subject)) & one.numbers
    threaded = _threaded(message, one) or message.message_id in one.copies
    return bool(outside & one.domains) or bool(outside and (named or threaded))


def _threaded(message: Message, one: _Awaited) -> bool:
    return bool({*message.in_reply_to, *message.references} & one.thread)


def _why(message: Message, words: str, one: _Awaited) -> str | None:
    """By what it is known as an answer to this draft, None if by nothing."""
    to = _recipients(message)
    party = bool(to & one.addresses or {address.rpartition("@")[2] for address in to} & one.domains)
    likeness = _likeness(words, one.draft)
    if message.message_id in one.copies:
        return "its Message-ID is the draft's"
    if _threaded(message, one) and (party or likeness >= _ALIKE):
        return "it answers the letter's mail"
    if party and one.numbers & {*find_numbers(message.subject), *find_numbers(words)}:
        return "it names the letter's number"
    same = subject_core(message.subject) == subject_core(one.draft.content.content.subject)
    if to & one.addresses and same and likeness >= _THE_SAME:
        return "it says what the draft says"
    return None


def _chosen(found: _Found | None) -> tuple[_Awaited, ByHand] | None:
    """The draft that the mail answers, None if it answers none."""
    if found is None or not found.matches:
        return None
    one, why = _meant(found)
    if one is None:
        return None
    addresses, author = found.message.addresses, found.message.addresses.sender
    by_hand = ByHand(
        sha256=found.message.digest,
        message_id=found.message.message_id,
        author=author.name if author else "",
        to=addresses.to,
        cc=addresses.cc,
        subject=found.message.subject,
        text=found.words,
        why=why,
        copy=found.message.message_id in one.copies,
    )
    return one, by_hand


def _meant(found: _Found) -> tuple[_Awaited | None, str]:
    for one, why in found.matches:
        if found.message.message_id in one.copies:
            return one, why
    alike = [(_likeness(found.words, one.draft), one, why) for one, why in found.matches]
    best = max(alike, key=lambda item: item[0])
    if best[0] >= _ALIKE:
        return best[1], best[2]
    mere = _confirms_only(found)
    wanted = [(one, why) for one, why in found.matches if (one.draft.purpose == "acknowledgement") == mere]
    wanted = [item for item in wanted if mere or item[0].draft.answers]
    return wanted[0] if wanted else (None, "")


def _confirms_only(found: _Found) -> bool:
    """Whether it says that the letter came, and no more."""
    if len(found.words.split()) > _SHORT or not _RECEIVED.search(fold(found.words)):
        return False
    named = [name for one, _ in found.matches for name in one.draft.content.nominees]
    return not any(fold(name) in fold(found.words) for name in named)


def _likeness(words: str, draft: Draft) -> float:
    """The share of the draft's different words that stand in the mail, its open places not counted."""
    mine = _different(re.sub(r"\{[\w.]+\}", " ", draft.content.content.text))
    return len(mine & _different(words)) / len(mine) if mine else 0.0


def _different(text: str) -> set[str]:
    return set(_words(fold(text)))


def _words(text: str) -> Iterable[str]:
    return re.findall(r"[^\W_]{3,}", text)


def _clear(one: _Awaited, connection: MailboxConnection) -> None:
    """Remove what is left of the draft in Drafts, unless a person changed it: their work stays theirs."""
    folder = connection.special("drafts")
    for message_id in sorted(one.copies):
        for uid in connection.find(folder, message_id):
            uidvalidity = connection.state(folder).uidvalidity
            if any(
                says_the_same(parse(copy.raw), one.draft)
                for copy in connection.fetch(folder, uidvalidity, [uid], 1 << 30)
            ):
                connection.remove(folder, uidvalidity, uid)
