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


def _directory(data):
    return Directory(
        people=tuple(Person(**entry) for entry in data["people"]),
        groups=tuple(Group(**_tuples(entry)) for entry in data.get("groups", ())),
        roles=tuple(Role(**_tuples(entry)) for entry in data.get("roles", ())),
        units=tuple(Unit(**_tuples(entry)) for entry in data.get("units", ())),
    )


@pytest.fixture(scope="module")
def directories():
    offices = {name: _directory(data) for name, data in CORPUS["offices"].items()}
    return offices | {None: _directory(CORPUS["directory"])}


def _meaning(case, directory):
    orders = read_orders(case["text"], case.get("subject", ""), case.get("language"))
    if orders is None:
        return None
    author = case.get("author", "Katarina Budrik")
    address = next((person.email for person in directory.people if person.name == author), None)
    sent = case.get("sent", "2024-02-29T13:05:00+02:00")
    return resolve_orders(orders, author=author and Address(author, address), sent=sent, directory=directory)


@pytest.mark.parametrize("case", CORPUS["sentences"], ids=lambda case: (case["text"] or case["subject"])[:60])
def test_sentence_means(case, directories):
    """A colleague's sentence is carried out as it was meant, or a person is asked."""
    meaning = _meaning(case, directories[case.get("office")])
    wanted = case["means"]
    if wanted is None:
        assert meaning is None, meaning
        return
    assert meaning is not None
    if wanted.get("unclear"):
        assert meaning.hold
        assert meaning.unclear
        return
    unjudged = case.get("unjudged", ())
    assert not meaning.hold or "hold" in unjudged, meaning.unclear
    found = asdict(meaning)
    found["forward_to"] = list(found["forward_to"])
    judged = NOTHING.keys() - unjudged
    assert {key: found[key] for key in judged} == {key: (NOTHING | wanted)[key] for key in judged}
    assert meaning.evidence, "what was read must be shown"
