"""Access and answers: marks are obeyed, an answer takes over what its letter settled."""

from dataclasses import replace
from datetime import date

import pytest

from mailrouter.core.instruction import Restriction
from mailrouter.core.letter.letters import Letter, Party
from mailrouter.core.outcomes import Hold
from mailrouter.core.register import (
    FOREIGN_BASIS,
    Correspondent,
    Entry,
    Granted,
    Numbering,
    Relation,
    Responsible,
    Series,
    access_of,
    answer_entry,
    closed_by,
    next_number,
)

DAY = date(2024, 2, 29)
OPEN = Series("5-4")
CLOSED = Series("5-5", access="AK", access_basis="AvTS § 35 lg 1 p 12", access_years=5)
LETTER = Letter(("letter.pdf",), Party(), Party())


def marked(marking, *, path=("letter.pdf",), basis=None, until=None) -> Letter:
    return replace(LETTER, path=path, marking=marking, marking_basis=basis, marking_until=until)


def test_unmarked_letter_has_the_series_access():
    """Without a mark the series decides, or the rule."""
    assert access_of([LETTER], None, OPEN, registered=DAY) == Granted("Avalik", None, None)
    assert access_of([LETTER], None, CLOSED, registered=DAY) == Granted("AK", "AvTS § 35 lg 1 p 12", "2029-03-01")
    assert access_of([LETTER], "Avalik", CLOSED, registered=DAY).access == "Avalik"
    assert access_of([], "AK", OPEN, registered=DAY, basis="AvTS § 35 lg 1 p 9", until="2025-01-01") == Granted(
        "AK", "AvTS § 35 lg 1 p 9", "2025-01-01"
    )
    assert access_of([], "AK", CLOSED, registered=date(2024, 3, 1), until="kohtuotsuseni").until == "kohtuotsuseni"


@pytest.mark.parametrize(
    "mark",
    [
        "LIMITE",
        "SENSITIVE",
        "EU RESTRICTED",
        "RESTREINT UE/EU RESTRICTED",
        "For official use only",
        "Für den Dienstgebrauch",
    ],
)
def test_mark_blocks_public_access(mark):
    """A marked letter is never registered as public by a machine, whatever the rule says; as AK it may."""
    for wanted in ("Avalik", None):
        held = access_of([LETTER, marked(mark)], wanted, OPEN, registered=DAY)
        assert isinstance(held, Hold)
        assert (held.code, held.evidence) == ("restricted", (mark,))
        assert "letter.pdf" in held.reason
    assert access_of([marked(mark)], "AK", OPEN, registered=DAY) == Granted("AK", FOREIGN_BASIS, None)
    assert access_of([marked(mark)], None, CLOSED, registered=DAY).basis == "AvTS § 35 lg 1 p 12"


def test_colleague_may_restrict_but_not_open_a_marked_letter():
    """An order of AK goes before the rule; an order of Avalik does not go before the mark."""
    restricted = access_of(
        [marked("LIMITE")],
        "Avalik",
        OPEN,
        registered=DAY,
        restriction=Restriction("AK", "AvTS § 35 lg 1 p 3", "2029-01-01"),
    )
    assert restricted == Granted("AK", "AvTS § 35 lg 1 p 3", "2029-01-01")
    assert isinstance(
        access_of([marked("LIMITE")], "AK", OPEN, registered=DAY, restriction=Restriction("avalik")), Hold
    )
    assert access_of([LETTER], "AK", OPEN, registered=DAY, restriction=Restriction("Avalik")).access == "Avalik"


def test_national_mark_is_taken_over():
    """The printed Estonian mark makes the letter AK with its own basis and end."""
    mark = marked("ASUTUSESISESEKS KASUTAMISEKS", basis="AvTS § 35 lg 1 p 9", until="2029-04-17")
    assert access_of([mark], None, OPEN, registered=DAY) == Granted("AK", "AvTS § 35 lg 1 p 9", "2029-04-17")
    assert isinstance(access_of([mark], "Avalik", OPEN, registered=DAY), Hold)


