"""One mail decided: reading → Case → Decision → Plan, and what settle needs of it.

Invariant: `explain`, `check`, `backtest` and the service come through `consider`; it changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailrouter.core.case import (
    Case,
    Loops,
    MailboxRef,
    identity_keys,
    registered_keys,
    resolve,
    thread_lookup_keys,
)
from mailrouter.core.case.cases import Correspondence, Sender, Thread
from mailrouter.core.effects import FlagEffect, NotifyEffect, Plan, Text, effect_key
from mailrouter.core.mail import READING, Reading
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import expand
from mailrouter.core.plan import fill, hold_due, plan
from mailrouter.core.register import Entry, KnownEntry
from mailrouter.core.rules import Decision, RuleSet, decide
from mailrouter.settings import Mailbox
from mailrouter.shell.store.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as it came in, or as it is tried again."""

    intake_id: int
    mailbox: MailboxRef
    received: datetime
    from_states: tuple[str, ...]
    raw: bytes | None  # None: over the size limit
    size: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the register answered for a mail."""

    keys: tuple[str, ...]
    known: tuple[KnownEntry, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """A mail decided, with what it was decided on."""

    case: Case
    decision: Decision
    plan: Plan
    lookup_keys: tuple[str, ...]
    known: tuple[KnownEntry, ...]
    registers: bool  # the plan makes an entry


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a decision needs besides the mail and the rules."""

    lookup: Callable[[Sequence[str]], tuple[KnownEntry, ...]]
    now: datetime
    registrars: tuple[str, ...] = ()
    loop_key: str = ""
    hops: int = 5
    received_lines: int = 50
    flag: str = "\\Flagged"
    remind_hours: float = 4
    zone: str = "Europe/Tallinn"


def asked_keys(reading: Reading, ruleset: RuleSet, around: Surroundings) -> tuple[str, ...]:
    """What the register is asked for before a mail is resolved."""
    return thread_lookup_keys(reading, ruleset.domains, zone=around.zone)


def consider(
    reading: Reading,
    mailbox: MailboxRef,
    received: datetime,
    ruleset: RuleSet,
    around: Surroundings,
    *,
    full: bool = False,
    asked: Asked | None = None,
) -> Considered:
    """Resolve, decide and plan one mail; `full` traces the rules that did not match as well.

    `asked`: the register's answer, where it was asked for many mails at once; without it it is asked here.
    """
    if asked is None:
        keys = asked_keys(reading, ruleset, around)
        asked = Asked(keys, around.lookup(keys))
    keys, known = asked.keys, asked.known
    loops = Loops(around.loop_key.encode(), around.hops, around.received_lines) if around.loop_key else None
    case = resolve(
        reading,
        mailbox=mailbox,
        received=received.isoformat(timespec="seconds"),
        directory=ruleset.directory,
        domains=ruleset.domains,
        trust=ruleset.trust,
        known=known,
        loops=loops,
        zone=around.zone,
    )
    decision = decide(case, ruleset, full=full)
    registrars, _ = expand(ruleset.directory, around.registrars)
    planned = plan(
        decision,
        case,
        ruleset,
        around.now,
        registrars=registrars,
        flag=around.flag,
        remind_hours=around.remind_hours,
    )
    registers = any(effect.kind == "register" for effect in planned.effects)
    return Considered(case, decision, planned, keys, known, registers)


def settlement(
    considered: Considered, arrival: Arrival, reading: Reading, ruleset: RuleSet, around: Surroundings
) -> Settlement:
    """What settle makes true; `fill` renders under the number that it allocates."""
    case = considered.case
    mail = case.incoming

    def filled(entry: Entry | None) -> Plan:
        return fill(considered.plan, case, ruleset, entry=entry, now=around.now)

    def keys(entry: Entry | None) -> tuple[str, ...]:
        return registered_keys(case, entry, zone=around.zone)

    locked = (
        considered.lookup_keys[:1]
        if mail is None
        else identity_keys(case.sha256, mail, case.letters, case.attachments, zone=around.zone)
    )
    return Settlement(
        intake_id=arrival.intake_id,
        from_states=arrival.from_states,
        size=arrival.size,
        raw=arrival.raw,
        reading=READING.dump_json(reading, by_alias=True).decode(),
        reader=reading.version,
        case=case,
        decision=considered.decision,
        plan=considered.plan,
        fill=filled,
        lookup_keys=considered.lookup_keys,
        locked_keys=locked,
        known=considered.known,
        entry_keys=keys,
        classification=ruleset.classification,
        hold_due=hold_due(case, around.now).isoformat(timespec="seconds") if considered.plan.hold else None,
        now=around.now,
        bounced=tuple(message_id.strip("<>").split("@")[0] for message_id in case.message.bounced),
    )


def bare_hold(
    mailbox: Mailbox, arrival: Arrival, reading: Reading, reason: str, ruleset: RuleSet, around: Surroundings
) -> Settlement:
    """A hold without rules or templates, for a mail that a defect of ours kept from being decided."""
    author = reading.message.author
    case = Case(
        sha256=reading.sha256,
        received=arrival.received.isoformat(timespec="seconds"),
        mailbox=arrival.mailbox,
        message=reading.message,
        chain=reading.chain,
        sender=Sender(
            author.name if author else "",
            author.address if author else None,
            verified=False,
            internal=False,
            institution=None,
            why="not looked at",
        ),
        incoming=None,
        oldest=Correspondence(
            -1,
            author,
            reading.message.to,
            reading.message.cc,
            reading.message.subject,
            reading.message.date,
            reading.message.message_id,
            reading.message.text,
            None,
            claimed=False,
        ),
        forwarder=None,
        letters=(),
        attachments=reading.message.attachments,
        instruction=None,
        nature=reading.message.nature,
        thread=Thread(),
    )
    hold = Hold("defect", reason)
    text = Text(
        subject=f"Held: a mail in {mailbox.name}", text=f"{reason}\n\nmailrouter messages show {reading.sha256[:12]}"
    )
    to, _ = expand(ruleset.directory, mailbox.registrars)
    effects: list[NotifyEffect | FlagEffect] = [
        FlagEffect(effect_key(reading.sha256, mailbox.name, "", "flag"), "", (around.flag,))
    ]
    if to:
        effects.append(NotifyEffect(effect_key(reading.sha256, mailbox.name, "", "notify"), "", to, text))
    held = Plan(tuple(effects), hold=hold)
    considered = Considered(case, Decision((), hold, (), ruleset.digest), held, (), (), registers=False)
    return replace(settlement(considered, arrival, reading, ruleset, around), fill=lambda _entry: held)
