"""Where a mail belongs: the same letter again, a reply or follow-up in a matter, or something new.

What makes two mails one letter (first line that applies; "parted" = both have attached letters, none in common):

    the same bytes                                              same
    the same letter from the same author, nothing new beside it same, unless the references differ
    the same reference and date from the same house             same; parted: conflict
    the same Message-ID                                         same; parted, or nothing else alike: conflict
    the same subject and minute from the same author            same; parted, or plainly two mails: conflict
    the same long text from the same author, documents alike    same

What joins a matter, strongest first: our number given as ours or in the subject; In-Reply-To and References; our number
in the words; the sender's reference or document named again; a mail of the matter in the history below.
Invariant: pure; an entry is joined only by evidence that the mail itself carries.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mailrouter.core.case.cases import Correspondence, Thread, ThreadEntry
from mailrouter.core.case.keys import (
    ZONE,
    hop_keys,
    identifies,
    identity_keys,
    make_key,
    message_ids,
    normal,
    text_keys,
    their_reference_keys,
)
from mailrouter.core.case.parties import PROVIDERS
from mailrouter.core.language import fold
from mailrouter.core.mail import Reading
from mailrouter.core.register import (
    Correspondent,
    Entry,
    FoundNumber,
    KnownEntry,
    find_numbers,
    find_references,
    found_numbers,
)

Same = Literal["same", "conflict", "other"]
Closeness = Literal["same author", "same house", "other"]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """One key that may link to an entry: `rank` 0 is the strongest; `party`: only to an entry of the same party."""

    key: str
    rank: int
    by: str
    party: bool = False


def compare(mine: Iterable[str], theirs: Iterable[str], *, party: Closeness = "same author") -> Same:
    """Whether two letters with these identity keys are one; see the table above. `party`: how near their senders are."""
    own, other = frozenset(mine), frozenset(theirs)
    shared = own & other
    author, near = party == "same author", party != "other"
    parted = _parted(own, other, "doc:")
    document = _kind(shared, "doc:") and _kind(own, "doc:") <= other and not _parted(own, other, "ref:")
    # Two mails of their own in one minute: their Message-IDs and their words differ.
    two_mails = _parted(own, other, "mid:") and _parted(own, other, "text:")
    table = (
        (bool(_kind(shared, "raw:") or (document and author)), False),
        (bool(_kind(shared, "ref:")) and near, parted),
        (bool(_kind(shared, "mid:")), parted or _nothing_alike(own, other)),
        (bool(_kind(shared, "hop:")) and author, parted or two_mails or _parted(own, other, "annex:")),
        (bool(_kind(shared, "text:")) and author and _files(own) == _files(other), False),
    )
    for met, contradicted in table:
        if met:
            return "conflict" if contradicted else "same"
    return "other"


def _kind(keys: Iterable[str], kind: str) -> frozenset[str]:
    return frozenset(key for key in keys if key.startswith(kind))


def _parted(own: Iterable[str], other: Iterable[str], kind: str) -> bool:
    """Whether both have keys of this kind and none in common."""
    first, second = _kind(own, kind), _kind(other, kind)
    return bool(first and second and not first & second)


def _nothing_alike(own: frozenset[str], other: frozenset[str]) -> bool:
    """A Message-ID that a broken sender puts on every mail: neither subject and time nor words nor documents agree."""
    kinds = [kind for kind in ("hop:", "text:", "doc:", "annex:") if _kind(own, kind) and _kind(other, kind)]
    alike = any(not _parted(own, other, kind) for kind in kinds)
    return "hop:" in kinds and len(kinds) > 1 and not alike


def _files(keys: frozenset[str]) -> frozenset[str]:
    return _kind(keys, "doc:") | _kind(keys, "annex:")


def closeness(entry: Entry, mail: Correspondence, domains: Sequence[str] = ()) -> Closeness:
    """How near the mail's author is to the entry's parties.

    "same author": the address, the institution, or, where an address is missing, the very name; also where a colleague
    stands for an author whom nobody named. "same house": the domain, unless many unrelated persons write from it.
    """
    if mail.author is None or _ours(mail.author.address, domains):
        return "same author"
    parties = [party for party in (entry.sender, *entry.recipients) if party and not _ours(party.address, domains)]
    if not parties or any(_is_author(party, mail) for party in parties):
        return "same author"
    domain = _domain(mail.author.address)
    near = domain and domain not in PROVIDERS and any(_domain(party.address) == domain for party in parties)
    return "same house" if near else "other"


def _ours(address: str | None, domains: Sequence[str]) -> bool:
    domain = _domain(address)
    return any(domain == own.casefold() or domain.endswith("." + own.casefold()) for own in domains)


def _domain(address: str | None) -> str:
    return (address or "").rpartition("@")[2].casefold() if "@" in (address or "") else ""


def _is_author(party: Correspondent, mail: Correspondence) -> bool:
    author = mail.author
    if party.institution and mail.institution and fold(party.institution) == fold(mail.institution):
        return True
    if author is None:
        return True
    if "@" in (party.address or "") and "@" in (author.address or ""):
        return (party.address or "").casefold() == (author.address or "").casefold()
    return not (party.name and author.name) or fold(party.name) == fold(author.name)


def decide_thread(
    reading: Reading,
    mail: Correspondence,
    known: Sequence[KnownEntry],
    *,
    verified: bool,
    received: str,
    domains: Sequence[str] = (),
    zone: str = ZONE,
) -> Thread:
    """Where the letter that came with `mail` belongs, from the entries that the register knows by its keys.

    `verified`: whether the colleague who passed it on may be believed, so that a number in their words counts.
    `received` (ISO) decides between entries of different years that bear one number: the newest before it.
    """
    if not known:
        return Thread()
    mine = set(identity_keys(reading.sha256, mail, reading.letters, reading.message.attachments, zone=zone))
    mine |= set(hop_keys(mail.subject, mail.sent, zone=zone))
    candidates = [(each, closeness(each.entry, mail, domains)) for each in known]
    verdicts = [
        (each, compare(mine, {*each.keys, *each.matched}, party=party))
        for each, party in candidates
        if each.entry.direction == "incoming"
    ]
    for each, verdict in verdicts:
        if verdict == "same":
            return Thread("duplicate", _linked(each.entry, "identity"))
    for each, verdict in verdicts:
        if verdict == "conflict":
            return Thread("new", _linked(each.entry, "identity"), conflict=_conflict(mine, each))
    evidence = tuple(_evidence(reading, mail, verified=verified, zone=zone))
    return _matter(evidence, candidates, received[:10])


def _conflict(mine: Iterable[str], each: KnownEntry) -> str:
    shared = sorted(key.partition(":")[2] for key in _kind(mine, "ref:") & frozenset(each.keys or each.matched))
    what = f"the same reference ({shared[0].replace('|', ' of ')})" if shared else "the same mail"
    return f"{what} as {each.entry.number}, but different documents: link it to that entry, or register it by hand"


def _matter(evidence: Sequence[_Evidence], known: Sequence[tuple[KnownEntry, Closeness]], day: str) -> Thread:
    """The matter that the mail joins by its strongest evidence; entries that it only mentions are related."""
    found: list[tuple[Entry, Closeness, _Evidence]] = []
    others: list[Entry] = []
    for each, party in known:
        met = [one for one in evidence if one.key in each.matched]
        good = [one for one in met if not one.party or party != "other"]
        if good:
            found.append((each.entry, party, min(good, key=lambda one: one.rank)))
        elif met:
            others.append(each.entry)
    found = [item for item in found if (item[0].registered or "")[:10] <= day] or found
    if not found:
        return Thread(related=_numbers(others))
    strongest = min(why.rank for _, _, why in found)
    # The newest of equals: the number's own year, or the last letter of a correspondence.
    entry, party, why = max(
        (item for item in found if item[2].rank == strongest),
        key=lambda item: (item[0].registered or "", item[0].suffix or 0),
    )
    others += [item[0] for item in found if item[0] is not entry]
    return Thread(_relation(entry, party), _linked(entry, why.by), _numbers(others, entry))


def _relation(entry: Entry, party: Closeness) -> Literal["reply", "follow-up"]:
    """Whoever answers a letter of ours, or takes part in another's matter, replies; who writes again follows up."""
    return "reply" if entry.direction == "outgoing" or party == "other" else "follow-up"


