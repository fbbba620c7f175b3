"""The register in a CSV file: every entry once, whatever happens in between."""

import csv
import subprocess
import sys
from dataclasses import replace

import pytest

from mailrouter.core.register import Correspondent, Entry, Relation, Responsible
from mailrouter.shell import registers
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.registers import Document

ENTRY = Entry(
    "incoming", 'Follow-up; on "Global"\nAlliance', "5", "5-4", "5-4/22-1", 22, 1, "2024-02-29T13:06:00+02:00", "5-4/2024",
    sender=Correspondent("European Commission", "HOME GLOBAL ALLIANCE", "a@ec.europa.eu"), responsible=Responsible("Katarina Budrik"),
    relations=(Relation("reply", "5-4/22-2"),),
)  # fmt: skip
DOCUMENT = Document("k1", ENTRY, "registry")


@pytest.fixture
def mirror(tmp_path):
    return registers.connect(
        "list", {"list": {"kind": "csvfile", "path": tmp_path / "register.csv"}}, lambda name: None
    )


def rows(tmp_path):
    with (tmp_path / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_entry_becomes_a_line(mirror, tmp_path):
    """One line an entry, under a header, with separators and line breaks of the title kept harmless."""
    mirror.prepare(DOCUMENT)
    assert mirror.trace(DOCUMENT) == "not there"
    mirror.hand_over(DOCUMENT)
    mirror.hand_over(Document("k2", replace(ENTRY, number="5-4/23-1", title="=HYPERLINK(1)"), "registry"))
    first, second = rows(tmp_path)
    assert (first["number"], first["title"], first["sender_institution"]) == (
        "5-4/22-1",
        'Follow-up; on "Global" Alliance',
        "European Commission",
    )
    assert (first["responsible"], first["relations"]) == ("Katarina Budrik", "reply 5-4/22-2")
    assert second["title"] == "'=HYPERLINK(1)"


def test_repeating_writes_nothing_twice(mirror, tmp_path):
    """After a crash the same entry is found in the file."""
    mirror.hand_over(DOCUMENT)
    assert mirror.trace(DOCUMENT) == "there"
    mirror.hand_over(DOCUMENT)
    assert len(rows(tmp_path)) == 1


def test_several_processes_write_whole_lines(mirror, tmp_path):
    """Nodes that hand over at the same time lose no line and mix none."""
    program = (
        "import sys; from mailrouter.shell.registers import connect, Document; from mailrouter.core.register import Entry\n"
        f"mirror = connect('csvfile', {{'csvfile': {{'path': {str(tmp_path / 'register.csv')!r}}}}}, None)\n"
        "for n in range(20):\n"
        "    mirror.hand_over(Document(sys.argv[1] + str(n), Entry('incoming', 'x' * 500, '5', '5-4', str(n)), 'registry'))\n"
    )
    nodes = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "abc"]
    assert [node.wait(60) for node in nodes] == [0, 0, 0]
    assert sorted(row["key"] for row in rows(tmp_path)) == sorted(f"{name}{n}" for name in "abc" for n in range(20))
    assert {len(row["title"]) for row in rows(tmp_path)} == {500}


def test_missing_folder_is_told_before(tmp_path):
    """A file in a folder that is not there is refused with the remedy, and so is an entry without a number."""
    mirror = registers.connect("csvfile", {"csvfile": {"path": tmp_path / "no" / "register.csv"}}, lambda name: None)
    with pytest.raises(Permanent, match="make it"):
        mirror.prepare(DOCUMENT)
    with pytest.raises(Temporary):
        mirror.hand_over(DOCUMENT)
    with pytest.raises(Permanent, match="number"):
        registers.connect("csvfile", {"csvfile": {"path": tmp_path / "register.csv"}}, lambda name: None).prepare(
            Document("k", replace(ENTRY, number=None), "registry")
        )


def test_mirrors_are_found_and_their_settings_checked(tmp_path):
    """Each file of the folder is a kind; unknown kinds and keys are told with their place."""
    assert set(registers.mirrors()) == {"csvfile", "delta"}
    problems = registers.settings_problems(
        {
            "one": {"kind": "dhx"},
            "csvfile": {"path": "x.csv", "colour": "red"},
            "delta": {"way": "soap"},
            "two": "x",
            "fine": {"kind": "delta"},
        }
    )
    places = {path for path, _ in problems}
    assert places == {
        ("registers", "one"),
        ("registers", "csvfile", "colour"),
        ("registers", "delta"),
        ("registers", "two"),
    }
    assert any("csvfile, delta" in message for _, message in problems)
    with pytest.raises(Permanent, match="describe it"):
        registers.connect("nowhere", {}, lambda name: None)
    with pytest.raises(Permanent, match="url"):
        registers.connect("delta", {"delta": {"way": "soap"}}, lambda name: None)
