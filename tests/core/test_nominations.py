"""Whom the institution names: by topic, while the entry is valid, and nobody where it is not clear."""

from dataclasses import replace

import pytest

from mailrouter.core.case import Case, Correspondence, MailboxRef, Sender, Thread
from mailrouter.core.letter.letters import Ask, Letter, Party
from mailrouter.core.message import Address
from mailrouter.core.nominations import Nominations, Nominee, Topic, check_nominations, ended, phone_problem, propose
from mailrouter.core.people import Directory, Person, Role
from mailrouter.core.reading import Mail

LIIS = Person(
    "Liis Tammemägi",
    "liis@ministry.example",
    "rändepoliitika nõunik",
    phone="+372 600 0111",
    organisation="Siseministeerium",
)
ANU = Person("Anu Lepiksaar", "anu@ministry.example", "nõunik", phone="+372 600 0113")
KRISTJAN = Person("Kristjan Põldsaar", "kristjan@ministry.example", "juhataja", phone="+372 5600 0112")
DIRECTORY = Directory(people=(LIIS, ANU, KRISTJAN), roles=(Role("minister", "Anu Lepiksaar"),))
SMUGGLING = Topic(
    "smuggling",
    "Liis Tammemägi",
    "Anu Lepiksaar",
    keywords=("migrant smuggl", "rändajate smugeld"),
    senders=("home-global-alliance@ec.europa.eu",),
)
COMMITTEE = Topic(
    "committee", "Kristjan Põldsaar", keywords=("kõrgetasemeli", "High-Level Committee"), senders=("Euroopa Komisjon",)
)
BOTH = Nominations((SMUGGLING, COMMITTEE))
LETTER = Letter(("letter.pdf",), Party(), Party(), text="Dear Minister,")


def case(*, subject="Letter", text="", letter=LETTER, address="x@ec.europa.eu", institution=None) -> Case:
    author = Address("HOME", address)
    mail = Correspondence(-1, author, (), (), subject, None, None, text, institution, claimed=False)
    return Case(
        sha256="1" * 64, received="2024-02-29T13:06:00+02:00", mailbox=MailboxRef("registry", "info@ministry.example"),
        message=Mail(None, author, (), (), subject, None, text), chain=(), sender=Sender("HOME", address, False, False, institution, ""), incoming=mail, oldest=mail,
        forwarder=None, letters=(letter,) if letter else (), attachments=(), instruction=None, nature="person", thread=Thread(),
    )  # fmt: skip


def names(found: Case, nominations=BOTH, *, directory=DIRECTORY, on="2024-02-29", series=None) -> list[str]:
    return [nominee.name for nominee in propose(found, nominations, directory, on=on, series=series)]


@pytest.mark.parametrize(
    "found",
    [
        case(subject="Follow-up on Migrant Smuggling"),
        case(letter=replace(LETTER, asks=(Ask("nominate", "Please nominate a contact against migrant smugglers."),))),
        case(letter=replace(LETTER, text="Teema on rändajate smugeldamise tõkestamine.")),
        case(text="about migrant smugglers", letter=None),
        case(address="HOME-GLOBAL-ALLIANCE@ec.europa.eu"),
    ],
)
def test_topic_is_found(found):
    """By stems in any case form, in title, ask or text, or by the sender's address."""
    assert names(found) == ["Liis Tammemägi"]


def test_what_is_asked_outweighs_what_is_mentioned():
    """A letter about the committee that mentions smuggling is about the committee."""
    letter = replace(LETTER, subject="Kõrgetasemelise komitee liikmed", text="Arutatakse ka teemat migrant smuggling.")
    assert names(case(letter=letter)) == ["Kristjan Põldsaar"]


def test_institution_and_series_meet_a_topic():
    """A topic may be met by an institution's name or a series alone."""
    assert names(case(institution="euroopa komisjon")) == ["Kristjan Põldsaar"]
    by_series = Nominations((replace(COMMITTEE, series=("5-4",)), SMUGGLING))
    assert names(case(), by_series, series="5-4") == ["Kristjan Põldsaar"]
    assert names(case(), by_series, series="5-5") == []


def test_nobody_is_guessed():
    """No topic, or two met equally by different persons: the draft waits for a person."""
    assert names(case(subject="Invitation to a concert")) == []
    assert names(case(subject="Migrant smuggling at the High-Level Committee")) == []
    same = Nominations((SMUGGLING, replace(COMMITTEE, nominee="liis tammemagi")))
    assert names(case(subject="Migrant smuggling at the High-Level Committee"), same) == ["Liis Tammemägi"]


