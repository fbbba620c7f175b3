"""Letters by another author, as texts of documents: tests/corpus/letter-texts gives what each must be read as.

Where two readings of a field are right, the expectation has both (`_alternatives`), or leaves the field out.
"""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrouter.core.letter import read_letters

CORPUS = Path(__file__).parent.parent / "corpus" / "letter-texts"
LETTERS = [letter for path in sorted(CORPUS.glob("*.yaml")) for letter in YAML(typ="safe").load(path)]


def plain(value):
    """Letter case and white space of the print do not count."""
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def fields(wanted, letter):
    """(field, the values that are right, the value read) for every field that the expectation names."""
    further = wanted.get("_alternatives", {})
    for name, value in wanted.items():
        if name.startswith("_"):
            continue
        read = getattr(letter, name)
        if name in {"author", "addressee"}:
            for part, want in value.items():
                yield f"{name}.{part}", [want, *further.get(f"{name}.{part}", ())], getattr(read, part)
        elif name in {"asks", "events"}:
            yield f"{name} (number)", [len(value)], len(read)
            for at, (row, found) in enumerate(zip(value, read, strict=False)):
                for key, want in row.items():
                    yield f"{name}.{at}.{key}", [want, *further.get(f"{name}.{at}.{key}", ())], getattr(found, key)
        else:
            yield name, [value, *further.get(name, ())], read


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter["name"])
def test_a_text_gives_its_fields(letter):
    """Every field that is written beside the text is read from it."""
    (read,) = read_letters([(("letter",), letter["text"].replace("=== page ===\n", "\f"))])
    wrong = [
        (field, right, found)
        for field, right, found in fields(letter["expected"], read)
        if plain(found) not in map(plain, right)
    ]
    assert wrong == []
