"""Letters: text → who writes to whom, about what, wanting what by when."""

from mailrouter.core.letter.calendar import to_ical
from mailrouter.core.letter.letters import Ask, Event, Letter, Party
from mailrouter.core.letter.reader import read_body, read_letter, read_letters

__all__ = ["Ask", "Event", "Letter", "Party", "read_body", "read_letter", "read_letters", "to_ical"]
