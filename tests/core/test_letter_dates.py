"""Dates as letters print them."""

from datetime import date

import pytest

from mailrouter.core.letter.dates import find_dates
from mailrouter.core.letter.stamps import signature_time

WRITTEN = date(2024, 2, 28)


@pytest.mark.parametrize(
    ("text", "starts", "ends"),
    [
        ("Brussels, 28 February 2024", "2024-02-28", "2024-02-28"),
        ("28. veebruar 2024", "2024-02-28", "2024-02-28"),
        ("hiljemalt 13. novembriks 2024", "2024-11-13", "2024-11-13"),
        ("hiljemalt 5. detsembril 2024. aastal", "2024-12-05", "2024-12-05"),
        ("before Friday 6 December", "2024-12-06", "2024-12-06"),
        ("by 5 January", "2025-01-05", "2025-01-05"),
        ("23-25 April 2024", "2024-04-23", "2024-04-25"),
        ("30 May – 2 June 2024", "2024-05-30", "2024-06-02"),
        ("14.-15. märtsil 2024", "2024-03-14", "2024-03-15"),
        ("12.–13.06.2024", "2024-06-12", "2024-06-13"),
        ("March 5, 2024", "2024-03-05", "2024-03-05"),
        ("avant le 1er mars 2024", "2024-03-01", "2024-03-01"),
        ("bis zum 5. März 2024", "2024-03-05", "2024-03-05"),
        ("5. maaliskuuta 2024 mennessä", "2024-03-05", "2024-03-05"),
        ("līdz 2024. gada 5. martam", "2024-03-05", "2024-03-05"),
        ("iki 2024 m. kovo 5 d.", "2024-03-05", "2024-03-05"),
        ("iki birželio 28 d.", "2024-06-28", "2024-06-28"),
        ("до 5 марта 2024 года", "2024-03-05", "2024-03-05"),
        ("2024-03-05", "2024-03-05", "2024-03-05"),
        ("Spring 2024", None, None),
        ("Q3 2024", None, None),
        ("October 2024", None, None),
    ],
)
def test_a_printed_date(text, starts, ends):
    """Exact days give days, months, quarters and seasons none."""
    (printed,) = find_dates(text, after=WRITTEN)
    assert (printed.starts and printed.starts.isoformat(), printed.ends and printed.ends.isoformat()) == (starts, ends)


@pytest.mark.parametrize(
    "text", ["Regulation (EU) 2021/2121", "number 12-3/45", "31 February 2024", "room 12", "Article 5"]
)
def test_other_numbers_are_no_dates(text):
    """Numbers of laws, rooms and files."""
    assert [printed for printed in find_dates(text, after=WRITTEN) if printed.starts] == []


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        (
            "Electronically signed on 28/02/2024 23:38 (UTC+01) in accordance with Article 11",
            "2024-02-28T23:38:00+01:00",
        ),
        ("Digitally signed, Date: 2024.03.05 14:22:10 +02'00'", "2024-03-05T14:22:10+02:00"),
        ("signé électroniquement le 12/03/2024 à 10:15", "2024-03-12T10:15:00"),
        ("(allkirjastatud digitaalselt 02.12.2024)", "2024-12-02"),
    ],
)
def test_an_electronic_signature(text, iso):
    """The signer's local time; an offset only where one is printed."""
    assert signature_time(text).iso == iso
