"""The register's rows: locks, lookups, numbers, changes with their history.

Invariant: a counter is raised and its number written in one transaction, so none is skipped or used twice; counters
and identities are locked in name order; every change of an entry writes who, what and why.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Column, ColumnElement, Connection, delete, func, or_, select, update

from mailrouter.core.outcomes import Hold
from mailrouter.core.register import Entry, KnownEntry, Series, counter_name, needs_counter, next_number
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import counters, entries, entry_history, entry_keys, identities

ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
T = TypeVar("T")
_MOST_NAMED = 5_000  # values in one statement; SQLite takes 32,766, PostgreSQL 65,535


class Registry:
    """The register's transactions. Methods that take `tx` work inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def lock(self, tx: Connection, keys: Iterable[str]) -> None:
        """Lock identities in key order, so that two forwards of one letter meet here."""
        ordered = sorted(set(keys))
        self._db.add(tx, identities, [{"key": key} for key in ordered])
        if ordered and not self._db.sqlite:  # SQLite's write transaction is alone anyway
            tx.execute(
                select(identities.c.key)
                .where(identities.c.key.in_(ordered))
                .order_by(identities.c.key)
                .with_for_update()
            ).all()

    def known(self, tx: Connection, keys: Sequence[str]) -> tuple[KnownEntry, ...]:
        """The entries that any of these keys belongs to, oldest first."""
        return self.known_each(tx, [keys])[0]

    def known_each(self, tx: Connection, asked: Sequence[Sequence[str]]) -> list[tuple[KnownEntry, ...]]:
        """`known` for the keys of each of many mails, in as many statements as for one."""
        found: dict[str, list[int]] = {}
        for key, entry_id in _pairs(tx, entry_keys.c.key, {key for keys in asked for key in keys}):
            found.setdefault(key, []).append(entry_id)
        if not found:
            return [()] * len(asked)
        ids = {entry_id for several in found.values() for entry_id in several}
        all_keys: dict[int, list[str]] = {}
        for key, entry_id in _pairs(tx, entry_keys.c.entry_id, ids):
            all_keys.setdefault(entry_id, []).append(key)
        data = {
            row.id: ENTRY.validate_json(row.data)
            for some in _windows(ids)
            for row in tx.execute(select(entries.c.id, entries.c.data).where(entries.c.id.in_(some)))
        }
        result = []
        for keys in asked:
            matched: dict[int, list[str]] = {}
            for key in set(keys) & found.keys():
                for entry_id in found[key]:
                    matched.setdefault(entry_id, []).append(key)
            result.append(
                tuple(
                    KnownEntry(data[entry_id], tuple(sorted(matched[entry_id])), tuple(sorted(all_keys[entry_id])))
                    for entry_id in sorted(matched)
                )
            )
        return result

    def lookup(self, keys: Sequence[str]) -> tuple[KnownEntry, ...]:
        """`known` in a transaction of its own."""
        return self._db.read(lambda tx: self.known(tx, keys))

    def lookup_each(self, asked: Sequence[Sequence[str]]) -> list[tuple[KnownEntry, ...]]:
        """`known_each` in a transaction of its own."""
        return self._db.read(lambda tx: self.known_each(tx, asked))

    def allocate(
        self, tx: Connection, entry: Entry, series: Series, related: Entry | None, at: datetime
    ) -> Entry | Hold:
        """The entry with its number, counter, suffix, file and registration time; the counter is raised."""
        day = at.date()
        value = self._next(tx, series, day) if needs_counter(series, related) else None
        self._lock_stem(tx, related.stem if related else None)
        highest = self._highest(tx, related.stem if related else None)
        numbering = next_number(series, day, related=related, highest_suffix=highest, counter_value=value)
        return numbering if isinstance(numbering, Hold) else _numbered(entry, numbering, at)

    def preview(self, entry: Entry, series: Series, related: Entry | None, at: datetime) -> Entry | Hold:
        """The entry with the next free number; nothing is allocated."""

        def work(tx: Connection) -> Entry | Hold:
            day = at.date()
            query = select(counters.c.value).where(counters.c.name == counter_name(series, day))
            value = tx.execute(query).scalar_one_or_none()
            free = series.first if value is None else value + 1
            numbering = next_number(
                series,
                day,
                related=related,
                highest_suffix=self._highest(tx, related.stem if related else None),
                counter_value=free,
            )
            return numbering if isinstance(numbering, Hold) else _numbered(entry, numbering, at)

        return self._db.read(work)

    def insert(
        self, tx: Connection, entry: Entry, keys: Iterable[str], *, who: str, why: str, sent: bool | None = None
    ) -> int:
        """Write a new entry with its keys; its row id."""
        row = {**_columns(entry), "sent": sent}
        key = tx.execute(entries.insert().values(**row)).inserted_primary_key
        assert key is not None
        entry_id = int(key[0])
        self.add_keys(tx, entry_id, keys)
        self._history(tx, entry_id, entry.registered or "", who, "registered", why)
        return entry_id

    def add_keys(self, tx: Connection, entry_id: int, keys: Iterable[str]) -> None:
        """Further keys that an entry is found by: a duplicate's, the Message-IDs of an answer."""
        self._db.add(tx, entry_keys, [{"key": one[:300], "entry_id": entry_id} for one in sorted(set(keys))])

    def drop_keys(self, tx: Connection, entry_id: int, keys: Iterable[str]) -> None:
        """Keys that were never the entry's."""
        tx.execute(delete(entry_keys).where(entry_keys.c.entry_id == entry_id, entry_keys.c.key.in_(set(keys))))

    def confirmed_as(self, tx: Connection, theirs: str, entry: Entry) -> int | None:
        """The row of another matter of the same year to which the other register gave this number.

        Yearly counters give a number again, and in some series an answer has the number of its letter.
        """
        query = select(entries.c.id).where(
            _confirmed_as(theirs),
            entries.c.registered_at.startswith((entry.registered or "")[:4]),
            or_(entries.c.stem.is_(None), entries.c.stem != (entry.stem or "")),
        )
        return tx.execute(query.limit(1)).scalar_one_or_none()

    def change(self, tx: Connection, entry_id: int, entry: Entry, *, at: str, who: str, what: str, why: str) -> None:
        """Write a changed entry and what changed, by whom and why."""
        tx.execute(update(entries).where(entries.c.id == entry_id).values(**_columns(entry)))
        self._history(tx, entry_id, at, who, what, why)

    def by_number(
        self, tx: Connection, number: str, registered: str | None = None, *, to_change: bool = False
    ) -> tuple[int, Entry] | None:
        """The entry of this number, of that registration time if it is given; `to_change`: see `by_id`.

        Yearly counters give a number again: the newest matter's is meant, and in a series that gives an answer the
        number of its letter, the letter.
        """
        query = select(entries).where(entries.c.number == number).order_by(entries.c.id)
        if registered is not None:
            query = query.where(entries.c.registered_at == registered)
        rows = tx.execute(query).all()
        if not rows:
            return None
        stem = rows[-1].stem
        row = next(row for row in rows if row.stem == stem) if stem is not None else rows[-1]
        return row.id, self.by_id(tx, row.id, to_change=True) if to_change else ENTRY.validate_json(row.data)

    def by_id(self, tx: Connection, entry_id: int, *, to_change: bool = False) -> Entry:
        """The entry of this row; `to_change` keeps others from changing it before this transaction has."""
        query = select(entries.c.data).where(entries.c.id == entry_id)
        if to_change and not self._db.sqlite:  # SQLite's write transaction is alone anyway
            query = query.with_for_update()
        return ENTRY.validate_json(tx.execute(query).scalar_one())

    def get(self, number: str) -> Entry | None:
        """The entry of this number, in a transaction of its own."""
        found = self._db.read(lambda tx: self.by_number(tx, number))
        return found[1] if found else None

    def sought(self, number: str) -> Entry | None:
        """The entry that a person means by a number: ours, else the newest to which the other register gave it."""

        def work(tx: Connection) -> Entry | None:
            found = self.by_number(tx, number)
            if found is not None:
                return found[1]
            query = select(entries.c.data).where(_confirmed_as(number)).order_by(entries.c.id.desc()).limit(1)
            data = tx.execute(query).scalar_one_or_none()
            return ENTRY.validate_json(data) if data else None

        return self._db.read(work)

    def correct(self, number: str, fields: Mapping[str, Any], *, at: str, who: str, why: str) -> Entry:
        """A person corrects fields of an entry; the old values stay in its history."""
        return self._db.write(lambda tx: self.correct_in(tx, number, fields, at=at, who=who, why=why)[1])

    def correct_in(
        self, tx: Connection, number: str, fields: Mapping[str, Any], *, at: str, who: str, why: str
    ) -> tuple[int, Entry]:
        """`correct` inside a transaction; the entry with its row."""
        found = self.by_number(tx, number, to_change=True)
        if found is None:
            raise Permanent(f"no entry {number}; see 'mailrouter register list'")
        entry_id, old = found
        new = replace(old, **fields)
        what = "; ".join(f"{name}: {getattr(old, name)!r} → {value!r}" for name, value in fields.items())
        self.change(tx, entry_id, new, at=at, who=who, what=what, why=why)
        return entry_id, new

    def entries(
        self,
        *,
        series: str | None = None,
        state: str | None = None,
        direction: str | None = None,
        responsible: str | None = None,
        due_before: str | None = None,
        text: str | None = None,
        limit: int | None = None,
        after: int = 0,
    ) -> Iterable[Entry]:
        """Entries in the order of registration, filtered; `text` is looked for in the whole entry."""
        query = select(entries).where(entries.c.id > after).order_by(entries.c.id)
        for column, value in (
            (entries.c.series, series),
            (entries.c.state, state),
            (entries.c.direction, direction),
            (entries.c.responsible, responsible),
        ):
            if value is not None:
                query = query.where(column == value)
        if due_before is not None:
            query = query.where(entries.c.due <= due_before)
        if text is not None:
            query = query.where(entries.c.data.contains(text, autoescape=True))
        if limit is not None:
            query = query.limit(limit)
        return self._db.read(lambda tx: [ENTRY.validate_json(row.data) for row in tx.execute(query)])

    def history(self, number: str, registered: str | None = None) -> list[Mapping[str, Any]]:
        """Every change of an entry, oldest first: at, who, what, why. `registered`: as for `by_number`."""
        columns = (entry_history.c.at, entry_history.c.who, entry_history.c.what, entry_history.c.why)

        def work(tx: Connection) -> list[Mapping[str, Any]]:
            found = self.by_number(tx, number, registered)
            query = select(*columns).where(entry_history.c.entry_id == (found[0] if found else None))
            return [dict(row._mapping) for row in tx.execute(query.order_by(entry_history.c.id))]  # noqa: SLF001 - SQLAlchemy's public name

        return self._db.read(work)

    def _next(self, tx: Connection, series: Series, day: date) -> int:
        name = counter_name(series, day)
        self._db.add(tx, counters, [{"name": name, "value": series.first - 1}])
        query = update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
        return int(tx.execute(query.returning(counters.c.value)).scalar_one())

    def _lock_stem(self, tx: Connection, stem: str | None) -> None:
        """Lock the initial letter of a stem, so that two that join it at once do not get one suffix."""
        if stem is not None and not self._db.sqlite:  # SQLite's write transaction is alone anyway
            first = select(entries.c.id).where(entries.c.stem == stem).order_by(entries.c.id).limit(1)
            tx.execute(first.with_for_update()).all()

    def _highest(self, tx: Connection, stem: str | None) -> int | None:
        if stem is None:
            return None
        return tx.execute(select(func.max(entries.c.suffix)).where(entries.c.stem == stem)).scalar_one_or_none()

    def _history(self, tx: Connection, entry_id: int, at: str, who: str, what: str, why: str) -> None:
        tx.execute(entry_history.insert().values(entry_id=entry_id, at=at, who=who, what=what, why=why))


