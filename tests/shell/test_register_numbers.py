"""Numbers in the store: none skipped, none twice, whoever registers at the same time and whatever the year."""

import threading
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mailrouter.core.register import Entry, Series
from mailrouter.shell.store.store import Store

SERIES = Series("5-4")
OTHER = Series("5-5", counter="5-4")  # shares the counter
NOW = datetime(2024, 2, 29, 13, 6, tzinfo=ZoneInfo("Europe/Tallinn"))
REGISTRARS, EACH = 8, 250


def register(store, series=SERIES, related=None, at=NOW, fail=False):
    """One letter registered in a transaction of its own; `fail` breaks it off after the number was drawn."""

    def work(tx):
        entry = store.registry.allocate(tx, Entry("incoming", "Letter", "5", series.mark), series, related, at)
        store.registry.insert(tx, entry, (f"num:{entry.number}",), who="test", why="test")
        if fail:
            raise KeyError("crash")
        return entry

    return store._db.write(work)


@pytest.fixture
def store(store_url):
    opened = Store(store_url)
    yield opened
    opened.close()


def test_registrars_at_once(store, store_url):
    """Eight registrars and 2,000 letters in two series of one counter: 1 … 2,000, each once, though some break off."""
    errors = []

    def registrar(number):
        mine = Store(store_url)
        try:
            for letter in range(EACH):
                if letter % 50 == 25:
                    with pytest.raises(KeyError):
                        register(mine, fail=True)
                register(mine, SERIES if (letter + number) % 2 else OTHER)
        except Exception as error:
            errors.append(error)
        finally:
            mine.close()

    nodes = [threading.Thread(target=registrar, args=(number,)) for number in range(REGISTRARS)]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    assert errors == []
    entries = list(store.registry.entries())
    assert sorted(entry.counter for entry in entries) == list(range(1, REGISTRARS * EACH + 1))
    assert len({entry.number for entry in entries}) == REGISTRARS * EACH


def test_follow_ups_at_once(store, store_url):
    """Four registrars add to one letter at once: suffixes 2, 3, 4 … each once, no counter used."""
    first = register(store)

    def registrar():
        mine = Store(store_url)
        for _ in range(10):
            register(mine, related=first)
        mine.close()

    nodes = [threading.Thread(target=registrar) for _ in range(4)]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    assert sorted(entry.suffix for entry in store.registry.entries()) == list(range(1, 42))
    assert register(store).counter == 2


def test_new_year_begins_anew_and_old_matters_go_on(store):
    """In January the counter begins at 1; a reply to a letter of last year keeps its stem, not this year's."""
    old = register(store)
    january = NOW.replace(year=2025, month=1, day=7)
    new = register(store, at=january)
    assert (old.number, new.number) == ("5-4/1-1", "5-4/1-1")
    assert register(store, related=old, at=january).number == "5-4/1-2"
    assert register(store, related=new, at=january).number == "5-4/1-2"
    assert register(store, related=old, at=january).number == "5-4/1-3"


def test_number_of_two_years_means_the_newest(store):
    """Asked for a number alone, the newest matter's is shown; with its registration time, the one that is meant."""
    register(store)
    register(store, at=NOW.replace(year=2025, month=3))
    found = store.registry.get("5-4/1-1")
    assert found.registered.startswith("2025")
    old = store._db.read(lambda tx: store.registry.by_number(tx, "5-4/1-1", NOW.isoformat(timespec="seconds")))
    assert old[1].registered.startswith("2024")


def test_letter_and_answer_of_one_number(store):
    """In a series that repeats the number, the number means the letter."""
    series = Series("5-6", numbering="same")
    letter = register(store, series)
    answer = register(store, series, related=letter)
    assert letter.number == answer.number
    assert store._db.read(lambda tx: store.registry.by_number(tx, letter.number))[0] == 1


def test_preview_takes_nothing(store):
    """What explain shows as the next number is still free afterwards."""
    shown = store.registry.preview(Entry("incoming", "Letter", "5", "5-4"), SERIES, None, NOW)
    assert shown.number == register(store).number == "5-4/1-1"
