"""By when: the words of a deadline in a sentence, and the day they mean once the mail's date is known.

Invariant: the words are kept as printed; a day is computed only from words and the mail's date, and None is said
where they do not give one.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache, lru_cache

from mailrouter.core.dates import month_number, names
from mailrouter.core.deadlines import add_months, add_working_days
from mailrouter.core.instruction.lexicon import Lexicon, Tag, lexicons
from mailrouter.core.instruction.words import Word, words_of
from mailrouter.core.language import fold

_SPANS = ("working", "calendar", "weeks", "months")
_DAYS_OF_WEEK = ("this_week", "next_week")
_POINTS = ("today", "tomorrow", "overmorrow", "week_end", "next_week_end", "month_end")
_LABELS = ("labels", "due", "until")
_FRIDAY = 4
_MOST = 999  # of any unit: more is no deadline
_FIGURES = re.compile(r"\d{1,2}[./]\d{1,2}(?:[./](?:\d{4}|\d\d))?|\d{4}-\d\d?-\d\d?", re.ASCII)
_DAYS_OF_MONTH = frozenset(str(day) for day in range(1, 32))
_NEAR = 5  # words between "tähtaeg" and its date


def deadline_at(
    words: tuple[Word, ...], tags: list[Tag], lexicon: Lexicon, *, other: str | None = None, since: int = 0
) -> tuple[int, int, str] | None:
    """The words first..last-1 that say by when, and their label ("labels": "tähtaeg", "due", "until", ""); None if none.

    `other` (ISO date) is known to be something else, such as the end of a restriction; only words from `since` on are
    looked at.
    """
    periods = [tag for tag in tags if tag.action == "periods" and (tag.first >= since or tag.form in _LABELS)]
    labels = [tag for tag in periods if tag.form in _LABELS]
    spans = [tag for tag in periods if tag.form in _SPANS]
    points = [tag for tag in periods if tag.form in _POINTS]
    if spans:
        # The longer phrase says more: "next week" within "within the next week", and the other way round.
        span = max((*spans, *points), key=lambda t: (t.last - t.first, t in spans, -t.first))
        return span.first, span.last, _labelled(labels, span.first)
    dated: list[tuple[int, int, str]] = []
    for first, last in _days(words, periods, lexicon):
        if first < since:
            continue
        if other and (day := _read_date(words, first)) and other == str(_dated(day, None)):
            continue
        label = _labelled(labels, first)
        if label or _translative(words[first:last], lexicon) or _before_postposition(words, last, lexicon):
            dated.append((first, last, label))
    if dated:  # "they expect it by 20 March, our deadline is 15 March": the one that is called so
        return next((each for each in dated if each[2] == "labels"), dated[0])
    if points:
        point = max(points, key=lambda t: (t.last - t.first, -t.first))
        return point.first, point.last, _labelled(labels, point.first)
    return None


def date_from(words: tuple[Word, ...], at: int) -> int | None:
    """Past the last word of a printed date that begins at word `at`; None if there is none."""
    return (found := _read_date(words, at)) and found[0]


def _labelled(labels: list[Tag], first: int) -> str:
    """The label that stands closely before a place: "labels" names a deadline, "until" is a mere preposition."""
    near = [
        tag.form
        for tag in labels
        if 0 <= first - tag.last <= (1 if tag.form == "until" else _NEAR) or tag.first <= first < tag.last
    ]
    return min(near, key=_LABELS.index, default="")


def _translative(words: tuple[Word, ...], lexicon: Lexicon) -> bool:
    return any(lexicon.is_kind("periods.translative", word.folded) for word in words)


def _before_postposition(words: tuple[Word, ...], at: int, lexicon: Lexicon) -> bool:
    """Whether a word that says "by" stands behind a date ("5.3. mennessä")."""
    at += at < len(words) and words[at].text == "."
    return at < len(words) and lexicon.is_kind("periods.behind", words[at].folded)


def _days(words: tuple[Word, ...], periods: list[Tag], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Printed dates and weekdays, with "next week's" before them."""
    end = 0
    for at in [at for at, word in enumerate(words) if _may_be_date(word.text)]:
        if at < end:
            continue  # within the date before
        if dated := date_from(words, at):
            end = dated
            yield at, end
        elif weekday(words[at].folded, lexicon) is not None:
            end = at + 1
            after = end + (end < len(words) and words[end].text in (",", "("))
            if after < len(words) and (dated := date_from(words, after)):
                end = dated
            begin = next((tag.first for tag in periods if tag.form in _DAYS_OF_WEEK and tag.last == at), at)
            yield begin, end


def _read_date(words: tuple[Word, ...], at: int) -> tuple[int, int, int, int | None] | None:
    """Past the last word, day, month, year (None if not printed) of a date that begins at word `at`."""
    text = words[at].text
    if _FIGURES.fullmatch(text):
        return _numeric(words, at, [int(part) for part in re.split(r"\D", text)])
    if text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= 31:
        return _day_month(words, at, int(text))
    named = month_number(text) if len(text) > 2 and not words[at].mark else None
    if named is not None and at + 1 < len(words) and words[at + 1].text in _DAYS_OF_MONTH:
        end = at + 2
        while end < len(words) and words[end].folded in {",", "st", "nd", "rd", "th"}:
            end += 1
        printed = _year(words, end)
        return (end + 1 if printed else at + 2), int(words[at + 1].text), named, printed
    return None


@lru_cache(maxsize=1 << 14)  # the same words come again and again
def _may_be_date(text: str) -> bool:
    """Whether a word is a figure, or names a month or weekday: most do none of it."""
    folded = fold(text)
    return (
        text[:1].isdecimal()
        or month_number(text) is not None
        or any(weekday(folded, lexicon) is not None for lexicon in lexicons())
    )


