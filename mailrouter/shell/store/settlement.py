"""Settle: ONE transaction that makes a decision true: number, texts, register entry, effects, drafts, the ledger's outcome.

Invariant: before it nothing outside changes and a crash only repeats the poll; after it everything outside is a row.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from sqlalchemy import Connection, bindparam, select, update

from mailrouter.core.case import CASE, Case
from mailrouter.core.effects import (
    EFFECT,
    AssignEffect,
    DraftEffect,
    Effect,
    FlagEffect,
    MoveEffect,
    Plan,
    RegisterEffect,
    RemindEffect,
)
from mailrouter.core.outcomes import Hold
from mailrouter.core.register import Classification, Entry, KnownEntry, Relation, RelationKind, series_of
from mailrouter.core.rules import Decision, RuleTrace
from mailrouter.shell.clock import in_utc
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.drafts import approval_digest
from mailrouter.shell.store.registry import Registry
from mailrouter.shell.store.schema import drafts, effects, intake, messages

TRACE: TypeAdapter[tuple[RuleTrace, ...]] = TypeAdapter(tuple[RuleTrace, ...], config=ConfigDict(defer_build=True))
DONE_HERE = ("register", "assign")  # effects that are done in the settle transaction itself


class Changed(Exception):  # noqa: N818 - says what happened
    """The thread looks different under the lock than when the case was resolved: decide again."""


class Refused(Exception):  # noqa: N818 - says what happened
    """The register refuses the plan; `hold` says why."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold.reason)
        self.hold = hold


@dataclass(frozen=True, slots=True)
class Settlement:
    """One decided mail, ready to be made true."""

    intake_id: int
    from_states: tuple[str, ...]  # the ledger's states that this may replace: ("seen",), or ("held",) for a retry
    size: int
    raw: bytes | None  # None: over the size limit
    reading: str | None  # JSON
    reader: str
    case: Case
    decision: Decision
    plan: Plan
    fill: Callable[[Entry | None], Plan]  # pure
    lookup_keys: tuple[str, ...]  # what the thread was looked up by
    locked_keys: tuple[str, ...]  # the letter's identity
    known: tuple[KnownEntry, ...]  # what the lookup found when the case was resolved
    entry_keys: Callable[[Entry | None], tuple[str, ...]]  # what the new entry will be found by, its number included
    classification: Classification
    hold_due: str | None  # ISO, when held
    now: datetime
    bounced: tuple[str, ...] = ()  # keys of our effects whose mail came back with this one