def _confirmed_as(theirs: str) -> ColumnElement[bool]:
    """Entries to which the other register gave this number."""
    words = json.dumps({"theirs": theirs}, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return entries.c.data.contains(words, autoescape=True)


def _windows(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in pieces that a statement can name."""
    rest = list(values)
    for start in range(0, len(rest), _MOST_NAMED):
        yield rest[start : start + _MOST_NAMED]


def _pairs(tx: Connection, column: Column[Any], values: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """The keys and rows where the column has one of the values."""
    for some in _windows(values):
        query = select(entry_keys.c.key, entry_keys.c.entry_id).where(column.in_(some))
        yield from ((row.key, row.entry_id) for row in tx.execute(query))


def _numbered(entry: Entry, numbering: Any, at: datetime) -> Entry:
    return replace(
        entry,
        number=numbering.number,
        counter=numbering.counter,
        suffix=numbering.suffix,
        file=numbering.file,
        stem=numbering.stem,
        registered=at.isoformat(timespec="seconds"),
    )


def _columns(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "counter": entry.counter,
        "suffix": entry.suffix,
        "direction": entry.direction,
        "series": entry.series,
        "registered_at": entry.registered,
        "state": entry.state,
        "due": entry.due,
        "responsible": entry.responsible.name if entry.responsible else None,
        "stem": entry.stem,
        "message": entry.message or None,
        "data": ENTRY.dump_json(entry).decode(),
    }
