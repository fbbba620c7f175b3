"""Letters: text → who writes to whom, about what, wanting what by when."""

from typing import TYPE_CHECKING

from mailrouter.core.later import later
from mailrouter.core.letter.letters import Ask, Event, Letter, Party

if TYPE_CHECKING:
    from mailrouter.core.letter.reader import read_body, read_letter, read_letters
else:
    __getattr__ = later(
        __name__,
        {
            "reader": "read_body read_letter read_letters",
        },
    )

__all__ = ["Ask", "Event", "Letter", "Party", "read_body", "read_letter", "read_letters"]
