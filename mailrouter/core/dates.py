"""Dates as mail programs and letters print them, in every language that the CLDR names months and days in.

Owns the tables of month and day names and the reading of one printed date. Invariant: nothing is invented. A date
without a year, or with a month that no language knows, is unreadable; an offset appears only where one was printed.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

_LONGEST = 160  # characters: no program prints a longer date, and a bound keeps every pattern cheap
_SPACES = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")

# Forms that the CLDR lacks: other cases of months too short for their stem to be told, and old or clipped forms.
_MORE_MONTHS: Mapping[str, Mapping[int, str]] = {
    "et": {3: "mär mrt", 5: "mail mais mailt maiks maisse", 1: "jan jaan", 2: "veb vebr", 6: "jun juun", 7: "jul juul"},
    "fi": {5: "touko", 10: "loka"},
    "en": {9: "sept sep"},
    "de": {3: "mrz märz mär", 1: "jänner jän", 9: "sept"},
    "nl": {3: "mrt maa mar", 5: "mei"},
    "pl": {5: "maj maju majem", 2: "luty lutym", 9: "wrz"},
    "cs": {5: "květen kvě", 6: "čvn", 7: "čvc"},
    "hr": {5: "svibanj svi"},
    "sl": {5: "maj maju majem"},
    "sr-latn": {5: "maj maja"},
    "ru": {5: "май мая мае маем", 8: "авг"},
    "uk": {2: "лют"},
    "lt": {3: "kov"},
    "lv": {5: "maijā maijam maija", 3: "martā martam marta mar"},
    "it": {9: "sett set", 1: "genn gen"},
    "es": {9: "sept set"},
    "ro": {1: "ian", 5: "mai"},
    "sq": {5: "maj"},
    "is": {6: "jún", 7: "júl"},
    "sv": {5: "maj"},
    "da": {5: "maj"},
}
_PLAIN_HALVES: Mapping[str, int] = {"am": 0, "pm": 1, "a.m.": 0, "p.m.": 1, "a. m.": 0, "p. m.": 1}


@dataclass(frozen=True, slots=True)
class Names:
    """The words that name months, days and halves of the day, each with the languages that use it so."""

    months: Mapping[str, Mapping[str, int]]  # word → language → 1…12
    days: Mapping[str, Mapping[str, int]]  # word → language → 0 (Monday) … 6
    halves: Mapping[str, int]  # word → 0 before noon, 1 after
    stems: Mapping[str, tuple[str, ...]]  # first four letters → month words that begin so
    parts: frozenset[str]  # the words of names of several words, "meán fómhair"


@cache
def names() -> Names:
    """The tables of all languages, read once from datewords.tsv (Unicode CLDR through Babel)."""
    table = files("mailrouter.core").joinpath("data/datewords.tsv").read_text(encoding="utf-8")
    lines = unicodedata.normalize("NFC", table).splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    months: dict[str, dict[str, int]] = {}
    days: dict[str, dict[str, int]] = {}
    halves: dict[str, int] = dict(_PLAIN_HALVES)
    for language, month_groups, day_groups, half_groups in rows:
        for number, word in _numbered(month_groups):
            months.setdefault(word, {})[language] = number + 1
        for number, word in _numbered(day_groups):
            days.setdefault(word, {})[language] = number
        for number, word in _numbered(half_groups):
            halves.setdefault(word, number)
    for language, more in _MORE_MONTHS.items():
        for number, forms in more.items():
            for word in forms.split():
                months.setdefault(word, {})[language] = number
    stems: dict[str, list[str]] = {}
    for word in months:
        if len(word) >= 4:
            stems.setdefault(word[:4], []).append(word)
    parts = frozenset(part for word in (*months, *days) if " " in word for part in word.split())
    return Names(months, days, halves, {stem: tuple(words) for stem, words in stems.items()}, parts)


def _numbered(groups: str) -> Iterator[tuple[int, str]]:
    """The forms of a row's groups, each with the number of its group, from 0."""
    for number, group in enumerate(groups.split("|")):
        for word in filter(None, group.split(",")):
            yield number, word.rstrip("׳")


