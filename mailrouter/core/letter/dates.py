"""Dates as letters print them, in running text: exact days, ranges, months, quarters and seasons.

Invariant: a `PrintedDate` has `starts` only where the print is exact to the day. Month names come from Babel's CLDR;
the endings that languages put on them ("novembriks", "martā", "maaliskuuta") are allowed for by stems.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from babel import Locale

from mailrouter.core.letter.flat import flat

# In the order in which a month name is looked up when the letter's own language does not know it.
_LANGUAGES = (
    "et",
    "en",
    "fr",
    "de",
    "fi",
    "lv",
    "lt",
    "ru",
    "sv",
    "pl",
    "da",
    "nb",
    "nl",
    "it",
    "es",
    "pt",
    "uk",
    "cs",
    "sk",
    "hu",
)
_IN_FULL = frozenset(
    {"cs", "sk", "hu"}
)  # their months are not abbreviated in letters: "pro" and "led" are words elsewhere
_SHORTEST_STEM = 3
_WHOLE = frozenset(
    {"may", "mai", "maj", "mail", "mayo", "juin", "juni", "juli", "mars", "aout"}
)  # short, no abbreviation


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date in a text: ISO days where exact, and where it stands. `month` marks a whole month, quarter or season."""

    raw: str
    starts: date | None
    ends: date | None
    begin: int
    finish: int
    month_form: str = ""  # the month as printed, folded: its case ending may say "by"


_SPACE = r"[\s\u00a0]"
_DAY = r"(\d{1,2})(?:\s?(?:st|nd|rd|th|er|eme|o|a)\b|\.|º|ª)?"
_MONTH = r"([^\W\d_]{3,14})\.?"
_JOIN = (
    r"(?:\s?[-–—/]\s?|\s(?:to|and|until|through|kuni|ja|au|et|al|bis|und|to|till|och|og|iki|ir|lidz|un|do|i|по|и|до)\s)"
)
_YEAR_AFTER = r"(?:,?\s(?:of\s|de\s|m\.\s)?((?:19|20)\d{2})(?:\.?\s?(?:a\.|aasta\w*|gada|г\.|год\w*|m\.|roku|р\.))?)"
_WEEKDAY = r"(?:(?:the\s)?(?:midday|noon|evening|morning|afternoon|lunchtime)\s(?:of|on)\s)?(?:[^\W\d_]{3,14},?\s(?:the\s|le\s|den\s|dem\s)?)?"

