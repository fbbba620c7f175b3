"""What persons do from the command line: confirm a number, correct an entry, try again; drafts are in nominating.py.

Invariant: nothing outside is performed here; what is said is recorded with who said it, and the service carries it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from mailrouter.core.people import Directory, Found, find
from mailrouter.core.register import FOREIGN_BASIS, Entry, Responsible
from mailrouter.shell.errors import Permanent
from mailrouter.shell.pipeline import Pipeline
from mailrouter.shell.store.store import Store

_CORRECTABLE = {
    "title", "access", "access_basis", "access_from", "access_until", "responsible", "sender_reference", "sender_date",
    "arrival", "due", "note", "state", "private", "theirs",
}  # fmt: skip
_WANTED = {"title", "arrival", "responsible", "theirs"}  # what every entry has; access and state are looked at below


def try_again(pipeline: Pipeline, wanted: str, who: str) -> str:
    """Decide a held mail anew; of a settled one, let the effects that were given up be performed again."""
    store = pipeline.store
    one = store.listing.one(wanted)
    if one.state == "held":
        mailbox = next((box for box in pipeline.settings.mailboxes if box.name == one.mailbox), None)
        if mailbox is None:
            raise Permanent(
                f"the mailbox '{one.mailbox}' is no longer in mailrouter.yaml; put it back, or release the mail"
            )
        state = pipeline.retry(one.id, mailbox)
        store.listing.record(pipeline.clock.iso(), who, "retried", f"message {one.id}", f"now {state}")
        return f"message {one.id} is {state}"
    again = [effect for effect in one.effects if effect["state"] in {"held", "failed", "unknown"}]
    for effect in again:
        store.queue.again(str(effect["key"]))
        store.listing.record(pipeline.clock.iso(), who, "again", f"effect {effect['key']}", str(effect["error"] or ""))
    if not again:
        raise Permanent(
            f"message {one.id} is {one.state} and nothing of it was given up: there is nothing to try again"
        )
    kinds = ", ".join(str(effect["kind"]) for effect in again)
    return f"message {one.id}: {kinds} will be performed again by the service"


def confirm_number(store: Store, ours: str, theirs: str, *, who: str, at: datetime) -> Entry:
    """The number that the register which owns the counter gave to our proposal."""
    entry = store.registry.get(ours)
    if entry is None:
        raise Permanent(f"no entry {ours}; see 'mailrouter register list'")
    _must_be_theirs(entry)
    if not theirs.strip():
        raise Permanent(f"give the number that the other register gave to {ours}")
    if entry.theirs not in (None, theirs):
        raise Permanent(
            f"{ours} is confirmed as {entry.theirs} already; "
            f"correct it with 'mailrouter register correct {ours} --set theirs=… --reason …'"
        )
    return store.confirm(ours, theirs, who=who, at=at)


def correct_entry(
    store: Store, number: str, given: Sequence[str], directory: Directory, *, who: str, at: datetime, why: str
) -> Entry:
    """Correct fields, each given as FIELD=VALUE; Permanent for a field that is computed, or a value that is none."""
    values: dict[str, Any] = {}
    for one in given:
        name, separator, value = one.partition("=")
        if not separator or name not in _CORRECTABLE:
            raise Permanent(f"'{one}': write FIELD=VALUE with one of {', '.join(sorted(_CORRECTABLE))}")
        values[name] = _value(name, value.strip(), directory)
    if "theirs" in values:
        if len(values) > 1:
            raise Permanent("theirs: correct the other register's number alone, what names it is changed with it")
        if (entry := store.registry.get(number)) is not None:
            _must_be_theirs(entry)
        return store.confirm(number, values["theirs"], who=who, at=at, why=why)
    _must_have_basis(store, number, values)
    return store.registry.correct(number, values, at=at.isoformat(timespec="seconds"), who=who, why=why)


def _must_be_theirs(entry: Entry) -> None:
    """Only where another register owns the counter is our number a proposal."""
    if entry.confirmed and entry.theirs is None:
        raise Permanent(
            f"the counter of series {entry.series} is ours: {entry.number} is the letter's number, and there is nothing "
            "to confirm; if another register gives the numbers, name it as the series' 'owner' in register.yaml, "
            "and keep a further number in the note: "
            f"'mailrouter register correct {entry.number} --set note=… --reason …'"
        )


def _must_have_basis(store: Store, number: str, values: Mapping[str, Any]) -> None:
    """AK rests on a ground that the law gives (AvTS § 35): it is printed with the mark, and the public may ask for it."""
    if values.keys().isdisjoint({"access", "access_basis"}):
        return
    entry = store.registry.get(number)
    access = values.get("access", entry.access if entry else None)
    basis = values.get("access_basis", entry.access_basis if entry else None)
    if entry is not None and access == "AK" and not basis:
        raise Permanent(
            f"access: {number} cannot be AK without its basis; add --set 'access_basis=AvTS § 35 lg 1 p …' "
            f"({FOREIGN_BASIS} for what a foreign state or an international organisation sent with a mark)"
        )


def _value(name: str, value: str, directory: Directory) -> Any:
    allowed: Mapping[str, Sequence[str]] = {
        "access": ("Avalik", "AK", "Majasisene", "Piiratud"),
        "state": ("open", "closed"),
        "private": ("true", "false"),
    }
    if name in _WANTED and not value:
        raise Permanent(f"{name}: an entry cannot be without it")
    if name in allowed and value not in allowed[name]:
        raise Permanent(f"{name}: '{value}' is none of {', '.join(allowed[name])}")
    if name == "private":
        return value == "true"
    if name in {"due", "access_from", "sender_date"} and value:
        try:
            date.fromisoformat(value)
        except ValueError as error:
            raise Permanent(f"{name}: '{value}' is no ISO date, such as 2024-03-29") from error
    if name == "responsible":
        found = find(directory, value)
        if not isinstance(found, Found) or found.kind != "person":
            raise Permanent(f"responsible: '{value}' is not one person in people.yaml")
        person = next(one for one in directory.people if one.name == found.name)
        return Responsible(person.name, person.email, person.unit, person.job)
    return value or (None if any(one.name == name and "None" in str(one.type) for one in fields(Entry)) else "")
