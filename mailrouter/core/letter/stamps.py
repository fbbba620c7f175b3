"""The time of an electronic signature, as programs stamp it and as letters print it.

Invariant: an offset is given only where one is printed, a time of day only where it is one.
"""

import re
from dataclasses import dataclass
from datetime import date

from mailrouter.core.letter.dates import exact_day, find_dates
from mailrouter.core.letter.flat import flat


@dataclass(frozen=True, slots=True)
class SignatureTime:
    """When a letter was signed electronically: an ISO date, or a date-time with the offset where one is printed."""

    iso: str
    day: date


_TIME = r"(?:[\s,]{1,3}(?:at\s|kell\s|a\s|um\s|klo\s|в\s|plkst\.?\s|kl\.?\s)?(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?)?"
_OFFSET = r"""(?:\s*\(?(?:(utc|gmt|z)\b)?\s?(?:([+-])\s?(\d{1,2})(?:[:']?(\d{2}))?'?)?\s?\)?)?"""
_STAMP = re.compile(
    r"(?:(\d{1,2})[./-](\d{1,2})[./-]((?:19|20)\d{2})|((?:19|20)\d{2})[./-](\d{2})[./-](\d{2})T?)" + _TIME + _OFFSET
)


def signature_time(text: str, *, language: str | None = None) -> SignatureTime | None:
    """The time in an e-signature line: "28/02/2024 23:38 (UTC+01)", "2024.03.05 14:22:10 +02'00'", or a day alone."""
    match = _STAMP.search(flat(text).replace("t", " ") if re.search(r"\d{2}[tT]\d{2}:", text) else flat(text))
    if match is None:
        return _printed_time(text, language)
    d, m, y, y2, m2, d2, hour, minute, second, zone, sign, off_hour, off_minute = match.groups()
    day = exact_day(int(y or y2), int(m or m2), int(d or d2))
    if day is None:
        return None
    if hour is None or int(hour) > 23 or int(minute) > 59:
        return SignatureTime(day.isoformat(), day)
    offset = f"{sign}{int(off_hour):02}:{off_minute or '00'}" if sign else "+00:00" if zone else ""
    return SignatureTime(f"{day.isoformat()}T{int(hour):02}:{minute}:{second or '00'}{offset}", day)


_CLOCK = re.compile(r"^[\s,]{1,3}(?:at\s|kell\s|à\s|um\s|klo\s|в\s|o\s|plkst\.?\s|kl\.?\s)?(\d{1,2})[:.h](\d{2})(?!\d)")


def _printed_time(text: str, language: str | None) -> SignatureTime | None:
    """A day whose month is a word, with the time behind it: "le 2 février 2024 à 18:07"."""
    for printed in find_dates(text, language=language):
        if printed.starts:
            clock = _CLOCK.match(text[printed.finish :])
            hour, minute = clock.groups() if clock else ("", "")
            exact = clock and int(hour) < 24 and int(minute) < 60
            iso = f"{printed.starts.isoformat()}T{int(hour):02}:{minute}:00" if exact else printed.starts.isoformat()
            return SignatureTime(iso, printed.starts)
    return None