def _evidence(reading: Reading, mail: Correspondence, *, verified: bool, zone: str) -> Iterator[_Evidence]:
    """Every key of the mail that can link it to a matter, with its weight."""
    own = {normal(letter.reference) for letter in reading.letters if letter.reference}
    yield from _numbers_given(reading, mail, own, verified=verified)
    for each in message_ids(reading):
        if each != mail.message_id:
            yield _Evidence(make_key("mid", each), 1, "references")
            yield _Evidence(make_key("via", each), 1, "references")
    yield from _references_named(reading, mail)
    history = reading.chain[mail.index + 1 :]
    for hop in history:
        for key in (*hop_keys(hop.subject, hop.sent, zone=zone), *text_keys(hop.text)):
            yield _Evidence(key, 4, "history")
        for number in (*find_numbers(hop.subject), *find_numbers(hop.text)):
            yield _Evidence(make_key("num", number), 4, "history")


def _numbers_given(reading: Reading, mail: Correspondence, own: set[str], *, verified: bool) -> Iterator[_Evidence]:
    """Our numbers: in the letter's "Teie" line and in subjects, then in the words of who wrote and who passed it on."""
    for letter in reading.letters:
        for key in their_reference_keys(letter):
            yield _Evidence(key, 0, "our number")
    subjects = [mail.subject, *(letter.subject or "" for letter in reading.letters)]
    if verified and mail.index >= 0:
        # The colleague who passes it on knows the matter: their words need no party to bear them out.
        subjects.append(reading.message.subject)
        for number in found_numbers(reading.message.text):
            yield _Evidence(make_key("num", number.number), 2, "our number")
    # A number that stands in a subject was mostly put there by our own answer.
    for number in _not_theirs(subjects, own):
        yield _Evidence(make_key("num", number.number), 0, "our number")
    for number in _not_theirs([mail.text, *(letter.text for letter in reading.letters)], own):
        ours = number.owner == "ours"
        yield _Evidence(make_key("num", number.number), 0 if ours else 2, "our number", party=not ours)


