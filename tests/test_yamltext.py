"""YAML as staff write it: data, places, and mistakes said where they stand."""

from dataclasses import dataclass

import pytest
from pydantic import ConfigDict, TypeAdapter

from mailrouter import yamltext


@dataclass
class Fruit:
    name: str
    weight: int = 0


@dataclass
class Basket:
    fruits: tuple[Fruit, ...] = ()
    label: str = ""


BASKET = TypeAdapter(Basket | None, config=ConfigDict(extra="forbid"))


def messages(text, adapter=BASKET):
    source, problems = yamltext.parse(text, "basket.yaml")
    if source is not None and not problems:
        _, problems = yamltext.validate(adapter, source)
    return [str(problem) for problem in problems]


def test_places_are_those_of_an_editor():
    """Lines and columns count from 1; a key and its value have places of their own."""
    source, _ = yamltext.parse("label: red\nfruits:\n  - name: apple\n", "basket.yaml")
    assert source.place(("fruits", 0, "name")) == yamltext.Place(3, 11)
    assert source.place(("fruits", 0, "name"), key=True) == yamltext.Place(3, 5)
    assert source.place(("fruits", 0, "taste")) == yamltext.Place(3, 5)


def test_dates_and_marks_stay_text():
    """2024-02-29 and 5-4 are what stands there; true and 3 are not."""
    source, _ = yamltext.parse("[2024-02-29, 5-4, true, 3, yes, '3']", "x.yaml")
    assert source.data == ["2024-02-29", "5-4", True, 3, "yes", "3"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labl: red", "basket.yaml:1:1: unknown key 'labl'; did you mean 'label'?"),
        ("fruits:\n  - {name: apple, wait: 3}", "basket.yaml:2:19: unknown key 'wait'; did you mean 'weight'?"),
        ("fruits:\n  - {weight: 3}", "basket.yaml:2:5: 'fruits.name' is missing"),
        ("label: red\nlabel: blue", "basket.yaml:2:1: the key 'label' stands twice; remove one of them"),
        ("label: [", "basket.yaml:1:9: not valid YAML"),
        ("? [a]\n: b", "basket.yaml:1:3: a key must be a plain word"),
        ("fruits: {a: b}", "basket.yaml:1:9: "),
        ("label: red\n---\nlabel: blue", "basket.yaml:2:1: not valid YAML"),
    ],
)
def test_mistake_is_said_at_its_place(text, said):
    """Each mistake with file, line, column, and the nearest known word."""
    assert messages(text)[0].startswith(said), messages(text)


def test_every_mistake_at_once():
    """Several mistakes come together, in the order of the file."""
    said = messages("labl: red\nfruits:\n  - {nam: a}\n  - {name: b, weight: heavy}\n")
    assert said == [
        "basket.yaml:1:1: unknown key 'labl'; did you mean 'label'?",
        "basket.yaml:3:5: 'fruits.name' is missing",
        "basket.yaml:3:6: unknown key 'nam'; did you mean 'name'?",
        "basket.yaml:4:23: fruits.weight: input should be a valid integer, unable to parse string as an integer, not 'heavy'",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\n"
        + "".join(f"c{n}: &c{n} [{', '.join(['*c' + str(n - 1) if n else '*b'] * 9)}]\n" for n in range(12)),
        "&a [*a, *a]",
        "[" * 800,
        "a: " * 800,
        "x: !!python/object/apply:os.system [id]",
    ],
    ids=["aliases", "itself", "nesting", "colons", "tag"],
)
def test_hostile_text_ends_soon(text):
    """Aliases of aliases, endless nesting and foreign tags neither hang nor run anything."""
    source, problems = yamltext.parse(text, "x.yaml")
    assert problems or source.data == {"x": ["id"]}