# Tried in this order; an earlier match wins over a later one at the same place.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("iso", r"(?<![\d.])((?:19|20)\d{2})-(\d{2})-(\d{2})(?!\d)"),
        (
            "numeric-range",
            r"(?<![\d./-])(\d{1,2})\.(?:(\d{1,2})\.)?\s?[-–—]\s?(\d{1,2})\.\s?(\d{1,2})\.\s?((?:19|20)\d{2})(?!\d)",
        ),
        ("numeric", r"(?<![\d./-])(\d{1,2})([./-])\s?(\d{1,2})\2\s?((?:19|20)?\d{2})(?![\d/]|\.\d)"),
        (
            "year-first-range",
            r"(?<![\d.])((?:19|20)\d{2})(?:\.?\s?(?:gada|m\.|a\.|aasta|metu))\.?\s"
            + _DAY
            + _JOIN
            + _DAY
            + r"\s"
            + _MONTH,
        ),
        (
            "year-first",
            r"(?<![\d.])((?:19|20)\d{2})(?:\.?\s?(?:gada|m\.|a\.|aasta|metu))?\.?\s" + _DAY + r"\s" + _MONTH,
        ),
        (
            "year-month-day",
            r"(?<![\d.])((?:19|20)\d{2})(?:\.?\s?(?:m\.|metu))?\.?\s"
            + _MONTH
            + r"\s(\d{1,2})(?:\s?[-–—]\s?(\d{1,2}))?(?:\s?d\.|\b)",
        ),
        (
            "two-months",
            r"(?<![\d.,/])"
            + _DAY
            + r"\s"
            + _MONTH
            + _YEAR_AFTER
            + "?"
            + _JOIN
            + _WEEKDAY
            + _DAY
            + r"\s"
            + _MONTH
            + _YEAR_AFTER,
        ),
        ("range", r"(?<![\d.,/])" + _DAY + _JOIN + _DAY + r"\s(?:de\s)?" + _MONTH + _YEAR_AFTER + "?"),
        ("day", r"(?<![\d.,/])" + _DAY + r"\s(?:de\s|of\s)?" + _MONTH + _YEAR_AFTER + "?"),
        ("month-range", r"(?<!\w)" + _MONTH + r"\s(\d{1,2})\s?[-–—]\s?(\d{1,2}),?\s((?:19|20)\d{2})"),
        ("month-day", r"(?<!\w)" + _MONTH + r"\s(\d{1,2})(?:st|nd|rd|th)?(?:,\s?|\s)((?:19|20)\d{2})"),
        ("month-day-bare", r"(?<!\w)" + _MONTH + r"\s(\d{1,2})(?:st|nd|rd|th)?(?:\s?d\.)?(?![\w%:]|[.,/-]\d)"),
        ("day-bare", r"(?<=[a-z] )(\d{1,2})\.\s?(\d{1,2})\.(?=$|,|\s[a-z(])"),
        ("month", r"(?<!\w)" + _MONTH + _YEAR_AFTER),
        ("month-after", r"(?<![\d.])((?:19|20)\d{2})(?:\.?\s?(?:gada|m\.|a\.|aasta|metu))\.?\s" + _MONTH),
        (
            "quarter",
            r"(?<!\w)(?:q[1-4]|[1-4]q|(?:[1-4]|i{1,3}|iv|first|second|third|fourth|premier|deuxieme|troisieme|quatrieme|esimeses?|teises?|kolmandas?|neljandas?)\.?\s?(?:quarter\sof|trimestre(?:\sde)?|kvarta\w*|quarta\w*|neljann\w*|ceturks\w*|ketvir\w*|квартал\w*))[\s/]+((?:19|20)\d{2})",
        ),
        (
            "season",
            r"(?<!\w)(?:(?:early|late|mid-?)\s)?(?:spring|summer|autumn|winter|fall|kevad\w*|suvi|suve\w*|sugis\w*|talv\w*|printemps|automne|fruhjahr|fruhling|sommer|herbst|kevat\w*|kesa\w*|syksy\w*|pavasar\w*|vasar\w*|ruden\w*|весн\w+|лет\w+|осен\w+)\s((?:19|20)\d{2})",
        ),
    )
)


_DIGIT = re.compile(r"\d")
# What a text must have for the forms: a quick no for the numbers that are no dates, which are most.
_FIGURES = re.compile(r"\d[./-]\s?\d")
_YEAR = re.compile(r"(?:19|20)\d{2}")
_OF_FIGURES = frozenset({"iso", "numeric-range", "numeric", "day-bare"})
_OF_YEAR = frozenset({"quarter", "season"})
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_LONGEST_MONTH = 14  # letters, as in _MONTH


@lru_cache(maxsize=1024)
def find_dates(text: str, *, after: date | None = None, language: str | None = None) -> tuple[PrintedDate, ...]:
    """The dates of a text in their order, not overlapping.

    A day without a year is the next one after `after`; without `after` it is not exact and left out.
    """
    if not _DIGIT.search(text):
        return ()
    folded = flat(text)
    found: list[PrintedDate] = []
    for name, form in _possible(folded, language):
        for match in form.finditer(folded):
            span = _read(name, match, after, language)
            if span is None or any(span.begin < other.finish and other.begin < span.finish for other in found):
                continue
            found.append(PrintedDate(text[span.begin : span.finish], *_fields(span)))
    return tuple(sorted(found, key=lambda printed: printed.begin))