def _numeric(words: tuple[Word, ...], at: int, parts: list[int]) -> tuple[int, int, int, int | None] | None:
    if len(parts) == 3:
        day, month, year = (parts[2], parts[1], parts[0]) if parts[0] > 31 else (parts[0], parts[1], parts[2])
        end = at + 1
        return (end, day, month, year + 2000 if year < 100 else year) if 1 <= month <= 12 and 1 <= day <= 31 else None
    day, month = parts
    end = at + 1
    if end < len(words) and words[end].text == "." and words[end].start == words[at].end:
        end += 1
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    later = _year(words, end)
    return (end + 1 if later else at + 1), day, month, later


def _day_month(words: tuple[Word, ...], at: int, day: int) -> tuple[int, int, int, int | None] | None:
    end = at + 1
    while end < len(words) and words[end].folded in {".", "st", "nd", "rd", "th", "of", "er", "de", "-"}:
        end += 1
    if end >= len(words) or words[end].mark or not words[end].text[0].isalpha():
        return None
    month = month_number(words[end].text)
    if month is None:
        return None
    end += 1
    skip = end + 1 if end < len(words) and words[end].text in {",", "."} else end
    year = _year(words, skip)
    return (skip + 1 if year else end), day, month, year


def _year(words: tuple[Word, ...], at: int) -> int | None:
    if (
        at < len(words)
        and words[at].text.isdecimal()
        and len(words[at].text) == 4
        and 1990 <= int(words[at].text) <= 2199
    ):
        return int(words[at].text)
    return None


def weekday(folded: str, lexicon: Lexicon) -> int | None:
    """The weekday that a folded word names, in any case form of the lexicon's language: 0 (Monday) … 6."""
    if len(folded) < 4:
        return None
    for stem, longest, number in _weekdays(lexicon.language).get(folded[:3], ()):
        if folded.startswith(stem) and len(folded) <= longest:
            return number
    return None


@cache
def _weekdays(language: str) -> dict[str, tuple[tuple[str, int, int], ...]]:
    """Weekdays by their first three letters: the name without its last letter, the longest form, 0 (Monday) … 6."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    for name, languages in names().days.items():
        stem = fold(name)
        if len(stem) >= 5 and language in languages and " " not in stem:
            found.setdefault(stem[:3], []).append((stem[:-1], len(stem) + 4, languages[language]))
    return {first: tuple(days) for first, days in found.items()}


def resolve_deadline(raw: str, sent: date | None) -> date | None:
    """The day that the words of a deadline mean in a mail of the day `sent`; None where they give none.

    Periods are counted from the day after the mail; working days leave out Estonian holidays; a day without a year is
    the next one; "by Friday" on a Friday is the next Friday; a week ends on Friday.
    """
    words = words_of(raw)
    for at in range(len(words)):
        if found := _read_date(words, at):
            return _dated(found, sent)
    if sent is None:
        return None
    best: tuple[int, date] | None = None
    for lexicon in lexicons():
        for tag in lexicon.tags([word.folded for word in words]):
            if (
                tag.action == "periods"
                and (day := _counted(tag, words, lexicon, sent))
                and (best is None or tag.last - tag.first > best[0])
            ):
                best = (tag.last - tag.first, day)
    named = next((day for lexicon in lexicons() if (day := _next_weekday(words, lexicon, sent))), None)
    # "COB Friday" is Friday, though "COB" alone is today.
    return named if best is None or (named and best[1] == sent) else best[1]


def _dated(found: tuple[int, int, int, int | None], sent: date | None) -> date | None:
    _, day, month, year = found
    try:
        if year is not None:
            return date(year, month, day)
        if sent is None:
            return None
        this = date(sent.year, month, day)
        return this if this >= sent else date(sent.year + 1, month, day)
    except ValueError:
        return None


def _counted(tag: Tag, words: tuple[Word, ...], lexicon: Lexicon, sent: date) -> date | None:
    """The day of a period or point in time."""
    number = 1
    for word in words[tag.first : tag.last]:
        if word.text.isdecimal():
            number = int(word.text[:4])
        elif word.folded in lexicon.numbers:
            number = lexicon.numbers[word.folded]
    if number > _MOST:
        return None
    if tag.form in _SPANS:
        return _after(tag.form, number, sent)
    # A week ends on Friday; on a weekend its end is the next one's.
    to_friday = (_FRIDAY - sent.weekday()) % 7
    days = {
        "today": 0,
        "tomorrow": 1,
        "overmorrow": 2,
        "week_end": to_friday,
        "next_week_end": 7 - sent.weekday() + _FRIDAY,
    }
    if tag.form in days:
        return sent + timedelta(days=days[tag.form])
    if tag.form == "month_end":
        return sent.replace(day=monthrange(sent.year, sent.month)[1])
    return None


def _after(unit: str, number: int, sent: date) -> date:
    """The last day of a period that begins with the day after the mail."""
    if unit == "working":
        return add_working_days(sent, number)
    if unit == "months":
        return add_months(sent, number)
    return sent + timedelta(days=number * (7 if unit == "weeks" else 1))


def _next_weekday(words: tuple[Word, ...], lexicon: Lexicon, sent: date) -> date | None:
    """The next such weekday after the mail, or next week's where the words say so."""
    day = next((number for word in words if (number := weekday(word.folded, lexicon)) is not None), None)
    if day is None:
        return None
    tags = lexicon.tags([word.folded for word in words])
    if any(tag.kind == "periods.next_week" for tag in tags):
        return sent + timedelta(days=7 - sent.weekday() + day)
    return sent + timedelta(days=(day - sent.weekday() - 1) % 7 + 1)