@lru_cache(maxsize=4096)
def month_numbers(word: str) -> Mapping[str, int]:
    """The languages in which `word`, in any case form, names a month: language → 1…12; {} if it names none.

    Case forms that the CLDR lacks ("novembriks", "janvārī", "styczniu") are told by their stem: at least four letters
    in common, all but the last two of the known form, and an ending of at most five letters.
    """
    bare = _fold(word).strip(".,'’")
    known = names().months
    if bare in known:
        return known[bare]
    if bare.startswith("ב") and bare[1:] in known:  # Hebrew writes "in" as one word with the month
        return known[bare[1:]]
    found: dict[str, int] = {}
    for form in names().stems.get(bare[:4], ()):
        shared = max(4, len(form) - 2)
        if bare[:shared] == form[:shared] and len(bare) <= len(form) + 5:
            found.update(known[form])
    return found


def month_number(word: str, language: str | None = None) -> int | None:
    """The month that `word` names in `language` (an ISO code), or in any language if they agree; None if none."""
    found = month_numbers(word)
    if language is not None and language in found:
        return found[language]
    numbers = set(found.values())
    return numbers.pop() if len(numbers) == 1 else None


def day_numbers(word: str) -> Mapping[str, int]:
    """The languages in which `word` names a day of the week: language → 0 (Monday) … 6."""
    return names().days.get(_fold(word).strip(".,'’()"), {})


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    # "İ".casefold() leaves a combining dot that no table has.
    return unicodedata.normalize("NFC", text.casefold()).replace("i̇", "i")


_DIGIT = re.compile(r"\d")
# One mark twice; Danes also write 12/5-2024. A file's number, 7-1/44, is no date.
_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})\s?([./-])\s?(\d{1,2})(?:\s?\2\s?(\d{4}|\d{2})|-(\d{4}))(?!\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)")
# The month is a number that has a word of its own beside it: Vietnamese; Han and Mongolian with the day first.
_VIETNAMESE = re.compile(
    r"(\d{1,2})(?:(?: tháng | thg |/)(\d{1,2})| (\d{1,2})(?:[月월]|-р сар\w*)),?(?: năm | )(\d{4})"
)
_HAN = re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]?")
# Hebrew writes "at" as a letter and a hyphen before the time; any other hyphen or plus begins an offset.
_CLOCK = re.compile(r"(?:(?<![\d+-])|(?<=[^\W\d_]-))(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?(?!\d)")
_CLOCK_H = re.compile(r"(?<!\d)(\d{1,2})\s?[hH時시]\s?(\d{2})(?!\d)")
_CLOCK_DOT = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{2})(?:\.(\d{2}))?(?![\d.])")
_CLOCK_HOUR = re.compile(r"(?<![\d.:/-])(\d{1,2})\s?(?=[ap]\.?\s?m\b)", re.IGNORECASE)
_ZONE = re.compile(
    r"([+\u2212]|(?<![\d-])-|(?<=:\d\d)-)(\d{1,2}):?(\d{2})?(?!\d)|\b(GMT|UTC|UT)\b(?!\s?[+\u2212-]\d)|(?<=\d)(Z)\b"
)
# A letter, or a mark that belongs to one: the words of Hindi and Thai hold marks that are no letters.
_LETTER = r"(?:[^\W\d_]|(?!\d)[\u0900-\u0eff])"
_WORD = re.compile(rf"{_LETTER}+(?:[-'’][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+")


def parse_sent(raw: str, language: str | None = None) -> str | None:
    """A date as a mail program prints it → "2024-02-29T11:57:00", "+02:00" added only where an offset is printed.

    `language` (ISO code) decides where languages differ, else the day of the week does. A date without a time gives
    "2024-02-29". None where year, month and day cannot all be read; never raises.
    """
    if len(raw) > 2 * _LONGEST or not _DIGIT.search(raw):
        return None
    return _sent(raw, language)