def _possible(folded: str, language: str | None) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The forms that a text may have: those with a month only where a word of it is one."""
    figures, year = _FIGURES.search(folded), _YEAR.search(folded)
    month = any(map(_months(language), _LETTERS.findall(folded)))
    if not figures and not year and not month:
        return
    for name, form in _FORMS:
        if figures if name in _OF_FIGURES else year if name in _OF_YEAR else month:
            yield name, form


def _fields(span: PrintedDate) -> tuple[date | None, date | None, int, int, str]:
    return span.starts, span.ends, span.begin, span.finish, span.month_form


def first_day(text: str, *, after: date | None = None, language: str | None = None) -> date | None:
    """The first exact day that the text prints."""
    for printed in find_dates(text, after=after, language=language):
        if printed.starts:
            return printed.starts
    return None


def _read(name: str, match: re.Match[str], after: date | None, language: str | None) -> PrintedDate | None:
    """One match of a form as a date; None if its words are no month or its numbers no day."""
    reading = _READERS[name](match.groups(), after, language)
    if reading is None:
        return None
    starts, ends, month_form = reading
    begin, finish = match.span()
    raw = match.group()
    finish -= len(raw) - len(raw.rstrip(" ,"))
    if (
        raw.endswith(".")
        and raw[:-1].endswith(month_form)
        and (len(month_form) > _SHORTEST_STEM + 1 or month_form in _WHOLE)
    ):
        finish -= 1  # the sentence's point, not an abbreviation's
    return PrintedDate("", starts, ends, begin, finish, month_form)


_Reading = tuple[date | None, date | None, str]
_Groups = tuple[str | None, ...]


def exact_day(year: int, month: int, day: int) -> date | None:
    """The day; None where the calendar has none such."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _one(day: date | None, form: str = "") -> _Reading | None:
    return (day, day, form) if day else None


def _span(starts: date | None, ends: date | None, form: str) -> _Reading | None:
    if starts is None or ends is None or starts > ends:
        return None
    return starts, ends, form


def _year(printed: str) -> int:
    year = int(printed)
    return year if year >= 100 else 2000 + year


def _iso(groups: _Groups, _after: date | None, _language: str | None) -> _Reading | None:
    return _one(exact_day(*(int(group or 0) for group in groups)))


def _numeric(groups: _Groups, _after: date | None, _language: str | None) -> _Reading | None:
    day, month, year = int(groups[0] or 0), int(groups[2] or 0), _year(groups[3] or "0")
    if month > 12 >= day:  # printed the American way
        day, month = month, day
    return _one(exact_day(year, month, day))


def _numeric_range(groups: _Groups, _after: date | None, _language: str | None) -> _Reading | None:
    day, month, last, last_month, year = groups
    ends = exact_day(int(year or 0), int(last_month or 0), int(last or 0))
    return _span(exact_day(int(year or 0), int(month or last_month or 0), int(day or 0)), ends, "")