def test_nominee_has_what_the_answer_prints():
    """Name, function, organisation, e-mail, phone, and the deputy with the same."""
    (nominee,) = propose(
        case(subject="migrant smuggling"), BOTH, DIRECTORY, on="2024-02-29", organisation="Ministry of the Interior"
    )
    deputy = Nominee("Anu Lepiksaar", "nõunik", "Ministry of the Interior", "anu@ministry.example", "+372 600 0113")
    assert nominee == Nominee(
        "Liis Tammemägi", "rändepoliitika nõunik", "Siseministeerium", "liis@ministry.example", "+372 600 0111", deputy
    )


@pytest.mark.parametrize(
    ("liis", "anu", "expected"),
    [
        ({"valid_until": "2024-02-29"}, {}, "Liis Tammemägi"),  # the last day counts
        ({"valid_until": "2024-02-28"}, {}, "Anu Lepiksaar"),
        ({"valid_from": "2024-03-01"}, {}, "Anu Lepiksaar"),
        ({"valid_until": "2024-02-28"}, {"valid_until": "2023-12-31"}, None),
        (None, {}, "Anu Lepiksaar"),  # left the directory
    ],
)
def test_deputy_steps_in(liis, anu, expected):
    """Whoever is not valid on the day, or gone, is not named; the deputy is, alone."""
    people = [replace(ANU, **anu), *([replace(LIIS, **liis)] if liis is not None else [])]
    found = propose(case(subject="migrant smuggling"), BOTH, Directory(people=tuple(people)), on="2024-02-29")
    assert [nominee.name for nominee in found] == ([expected] if expected else [])
    if expected == "Anu Lepiksaar":
        assert found[0].deputy is None


def test_topic_has_its_period():
    """A topic of last year names nobody."""
    assert names(case(subject="migrant smuggling"), Nominations((replace(SMUGGLING, valid_until="2023-12-31"),))) == []


def test_settings_are_checked():
    """Every mistake in nominations.yaml is told with its place."""
    people = (
        LIIS,
        replace(ANU, email="anu at ministry"),
        replace(KRISTJAN, phone="123"),
        Person("Mari Maasikas", "mari@ministry.example", "nõunik"),
        Person("Jüri Mets", "juri@ministry.example", "", phone="+372 600 0199"),
    )
    topics = (
        Topic("a", "Nobody", keywords=("x", " ")),
        Topic("b", "Anu Lepiksaar", "Kristjan Põldsaar", keywords=("x",)),
        Topic("b", "Liis Tammemägi", "Liis Tammemägi", approver="kantsler"),
        Topic("c", "Mari Maasikas", "Jüri Mets", keywords=("x",), valid_until="31.12.2024", approver="minister"),
        Topic("d", "Liis Tammemägi", keywords=("x",), valid_from="2024-02-01", valid_until="2024-01-01"),
    )
    found = check_nominations(Nominations(topics), Directory(people=people, roles=DIRECTORY.roles))
    places = [path[1:] for path, _ in found]
    assert places == [
        (0, "keywords", 1), (0, "nominee"), (1, "nominee"), (1, "deputy"), (2, "topic"), (2, "topic"), (2, "deputy"), (2, "approver"),
        (3, "nominee"), (3, "deputy"), (3, "valid_until"), (4, "valid_until"),
    ]  # fmt: skip
    assert check_nominations(BOTH, DIRECTORY) == []


def test_ended_entries_are_warned_of():
    """A nominee whose time is over is told before a letter asks."""
    directory = Directory(people=(replace(LIIS, valid_until="2024-01-31"), ANU, KRISTJAN))
    ((path, message),) = ended(BOTH, directory, "2024-02-29")
    assert path == ("topics", 0, "nominee")
    assert "2024-01-31" in message
    assert ended(BOTH, DIRECTORY, "2024-02-29") == []


@pytest.mark.parametrize(
    "number",
    ["+372 600 0111", "+3726000111", "+372 5600 0112", "+372 56000112", "+32 2 295 01 70", "+49 (30) 1234-5678"],
)
def test_good_phone_numbers(number):
    """International numbers, Estonian ones with seven or eight digits."""
    assert phone_problem(number) is None


@pytest.mark.parametrize(
    "number", ["", "600 0111", "+372 600 011", "+372 600 0111 22", "+372 abc 0111", "00372 600 0111", "+1 23"]
)
def test_bad_phone_numbers(number):
    """Numbers that an answer must not print."""
    assert phone_problem(number)