def _not_theirs(texts: Iterable[str], own: set[str]) -> Iterator[FoundNumber]:
    """The numbers in texts that are not the writer's own."""
    for text in texts:
        for number in found_numbers(text):
            if number.owner != "theirs" and normal(number.number) not in own:
                yield number


def _references_named(reading: Reading, mail: Correspondence) -> Iterator[_Evidence]:
    """The sender's earlier letters as this one names or encloses them; only their own letters can be meant."""
    for text in (mail.subject, mail.text, *(letter.text for letter in reading.letters)):
        for reference in find_references(text):
            yield _Evidence(make_key("sref", normal(reference)), 3, "their reference", party=True)
    for letter in reading.letters:
        if letter.reference and identifies(letter.reference):
            yield _Evidence(make_key("sref", normal(letter.reference)), 3, "their reference", party=True)
    paths = {letter.path for letter in reading.letters if letter.path}
    for attachment in reading.message.attachments:
        if attachment.path in paths:
            yield _Evidence(f"doc:{attachment.sha256}", 3, "their reference", party=True)


def _linked(entry: Entry, by: str) -> ThreadEntry:
    return ThreadEntry(
        number=entry.number or "",
        series=entry.series,
        file=entry.file,
        function=entry.function,
        title=entry.title,
        direction=entry.direction,
        responsible=entry.responsible.name if entry.responsible else None,
        by=by,
        registered=entry.registered,
        message=entry.message,
    )


def _numbers(entries: Iterable[Entry], chosen: Entry | None = None) -> tuple[str, ...]:
    """The numbers of other entries, oldest first, without those of the chosen one's stem."""
    stem = chosen.stem if chosen else None
    ordered = sorted(entries, key=lambda entry: (entry.registered or "", entry.number or ""))
    rest = (entry.number for entry in ordered if entry.number and not (stem and entry.stem == stem))
    return tuple(dict.fromkeys(rest))
