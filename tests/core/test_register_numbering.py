"""Numbers are given as the Delta document system gives them."""

from dataclasses import replace
from datetime import date

import pytest

from mailrouter.core.outcomes import Hold
from mailrouter.core.register import (
    Classification,
    Entry,
    Function,
    Numbering,
    Series,
    check_classification,
    counter_name,
    file_mark,
    find_numbers,
    find_references,
    format_number,
    found_numbers,
    function_of,
    needs_counter,
    next_number,
    series_of,
)

DAY = date(2024, 2, 29)
SERIES = Series("5-4", function="5")


def registered(numbering: Numbering | Hold, series: str = "5-4") -> Entry:
    """The entry that a numbering leads to."""
    assert isinstance(numbering, Numbering)
    return Entry(
        direction="incoming",
        title="Letter",
        function="5",
        series=series,
        number=numbering.number,
        counter=numbering.counter,
        suffix=numbering.suffix,
        file=numbering.file,
        stem=numbering.stem,
    )


@pytest.mark.parametrize(
    ("pattern", "mark", "counter", "suffix", "day", "number"),
    [
        ("{series}/{counter}", "5-4", 22, 1, DAY, "5-4/22-1"),
        ("{series}/{counter}", "14-13.1", 67, 1, DAY, "14-13.1/67-1"),
        ("{series}/{counter}", "1.1-10.1", 1071, 8, DAY, "1.1-10.1/1071-8"),
        ("{series}/{year}/{counter}", "7.1-3", 2336, 1, date(2026, 5, 1), "7.1-3/26/2336-1"),
        ("{series}/{file_year}/{counter}", "2.2.-1", 21, 7, date(2025, 5, 1), "2.2.-1/25/21-7"),
        ("{series}/{year}-{counter:03}", "1-2", 31, None, date(2023, 5, 1), "1-2/23-031"),
        ("{series}/{year}-{counter:04}", "1.1.1", 3, None, DAY, "1.1.1/24-0003"),
        ("{series}/{year}/{counter}", "11.1-1", 644, 3, date(2025, 1, 1), "11.1-1/25/644-3"),
        ("{series}/{counter}", "JUR-3", 163, 1, DAY, "JUR-3/163-1"),
        ("{file}/{counter}", "5-4", 7, None, DAY, "5-4/2024/7"),
        ("{series}/{year:4}/{counter:02}", "5-4", 7, None, DAY, "5-4/2024/07"),
        ("{series}/{counter:02}", "5-4", 123, None, DAY, "5-4/123"),
    ],
)
def test_number_is_printed_and_recognised(pattern, mark, counter, suffix, day, number):
    """Every shape that Estonian registers print can be printed, and is found again in a sentence that names it."""
    series = Series(mark, pattern=pattern)
    assert format_number(series, counter, suffix, day) == number
    assert find_numbers(f"Vastuseks Teie kirjale nr {number} teatame") == (number,)


def test_individualising_series():
    """The initial letter gets -1, what joins it the same stem and the highest suffix + 1; the counter stays."""
    assert needs_counter(SERIES, None)
    first = registered(next_number(SERIES, DAY, counter_value=22))
    assert (first.number, first.counter, first.suffix, first.file) == ("5-4/22-1", 22, 1, "5-4/2024")
    assert not needs_counter(SERIES, first)
    second = registered(next_number(SERIES, DAY, related=first, highest_suffix=1))
    assert (second.number, second.counter, second.suffix) == ("5-4/22-2", 22, 2)
    later = next_number(SERIES, date(2025, 1, 7), related=first, highest_suffix=9)
    assert later == Numbering("5-4/22-10", 22, 10, "5-4/2024", first.stem)
    answer_to_answer = next_number(SERIES, DAY, related=second, highest_suffix=2)
    assert isinstance(answer_to_answer, Numbering)
    assert answer_to_answer.number == "5-4/22-3"


def test_suffix_is_taken_from_the_related_letter_when_the_store_knows_no_higher():
    """A follow-up never gets the suffix of the letter that it follows."""
    first = registered(next_number(SERIES, DAY, counter_value=22))
    second = registered(next_number(SERIES, DAY, related=first))
    third = next_number(SERIES, DAY, related=second)
    assert isinstance(third, Numbering)
    assert (second.number, third.number) == ("5-4/22-2", "5-4/22-3")


def test_letter_that_once_got_no_suffix_counts_as_the_first():
    """After a change of the series' flag an old letter without suffix is joined as -2."""
    old = registered(next_number(replace(SERIES, numbering="same"), DAY, counter_value=8))
    joined = next_number(SERIES, DAY, related=old)
    assert isinstance(joined, Numbering)
    assert (old.number, joined.number) == ("5-4/8", "5-4/8-2")


