"""Dates as mail programs print them, in every language of the chains and beyond."""

from datetime import datetime
from importlib.resources import files

import pytest
from babel import Locale
from babel.dates import format_datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.core.dates import day_numbers, find_sent, month_number, month_numbers, parse_sent

LANGUAGES = ["bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "ga", "it", "lv", "lt", "mt", "pl", "pt", "pt_PT", "ro", "sk", "sl", "es", "sv", "ru", "uk", "tr", "nb", "nn", "is", "ca", "eu", "cy", "sq", "sr", "sr_Latn", "mk", "ka", "hy", "gl", "lb", "be", "az", "ko", "ja", "zh", "ar", "he", "fa", "vi", "id", "ms"]
PATTERNS = ["EEEE, d MMMM y HH:mm", "d MMMM y HH:mm:ss", "EEE, d MMM y, HH:mm", "y-MM-dd HH:mm", "EEEE d. MMMM y HH:mm"]
FIXED_ORDER = {"ja", "ko", "zh", "vi"}  # languages that print numbers with units, in their own order only


@pytest.mark.parametrize("locale", LANGUAGES)
def test_reads_what_the_cldr_prints(locale):
    """Every month, wide and abbreviated, with its weekday, in each language."""
    own = Locale.parse(locale).date_formats
    patterns = [f"{own[width].pattern} HH:mm" for width in ("full", "long")]
    for month in range(1, 13):
        when = datetime(2024, month, 17, 13, 5)
        for pattern in patterns + ([] if locale in FIXED_ORDER else PATTERNS):
            raw = format_datetime(when, pattern, locale=locale)
            assert parse_sent(raw, locale[:2]) == f"2024-{month:02}-17T13:05:00", raw


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ("Thursday, February 29, 2024 1:05 PM", "2024-02-29T13:05:00"),
        ("Fri, 10 May 2024 11:47:00 +0300", "2024-05-10T11:47:00+03:00"),
        ("Fri, 10 May 2024 11:47:00 +0300 (EEST)", "2024-05-10T11:47:00+03:00"),
        ("Fri, 10 May 2024 11:47:00 -0530", "2024-05-10T11:47:00-05:30"),
        ("Fri, 10 May 2024 11:47:00 GMT", "2024-05-10T11:47:00+00:00"),
        ("28/02/2024 23:38 (UTC+01)", "2024-02-28T23:38:00+01:00"),
        ("2024-05-10T11:47:05Z", "2024-05-10T11:47:05+00:00"),
        ("May 6, 2024 at 9:05:12\u202fPM GMT+3", "2024-05-06T21:05:12+03:00"),
        ("10.05.24 um 11:47", "2024-05-10T11:47:00"),
        ("5.12.2024 10.29", "2024-12-05T10:29:00"),
        ("maanantai 20. toukokuuta 2024 16.54", "2024-05-20T16:54:00"),
        ("5/10/2024 1:05 PM", "2024-05-10T13:05:00"),
        ("05/09/2025, 17:22", "2025-09-05T17:22:00"),
        ("2024. augusztus 28., szerda 2:15", "2024-08-28T02:15:00"),
        ("2024. gada 15. aprīlis 9:48", "2024-04-15T09:48:00"),
        ("søndag den 11. maj 2025 5.40", "2025-05-11T05:40:00"),
        ("Παρασκευή, 10 Μαΐου 2024 1:05 μ.μ.", "2024-05-10T13:05:00"),
        ("2024년 5월 10일 금요일 오후 1:05", "2024-05-10T13:05:00"),
        ("Domhnach, 1 Meán Fómhair 2024 00:00", "2024-09-01T00:00:00"),
        ("12-Mar-24 14:00", "2024-03-12T14:00:00"),
        ("Friday, May 10, 2024 12:05 AM", "2024-05-10T00:05:00"),
        ("10. mai 2024", "2024-05-10"),
        ("1 p.m. on 12 May 2024", "2024-05-12T13:00:00"),
    ],
)
def test_reads_the_forms_of_programs(raw, sent):
    """The offset stands where one was printed, and only there."""
    assert parse_sent(raw) == sent


@pytest.mark.parametrize("raw", ["", "yesterday", "10 May 11:47", "31 February 2024 10:00", "99.99.2024", "Friday, 10 Zamber 2024 11:47", "2024", "12:30", "9" * 400, "١٢"])
def test_unreadable_is_none(raw):
    """What lacks a year, a month or a day that exists is not guessed."""
    assert parse_sent(raw) is None


def test_the_weekday_tells_between_languages():
    """Listopad is October in Croatian and November in Polish and Czech."""
    assert parse_sent("četvrtak, 10. listopada 2024. 11:47") == "2024-10-10T11:47:00"
    assert parse_sent("niedziela, 10 listopada 2024 11:47") == "2024-11-10T11:47:00"
    assert parse_sent("10. listopada 2024. 11:47", "hr") == "2024-10-10T11:47:00"


@pytest.mark.parametrize(
    ("word", "language", "month"),
    [("novembriks", "et", 11), ("jaanuaril", "et", 1), ("mail", "et", 5), ("septembrist", "et", 9), ("toukokuussa", "fi", 5), ("janvārī", "lv", 1), ("styczniu", "pl", 1),
     ("марте", "ru", 3), ("mars", "fr", 3), ("März", "de", 3), ("Sept.", "en", 9), ("augusztusban", "hu", 8), ("lietus", "lv", None), ("kuu", "et", None)],
)  # fmt: skip
def test_months_in_every_case_form(word, language, month):
    """Letters decline their months; the stem tells them."""
    assert month_number(word, language) == month


def test_names_that_two_languages_share():
    """A name is read by its language, and not at all where languages disagree."""
    assert month_numbers("listopad")["cs"] == 11
    assert month_numbers("listopad")["hr"] == 10
    assert month_number("listopad") is None
    assert day_numbers("reede") == {"et": 4}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("On Mon, 1 Jan 2024 at 10:00, Jaan Mets <j@x.example> wrote:", "Mon, 1 Jan 2024 at 10:00"),
        ("Am 18.05.24, 01:18 schrieb Jüri:", "18.05.24, 01:18"),
        ("Jukka <j@x.example> kirjoitti 5.12.2024 10.29:", "5.12.2024 10.29"),
        ("On 09/05/2024 10:00, Jaan Mets wrote:", "09/05/2024 10:00"),
        ("no date here", None),
    ],
)
def test_finds_a_date_in_a_line(text, found):
    """The span is the printed date, without the words around it, also where a name is a month's."""
    span = find_sent(text)
    assert (text[span[0] : span[1]] if span else None) == found


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(max_size=60))
def test_never_raises(text):
    """Any text is a date or none."""
    for raw in (text, f"10 May 2024 {text}", f"{text} 10:00"):
        sent = parse_sent(raw)
        assert sent is None or datetime.fromisoformat(sent)
        find_sent(raw)


def test_the_table_is_the_cldr_s():
    """datewords.tsv holds every wide month name that Babel has for its languages."""
    table = files("mailrouter.core").joinpath("data/datewords.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    assert len(rows) >= 80
    for language, months, *_ in rows:
        identifier = language.replace("-", "_")
        parts = identifier.split("_")
        identifier = "_".join([parts[0], *(part.title() if len(part) == 4 else part.upper() for part in parts[1:])])
        wide = Locale.parse(identifier).months["format"]["wide"]
        for number, group in enumerate(months.split("|"), 1):
            assert wide[number].strip().strip(".").casefold() in group.split(","), (language, number)