def _year_first(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    year, day, month = groups
    number = month_number(month or "", language)
    return _one(exact_day(int(year or 0), number, int(day or 0)), month or "") if number else None


def _year_first_range(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    year, day, last, month = groups
    number = month_number(month or "", language)
    if not number:
        return None
    return _span(
        exact_day(int(year or 0), number, int(day or 0)), exact_day(int(year or 0), number, int(last or 0)), month or ""
    )


def _year_month_day(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    year, month, day, last = groups
    number = month_number(month or "", language)
    if not number:
        return None
    return _span(
        exact_day(int(year or 0), number, int(day or 0)),
        exact_day(int(year or 0), number, int(last or day or 0)),
        month or "",
    )


def _two_months(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    day, month, first_year, last, last_month, year = groups
    number, last_number = month_number(month or "", language), month_number(last_month or "", language)
    if not number or not last_number:
        return None
    starts = exact_day(int(first_year or year or 0), number, int(day or 0))
    return _span(starts, exact_day(int(year or 0), last_number, int(last or 0)), last_month or "")


def _range(groups: _Groups, after: date | None, language: str | None) -> _Reading | None:
    day, last, month, year = groups
    number = month_number(month or "", language)
    if not number:
        return None
    starts = _dated(day, number, year, after)
    ends = exact_day(starts.year, number, int(last or 0)) if starts else None
    return _span(starts, ends, month or "")


def _day_month(groups: _Groups, after: date | None, language: str | None) -> _Reading | None:
    day, month, year = groups
    number = month_number(month or "", language)
    return _one(_dated(day, number, year, after), month or "") if number else None


def _month_day(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    month, day, year = groups
    number = month_number(month or "", language)
    return _one(exact_day(int(year or 0), number, int(day or 0)), month or "") if number else None


def _month_day_bare(groups: _Groups, after: date | None, language: str | None) -> _Reading | None:
    month, day = groups
    number = month_number(month or "", language)
    return _one(_dated(day, number, None, after), month or "") if number else None


def _day_bare(groups: _Groups, after: date | None, language: str | None) -> _Reading | None:
    """A day without a year, "14.3.", in the languages that write days so; elsewhere it is the number of a section."""
    if language not in {"fi", "de", "et"} or not 0 < int(groups[1] or 0) <= _MONTHS:
        return None
    return _one(_dated(groups[0], int(groups[1] or 0), None, after))


_MONTHS = 12


def _month_range(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    month, day, last, year = groups
    number = month_number(month or "", language)
    if not number:
        return None
    return _span(
        exact_day(int(year or 0), number, int(day or 0)), exact_day(int(year or 0), number, int(last or 0)), month or ""
    )


def _month(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    return (None, None, "") if month_number(groups[0] or "", language) else None


def _month_after(groups: _Groups, _after: date | None, language: str | None) -> _Reading | None:
    return (None, None, "") if month_number(groups[1] or "", language) else None


def _vague(_groups: _Groups, _after: date | None, _language: str | None) -> _Reading | None:
    return None, None, ""


_READERS = {
    "iso": _iso,
    "numeric": _numeric,
    "numeric-range": _numeric_range,
    "year-first-range": _year_first_range,
    "year-first": _year_first,
    "year-month-day": _year_month_day,
    "two-months": _two_months,
    "range": _range,
    "day": _day_month,
    "month-range": _month_range,
    "month-day-bare": _month_day_bare,
    "day-bare": _day_bare,
    "month-day": _month_day,
    "month": _month,
    "month-after": _month_after,
    "quarter": _vague,
    "season": _vague,
}


def _dated(day: str | None, month: int, year: str | None, after: date | None) -> date | None:
    """The day in its printed year, else the next such day after `after`."""
    if year:
        return exact_day(int(year), month, int(day or 0))
    if after is None:
        return None
    this = exact_day(after.year, month, int(day or 0))
    return this if this and this > after else exact_day(after.year + 1, month, int(day or 0))


@lru_cache(maxsize=1 << 14)
def month_number(word: str, language: str | None = None) -> int:
    """1 to 12 for a month's name or its beginning as languages inflect and abbreviate it; 0 if the word is none."""
    folded = flat(word).rstrip(".")
    for code in _order(language):
        for stem, ending, number in _stems(code):
            if folded == stem or (folded.startswith(stem) and len(folded) - len(stem) <= ending):
                return number
    return 0


@cache
def _months(language: str | None) -> Callable[[str], int]:
    """`month_number` of a word as long as it may be, in one language first: it is asked of every word beside a number."""
    return lru_cache(maxsize=1 << 14)(lambda word: month_number(word[:_LONGEST_MONTH], language))


def _order(language: str | None) -> Iterator[str]:
    if (language and language not in _LANGUAGES) or language:
        yield language
    yield from (code for code in _LANGUAGES if code != language)


@cache
def _stems(language: str) -> tuple[tuple[str, int, int], ...]:
    """(folded stem, letters that may follow, month) of a language, longest stem first."""
    try:
        locale = Locale.parse(language)
    except (ValueError, LookupError):
        return ()
    stems: dict[str, tuple[int, int]] = {}
    for context in ("format", "stand-alone"):
        for width, ending in (("abbreviated", 0), ("wide", 6)):
            if width == "abbreviated" and language in _IN_FULL:
                continue
            for number, name in locale.months[context][width].items():
                folded = flat(str(name)).rstrip(".")
                for stem in _stem_forms(folded) if ending else (folded,):
                    if len(stem) >= _SHORTEST_STEM and stem.isalpha():
                        allowed = ending if len(stem) > _SHORTEST_STEM else min(ending, 2)
                        stems[stem] = (max(allowed, stems.get(stem, (0, 0))[0]), number)
    listed = ((stem, ending, number) for stem, (ending, number) in stems.items())
    return tuple(sorted(listed, key=lambda entry: -len(entry[0])))


def _stem_forms(name: str) -> tuple[str, ...]:
    """A month's name without the endings that cases replace: detsember → detsembr-il, marts → mart-am, kovas → kov-o."""
    if len(name) <= 4:
        return (name,)
    bare = name.rstrip("s").rstrip("aeiouyияйь")
    if name.endswith("er"):
        return name, name[:-2] + "r"
    return name, bare
