"""Events as iCalendar."""

from datetime import UTC, date, datetime

from icalendar import Calendar

from mailrouter.core.letter import Event
from mailrouter.core.letter.calendar import to_ical

STAMP = datetime(2024, 3, 1, 8, 0, tzinfo=UTC)
EXACT = Event("23-25 April 2024", "2024-04-23", "2024-04-25", "Regional conference", "Mombasa, Kenya")
OPEN = Event("Q3 2024", None, None, "Thematic meeting", None)


def test_only_exact_days_are_exported():
    """A quarter is no calendar entry; the last day is included."""
    entries = Calendar.from_ical(to_ical([EXACT, OPEN], STAMP)).walk("VEVENT")
    assert [str(entry["summary"]) for entry in entries] == ["Regional conference"]
    assert entries[0].decoded("dtstart") == date(2024, 4, 23)
    assert entries[0].decoded("dtend") == date(2024, 4, 26)
    assert str(entries[0]["location"]) == "Mombasa, Kenya"


def test_the_same_events_give_the_same_calendar():
    """A second import updates the entries of the first."""
    assert to_ical([EXACT], STAMP) == to_ical([EXACT], STAMP)
    later = Calendar.from_ical(to_ical([EXACT], datetime(2025, 1, 1, tzinfo=UTC))).walk("VEVENT")[0]
    assert later["uid"] == Calendar.from_ical(to_ical([EXACT], STAMP)).walk("VEVENT")[0]["uid"]


def test_nothing_exact_gives_nothing():
    """No empty calendar is attached."""
    assert to_ical([OPEN], STAMP) == ""
