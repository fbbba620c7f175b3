"""Names of persons and of places as letters print them: with ranks and titles before them, in the case of a place."""

import pytest

from mailrouter.core.letter import read_letter

LETTER = """{institution}

Harbour Town, 3 March 2025
Our ref: 12-3/45

{addressee}
Ministry of the Interior

Subject: {subject}

Dear colleague,

{sentence}

Yours sincerely,

{signer}
Head of Bureau
"""


def letter(**words):
    """A letter with some of its words changed."""
    usual = {
        "institution": "Police and Border Guard Board",
        "addressee": "Ms Mari Kask",
        "subject": "Joint exercise",
        "sentence": "Please nominate an observer for the exercise by 4 April 2025.",
        "signer": "Jaan Saar",
    }
    return read_letter(LETTER.format(**usual | words), ())


@pytest.mark.parametrize(
    "signer",
    [
        "Major Jaan Saar",
        "pol-kol Jaan Saar",
        "Politseikolonel Jaan Saar",
        "Brigadier General Jaan Saar",
        "plk. Ing. Jaan Saar",
        "Oberst i.G. Jaan Saar",
        "Dr. iur. Jaan Saar",
        "Jaan Saar, PhD",
    ],
)
def test_ranks_and_titles_are_no_part_of_a_name(signer):
    """The author is the name alone, and the role stands under it."""
    author = letter(signer=signer).author
    assert (author.name, author.role) == ("Jaan Saar", "Head of Bureau")


def test_a_title_that_begins_as_a_rank_is_a_title():
    """ "Major incident exercise" names no person."""
    assert letter(subject="Major incident exercise").subject == "Major incident exercise"


@pytest.mark.parametrize(
    ("sentence", "place"),
    [
        ("Konverents toimub 12. mail 2025 Haapsalus ja Teid on oodatud osalema.", "Haapsalu"),
        ("Palun osaleda õppusel, mis toimub 12. mail 2025 kell 10 Nursipalus.", "Nursipalu"),
        ("Pyydämme osallistumaan seminaariin, joka pidetään 12. toukokuuta 2025 Lahdessa.", "Lahti"),
        ("Pyydämme osallistumaan kokoukseen, joka järjestetään Rovaniemellä 12.5.2025.", "Rovaniemi"),
        ("Lūdzam piedalīties seminārā, kas notiks 2025. gada 12. maijā Jūrmalā.", "Jūrmala"),
        ("Kviečiame dalyvauti konferencijoje, kuri vyks 2025 m. gegužės 12 d. Klaipėdoje.", "Klaipėda"),
        ("Просим принять участие в конференции, которая состоится 12 мая 2025 года в Нарве.", "Нарва"),
    ],
)
def test_a_declined_place_is_the_name_of_the_place(sentence, place):
    """Languages with cases print where something happens; the name itself is returned."""
    events = letter(sentence=sentence).events
    assert [event.place for event in events] == [place]


@pytest.mark.parametrize(
    ("printed", "whole"),
    [
        ("Bundesministerium des Innern\nund für Heimat", "Bundesministerium des Innern und für Heimat"),
        (
            "European Union Agency for\nLaw Enforcement Cooperation",
            "European Union Agency for Law Enforcement Cooperation",
        ),
        ("Politsei- ja Piirivalveameti\nIda prefektuur", "Politsei- ja Piirivalveameti Ida prefektuur"),
        ("United Nations High Commissioner\nfor Refugees", "United Nations High Commissioner for Refugees"),
        ("EUROPEAN COMMISSION\nDIRECTORATE-GENERAL HOME AFFAIRS", "EUROPEAN COMMISSION"),
    ],
)
def test_an_institution_broken_over_two_lines_is_whole(printed, whole):
    """A narrow column breaks a name; a department under its institution is no part of the name."""
    assert letter(institution=printed).author.institution == whole


@pytest.mark.parametrize(
    ("addressee", "name", "role"),
    [
        ("Frau Ministerialdirektorin\nTriin Raag", "Triin Raag", "Ministerialdirektorin"),
        ("Mr Tarmo Olgo\nHead of IT Procurement", "Tarmo Olgo", "Head of IT Procurement"),
        ("Siseminister Igor Taro\nAmeti peadirektor Margo Palm", "Igor Taro", "Siseminister"),
    ],
)
def test_the_addressee_is_the_first_person_without_courtesies(addressee, name, role):
    """Courtesy before a role, a role that looks like a name, a second person: none changes who is written to."""
    found = letter(addressee=addressee).addressee
    assert (found.name, found.role) == (name, role)


def test_a_company_is_no_person():
    """A company's name of capitalised words is an institution by its legal form."""
    assert letter(institution="AS Baltic Security Systems\nReg. code 10765432").author.institution == (
        "AS Baltic Security Systems"
    )


def test_a_title_may_stand_under_the_salutation():
    """A line by itself between the greeting and the text is the letter's subject where the head has none."""
    text = LETTER.replace("Subject: {subject}\n\n", "").replace("colleague,\n", "colleague,\n\n{subject}\n")
    words = {"institution": "Police Board", "addressee": "Ms Mari Kask", "signer": "Jaan Saar"}
    sentence = "Please nominate an observer for the exercise by 4 April 2025."
    found = read_letter(text.format(subject="Exercise at the border", sentence=sentence, **words), ())
    assert found.subject == "Exercise at the border"
