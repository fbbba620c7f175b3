"""Deadlines of open letters → iCalendar (RFC 5545), an all-day entry each.

Invariant: the same entries give the same bytes, and a letter keeps its UID, so that a calendar that is imported again
moves a deadline instead of doubling it.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from hashlib import sha256

from icalendar import Calendar
from icalendar import Event as CalendarEvent

from mailrouter.core.letter.calendar import uid_of
from mailrouter.core.letter.letters import Event
from mailrouter.core.register.entries import Entry

_PRODUCT = "-//mailrouter//register//EN"


def deadlines_ical(
    entries: Iterable[Entry], stamp: datetime, events: Iterable[tuple[Entry, Event]] = (), name: str = ""
) -> str:
    """The due dates of open incoming letters, and the events (exact to the day) that letters announce.

    `stamp` (with its zone) becomes DTSTAMP; `name` is the calendar's. Closed letters and letters without a due date are
    left out.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("x-wr-calname", name)
    for entry in entries:
        if entry.due and entry.state == "open" and entry.direction == "incoming":
            calendar.add_component(_deadline(entry, stamp))
    told: set[str] = set()
    for entry, event in events:
        uid = uid_of(event)
        if event.starts and uid not in told:
            told.add(uid)
            calendar.add_component(_announced(entry, event, uid, stamp))
    text: str = calendar.to_ical().decode("utf-8")
    return text


def _deadline(entry: Entry, stamp: datetime) -> CalendarEvent:
    words = "\x1f".join((entry.number or "", entry.registered or ""))
    due = date.fromisoformat(entry.due or "")
    made = _all_day(f"{sha256(words.encode()).hexdigest()[:32]}@mailrouter", stamp, due, due)
    made.add("summary", f"{entry.number} {entry.title}: vastata / answer")
    sender = entry.sender.name or entry.sender.institution if entry.sender else None
    responsible = entry.responsible.name if entry.responsible else None
    made.add("description", "\n".join(filter(None, (entry.number, entry.title, sender, responsible))))
    return made


def _announced(entry: Entry, event: Event, uid: str, stamp: datetime) -> CalendarEvent:
    starts = date.fromisoformat(event.starts or "")
    made = _all_day(uid, stamp, starts, date.fromisoformat(event.ends or event.starts or ""))
    made.add("summary", event.title)
    if event.place:
        made.add("location", event.place)
    made.add("description", f"{entry.number} {entry.title}")
    return made


def _all_day(uid: str, stamp: datetime, starts: date, ends: date) -> CalendarEvent:
    """DTEND is the day after the last, as RFC 5545 § 3.6.1 has it for days."""
    made = CalendarEvent()
    made.add("uid", uid)
    made.add("dtstamp", stamp)
    made.add("dtstart", starts)
    made.add("dtend", ends + timedelta(days=1))
    made.add("transp", "TRANSPARENT")
    return made