def test_stem_keeps_the_year_it_began_in():
    """A follow-up in the new year keeps the stem of the old one, even where the pattern prints the year."""
    series = Series("7.1-3", pattern="{series}/{year}/{counter}")
    first = registered(next_number(series, date(2023, 12, 29), counter_value=2336), "7.1-3")
    assert next_number(series, date(2024, 1, 3), related=first, highest_suffix=1) == Numbering(
        "7.1-3/23/2336-2", 2336, 2, "7.1-3/2023", "7.1-3@2023#2336"
    )


def test_fresh_series_counts_every_document():
    """A new number for every document, replies included; the reply stays in its letter's file."""
    series = replace(SERIES, numbering="fresh")
    first = registered(next_number(series, DAY, counter_value=22))
    assert first.number == "5-4/22"
    assert needs_counter(series, first)
    reply = next_number(series, date(2025, 1, 7), related=first, counter_value=3)
    assert reply == Numbering("5-4/3", 3, None, "5-4/2024", "5-4@2025#3")


def test_same_series_repeats_the_number():
    """With neither flag a reply bears the letter's number again and costs no counter."""
    series = replace(SERIES, numbering="same")
    first = registered(next_number(series, DAY, counter_value=22))
    assert not needs_counter(series, first)
    reply = next_number(series, DAY, related=first)
    assert isinstance(reply, Numbering)
    assert (reply.number, reply.counter, reply.suffix) == ("5-4/22", 22, None)


def test_reply_to_an_unregistered_letter_is_refused():
    """What is not registered cannot be answered under a number."""
    outcome = next_number(SERIES, DAY, related=Entry("incoming", "Letter", "5", "5-4"), counter_value=1)
    assert isinstance(outcome, Hold)
    assert outcome.code == "unregistered"


def test_document_of_another_series_begins_there():
    """An answer in another series draws from that series' counter."""
    other = Series("14-4")
    first = registered(next_number(SERIES, DAY, counter_value=22))
    assert needs_counter(other, first)
    outcome = next_number(other, DAY, related=first, counter_value=5)
    assert isinstance(outcome, Numbering)
    assert (outcome.number, outcome.file) == ("14-4/5-1", "14-4/2024")


def test_counter_that_is_needed_must_be_given():
    """A number is never made up."""
    with pytest.raises(ValueError, match="5-4"):
        next_number(SERIES, DAY)


def test_counters():
    """A yearly counter has a name for each year, a running one has one name; series can share one."""
    assert counter_name(SERIES, DAY) == "5-4@2024"
    assert counter_name(SERIES, date(2025, 1, 1)) == "5-4@2025"
    assert counter_name(replace(SERIES, yearly=False), DAY) == "5-4"
    shared = Series("5-5", counter="letters"), Series("5-6", counter="letters")
    assert len({counter_name(series, DAY) for series in shared}) == 1


def test_file_mark():
    """Files are kept by year unless the series says otherwise."""
    assert file_mark(SERIES, DAY) == "5-4/2024"
    assert file_mark(replace(SERIES, file="{series}/{year:2}"), DAY) == "5-4/24"
    assert file_mark(replace(SERIES, file="5-4 Letters"), DAY) == "5-4 Letters"


def test_file_year_is_the_files_own():
    """A document put into last year's file prints that file's year."""
    series = replace(SERIES, pattern="{series}/{file_year}/{counter}")
    assert format_number(series, 4, None, date(2025, 2, 1), file="5-4/2024") == "5-4/24/4"
    perpetual = replace(series, file="{series}")
    assert format_number(perpetual, 4, None, date(2025, 2, 1)) == "5-4/25/4"


def test_marks_are_found():
    """A series and its function by their marks."""
    classification = Classification((Function("5", "EU"),), (SERIES, Series("14-4")))
    assert series_of(classification, "5-4") == SERIES
    assert series_of(classification, "5-40") is None
    function = function_of(classification, SERIES)
    assert function is not None
    assert function.title == "EU"
    assert function_of(classification, Series("14-4")) is None