def test_footer_of_a_mail_is_no_mark():
    """AMETIALASEKS KASUTAMISEKS under a mail is boilerplate; on an attached letter it is a mark."""
    assert access_of([marked("AMETIALASEKS KASUTAMISEKS", path=())], "Avalik", OPEN, registered=DAY).access == "Avalik"
    assert isinstance(access_of([marked("Ametialaseks kasutamiseks")], "Avalik", OPEN, registered=DAY), Hold)


@pytest.mark.parametrize(
    "mark",
    [
        "EU CONFIDENTIAL",
        "CONFIDENTIEL UE/EU CONFIDENTIAL",
        "NATO SECRET",
        "SECRET UE/EU SECRET",
        "SALAJANE",
        "TÄIESTI SALAJANE",
    ],
)
def test_classified_is_always_held(mark):
    """Classified information does not belong here, not even as AK."""
    held = access_of([marked(mark)], "AK", CLOSED, registered=DAY)
    assert isinstance(held, Hold)
    assert "security" in held.reason


INCOMING = Entry(
    "incoming", "Follow-up", "5", "5-4", "5-4/22-1", 22, 1, "2024-02-29T13:06:00+02:00", "5-4/2023", access="AK", access_basis="AvTS § 35 lg 3",
    access_from="2024-02-29", access_until="2029-02-28", responsible=Responsible("Katarina Budrik"), sender=Correspondent("European Commission", "HOME", "h@ec.europa.eu"),
    sender_reference="Ares(2024)1234567", sender_date="2024-02-28", arrival="e-post", due="2024-03-29", stem="5-4@2024#22",
)  # fmt: skip


def test_answer_takes_over_what_the_letter_settled():
    """Access, title, function, series, file, the sender's reference and date are the letter's; its sender is the recipient."""
    answer = answer_entry(INCOMING, signer="Lauri Läänemets")
    for name in (
        "access",
        "access_basis",
        "access_until",
        "title",
        "function",
        "series",
        "file",
        "sender_reference",
        "sender_date",
    ):
        assert getattr(answer, name) == getattr(INCOMING, name)
    assert (answer.direction, answer.recipients, answer.sender) == ("outgoing", (INCOMING.sender,), None)
    assert (answer.number, answer.due, answer.signer) == (None, None, "Lauri Läänemets")
    assert answer.relations == (Relation("initial", "5-4/22-1"),)
    numbering = next_number(OPEN, DAY, related=INCOMING, highest_suffix=1)
    assert isinstance(numbering, Numbering)
    assert (numbering.number, numbering.file) == ("5-4/22-2", "5-4/2023")


def test_answer_may_go_to_another_address():
    """The letter names another mailbox for the answer."""
    other = Correspondent("European Commission", "", "contact@ec.europa.eu")
    assert answer_entry(INCOMING, recipients=[other]).recipients == (other,)


def test_letter_is_closed_by_its_answer():
    """Answered, closed, with the note that registers print; closing twice changes nothing."""
    closed = closed_by(INCOMING, "5-4/22-2", "2024-03-04T10:00:00+02:00")
    assert (closed.state, closed.answered) == ("closed", "2024-03-04")
    assert closed.note == "Vastuskiri 5-4/22-2 04.03.2024 registreeritud"
    assert closed.relations == (Relation("reply", "5-4/22-2"),)
    assert closed_by(closed, "5-4/22-2", "2024-03-04T10:00:00+02:00") == closed
    again = closed_by(replace(closed, note="Vt lisa\n" + closed.note), "5-4/22-3", "2024-03-09T10:00:00+02:00")
    assert (again.answered, again.note.splitlines()[-1]) == (
        "2024-03-04",
        "Vastuskiri 5-4/22-3 09.03.2024 registreeritud",
    )