@lru_cache(maxsize=512)  # one line is looked at as a field, as a date and as part of a block
def _sent(raw: str, language: str | None) -> str | None:
    text = _SPACES.sub(" ", raw).strip()
    if len(text) > _LONGEST:
        return None
    try:
        return _parse(text, language)
    except (ValueError, OverflowError):  # digits that int() or date() refuse
        return None


def _parse(text: str, language: str | None) -> str | None:
    figures = _VIETNAMESE.search(text) or _ISO.search(text)  # what looks like a month beside them is a weekday
    found = (None if figures else _textual(text, language)) or _numeric(text)
    if found is None:
        return None
    day, rest = found
    clock = _clock(rest)
    if clock is None:
        return day.isoformat()
    hour, minute, second, after = clock
    return f"{day.isoformat()}T{hour:02}:{minute:02}:{second:02}{_offset(after)}"


def _numeric(text: str) -> tuple[date, str] | None:
    """The day of a date in figures, and the text without it."""
    if match := _ISO.search(text) or _HAN.search(text):
        groups = match.groups()
        year, month, day = int(groups[0]), int(groups[-2]), int(groups[-1])
        return date(year, month, day), _without(text, match)
    if match := _VIETNAMESE.search(text):
        return date(int(match[4]), int(match[2] or match[3]), int(match[1])), _without(text, match)
    match = _NUMERIC.search(text)
    if match is None:
        return None
    first, separator, second, short, long = match.groups()
    last = short or long
    year = int(last) + 2000 if len(last) == 2 else int(last)
    if len(first) > 2:
        return None
    day, month = int(first), int(second)
    # The United States print 2/29/2024 1:05 PM; a half of the day beside slashes is their mark.
    american = "/" in separator and day <= 12 and re.search(r"\d\s?[AP]\.?M\b", text)
    if month > 12 or american:
        day, month = month, day
    return date(year, month, day), _without(text, match)


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} \t {text[match.end() :]}"


def _textual(text: str, language: str | None) -> tuple[date, str] | None:
    """The day of a date whose month is a word, and the text without it."""
    tables = names()
    folded = _fold(text)
    words = list(_WORD.finditer(folded))
    pairs = [f"{one[0]} {two[0]}" if one[0] in tables.parts else "" for one, two in pairwise(words)] + [""]
    weekdays: dict[str, int] = {}
    for name in (*(word[0] for word in words), *pairs):
        weekdays.update(tables.days.get(name, {}))
    hints = (weekdays, language, _CLOCK.search(folded))
    readings: list[tuple[float, date, str]] = []
    for index, word in enumerate(words):
        if index and pairs[index - 1] in tables.days:  # "dydd mawrth" is a Tuesday, "mawrth" alone is March
            continue
        months = tables.months.get(pairs[index]) or month_numbers(word[0]) or month_numbers(word[0].split("-")[-1])
        if months:
            # "mar., 25 feb." is a Tuesday in February: a word that also names a day gives way to one that does not.
            doubt = 0.5 if word[0] in tables.days else 0.0
            readings.extend((rank - doubt, day, rest) for rank, day, rest in _readings(folded, word, months, hints))
    if not readings:
        return None
    _, day, rest = max(readings, key=lambda reading: reading[0])
    return day, rest


def _readings(
    text: str,
    word: re.Match[str],
    months: Mapping[str, int],
    hints: tuple[Mapping[str, int], str | None, re.Match[str] | None],
) -> Iterator[tuple[float, date, str]]:
    """Each day that the month word can mean with the numbers around it, with a rank: higher is likelier."""
    weekdays, language, clock = hints
    year, day = _year_and_day(text, word, clock)
    if year is None or day is None:
        return
    rest = text
    for match in sorted((year, day), key=lambda number: -number.start()):
        rest = f"{rest[: match.start()]}\t{rest[match.end() :]}"
    for number in set(months.values()):
        try:
            when = date(_full_year(year[0]), number, int(day[0]))
        except ValueError:
            continue
        today = {tongue for tongue, weekday in weekdays.items() if weekday == when.weekday()}
        rank = sum(known == number for known in months.values()) / 1000  # the more languages, the likelier
        rank += 1 if today else 0
        rank += 4 if any(months.get(tongue) == number for tongue in today) else 0
        rank += 2 if language is not None and months.get(language) == number else 0
        yield rank, when, rest