def test_classification_is_checked():
    """Every mistake in register.yaml is told with its place."""
    bad = Classification(
        (Function("5"), Function("5")),
        (
            Series("5-4", pattern="{serie}/{counter}"),
            Series("5-4", pattern="{series}"),
            Series("6-1", file="{series}/{counter}", counter="x"),
            Series("5-5", pattern="{series}/{counter", counter="x", yearly=False),
            Series("5-6", access="AK", first=0),
            Series("5-7", pattern="{series:3}/{year:3}/{counter}"),
        ),
    )
    found = {(path[:2] + path[-1:], message.split(";")[0]) for path, message in check_classification(bad)}
    assert (("functions", 1, "mark"), "function '5' stands twice") in found
    places = {place for place, _ in found}
    assert {("series", 0, "pattern"), ("series", 1, "mark"), ("series", 1, "pattern"), ("series", 2, "mark")} <= places
    assert {("series", 2, "file"), ("series", 3, "pattern"), ("series", 3, "counter")} <= places
    assert {("series", 4, "access"), ("series", 4, "first"), ("series", 5, "pattern")} <= places
    assert check_classification(Classification((Function("5"),), (SERIES,))) == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Registreeritud 5-4/22-1 all", ("5-4/22-1",)),
        ("RE: [5-4/22-1] Nomination", ("5-4/22-1",)),
        ("Teie: 19.03.2024 nr 1.1.1/24-0003\nMeie: 17.04.2024 nr 5-1/20-2", ("1.1.1/24-0003", "5-1/20-2")),
        ("Reg. number: 14-4/773 Reg. kuupäev: 29.07.2024", ("14-4/773",)),
        ("your ref. 5-4/22, of 29.02.2024", ("5-4/22",)),
        ("the letter (5-4/22) of February", ("5-4/22",)),
        ("5‑4/22‑1.", ("5-4/22-1",)),
        ("Teie 29.02.2024 5-4/22-1", ("5-4/22-1",)),
        ("Teie 05.03.2024 nr 5-4 / 22-1", ("5-4/22-1",)),
        ("vt 5-4/22-1, 5-4/22-2; ja 5-4/22-1", ("5-4/22-1", "5-4/22-2")),
        ("viit 7.1-3/26/2336", ("7.1-3/26/2336",)),
        ("kirjale JUR-3/163-1 vastame", ("JUR-3/163-1",)),
        ("fail 5-4/22-1.pdf", ("5-4/22-1",)),
    ],
)
def test_numbers_are_found(text, numbers):
    """Numbers are found as colleagues and correspondents write them."""
    assert find_numbers(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "28/02/2024 23:38 (UTC+01)", "4-5/03/2024", "23-25/04-2024", "12.04/2024", "10.-12.05.2024", "2024-02/15",
        "24-25 April 2024", "2023-2024/1", "2024/118", "Ares(2021)7378458 - 30/11/2021", "Ares(2024) 1234567",
        "+372 5-4/22-1", "+372 612 5008/12-1", "tel 612-5008/22-1", "Tel. 5-4/22-1", "612 5-12/33-1", "38001085718",
        "AvTS § 35 lg 1 p 3", "AvTS § 12-1/2-3", "§ 12(3-1)/4", "Regulation (EU) 2016/679", "(EU) 2021/2121", "1049/2001",
        "C-411/10", "T-123/20-1a", "COVID-19/20", "A/RES/70-1", "HOME.C.2/AB", "ECFIN.R.4/GG/(2025)5189567",
        "10-15/20 eurot", "10-15/20-25 €", "kell 10-12/14-16", "at 10-12/14-16", "10-12/14-16 h", "page 3-4/10", "pp. 3-4/10-11",
        "3-4/10", "1-2/3", "http://x.example/5-4/22-1", "192.168.1-2/24", "v1.2.3/4-5", "15-4/22-1%", "x5-4/22-1", "5-4/22-1x",
    ],
)  # fmt: skip
def test_other_figures_are_no_numbers(text):
    """Dates, phone numbers, sections of laws, amounts and case numbers are no register numbers."""
    assert find_numbers(text) == ()


def test_whose_number_it_is():
    """Beside Teie stands our number, beside Meie the writer's own."""
    found = found_numbers("Teie: 19.03.2024 nr 5-1/20-1\nMeie: 17.04.2024 nr 7-3/4-2\nnr 1-1/1-1; Your ref: 5-4/22-1")
    assert [(number.number, number.owner) for number in found] == [
        ("5-1/20-1", "ours"),
        ("7-3/4-2", "theirs"),
        ("1-1/1-1", ""),
        ("5-4/22-1", "ours"),
    ]


def test_references_of_others():
    """Ares numbers and register numbers, so that a reminder finds the letter that it names."""
    text = "Our letter Ares(2021) 7378458 - 30/11/2021 and your 5-4/22-1"
    assert find_references(text) == ("Ares(2021)7378458", "5-4/22-1")


def test_long_text_is_read_in_linear_time():
    """A hostile text of half-numbers costs no more than its length (it would not end otherwise)."""
    for text in ("1-1/" * 100_000, "1.1." * 100_000, "1-1-1-1/22-1-" * 30_000, "AA-1/" * 80_000):
        assert len(find_numbers(text)) <= 1
