"""The calendar: what day and time it is for the register. Waiting never asks it.

Invariant: `now` has the register's time zone; where the settings fix the calendar, it stands still.
"""

from datetime import datetime
from zoneinfo import ZoneInfo


class Clock:
    """The calendar's time; `set` moves a fixed calendar (the demo does)."""

    def __init__(self, timezone: str, fixed: datetime | None = None) -> None:
        self._zone = ZoneInfo(timezone)
        self._fixed = fixed

    def set(self, at: datetime) -> None:
        """Let the calendar stand at `at`."""
        self._fixed = at

    def now(self) -> datetime:
        """The calendar's date and time."""
        return (self._fixed or datetime.now(self._zone)).astimezone(self._zone).replace(microsecond=0)

    def iso(self) -> str:
        """`now` as ISO text in UTC, which sorts as it is."""
        return in_utc(self.now())


def in_utc(at: datetime) -> str:
    """ISO text in UTC, so that texts sort as times do."""
    return at.astimezone(ZoneInfo("UTC")).isoformat(timespec="seconds")