class Settler:
    """The settle transaction."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._db = database
        self._registry = registry

    def settle(self, items: Sequence[Settlement]) -> list[Entry | None]:
        """Settle all of them in one transaction, or none: raises `Changed` or `Refused` if one of them cannot be."""
        outcomes = [_outcome(item) for item in items]  # the longest part of it, before anybody waits for our locks
        return self._db.write(lambda tx: self._together(tx, items, outcomes))

    def _together(
        self, tx: Connection, items: Sequence[Settlement], outcomes: Sequence[dict[str, Any]]
    ) -> list[Entry | None]:
        rows = self._locked(tx, items)
        done = _Batch()
        linked = [
            self._settle(tx, item, outcome, rows[item.intake_id], done)
            for item, outcome in zip(items, outcomes, strict=True)
        ]
        self._messages(tx, done.items)
        self._effects(tx, done.planned)
        self._outcomes(tx, done.outcomes)
        for item in done.items:
            self._bounced(tx, item)
        return linked

    def _settle(
        self, tx: Connection, item: Settlement, outcome: dict[str, Any], row: Any, done: "_Batch"
    ) -> Entry | None:
        """One of them: its entry is written now, all else by the batch."""
        if row.state not in item.from_states:
            return None  # another node, or a person, was quicker
        if not done.added.isdisjoint(item.lookup_keys):
            raise Changed  # by an earlier one of these
        entry_id, entry, keys = self._register(tx, item)
        done.added |= keys
        done.items.append(item)
        done.outcomes.append(outcome | {"entry_id": entry_id})
        done.planned += [_Planned(item, row, place, one, entry) for place, one in enumerate(item.fill(entry).effects)]
        return entry

    def _locked(self, tx: Connection, items: Sequence[Settlement]) -> dict[int, Any]:
        """Lock the letters' identities and the ledger's rows; `Changed` if a thread is not what it was resolved with."""
        self._registry.lock(tx, [key for item in items for key in item.locked_keys])
        known = self._registry.known_each(tx, [item.lookup_keys for item in items])
        if any(_signature(now) != _signature(item.known) for item, now in zip(items, known, strict=True)):
            raise Changed
        columns = (intake.c.id, intake.c.state, intake.c.mailbox, intake.c.folder, intake.c.uidvalidity, intake.c.uid)
        query = select(*columns).where(intake.c.id.in_([item.intake_id for item in items])).order_by(intake.c.id)
        return {row.id: row for row in tx.execute(query.with_for_update())}

    def _register(self, tx: Connection, item: Settlement) -> tuple[int | None, Entry | None, set[str]]:
        """The new entry, or the one that the mail is linked to; and the keys that it is found by from now on."""
        effect = next((one for one in item.plan.effects if isinstance(one, RegisterEffect)), None)
        thread = item.case.thread
        found = self._registry.by_number(tx, thread.entry.number, thread.entry.registered) if thread.entry else None
        if effect is None:
            if found and item.plan.link:
                keys = item.entry_keys(None)
                self._registry.add_keys(tx, found[0], keys)
                return *found, set(keys)
            return None, None, set()
        series = series_of(item.classification, effect.entry.series)
        if series is None:
            raise Permanent(f"the series {effect.entry.series} is not in register.yaml")
        related = found[1] if found and thread.relation in {"reply", "follow-up"} else None
        entry = self._registry.allocate(tx, _assigned(effect.entry, item.plan), series, related, item.now)
        if isinstance(entry, Hold):
            raise Refused(entry)
        entry = replace(_linked(entry, related), confirmed=series.owner == "ours")
        filled = next(one for one in item.fill(entry).effects if isinstance(one, RegisterEffect))
        entry = filled.entry  # fill adds what follows from number and date: the due date
        why = f"rule '{effect.rule}'"
        keys = item.entry_keys(entry)
        entry_id = self._registry.insert(tx, entry, keys, who="mailrouter", why=why)
        if found and related:
            self._relate(tx, item, found[0], entry)
        return entry_id, entry, set(keys)

    def _relate(self, tx: Connection, item: Settlement, related_id: int, entry: Entry) -> None:
        related = self._registry.by_id(tx, related_id, to_change=True)  # another answer may have joined it meanwhile
        kind: RelationKind = "reply" if item.case.thread.relation == "reply" else "follow-up"
        relation = Relation(kind, entry.number or "")
        self._registry.change(
            tx,
            related_id,
            replace(related, relations=(*related.relations, relation)),
            at=item.now.isoformat(timespec="seconds"),
            who="mailrouter",
            what=f"relation: {kind} {entry.number}",
            why=f"found by {item.case.thread.entry.by if item.case.thread.entry else 'its thread'}",
        )

    def _messages(self, tx: Connection, items: Sequence[Settlement]) -> None:
        """The mails' contents, once each; a reading by another version of the reader takes the place of the old one."""
        rows = [
            {
                "sha256": item.case.sha256,
                "size": item.size,
                "raw": item.raw,
                "reading": item.reading,
                "reader": item.reader,
                "seen_at": item.now.isoformat(timespec="seconds"),
            }
            for item in items
        ]
        if self._db.add(tx, messages, rows) < len(rows):
            again = update(messages).where(
                messages.c.sha256 == bindparam("content"), messages.c.reader != bindparam("by")
            )
            names = ("reading", "reader")
            values = [
                {"content": row["sha256"], "by": row["reader"]} | {name: row[name] for name in names} for row in rows
            ]
            tx.execute(again, values)

    def _effects(self, tx: Connection, planned: Sequence["_Planned"]) -> None:
        """The outbox's rows, those that are not there yet; a draft that is new has a row of its own as well."""
        rows = []
        for one in planned:
            effect = _of_this_copy(one.effect, one.row)
            values = _effect_row(one, effect)
            if not isinstance(effect, DraftEffect):
                rows.append(values)
            elif self._db.add(tx, effects, [values]):
                self._draft(tx, one.item, one.row, effect, one.entry)
        self._db.add(tx, effects, rows)

    def _draft(self, tx: Connection, item: Settlement, row: Any, effect: DraftEffect, entry: Entry | None) -> None:
        tx.execute(
            drafts.insert().values(
                effect_key=effect.key,
                intake_id=item.intake_id,
                mailbox=row.mailbox,
                state="waiting",
                purpose=effect.purpose,
                content=EFFECT.dump_json(effect).decode(),
                digest=approval_digest(effect),
                answers=entry.number if entry and effect.answers else None,
                revision=0,
            )
        )

    def _bounced(self, tx: Connection, item: Settlement) -> None:
        """Mails of ours that came back are shown as failed (RFC 3464), whatever the rules do with the bounce."""
        if item.bounced:
            failed = ", ".join(one.address for one in item.case.message.failed_recipients) or "its recipient"
            tx.execute(
                update(effects)
                .where(effects.c.key.in_(item.bounced), effects.c.state.in_(("done", "unknown")))
                .values(state="failed", error=f"bounced for {failed}")
            )

    def _outcomes(self, tx: Connection, outcomes: Sequence[dict[str, Any]]) -> None:
        """How the mails ended, in the ledger's rows."""
        if outcomes:
            tx.execute(update(intake).where(intake.c.id == bindparam("row")), list(outcomes))


