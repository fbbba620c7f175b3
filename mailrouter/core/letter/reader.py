"""Text → Letter: zones first, then the fields that each zone carries.

Invariant: a document that is no letter gives None; a field that is not printed is None, never guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from mailrouter.core.language import detect
from mailrouter.core.letter.announced import announced_events
from mailrouter.core.letter.answers import answer_mailbox
from mailrouter.core.letter.asks import read_asks
from mailrouter.core.letter.dates import find_dates, first_day
from mailrouter.core.letter.events import table_events
from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.layout import Layout, Line, is_prose, read_lines, zones
from mailrouter.core.letter.letters import Ask, Event, Letter
from mailrouter.core.letter.marks import (
    References,
    electronic_signature,
    labelled,
    letter_date,
    marking,
    references,
)
from mailrouter.core.letter.names import is_contact, mailboxes, named_line
from mailrouter.core.letter.parties import Parties, addressee_at_foot, note_verbale, parties
from mailrouter.core.letter.phrases import phrases
from mailrouter.core.letter.sentences import paragraphs, sentences
from mailrouter.core.letter.stamps import SignatureTime
from mailrouter.core.letter.titles import title
from mailrouter.core.message import Address

_ENOUGH = 3  # signs of a letter
_DATE_LINE = 32  # characters of a line that may be a date with its place
_SENTENCE, _SENTENCES = 2000, 1500  # characters of one, and how many are looked at for asks


def read_letter(text: str, path: tuple[str, ...], *, mail_date: str | None = None) -> Letter | None:
    """The letter that a document's text is; None for an agenda, a table, a brochure or an annex alone.

    `mail_date` (ISO) helps only with days without a year where the letter prints no date.
    """
    lines = read_lines(text)
    layout = zones(lines)
    language = detect(" ".join(line.text for line in layout.body)) or detect(text)
    titled = title(layout.head, layout.body)
    found = parties(layout, titled[1])
    if _signs(layout, found) < _ENOUGH:
        return None
    return _letter(lines, layout, running_text(layout.body), found, titled[0], language, path, mail_date)


def _letter(
    lines: Sequence[Line],
    layout: Layout,
    prose: Sequence[Line],
    found: Parties,
    subject: str | None,
    language: str | None,
    path: tuple[str, ...],
    mail_date: str | None,
) -> Letter:
    """The fields of a document that is a letter."""
    outside = (*layout.head, *layout.tail)
    numbers = references(outside, language)
    signed = electronic_signature((*layout.tail, *layout.head, *lines[-4:], *_signed_feet(layout.body)), language)
    dated = _dated(layout, numbers, signed, language)
    after = dated or (date.fromisoformat(mail_date[:10]) if mail_date else None)
    said = [sentence[:_SENTENCE] for paragraph in paragraphs(prose) for sentence in sentences(paragraph)][:_SENTENCES]
    asks = read_asks(said, language, after)
    mark = marking((*layout.head, *layout.tail, *lines[-6:]), language)
    first = earliest(asks)
    return Letter(
        path=path,
        author=found.author,
        addressee=found.addressee,
        reference=numbers.ours,
        their_reference=numbers.theirs,
        dated=dated.isoformat() if dated else None,
        signed=signed.iso if signed else None,
        subject=subject,
        language=language,
        asks=asks,
        reply_to=answer_mailbox(said, asks, found.author, layout),
        deadline=first.deadline if first else None,
        deadline_raw=first.deadline_raw if first else None,
        marking=mark.mark,
        marking_basis=mark.basis,
        marking_until=mark.until,
        annexes=_annexes(layout),
        events=_events(layout, said, subject, language, after, invited=any(ask.kind == "attend" for ask in asks)),
        text="\n".join(line.text for line in lines),
    )


def read_letters(
    documents: Sequence[tuple[tuple[str, ...], str]], *, mail_date: str | None = None
) -> tuple[Letter, ...]:
    """The letters among a mail's documents, in their order; the events of an annex on its own go to the first letter."""
    letters: list[Letter] = []
    events: list[Event] = []
    for path, text in documents:
        letter = read_letter(text, path, mail_date=mail_date)
        if letter:
            letters.append(letter)
        else:
            day = date.fromisoformat(mail_date[:10]) if mail_date else None
            events += table_events(read_lines(text), detect(text), day)
    if letters and events and not letters[0].events:
        letters[0] = replace(letters[0], events=tuple(events))
    return tuple(letters)


