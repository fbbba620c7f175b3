"""Events → iCalendar (RFC 5545), for what is exact to the day.

Invariant: the same events give the same bytes: UIDs derive from the content, the time stamp is a parameter.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from hashlib import sha256

from icalendar import Calendar
from icalendar import Event as CalendarEvent

from mailrouter.core.letter.letters import Event

_PRODUCT = "-//mailrouter//letters//EN"


def to_ical(events: Iterable[Event], stamp: datetime) -> str:
    """The events that have days as all-day entries; "" if none has.

    `stamp` (with its zone) becomes DTSTAMP. DTEND is the day after the last, as RFC 5545 § 3.6.1 has it for days.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    exact = [event for event in events if event.starts]
    for event in exact:
        calendar.add_component(_entry(event, stamp))
    return calendar.to_ical().decode("utf-8") if exact else ""


def uid_of(event: Event) -> str:
    """A stable UID from what the event says, so that a second import updates instead of doubling."""
    words = "\x1f".join((event.starts or "", event.ends or "", event.title, event.place or ""))
    return f"{sha256(words.encode()).hexdigest()[:32]}@mailrouter"


def _entry(event: Event, stamp: datetime) -> CalendarEvent:
    entry = CalendarEvent()
    starts = date.fromisoformat(event.starts or "")
    ends = date.fromisoformat(event.ends or event.starts or "")
    entry.add("uid", uid_of(event))
    entry.add("dtstamp", stamp)
    entry.add("dtstart", starts)
    entry.add("dtend", ends + timedelta(days=1))
    entry.add("summary", event.title)
    if event.place:
        entry.add("location", event.place)
    entry.add("transp", "TRANSPARENT")
    return entry
