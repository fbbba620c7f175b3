"""The occasion that a letter announces in its own words or in labelled lines.

Invariant: only days that lie ahead of the letter and that no deadline is made of; a past occasion is no event.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from mailrouter.core.letter.asks import is_deadline
from mailrouter.core.letter.dates import PrintedDate, find_dates
from mailrouter.core.letter.events import event_of
from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.layout import Line
from mailrouter.core.letter.letters import Event
from mailrouter.core.letter.phrases import labels_at, phrases
from mailrouter.core.letter.places import city_in, is_open, located

_FAR_DAYS = 270


def announced_events(
    sentences: Sequence[str],
    body: Sequence[Line],
    subject: str | None,
    language: str | None,
    after: date | None,
    *,
    invited: bool,
) -> tuple[Event, ...]:
    """The occasions of labelled lines ("Date: … Venue: …"), else those of the sentences, each day once.

    Where the reader is `invited`, an occasion on a day ahead needs no word that announces it.
    """
    labelled = _labelled(body, subject, language, after)
    if labelled:
        return (labelled,)
    if not invited and not any(phrases().announce.may_be_in(line.folded) for line in body):
        return ()
    events: list[Event] = []
    for before, sentence in pairwise(("", *sentences)):
        folded = flat(sentence)
        if not invited and not phrases().announce.search(folded):
            continue
        named = sentence if phrases().occasion.search(folded) else before  # "It will be held in Budapest on …"
        if not phrases().occasion.search(flat(named)):
            continue
        for printed in find_dates(sentence, after=after, language=language):
            if (
                not _ahead(printed, after)
                or is_deadline(sentence, printed, language)
                or any(e.date_raw == printed.raw for e in events)
            ):
                continue
            place = _place(sentence, printed, language)
            events.append(event_of(printed, occasion_title(named, printed, subject), place))
            break  # further days of the sentence are of the same occasion
    return tuple(_whole(event, subject, language) for event in _once(events))


def _whole(event: Event, subject: str | None, language: str | None) -> Event:
    """An event of one day with the last day that the letter's title prints for it."""
    for printed in find_dates(subject or "", language=language):
        if printed.starts and printed.ends and printed.starts.isoformat() == event.starts == event.ends:
            return replace(event, ends=printed.ends.isoformat())
    return event


def _ahead(printed: PrintedDate, after: date | None) -> bool:
    """Whether a day lies ahead of the letter; one without a year that is nearly a year off has rather passed."""
    if printed.starts is None or after is None:
        return printed.starts is not None
    distance = (printed.starts - after).days
    return distance > 0 and (distance < _FAR_DAYS or bool(re.search(r"\d{4}", printed.raw)))


def _once(events: Sequence[Event]) -> list[Event]:
    """Each day once: the first that names it; a day within another occasion's days is a part of that."""
    kept: list[Event] = []
    for event in events:
        if all(event.starts != other.starts for other in kept):
            kept.append(event)
    return [event for event in kept if not any(_within(event, other) for other in kept)]


def _within(event: Event, other: Event) -> bool:
    """Whether an event of one day lies inside the days of a longer one."""
    if event is other or not (event.starts and event.ends and other.starts and other.ends):
        return False
    return event.starts == event.ends and other.starts < event.starts <= other.ends


def _labelled(body: Sequence[Line], subject: str | None, language: str | None, after: date | None) -> Event | None:
    """The occasion of lines such as "Date: 12 June 2024", "Venue: Tallinn"."""
    values: dict[str, str] = {}
    for line in body:
        ends = labels_at(line.folded)
        for kind in ("when", "place", "what") if ends else ():
            if kind in ends and line.text[ends[kind] :].lstrip().startswith(":"):
                values.setdefault(kind, line.text[ends[kind] :].lstrip(" :\t"))
                break
    if "when" not in values or not ({"place", "what"} & set(values)):
        return None
    printed = next(iter(find_dates(values["when"], after=after, language=language)), None)
    if printed is None:
        return None
    place = values.get("place")
    title = values.get("what") or _bare_title(subject) or ""
    return event_of(printed, title, None if place and is_open(place) else place)


_NAMED = re.compile(
    r"\b(?:to|attend|in|for|of|at|hold|host|organi[sz]e|inviting you to|that)\s+(?:the|a|an|our|its|this|their)\s+(?P<title>[^,;.]{3,160}?)"
    r"(?=,?\s+(?:which|that|to be|taking|to take|will|is|on\s(?:\d|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)|from\s\d|in\s[A-Z]|at\s|held|organi[sz]ed|scheduled|hosted|and\s|by\s)|[,.;]|$)"
)
_OPENING = re.compile(r"^(?:The|An?|Our|This year's|Its)\s+(?P<title>[^,;.]{3,160}?)\s+(?:will|is|takes|shall)\b")


def occasion_title(sentence: str, printed: PrintedDate, subject: str | None) -> str:
    """The occasion's name: as the sentence names it, else the letter's title without "Invitation to"."""
    for pattern in (_NAMED, _OPENING):
        for match in pattern.finditer(sentence):
            title = match.group("title").strip()
            named = " " in title or not subject  # "the meeting" says less than the letter's title
            if named and phrases().occasion.search(flat(title)) and printed.raw not in title:
                return title
    return _bare_title(subject) or _noun_phrase(sentence, printed) or sentence


_CLAUSE = re.compile(r",\s|\s(?:что|et|que|dass|ka|kad|että|att|that|й?mis|которое|который)\s")
_LONGEST_TITLE = 140


def _noun_phrase(sentence: str, printed: PrintedDate) -> str | None:
    """The words of a sentence that name its occasion: those between its verb, its date and its commas."""
    folded = flat(sentence)
    cuts = [match.span() for match in (*phrases().announce.finditer(folded), *_CLAUSE.finditer(sentence))]
    pieces, start = [], 0
    for begin, finish in sorted([*cuts, (printed.begin, printed.finish)]):
        pieces.append(sentence[start:begin])
        start = max(start, finish)
    pieces.append(sentence[start:])
    named = (piece.strip(" .,;:–-") for piece in pieces if phrases().occasion.search(flat(piece)))
    return next((piece for piece in named if " " in piece and len(piece) <= _LONGEST_TITLE), None)


def _bare_title(subject: str | None) -> str | None:
    """The title without the word that says it is an invitation."""
    if not subject:
        return None
    match = phrases().invitation.match(flat(subject))
    rest = subject[match.end() :].strip(" :–-") if match else subject
    return rest or None


_IN = re.compile(
    r"\b(?:in|at|à|a|au|en)\s+((?:The\s|the\s)?[A-ZÀ-ÝÕÄÖÜŠŽ][\w'’-]+(?:[ ,]+[A-ZÀ-ÝÕÄÖÜŠŽ][\w'’-]+){0,4}(?:\s(?:headquarters|premises|offices?))?)"
)


def _place(sentence: str, printed: PrintedDate, language: str | None) -> str | None:
    """The place of a sentence that announces: a known city, else the capitalised words after "in" or "at"."""
    behind, before = sentence[printed.finish :], sentence[: printed.begin]
    remote = phrases().remote.search(flat(sentence))
    if remote:
        return sentence[slice(*remote.span())]
    for part in (behind, before):
        for match in _IN.finditer(part):
            words = match.group(1).strip(" ,")
            if city_in(words, language) or is_open(words):
                return words
    city = city_in(behind, language) or city_in(before, language)
    if city:
        return city
    named = _IN.search(behind) or _IN.search(before)
    return named.group(1).strip(" ,") if named else located(behind, before, language)