@dataclass(slots=True)
class _Batch:
    """What a transaction has still to write."""

    items: list[Settlement] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)  # the ledger's rows of these
    planned: list["_Planned"] = field(default_factory=list)
    added: set[str] = field(default_factory=set)  # the keys that it has given to entries


@dataclass(frozen=True, slots=True)
class _Planned:
    """An effect to be written down."""

    item: Settlement
    row: Any  # the ledger's
    position: int
    effect: Effect
    entry: Entry | None


def _outcome(item: Settlement) -> dict[str, Any]:
    """The ledger's row of a settled mail; its entry is known later."""
    case, decision, hold = item.case, item.decision, item.plan.hold
    sender = case.message.author
    return {
        "row": item.intake_id,
        "sha256": case.sha256,
        "state": "held" if hold else "settled",
        "received_at": case.received,
        "sender": (sender.address or sender.name) if sender else "",
        "subject": case.message.subject,
        "case_json": CASE.dump_json(case, by_alias=True).decode(),
        "ruleset": decision.ruleset,
        "rules": json.dumps(list(decision.rules), ensure_ascii=False),
        "trace": TRACE.dump_json(tuple(one for one in decision.trace if one.matched)).decode(),
        "hold_code": hold.code if hold else None,
        "hold_reason": hold.reason if hold else None,
        "hold_due_at": item.hold_due if hold else None,
        "settled_at": item.now.isoformat(timespec="seconds"),
    }


def _signature(known: Sequence[KnownEntry]) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
    return tuple((one.entry.number, one.matched) for one in known)


def _assigned(entry: Entry, plan: Plan) -> Entry:
    """The entry with the responsible that an `assign` of the same plan sets."""
    for effect in plan.effects:
        if isinstance(effect, AssignEffect):
            entry = replace(entry, responsible=effect.responsible)
    return entry


def _linked(entry: Entry, related: Entry | None) -> Entry:
    if related is None or any(relation.number == related.number for relation in entry.relations):
        return entry
    return replace(entry, relations=(*entry.relations, Relation("initial", related.number or "")))


def _effect_row(one: _Planned, effect: Effect) -> dict[str, Any]:
    item = one.item
    done = effect.kind in DONE_HERE
    at = in_utc(datetime.fromisoformat(effect.at)) if isinstance(effect, RemindEffect) and effect.at else None
    return {
        "key": effect.key,
        "intake_id": item.intake_id,
        "mailbox": one.row.mailbox,
        "kind": effect.kind,
        "rule": effect.rule,
        "position": one.position,
        "payload": EFFECT.dump_json(effect).decode(),
        "state": "done" if done else "pending",
        "attempts": 0,
        "at": at,
        "not_before_epoch": 0.0,
        "recovering": False,
        "done_at": item.now.isoformat(timespec="seconds") if done else None,
    }


def _of_this_copy(effect: Effect, row: Any) -> Effect:
    """A move or flag belongs to one copy of a mail, however often its content comes: its key names the UID too."""
    if not isinstance(effect, MoveEffect | FlagEffect):
        return effect
    copy = f"{effect.key}|{row.folder}|{row.uidvalidity}|{row.uid}"
    return replace(effect, key=hashlib.sha256(copy.encode()).hexdigest()[:32])