_SHORT_BODY = 60  # letters below which a mail without an ask is no letter


def read_body(text: str, subject: str, author: Address | None, sent: str | None) -> Letter | None:
    """The letter that a mail's own words are; None for a covering note, a bare greeting, a mail without substance.

    `subject` is the mail's; `sent` (ISO) helps with days without a year. `path` is ().
    """
    lines = read_lines(text)
    layout = zones(lines, mail=True)
    prose = running_text(layout.body)
    words = " ".join(line.text for line in prose)
    language = detect(words) or detect(f"{subject}\n{text}")
    titled = title(layout.head, layout.body)
    found = parties(layout, titled[1])
    letter = _letter(lines, layout, prose, found, titled[0], language, (), sent)
    numbers = references(lines, language)
    printed = letter_date(layout.head, (), language) or numbers.dated or _labelled_date(layout, language)
    own_name = author.name if author and author.name and not found.author.name else None
    covering = _is_covering(prose)
    asks = tuple(ask for ask in letter.asks if ask.kind != "transmit") if covering else letter.asks
    formal = bool(layout.salutation or layout.closing) and _is_long(words)
    if not asks and (not formal or covering) and not numbers.ours:
        return None
    return replace(
        letter,
        author=replace(letter.author, name=letter.author.name or own_name),
        reference=numbers.ours,
        their_reference=numbers.theirs,
        dated=printed.isoformat() if printed else None,
        subject=letter.subject or without_prefixes(subject) or None,
    )


def _is_long(words: str) -> bool:
    """Whether a mail has the letters of one that is a letter without an ask."""
    return any(sum(map(str.isalpha, part)) >= _SHORT_BODY for part in (words[: 2 * _SHORT_BODY], words))


def _is_covering(prose: Sequence[Line]) -> bool:
    """Whether a mail's words say that the letter is what comes with them."""
    covering = phrases().covering
    if not any(covering.may_be_in(line.folded) for line in prose):
        return False
    return bool(covering.search(flat(" ".join(line.text for line in prose))))


_DATE_LABEL = re.compile(r"(?:reg\.?\s?kuupaev|kuupaev|date|datum|дата|data|datums|paivays)\s*:\s*")


def _labelled_date(layout: Layout, language: str | None) -> date | None:
    """A date behind a label anywhere in a mail's words ("Reg. kuupäev: 29.07.2024")."""
    for line in (*layout.body, *layout.tail):
        found = _DATE_LABEL.search(line.folded) if ":" in line.folded else None
        day = first_day(line.text[found.end() :], language=language) if found else None
        if day:
            return day
    return None


_PREFIX = re.compile(
    r"^\s*(?:(?:re|fw|fwd|vs|vl|wg|aw|tr|sv|vb|edasi|ed|vastus|rv|ynt|odp|pd|ha|пересл|отв|nt|atb|pārsūtīts)\s*(?:\[\d+\])?\s*:\s*)+",
    re.IGNORECASE,
)


def without_prefixes(subject: str) -> str:
    """A mail's subject without "Re:", "FW:", "VS:" and their kind."""
    return _PREFIX.sub("", subject).strip()


def _dated(layout: Layout, numbers: References, signed: SignatureTime | None, language: str | None) -> date | None:
    """The printed date, else the Ares stamp, else the day of the e-signature in the signer's zone."""
    printed = letter_date(layout.head, layout.tail, language) or letter_date(
        (), [line for line in layout.body[-6:] if line.gap or _may_date(line)], language
    )
    return numbers.dated or printed or numbers.ares_day or (signed.day if signed else None)


def _signed_feet(body: Sequence[Line]) -> list[Line]:
    """E-signature lines that stand at page feet inside the running text: they print on every page, and are kept once."""
    return [line for line in body if (found := phrases().signed.search(line.folded)) and found.start() == 0]


