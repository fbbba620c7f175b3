"""Sentences of letters ask what tests/corpus/asks.yaml says beside them, by when."""

from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrouter.core.letter.asks import read_asks
from mailrouter.core.letter.sentences import sentences

CORPUS = Path(__file__).parent.parent / "corpus" / "asks.yaml"
ROWS = YAML(typ="safe").load(CORPUS.read_text(encoding="utf-8"))
WRITTEN = date(2024, 3, 1)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['language']}: {row['text'][:50]}")
def test_a_sentence_asks(row):
    """One ask of the kind with its day, or none where the words ask nothing."""
    asks = read_asks(sentences(row["text"]), row["language"], WRITTEN)
    assert [ask.kind for ask in asks] == ([row["kind"]] if row["kind"] else [])
    assert [ask.deadline for ask in asks] == ([row["deadline"]] if row["kind"] else [])


@pytest.mark.parametrize(
    ("text", "language", "raw"),
    [
        ("Palume Teie arvamust 15 tööpäeva jooksul.", "et", "15 tööpäeva jooksul"),
        ("Please reply within three weeks.", "en", "within three weeks"),
        (
            "Veuillez nous transmettre vos observations dans un délai de 20 jours ouvrables.",
            "fr",
            "dans un délai de 20 jours ouvrables",
        ),
        ("Прошу предоставить копию решения в течение 30 дней.", "ru", "в течение 30 дней"),
    ],
)
def test_a_period_from_receipt_is_kept_as_printed(text, language, raw):
    """The register computes the day: it knows when the letter came."""
    (ask,) = read_asks(sentences(text), language, WRITTEN)
    assert (ask.deadline, ask.deadline_raw) == (None, raw)


def test_a_date_in_the_next_sentence_belongs_to_the_ask():
    """Who asks first and says by when afterwards asks once."""
    text = "Please nominate a contact person. Nominations should reach us by 14 June 2024. We wish you a good summer."
    (ask,) = read_asks(sentences(text), "en", WRITTEN)
    assert (ask.kind, ask.text, ask.deadline) == ("nominate", "Please nominate a contact person.", "2024-06-14")


def test_two_wants_with_two_dates_are_two_asks():
    """Different kinds keep their own days."""
    text = "Please send us your comments by 5 April 2024. Kindly nominate an expert by 10 May 2024."
    asks = read_asks(sentences(text), "en", WRITTEN)
    assert [(ask.kind, ask.deadline) for ask in asks] == [("reply", "2024-04-05"), ("nominate", "2024-05-10")]


def test_ordinals_and_abbreviations_end_no_sentence():
    """ "5. März" and "nr. 4" are inside their sentence."""
    assert sentences("Bitte antworten Sie bis zum 5. März 2024. Vielen Dank.") == [
        "Bitte antworten Sie bis zum 5. März 2024.",
        "Vielen Dank.",
    ]
    assert len(sentences("Palun vastata kirjale nr. 4 hiljemalt 3. mail. Tänan.")) == 2


def test_a_date_goes_to_the_ask_that_its_sentence_speaks_of():
    """Comments have their own day; the nomination asked for before has none."""
    text = "Please nominate an expert. We would also welcome your comments. Nominations should reach us by 5 May 2024."
    asks = read_asks(sentences(text), "en", WRITTEN)
    assert [(ask.kind, ask.deadline) for ask in asks] == [("nominate", "2024-05-05"), ("reply", None)]


def test_a_date_for_the_reply_is_for_all_that_was_asked():
    """ "Your reply" answers every ask before it."""
    text = "Please nominate an expert. Please also send us statistics. Your reply is expected by 5 May 2024."
    asks = read_asks(sentences(text), "en", WRITTEN)
    assert [(ask.kind, ask.deadline) for ask in asks] == [("nominate", "2024-05-05"), ("inform", "2024-05-05")]


def test_until_when_something_should_last_is_no_deadline():
    """The day to extend a delivery to is not the day to answer by."""
    text = (
        "We request that the delivery deadline be extended until 30 May 2024. We expect your decision by 2 April 2024."
    )
    (ask,) = read_asks(sentences(text), "en", WRITTEN)
    assert (ask.kind, ask.deadline) == ("reply", "2024-04-02")


def test_a_list_of_wants_is_an_ask_for_each():
    """Words that ask openly, and items that say for what: each item has its kind and its own day."""
    text = (
        "We kindly ask you to: (a) nominate an expert by 5 April 2024; (b) provide statistics on returns; and "
        "(c) comment on the draft plan by 10 May 2024."
    )
    asks = read_asks(sentences(text), "en", WRITTEN)
    assert [(ask.kind, ask.deadline) for ask in asks] == [
        ("nominate", "2024-04-05"),
        ("inform", None),
        ("reply", "2024-05-10"),
    ]


def test_a_list_of_questions_is_one_ask():
    """Where the words before a list say what is wanted, its items are what it is about."""
    text = "Please answer these questions: 1. Which rules apply? 2. Who was informed? 3. What is planned?"
    (ask,) = read_asks(sentences(text), "en", WRITTEN)
    assert (ask.kind, ask.text) == ("reply", "Please answer these questions:")


def test_what_only_some_should_do_is_no_ask_of_its_own():
    """A condition asks those whom it concerns."""
    text = "Please nominate an expert by 5 April 2024. If a visa is needed, please send us a copy of the passport."
    asks = read_asks(sentences(text), "en", WRITTEN)
    assert [ask.kind for ask in asks] == ["nominate"]


def test_a_pronoun_stands_for_what_was_named_before():
    """ "Palume see edastada" wants what the sentence before it names."""
    text = "Teie arvamus on meile tähtis. Palume see edastada hiljemalt 5. aprillil 2024."
    (ask,) = read_asks(sentences(text), "et", WRITTEN)
    assert (ask.kind, ask.deadline) == ("reply", "2024-04-05")