def _full_year(digits: str) -> int:
    return int(digits) + 2000 if len(digits) == 2 else int(digits)


def _year_and_day(
    text: str, word: re.Match[str], clock: re.Match[str] | None
) -> tuple[re.Match[str] | None, re.Match[str] | None]:
    """The numbers nearest to the month word that can be its year and its day."""
    year: re.Match[str] | None = None
    days: list[re.Match[str]] = []
    for number in _NUMBER.finditer(text):
        if clock is not None and clock.start() <= number.start() < clock.end():
            continue
        if len(number[0]) == 4 and 1900 <= int(number[0]) <= 2199:
            year = year or number
        elif len(number[0]) <= 2 and 1 <= int(number[0]) <= 31:
            days.append(number)
    if not days:
        return year, None

    def distance(number: re.Match[str]) -> int:
        return min(abs(number.start() - word.end()), abs(word.start() - number.end()))

    day = min(days, key=distance)
    if year is None:  # "12-Mar-24", "12 mar. 24": the number that follows the month
        later = [number for number in days if number.start() >= word.end() and number is not day]
        if later and len(later[0][0]) == 2 and later[0].start() - word.end() <= 3:
            year = later[0]
    return year, day


def _clock(text: str) -> tuple[int, int, int, str] | None:
    """Hour, minute, second and the text behind them; None if no time of day is printed."""
    match = _CLOCK.search(text) or _CLOCK_H.search(text) or _CLOCK_DOT.search(text) or _CLOCK_HOUR.search(text)
    if match is None:
        return None
    groups = (*match.groups(), None, None)
    hour, minute, second = int(groups[0] or 0), int(groups[1] or 0), int(groups[2] or 0)
    half = _half(text, match)
    if half == 1 and hour < 12:
        hour += 12
    elif half == 0 and hour == 12:
        hour = 0
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour, minute, second, text[match.start() :]


def _half(text: str, match: re.Match[str]) -> int | None:
    """0 before noon, 1 after noon, by the words right before or behind the time."""
    halves = names().halves
    behind = _fold(text[match.end() : match.end() + 18]).strip(" ,)\t")
    before = _fold(text[max(0, match.start() - 12) : match.start()]).strip(" ,(\t")
    for words, near in ((behind.split(" "), 0), (before.split(" "), -1)):
        for size in (2, 1):
            chosen = words[:size] if near == 0 else words[-size:]
            word = " ".join(chosen)
            if word in halves:
                return halves[word]
            if word.strip(".") in halves:
                return halves[word.strip(".")]
    return None


def _offset(text: str) -> str:
    text = text.upper()
    match = _ZONE.search(text, len(text) - len(text.lstrip("0123456789:.H")) - 1)
    if match is None:
        return ""
    sign, hours, minutes, _, _ = match.groups()
    if sign is None:
        return "+00:00"
    if int(hours) > 14 or int(minutes or 0) > 59:
        return ""
    return f"{'-' if sign != '+' else '+'}{int(hours):02}:{int(minutes or 0):02}"


_LAST = re.compile(r"[^\W\d_]+ $")
_LEADS = frozenset(
    ("on", "am", "le", "el", "il", "op", "em", "en", "la", "de", "do", "du", "an", "um", "at")
)  # also words of attributions
_ZONES = frozenset(("utc", "gmt", "cet", "cest", "eet", "eest", "wet", "west", "bst", "msk"))
_PIECE = re.compile(rf"\d+(?:[.:/-]\d+)*(?:[hH]\d{{2}})?|{_LETTER}+(?:[-'’][^\W\d_]+)*|[<>@\"«»„“”|]|[+\u2212]\d{{4}}")


