"""Changes of register entries by several persons and nodes at once."""

import threading
from dataclasses import replace
from datetime import datetime

import pytest

from mailrouter.core.people import Directory
from mailrouter.core.register import Entry
from mailrouter.shell.errors import Permanent
from mailrouter.shell.staff import confirm_number, correct_entry
from mailrouter.shell.store.store import Store

CHANGES = 25


@pytest.fixture
def store(store_url):
    store = Store(store_url)
    yield store
    store.close()


def entry(number, registered="2024-02-29T13:06:00+02:00", **fields):
    made = Entry(direction="incoming", title="A letter", function="5", series="5-4")
    return replace(made, number=number, registered=registered, file="5-4/2024", **fields)


def insert(store, one):
    store._db.write(lambda tx: store.registry.insert(tx, one, (), who="mailrouter", why="a test"))


def test_changes_at_once_are_all_kept(store):
    """One corrects the title while another corrects the note: neither takes back what the other said."""
    insert(store, entry("5-4/1-1"))

    def correct(field):
        for number in range(CHANGES):
            store.registry.correct("5-4/1-1", {field: f"{field} {number}"}, at="2024-03-01", who=field, why="a test")
            seen = getattr(store.registry.get("5-4/1-1"), field)
            if seen != f"{field} {number}":
                lost.append(seen)

    lost: list[str] = []
    threads = [threading.Thread(target=correct, args=(field,)) for field in ("title", "note")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert lost == []
    assert len(store.registry.history("5-4/1-1")) == 1 + 2 * CHANGES


def test_the_history_is_that_of_the_entry_which_is_shown(store):
    """A number that a yearly counter gave twice: the older matter's changes are not told as the newer one's."""
    insert(store, entry("1-7/1-1", "2023-02-01T10:00:00+02:00", stem="1-7@2023#1"))
    store.registry.correct("1-7/1-1", {"note": "of the first year"}, at="2023-02-02", who="K", why="a test")
    insert(store, entry("1-7/1-1", "2024-02-01T10:00:00+02:00", stem="1-7@2024#1"))
    assert store.registry.get("1-7/1-1").note == ""
    assert [one["what"] for one in store.registry.history("1-7/1-1")] == ["registered"]


def test_a_mistyped_number_of_the_other_register_can_be_put_right(store):
    """The correction is found by, the mistake is not; no two letters have one number."""
    insert(store, entry("5-4/1-1", confirmed=False))
    insert(store, entry("5-4/2-1", confirmed=False))
    at = datetime.fromisoformat("2024-03-01T10:00:00+02:00")
    confirm_number(store, "5-4/1-1", "D\\1", who="K", at=at)
    with pytest.raises(Permanent, match="--set theirs"):
        confirm_number(store, "5-4/1-1", "D/1", who="K", at=at)
    correct_entry(store, "5-4/1-1", ["theirs=D/1"], Directory(), who="K", at=at, why="mistyped")
    with pytest.raises(Permanent, match="another entry"):
        confirm_number(store, "5-4/2-1", "D/1", who="K", at=at)
    assert store.registry.get("5-4/1-1").theirs == "D/1"
    assert store.registry.history("5-4/1-1")[-1]["why"] == "mistyped"
    confirm_number(store, "5-4/2-1", "D\\1", who="K", at=at)


def test_an_entry_keeps_what_every_entry_has(store):
    """A title cannot be corrected away."""
    insert(store, entry("5-4/1-1"))
    at = datetime.fromisoformat("2024-03-01T10:00:00+02:00")
    with pytest.raises(Permanent, match="title"):
        correct_entry(store, "5-4/1-1", ["title="], Directory(), who="K", at=at, why="a test")


AT = datetime.fromisoformat("2024-03-01T10:00:00+02:00")


def test_a_letter_is_found_by_the_other_register_s_number(store):
    """What Delta calls the letter finds it, after a correction by the right number alone; our own number goes first."""
    insert(store, entry("5-4/1-1", confirmed=False))
    confirm_number(store, "5-4/1-1", "5-4/307_1", who="K", at=AT)
    assert store.registry.sought("5-4/307_1").number == "5-4/1-1"
    assert store.registry.sought("5-4/307%1") is None
    correct_entry(store, "5-4/1-1", ["theirs=5-4/308-1"], Directory(), who="K", at=AT, why="mistyped")
    assert store.registry.sought("5-4/307_1") is None
    insert(store, entry("5-4/308-1", title="Another letter"))
    assert store.registry.sought("5-4/308-1").title == "Another letter"


def test_a_number_of_our_own_counter_is_not_confirmed_as_another(store):
    """Where the counter is ours nothing waits for a confirmation: a foreign number would only hide a mistake."""
    insert(store, entry("5-4/1-1"))
    with pytest.raises(Permanent, match=r"counter of series 5-4 is ours.*'owner' in register\.yaml"):
        confirm_number(store, "5-4/1-1", "5-4/307-1", who="K", at=AT)
    with pytest.raises(Permanent, match="is ours"):
        correct_entry(store, "5-4/1-1", ["theirs=5-4/307-1"], Directory(), who="K", at=AT, why="a test")
    assert store.registry.get("5-4/1-1").theirs is None


def test_a_letter_is_not_restricted_without_its_basis(store):
    """AK needs the ground that the law gives: with it, or where the entry has it, the correction is taken."""
    insert(store, entry("5-4/1-1"))

    def correct(*given):
        return correct_entry(store, "5-4/1-1", given, Directory(), who="K", at=AT, why="a test")

    with pytest.raises(Permanent, match=r"without its basis.*access_basis=AvTS § 35"):
        correct("access=AK")
    assert store.registry.get("5-4/1-1").access == "Avalik"
    assert correct("access=AK", "access_basis=AvTS § 35 lg 1 p 9").access == "AK"
    with pytest.raises(Permanent, match="without its basis"):
        correct("access_basis=")
    assert correct("access=Avalik", "access_basis=").access_basis is None