_FIGURES = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?\d{4}")


def _may_date(line: Line) -> bool:
    """Whether a short line under another may print the letter's date, not the end of a sentence."""
    if len(line.text) >= _DATE_LINE or line.text[-1] == ".":
        return False
    return line.text[0].isupper() or bool(_FIGURES.fullmatch(line.text))


def earliest(asks: Sequence[Ask]) -> Ask | None:
    """The ask whose deadline comes first; one with a period only if none has a day."""
    dated = sorted((ask for ask in asks if ask.deadline), key=lambda ask: ask.deadline or "")
    return next(iter([*dated, *(ask for ask in asks if ask.deadline_raw)]), None)


def running_text(body: Sequence[Line]) -> list[Line]:
    """The body without what interrupts it: the addressee's line, page feet, contact lines."""
    foot = addressee_at_foot(body)
    return [
        line
        for before, line in zip((None, *body), body, strict=False)
        if line not in foot and ((before and _goes_on(before, line)) or not _interrupts(line))
    ]


def _goes_on(before: Line, line: Line) -> bool:
    """Whether a line only ends the sentence of the line above."""
    return not line.gap and line.text[0].islower() and before.text[-1] not in ".:;!?"


def _interrupts(line: Line) -> bool:
    if _signed_feet((line,)):
        return True
    if is_prose(line):
        return False
    person = named_line(line.text)
    if person and person.role and line.text[-1:] not in ".;":
        return True
    return is_contact(line.text) and not mailboxes(line.text) and not find_dates(line.text)


def _signs(layout: Layout, found: Parties) -> int:
    """How many signs of a letter a document bears; running text is needed for any."""
    body = " ".join(line.text for line in layout.body)
    if len(body) < 40:
        return 0
    count = 2 * bool(layout.salutation) + 2 * bool(layout.closing)
    count += bool(found.author.name or found.author.institution) + bool(found.addressee.name or found.addressee.role)
    count += bool(found.author.name and (found.addressee.name or found.addressee.institution))
    count += 4 * bool(note_verbale(layout.body, layout.head))
    heads = [labelled(line, ("ours", "theirs", "to")) for line in layout.head]
    count += bool(references(layout.head, None).ours) and not any(heads)
    count += 2 * any(phrases().document_kinds.fullmatch(line.folded) for line in layout.head)
    count += any(heads) + any(label.kind == "theirs" for label in heads if label)
    count += any(labelled(line, ("subject",)) for line in layout.head) + bool(letter_date(layout.head, (), None))
    return count + 2 * any(phrases().signed.search(line.folded) for line in layout.tail)


def _events(
    layout: Layout,
    said: Sequence[str],
    subject: str | None,
    language: str | None,
    after: date | None,
    *,
    invited: bool,
) -> tuple[Event, ...]:
    """The rows of a timetable in an annex or in the letter, else the occasion that the letter announces."""
    for zone in (layout.annex, layout.body, layout.tail):
        rows = table_events(zone, language, after)
        if rows:
            return rows
    return announced_events(said, layout.body, subject, language, after, invited=invited)


def _annexes(layout: Layout) -> tuple[str, ...]:
    """The annexes that the letter lists under "Annex:", "Lisad:", and the heads of those it carries."""
    listed: list[str] = []
    for at, line in enumerate(layout.tail):
        found = labelled(line, ("annex",))
        alone = phrases().labels["annex"].fullmatch(line.folded.rstrip(":"))
        if found and found.value:
            listed.append(found.value)
        if (found and not found.value) or alone:
            listed += _list_below(layout.tail[at + 1 :])
            break
    return tuple(listed)


def _list_below(lines: Sequence[Line]) -> list[str]:
    """Items under a label, up to a gap or another label."""
    items = []
    for line in lines[:10]:
        if line.gap or labelled(line, ("copy", "executor", "contact")) or phrases().signed.search(line.folded):
            break
        items.append(re.sub(r"^(?:\d{1,2}[.)]|[-–•])\s*", "", line.text))
    return items