@lru_cache(maxsize=256)
def find_sent(text: str) -> tuple[int, int] | None:
    """The span of the first printed date in running text ("On <Mon, 1 Jan 2024 10:00>, A wrote:"); None if none.

    The span begins with a weekday, a number or a month and ends with the last number, name, half of the day or zone.
    """
    run: list[tuple[int, int]] = []
    seen: set[str] = set()
    loose, prior = 0, ""
    for piece in _PIECE.finditer(text[:600]):
        kind = _date_piece(piece[0], text, piece.end())
        word, prior = prior, _fold(piece[0])
        if kind == "month" and f"{word} {prior}" in names().days:  # "dydd mawrth"
            kind = "day"
        # Jaan, Mai, April and August are also people: one month, and no name behind the year and the time.
        if (
            kind
            and not (kind == "month" and "month" in seen)
            and not (kind in ("month", "day") and {"year", "time"} <= seen)
        ):
            run.append(piece.span())
            seen.update(_shown(kind, piece[0]))
            loose = 0
            continue
        loose += 1
        word = piece[0]
        if run and (kind or loose > 2 or not word[0].isalpha() or not (word.islower() or len(word) == 1)):
            if span := _dated(text, run):
                return span
            run, seen = [], set()
            if kind:
                run.append(piece.span())
    return _dated(text, run)


def _shown(kind: str, piece: str) -> set[str]:
    """What a piece tells of a date: year, month, time."""
    if kind != "number":
        return {kind}
    if ":" in piece or "h" in piece.lower():
        return {"time", "year", "month"} if piece.count("-") == 2 else {"time"}
    if sum(piece.count(mark) for mark in "./-") >= 2:
        return {"month", "year"}
    return {"year"} if len(piece) == 4 else set()


def _date_piece(piece: str, text: str, end: int) -> str | None:
    """What part of a date a piece of text can be: "number", "day", "month", "half"; None if none."""
    if piece[0].isdigit() or piece[0] in "+\u2212":
        return "number"
    tables = names()
    word = _fold(piece)
    if word in tables.days and _is_day(piece, text[end : end + 4]):
        return "day"
    if word in tables.halves or word in _ZONES:
        return "half"
    if month_numbers(word):
        return "month"
    return "part" if len(word) > 1 and word in tables.parts else None


def _is_day(word: str, behind: str) -> bool:
    """Whether so short a word names a day: "K, 27." and "pe 10.", but not "R. Mets" nor "On 10/05"."""
    if len(word) >= 3:
        return True
    if len(word) == 1:
        return re.match(r",|\.,?\s?\d", behind) is not None
    return behind[:1] in (",", ".") or (word.islower() and word not in _LEADS and re.match(r"\s\d", behind) is not None)


def _dated(text: str, run: list[tuple[int, int]]) -> tuple[int, int] | None:
    if len(run) > 24:
        return None
    while run:
        start, end = run[0][0], run[-1][1]
        word = "" if text[start].isdigit() else _fold(text[start : run[0][1]])
        named = word in names().days and _is_day(text[start : run[0][1]], text[run[0][1] : run[0][1] + 4])
        if (word in names().halves and not named) or (word in _LEADS and parse_sent(text[run[0][1] : end])):
            run = run[1:]  # "Am 18.05.24", "du 20/07/24": a preposition, no half of the day and no month
            continue
        if text[end : end + 1] == "." and text[end - 1].isalpha():
            end += 1
        if end - start >= 6 and parse_sent(text[start:end]):
            before = _LAST.search(text, max(0, start - 12), start)  # "e premte" is a day's name of two words
            if before is not None and _fold(text[before.start() : run[0][1]]) in names().days:
                start = before.start()
            return start, end
        run = run[1:]
    return None
