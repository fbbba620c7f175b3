"""What is a letter and what is none; letters in a mail's own words; annexes; hostile text."""

import time

import pytest

from mailrouter.core.letter import read_body, read_letter, read_letters
from mailrouter.core.message import Address

AGENDA = """AGENDA
Meeting of the Working Party on Frontiers
Brussels, 12 March 2024, 10.00
1. Adoption of the agenda
2. Presentation by the Commission on the state of play of the Entry/Exit System and the roadmap
3. Any other business
"""
BROCHURE = """Spring offers from the Hotel Baltic
Enjoy a weekend in the heart of the old town with breakfast and sauna included in the price of the room.
Book by 30 April 2024 and save 20 percent on all rooms. We look forward to seeing you.
www.hotel.example   Tel. +372 600 0000
"""
ANNEX = """ANNEX
Date\tEvent\tVenue
5 May 2025\tMeeting of the group\tTallinn
7 May 2025\tStudy visit\tTo be defined
"""
LETTER = """Ministry of Examples

Harbour Town, 3 March 2025
Our ref: 12-3/45

Mr Jaan Saar
Secretary General
Ministry of the Interior

Subject: Working group

Dear Mr Saar,

Please nominate a member of the working group by 4 April 2025. The calendar is annexed.

Yours sincerely,

Ada Holm
Director
"""


@pytest.mark.parametrize("text", [AGENDA, BROCHURE, ANNEX, "", "1 2 3", "Budget\n" + "Item\t12\t15\n" * 30])
def test_what_is_no_letter_is_none(text):
    """An agenda, a brochure, an annex alone, a table."""
    assert read_letter(text, ("a.pdf",)) is None


def test_the_events_of_an_annex_of_its_own_belong_to_the_letter():
    """A timetable in a second document is the letter's."""
    letters = read_letters([(("letter.pdf",), LETTER), (("annex.docx",), ANNEX)])
    assert [letter.path for letter in letters] == [("letter.pdf",)]
    assert [(event.starts, event.title, event.place) for event in letters[0].events] == [
        ("2025-05-05", "Meeting of the group", "Tallinn"),
        ("2025-05-07", "Study visit", None),
    ]


def test_a_day_without_a_year_is_the_next_after_the_letter():
    """Without a date of its own the mail's date helps."""
    text = LETTER.replace("4 April 2025", "20 January").replace("Harbour Town, 3 March 2025\n", "")
    assert read_letter(LETTER.replace("4 April 2025", "20 January"), ()).deadline == "2026-01-20"
    assert read_letter(text, ()).deadline is None
    assert read_letter(text, (), mail_date="2024-12-01T10:00:00+02:00").deadline == "2025-01-20"


def test_an_institution_writes_in_the_mail_itself():
    """The intermediary's number, the deadline and the ask stand in the mail's words."""
    text = (
        "Tere!\n\nPalume määrata esindajad kõrgetasemelisse komiteesse ja edastada nende nimed tähtajaga "
        "6 september 2024.\n\nReg. number: 14-4/773\nReg. kuupäev: 29.07.2024\n\nLugupidamisega\nAnu Saarepuu\n"
        "Eesti Vabariigi alaline esindus Euroopa Liidu juures\n"
    )
    letter = read_body(text, "FW: Esindajate nimetamine", Address("Esindus", "info@esindus.example"), "2024-07-30")
    assert letter.path == ()
    assert (letter.author.name, letter.reference, letter.dated) == ("Anu Saarepuu", "14-4/773", "2024-07-29")
    assert [(ask.kind, ask.deadline) for ask in letter.asks] == [("nominate", "2024-09-06")]
    assert letter.subject == "Esindajate nimetamine"


def test_a_citizen_asks_in_the_mail_itself():
    """The name of an unsigned request is the mail's."""
    text = "Tere\n\nSoovin koopiat minu kohta koostatud protokollist.\n\nEtte tänades"
    letter = read_body(text, "Teabenõue", Address("Olga Petrova", "olga@kiri.example"), "2024-05-02")
    assert letter.author.name == "Olga Petrova"
    assert [ask.kind for ask in letter.asks] == ["inform"]


@pytest.mark.parametrize(
    "text",
    [
        (
            "Dear Sir/Madam,\n\nPlease find enclosed a follow-up letter. We kindly ask you to transmit this letter to the "
            "Minister.\n\nKind regards,\nEuropean Commission"
        ),
        "Tere!\n\nEdastame kirja.\n\nLugupidamisega\nMari",
        "Aitäh!\n\nMari",
        "",
    ],
)
def test_a_covering_note_is_no_letter(text):
    """Who only sends something along has written no letter."""
    assert read_body(text, "Letter", Address("A", "a@b.example"), "2024-05-02") is None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "a " * 50_000,
        "\n" * 100_000,
        "Dear Sir,\n" * 9_000,
        "5 May 2024, " * 8_000,
        "((" * 50_000,
        "A/" * 50_000,
    ],
)
def test_hostile_text_takes_its_time_only_once(text):
    """Endless words, lines and greetings are read in a moment."""
    begin = time.process_time()
    read_letter(text, ())
    read_body(text, "", None, None)
    assert time.process_time() - begin < 10


def test_a_question_wants_an_explanation():
    """Who only asks a question wants it answered."""
    text = "Tere!\n\nKas siseministeerium plaanib toetada külade turvakaamerate paigaldamist?\n\nParimat soovides\nPeeter Põld"
    letter = read_body(text, "Päring", Address("Peeter Põld", "peeter@post.example"), "2024-05-02")
    assert [ask.kind for ask in letter.asks] == ["reply"]
