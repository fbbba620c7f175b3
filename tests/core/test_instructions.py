"""Sentences of colleagues and what they mean; the corpus is tests/corpus/instructions.yaml."""

from dataclasses import asdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrouter.core.instruction import read_orders, resolve_orders
from mailrouter.core.message import Address
from mailrouter.core.people import Directory, Group, Person, Role, Unit

CORPUS = YAML(typ="safe").load(Path(__file__).parents[1] / "corpus" / "instructions.yaml")
NOTHING = {
    "register": False, "responsible": None, "forward_to": [], "purpose": None, "deadline": None, "restriction": None,
}  # fmt: skip


def _tuples(entry):
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


@pytest.fixture(scope="module")
def directory():
    data = CORPUS["directory"]
    return Directory(
        people=tuple(Person(**entry) for entry in data["people"]),
        groups=tuple(Group(**_tuples(entry)) for entry in data["groups"]),
        roles=tuple(Role(**_tuples(entry)) for entry in data["roles"]),
        units=tuple(Unit(**_tuples(entry)) for entry in data["units"]),
    )


def _meaning(case, directory):
    orders = read_orders(case["text"], case.get("subject", ""), case.get("language"))
    if orders is None:
        return None
    author = case.get("author", "Katarina Budrik")
    address = Address(author, "katarina.budrik@ministry.example" if author == "Katarina Budrik" else None)
    sent = case.get("sent", "2024-02-29T13:05:00+02:00")
    return resolve_orders(orders, author=author and address, sent=sent, directory=directory)


@pytest.mark.parametrize("case", CORPUS["sentences"], ids=lambda case: (case["text"] or case["subject"])[:60])
def test_sentence_means(case, directory):
    """A colleague's sentence is carried out as it was meant, or a person is asked."""
    meaning = _meaning(case, directory)
    wanted = case["means"]
    if wanted is None:
        assert meaning is None, meaning
        return
    assert meaning is not None
    if wanted.get("unclear"):
        assert meaning.hold
        assert meaning.unclear
        return
    assert not meaning.hold, meaning.unclear
    found = asdict(meaning)
    found["forward_to"] = list(found["forward_to"])
    assert {key: found[key] for key in NOTHING} == NOTHING | wanted
    assert meaning.evidence, "what was read must be shown"
