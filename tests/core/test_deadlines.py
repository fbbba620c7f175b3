"""Days that the law and letters give: the worked examples and the laws behind them."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mailrouter.core.deadlines import (
    Period,
    Term,
    TermRow,
    add_months,
    add_working_days,
    due,
    is_working_day,
    letter_due,
    read_period,
    registration_due,
)

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@pytest.fixture(scope="module")
def terms():
    data = YAML(typ="safe").load(Path(__file__).parents[2] / "config" / "deadlines.yaml")
    return {
        entry["name"]: Term(entry["name"], tuple(TermRow(**row) for row in entry["rows"])) for entry in data["terms"]
    }


@pytest.mark.parametrize(
    ("received", "registered_by"),
    [
        ("2024-02-29", "2024-03-01"),
        ("2024-02-23", "2024-02-26"),  # the 24th, Independence Day, is a Saturday
        ("2024-03-28", "2024-04-01"),  # Good Friday between; Easter Monday is a working day
        ("2024-06-21", "2024-06-25"),
        ("2024-12-23", "2024-12-27"),
        ("2024-03-02", "2024-03-04"),
    ],
)
def test_what_arrives_is_registered_the_next_working_day(received, registered_by):
    """AvTS § 12 (1), over weekends and Estonian holidays."""
    assert registration_due(date.fromisoformat(received)) == date.fromisoformat(registered_by)


@pytest.mark.parametrize(("registered", "answer_by"), [("2024-04-29", "2024-05-07"), ("2024-12-20", "2025-01-02")])
def test_information_request_has_five_working_days(terms, registered, answer_by):
    """Counted from the working day after registration."""
    assert due(terms["information-request"], date.fromisoformat(registered)) == date.fromisoformat(answer_by)


def test_information_request_can_be_extended_to_fifteen_working_days(terms):
    """Fifteen working days in all."""
    assert due(terms["information-request"], date(2024, 4, 29), extended=True) == date(2024, 5, 21)


@pytest.mark.parametrize(
    ("registered", "answer_by"),
    [("2024-02-29", "2024-04-01"), ("2025-06-09", "2025-06-25"), ("2024-09-02", "2024-10-02")],
)
def test_persons_letter_is_answered_by_the_law_in_force_and_on_a_working_day(terms, registered, answer_by):
    """30 days, later 15; a weekend or holiday end moves on."""
    assert due(terms["personal-letter"], date.fromisoformat(registered)) == date.fromisoformat(answer_by)


def test_term_that_was_not_in_force_gives_no_day():
    """A letter older than the first row has no deadline rather than a wrong one."""
    term = Term("t", (TermRow("2024-01-01", 5, "working"),))
    assert due(term, date(2023, 12, 31)) is None
    assert due(term, date(2024, 1, 1)) == date(2024, 1, 8)


def test_letters_own_date_comes_first(terms):
    """The date that the letter names beats the term."""
    assert letter_due("2024-09-06", "6 september 2024", terms["institution"], date(2024, 7, 30)) == date(2024, 9, 6)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("15 tööpäeva jooksul", "2024-03-21"),
        ("viieteistkümne tööpäeva jooksul", "2024-03-21"),
        ("within 15 working days of receipt", "2024-03-21"),
        ("within two weeks", "2024-03-14"),
        ("10 päeva jooksul alates kirja saamisest", "2024-03-11"),  # the 10th is a Sunday
        ("kahe nädala jooksul", "2024-03-14"),
        ("within one month", "2024-04-01"),  # 29 March is Good Friday
        ("innerhalb von 10 Arbeitstagen", "2024-03-14"),
        ("dans un délai de 10 jours ouvrables", "2024-03-14"),
        ("в течение 10 рабочих дней", "2024-03-14"),
        ("10 työpäivän kuluessa", "2024-03-14"),
        ("10 darba dienu laikā", "2024-03-14"),
        ("per 10 darbo dienų", "2024-03-14"),
        ("within ten (10) calendar days", "2024-03-11"),
    ],
)
def test_period_from_receipt_is_counted_from_registration(raw, wanted):
    """ "15 tööpäeva jooksul" in a letter registered on 29 February 2024."""
    assert letter_due(None, raw, None, date(2024, 2, 29)) == date.fromisoformat(wanted)


def test_letter_without_any_date_has_the_terms(terms):
    """ "At your earliest convenience" names no day."""
    assert letter_due(None, "at your earliest convenience", terms["institution"], date(2024, 2, 29)) == date(2024, 4, 1)
    assert letter_due(None, None, None, date(2024, 2, 29)) is None


@pytest.mark.parametrize("words", ["", "6 september 2024", "as soon as possible", "esimesel võimalusel"])
def test_words_without_a_period_give_none(words):
    """No number is made up."""
    assert read_period(words) is None


def test_period_names_its_unit():
    """Working days, days, weeks and months are told apart."""
    assert read_period("30 calendar days") == Period(30, "calendar")
    assert read_period("5 business days") == Period(5, "working")
    assert read_period("kolme kuu jooksul") == Period(3, "months")


@given(DAYS, st.integers(1, 60))
def test_nth_working_day_is_one_and_has_n_between(day, number):
    """The law of counting, whatever the year."""
    end = add_working_days(day, number)
    assert is_working_day(end)
    assert sum(is_working_day(day + timedelta(days=step)) for step in range(1, (end - day).days + 1)) == number


def test_month_later_ends_with_a_shorter_month():
    """31 January and a month is the last of February."""
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 11, 30), 3) == date(2025, 2, 28)
