"""The register as it grows: registering a letter, finding a known one, the first page of filtered lists.

    python benchmarks/register.py [--url URL] [--small 1000] [--large 100000]

Medians in milliseconds at both sizes; exits 1 if the large register takes more than twice the small one's time (times
below a millisecond are not compared: they are noise).
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailrouter.core.register import Correspondent, Entry, Responsible, Series
from mailrouter.shell.store.registry import _columns
from mailrouter.shell.store.schema import entries, entry_keys
from mailrouter.shell.store.store import Store

SERIES = [Series(f"{number}-4") for number in range(1, 21)]
BEGIN = datetime(2024, 1, 2, 8, 0, tzinfo=UTC)
PEOPLE = [Responsible(f"Ametnik {number}") for number in range(50)]
TRIES = 40


def entry(number: int) -> Entry:
    """One of many: spread over series, officials and states."""
    series = SERIES[number % len(SERIES)]
    counter = number // len(SERIES) + 1
    return Entry(
        direction="incoming", title=f"Letter {number}", function=series.mark[0], series=series.mark, number=f"{series.mark}/{counter}-1", counter=counter, suffix=1,
        registered=(BEGIN + timedelta(minutes=number)).isoformat(), file=f"{series.mark}/2023", responsible=PEOPLE[number % len(PEOPLE)],
        state="open" if number % 10 == 0 else "closed", sender=Correspondent("European Commission", "HOME", "home@ec.europa.eu"),
        due=(BEGIN + timedelta(days=number % 400)).date().isoformat(), message=f"{number:064x}", stem=f"{series.mark}@2023#{counter}",
    )  # fmt: skip


def fill(store: Store, first: int, last: int) -> None:
    """Rows as the service writes them, a thousand at a time."""
    for start in range(first, last, 1000):
        numbers = range(start, min(start + 1000, last))
        rows = [{**_columns(entry(number)), "id": number + 1} for number in numbers]
        keys = [
            {"key": f"{kind}:{number}", "entry_id": number + 1}
            for number in numbers
            for kind in ("mid", "doc", "num", "hop", "raw")
        ]
        store._db.write(
            lambda tx, rows=rows, keys=keys: (tx.execute(entries.insert(), rows), tx.execute(entry_keys.insert(), keys))
        )


def register(store: Store, number: int, related: Entry | None = None) -> None:
    def work(tx):
        done = store.registry.allocate(tx, Entry("incoming", "New", "1", "1-4"), SERIES[0], related, BEGIN)
        store.registry.insert(tx, done, (f"mid:new{number}", f"num:{done.number}"), who="benchmark", why="benchmark")

    store._db.write(work)


def median(work) -> float:
    times = []
    for number in range(TRIES):
        began = time.perf_counter()
        work(number)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def measure(store: Store, size: int) -> dict[str, float]:
    registry = store.registry
    some = entry(size // 2)
    keys = [f"mid:{size // 2}", *(f"hop:x{number}" for number in range(30))]
    return {
        "register a letter": median(lambda number: register(store, size * 1000 + number)),
        "register a follow-up": median(lambda number: register(store, size * 1000 + TRIES + number, related=some)),
        "find a known letter": median(lambda _: registry.lookup(keys)),
        "first page of all": median(lambda _: list(registry.entries(limit=50))),
        "first page of a series": median(lambda _: list(registry.entries(series="7-4", limit=50))),
        "first page, open": median(lambda _: list(registry.entries(state="open", limit=50))),
        "first page of a responsible": median(lambda _: list(registry.entries(responsible="Ametnik 7", limit=50))),
        "first page, open and due": median(
            lambda _: list(registry.entries(state="open", due_before="2025-12-31", limit=50))
        ),
        "one entry by its number": median(lambda _: registry.get(some.number)),
    }


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--url")
    options.add_argument("--small", type=int, default=1_000)
    options.add_argument("--large", type=int, default=100_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(given.url or f"sqlite:///{Path(folder) / 'register.db'}")
        fill(store, 0, given.small)
        small = measure(store, given.small)
        fill(store, given.small + 1000, given.large)
        large = measure(store, given.large)
        store.close()
    slow = []
    for name, before in small.items():
        after = large[name]
        print(
            f"{name:30} {before:8.2f} ms at {given.small:,} {after:8.2f} ms at {given.large:,}  x{after / before:.2f}"
        )
        if after > 1 and after > 2 * before:
            slow.append(name)
    print("slower than twice:", ", ".join(slow) or "nothing")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
