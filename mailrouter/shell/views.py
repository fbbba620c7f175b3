"""Rows of the store in the JSON shapes that others rely on.

Invariant: keys are only added; a missing list is [], an unknown value null, an absent text "".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailrouter.core.register import Entry
from mailrouter.settings import Settings
from mailrouter.shell.store.drafts import Draft
from mailrouter.shell.store.listing import Listed
from mailrouter.shell.store.registry import ENTRY
from mailrouter.shell.store.store import Store


@dataclass(frozen=True, slots=True)
class Status:
    """`status`: a line a mailbox, and what else an administrator should know."""

    mailboxes: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def entry_json(entry: Entry) -> dict[str, Any]:
    """One entry, with the keys of `register list --json`."""
    data: dict[str, Any] = ENTRY.dump_python(entry, mode="json")
    return data


def letters_calendar(store: Store, now: datetime, *, responsible: str | None = None, events: bool = False) -> str:
    """The due dates of open letters as iCalendar, with the events that any registered letter announces."""
    from mailrouter.core.register.calendar import deadlines_ical  # noqa: PLC0415 - icalendar is slow to load

    entries = list(store.registry.entries(state="open", responsible=responsible))
    announced = []
    if events:
        for entry in store.registry.entries(direction="incoming", responsible=responsible):
            case = store.listing.case_of(entry.message)
            announced += [(entry, event) for letter in (case.letters if case else ()) for event in letter.events]
    return deadlines_ical(entries, now, announced, name=responsible or "")


def draft_json(draft: Draft) -> dict[str, Any]:
    """One draft, with the keys of `drafts list --json`."""
    content = draft.content
    return {
        "id": draft.id,
        "state": draft.state,
        "purpose": draft.purpose,
        "to": [one.address or one.name for one in content.to],
        "cc": [one.address or one.name for one in content.cc],
        "subject": content.content.subject,
        "text": content.content.text,
        "answers": draft.answers,
        "needs": list(draft.needs),
        "digest": draft.digest,
        "rule": content.rule,
        "mailbox": draft.mailbox,
        "number": draft.number,
        "nominees": list(content.nominees),
        "approver": content.approver,
        "approved_by": draft.approved_by,
        "approved_at": draft.approved_at,
        "note": draft.note,
    }


def message_json(one: Listed) -> dict[str, Any]:
    """One mail, with the keys of `messages list --json`."""
    return {
        "id": one.id,
        "sha256": one.sha256,
        "mailbox": one.mailbox,
        "folder": one.folder,
        "uidvalidity": one.uidvalidity,
        "uid": one.uid,
        "received": one.received,
        "from": one.sender,
        "subject": one.subject,
        "state": one.state,
        "hold": one.hold,
        "hold_reason": one.hold_reason,
        "hold_due": one.hold_due,
        "rules": list(one.rules),
        "number": one.number,
        "ruleset": one.ruleset,
        "closed": one.closed,
        "effects": [
            {name: effect[name] for name in ("kind", "state", "rule", "key", "error", "at", "done")}
            for effect in one.effects
        ],
    }


def status(store: Store, settings: Settings, now: datetime) -> Status:
    """Every configured mailbox, and those that were once; the counts prove that nothing is unaccounted for."""
    counts, health, effects = store.intake.counts(), store.intake.health(), store.intake.effect_counts()
    known = {row["mailbox"]: row for row in health}
    configured = [mailbox.name for mailbox in settings.mailboxes]
    names = [*configured, *sorted((set(known) | set(counts)) - set(configured))]
    folders = {mailbox.name: mailbox.folder for mailbox in settings.mailboxes}
    late = store.overdue.counts(now)
    lines = []
    for name in names:
        one = _mailbox(name, folders.get(name), known.get(name), counts.get(name, {}), effects.get(name, {}))
        letters, holds = late.get(name, (0, 0))
        lines.append({**one, "overdue": letters, "overdue_holds": holds})
    return Status(tuple(lines), tuple(_notes(store, now)))


def _mailbox(
    name: str,
    folder: str | None,
    health: Mapping[str, Any] | None,
    counts: Mapping[str, int],
    effects: Mapping[str, int],
) -> dict[str, Any]:
    return {
        "mailbox": name,
        "folder": health["folder"] if health else folder,
        "state": health["state"] if health else "ok",
        "polled": health is not None,
        "since": health["since_at"] if health else None,
        "last_fetch": health["last_fetch_at"] if health else None,
        "uidvalidity": health["uidvalidity"] if health else None,
        "messages_seen": sum(counts.values()),
        "messages_settled": counts.get("settled", 0),
        "unaccounted": counts.get("seen", 0),
        "held": counts.get("held", 0),
        "released": counts.get("released", 0),
        "gone": counts.get("gone", 0),
        "pending_effects": effects.get("pending", 0),
        "failed_effects": effects.get("failed", 0),
        "unknown_outcome": effects.get("unknown", 0),
        "error": health["error"] if health else None,
    }


def _first(numbers: Sequence[str | None]) -> str:
    """The first numbers of a list, for a line."""
    shown = ", ".join(str(number) for number in numbers[:5])
    return f" ({shown}{' …' if len(numbers) > 5 else ''})" if numbers else ""


def _notes(store: Store, now: datetime) -> list[str]:
    waiting = store.drafts.all(["waiting"])
    overdue = [late.entry.number for late in store.overdue.letters(now.date()) if late.entry]
    held = len(store.overdue.held(now))
    version = store.versions.in_force()
    notes = [f"drafts waiting for a person: {len(waiting)}", f"letters overdue: {len(overdue)}{_first(overdue)}"]
    if held:
        notes.append(f"held mails past the working day that the law gives: {held}; see 'mailrouter messages list'")
    if version:
        notes.append(f"rules in force: {version.digest[:12]}, published {version.at} by {version.author}")
    return notes
