"""The letters of tests/corpus/letters give the fields beside them: who, to whom, what about, what wanted, by when."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrouter.core.documents import to_text
from mailrouter.core.letter import read_letters

LETTERS = Path(__file__).parent.parent / "corpus" / "letters"
EXPECTED = sorted(LETTERS.glob("*.expected.yaml"))


def plain(value):
    """Letter case and white space of the print do not count."""
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def fields(wanted, letter):
    """(field, wanted, read) for every field that the expectation names."""
    for name, value in wanted.items():
        read = getattr(letter, name)
        if name in {"author", "addressee"}:
            yield from ((f"{name}.{part}", plain(want), plain(getattr(read, part))) for part, want in value.items())
        elif name in {"asks", "events"}:
            yield name, len(value), len(read)
            for at, (row, found) in enumerate(zip(value, read, strict=False)):
                yield from ((f"{name}[{at}].{k}", plain(want), plain(getattr(found, k))) for k, want in row.items())
        else:
            yield name, plain(value), plain(read)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.name.split(".")[0])
def test_a_letter_gives_its_fields(expected):
    """Every field that is written beside the letter is read from it."""
    path = expected.with_name(expected.name.removesuffix(".expected.yaml"))
    document = to_text(path.read_bytes(), "application/octet-stream", path.name)
    letters = read_letters([((path.name,), document.text)])
    assert len(letters) == 1
    wanted = YAML(typ="safe").load(expected.read_text(encoding="utf-8"))
    wrong = [entry for entry in fields(wanted, letters[0]) if entry[1] != entry[2]]
    assert wrong == []


def test_the_corpus_is_wide():
    """At least forty letters, in PDF, DOCX and ODT, in eight languages."""
    languages = {YAML(typ="safe").load(path.read_text(encoding="utf-8"))["language"] for path in EXPECTED}
    assert len(EXPECTED) >= 40
    assert {path.name.split(".")[1] for path in EXPECTED} == {"pdf", "docx", "odt"}
    assert languages >= {"et", "en", "fr", "de", "fi", "lv", "lt", "ru"}
