"""Days that the law and a letter's own words give: working days, registration, answers.

Invariant: pure arithmetic over dates. A term has rows by date, so that a letter registered under an earlier law keeps
the days of that law; Estonian holidays come from the `holidays` package.
"""

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

Counting = Literal["working", "calendar"]
Unit = Literal["working", "calendar", "weeks", "months"]


@dataclass(frozen=True, slots=True)
class TermRow:
    """How many days a term has from `valid_from` (ISO date, inclusive) on.

    `counting` "working" counts working days after the start, "calendar" days, rolled forward from a weekend or holiday.
    `extendable_to` is the number of days that the law allows at most, None where it allows no more.
    """

    valid_from: str
    days: int
    counting: Counting
    extendable_to: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A term by name with its rows, one for each version of the law."""

    name: str
    rows: tuple[TermRow, ...]

    def row(self, on: date) -> TermRow | None:
        """The row in force on a day; None before the first one."""
        rows = [row for row in self.rows if date.fromisoformat(row.valid_from) <= on]
        return max(rows, key=lambda row: row.valid_from, default=None)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time as words give it: a number of working days, calendar days, weeks or months."""

    number: int
    unit: Unit


def is_working_day(day: date) -> bool:
    """Whether a day is neither a weekend nor an Estonian public holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - what reads mails and lists letters counts no working days

    return frozenset(holidays.country_holidays("EE", years=year))


def add_working_days(day: date, number: int) -> date:
    """The working day that is `number` working days after `day`; the day after `day` is the first that may count."""
    while number > 0:
        day += timedelta(days=1)
        number -= is_working_day(day)
    return day


def add_months(day: date, number: int) -> date:
    """The same day `number` months later, the month's last one where it has no such day (TsÜS § 136)."""
    years, month = divmod(day.month - 1 + number, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def roll_forward(day: date) -> date:
    """The day itself if it is a working day, else the next one (TsÜS § 136 (8))."""
    return day if is_working_day(day) else add_working_days(day, 1)


def registration_due(received: date) -> date:
    """By when what arrived must be registered: the next working day (AvTS § 12 (1))."""
    return add_working_days(received, 1)


def due(term: Term, registered: date, *, extended: bool = False) -> date | None:
    """By when a letter registered on a day must be answered under a term; None if the term was not in force then.

    Working days count from the working day after registration (AvTS § 18 (1)); `extended` takes the longest time that
    the law allows, where it allows more.
    """
    row = term.row(registered)
    if row is None:
        return None
    days = row.extendable_to if extended and row.extendable_to is not None else row.days
    return after(Period(days, row.counting), registered)


def after(period: Period, start: date) -> date:
    """The last day of a period that begins with the day after `start`, rolled forward to a working day."""
    match period.unit:
        case "working":
            return add_working_days(start, period.number)
        case "calendar":
            return roll_forward(start + timedelta(days=period.number))
        case "weeks":
            return roll_forward(start + timedelta(weeks=period.number))
        case "months":
            return roll_forward(add_months(start, period.number))


def letter_due(deadline: str | None, deadline_raw: str | None, term: Term | None, registered: date) -> date | None:
    """By when an incoming letter is due: its own date, else its own period from registration, else the term.

    `deadline` is an ISO date, `deadline_raw` the words it was read from ("15 tööpäeva jooksul"). None where neither the
    letter nor a term gives a day.
    """
    if deadline is not None:
        return date.fromisoformat(deadline[:10])
    if deadline_raw and (period := read_period(deadline_raw)):
        return after(period, registered)
    return due(term, registered) if term is not None else None


# Stems of the words for working day, day, week and month, folded; the longer one is sought first.
_UNITS: tuple[tuple[Unit, str], ...] = (
    (
        "working",
        (
            r"toopaev|tp\b|(?:working|business|work)[- ]?day|arbeitstag|werktag|jours? ouvr|arbetsdag|arbeidsdag|werkdag"
            r"|arbejdsdag|arkipaiv|tyopaiv|рабоч|darba dien|darbdien|darbo dien|dni robocz|dias? (?:habil|labora|uteis)"
            r"|giorni lavorativi"
        ),
    ),
    ("months", r"kuu\b|kuud\b|month|monat|mois|manad|maaned|kuukau|месяц|menes|menesi|miesiac|mesi?\b|mese\b|maand"),
    ("weeks", r"nadal|week|woche|semaine|vecko|veckor|uke|uge|viiko|недел|nedel|savait|tydzien|tygodni|seman|settiman"),
    ("calendar", r"(?:kalendri)?paev|(?:calendar )?day|tag|jour|dag|paiva|дн|день|dien|dni|dia|giorn"),
)
_NUMBERS = {
    1: "uhe|one|a|an|ein|eine|einem|einer|une?|yhden|en|ett|одного|одной|viena|vienas",
    2: "kahe|two|zwei|deux|kahden|tva|двух|divu|dvieju|dviejų",
    3: "kolme|three|drei|trois|kolmen|tre|трех|triju|triju",
    4: "nelja|four|vier|quatre|neljan|fyra|fire|четырех|cetru|keturiu",
    5: "viie|five|funf|cinq|viiden|fem|пяти|piecu|penkiu",
    6: "kuue|six|sechs|kuuden|sex|seks|шести|sesu|sesiu",
    7: "seitsme|seven|sieben|sept|seitseman|sju|семи|septinu|septyniu",
    8: "kaheksa|eight|acht|huit|kahdeksan|atta|восьми|astonu|astuoniu",
    10: "kumne|ten|zehn|dix|kymmenen|tio|десяти|desmit|desimt|desimties",
    14: "neljateistkumne|fourteen|vierzehn|quatorze|neljantoista|fjorton|четырнадцати",
    15: "viieteistkumne|fifteen|funfzehn|quinze|viidentoista|femton|пятнадцати|piecpadsmit|penkiolika",
    20: "kahekumne|twenty|zwanzig|vingt|kahdenkymmenen|tjugo|двадцати",
    30: "kolmekumne|thirty|dreissig|trente|kolmenkymmenen|trettio|тридцати",
}
_NEAR = 4  # words before the unit in which its number may stand
_MOST = 999
_WORD_NUMBERS = {word: number for number, words in _NUMBERS.items() for word in words.split("|")}


def read_period(words: str) -> Period | None:
    """A period as words give it ("15 tööpäeva jooksul", "within two weeks"); None where there is none."""
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    for unit, stems in _UNITS:
        match = re.search(rf"\b(?:{stems})", folded)
        if match is None:
            continue
        before = re.findall(r"\d+|[^\W\d_]+", folded[: match.start()])[-_NEAR:]
        for word in reversed(before):
            number = int(word[:4]) if word.isdecimal() else _WORD_NUMBERS.get(word)
            if number is not None:
                return Period(number, unit) if 0 < number <= _MOST else None
        return Period(1, unit)
    return None
