"""Why: what the rules make of a mail, now or then. Nothing is performed, nothing is allocated.

Invariant: the same functions decide here and in the service; a number shown here is the next free one, marked a preview.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailrouter.core.case import Case, MailboxRef, as_read
from mailrouter.core.effects import EFFECT, Effect, Plan, RegisterEffect
from mailrouter.core.mail import Reading
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.plan import fill
from mailrouter.core.register import Entry, series_of
from mailrouter.core.rules import Decision, RuleSet, decide
from mailrouter.shell.deciding import Considered, Surroundings, consider
from mailrouter.shell.store.store import Store
from mailrouter.shell.views import entry_json

_PREVIEW = "0000/0"  # where a series is not known, or the register refuses


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains one mail after another."""

    ruleset: RuleSet
    mailbox: MailboxRef
    around: Surroundings
    store: Store | None  # None: without a register, as for a rule's examples

    def explain(self, reading: Reading, received: datetime, file: str, index: int) -> dict[str, Any]:
        """One line of `explain --json`."""
        considered = consider(reading, self.mailbox, received, self.ruleset, self.around, full=True)
        return {
            "file": file,
            "index": index,
            "sha256": reading.sha256,
            "case": as_read(reading, considered.case, file, index),
            "decision": self.decision(considered),
        }

    def decision(self, considered: Considered) -> dict[str, Any]:
        """The `decision` of a considered mail, texts rendered under a preview of the number."""
        filled = self.filled(considered)
        return decision_json(considered.decision, filled)

    def filled(self, considered: Considered) -> Plan:
        """The plan as it would be carried out."""
        entry, hold = self._entry(considered)
        if hold is not None:
            return replace(considered.plan, effects=(), hold=hold)
        return fill(considered.plan, considered.case, self.ruleset, entry=entry, now=self.around.now)

    def _entry(self, considered: Considered) -> tuple[Entry | None, Hold | None]:
        plan, thread = considered.plan, considered.case.thread
        if plan.link and self.store is not None:
            return self.store.registry.get(plan.link), None
        effect = next((one for one in plan.effects if isinstance(one, RegisterEffect)), None)
        if effect is None:
            return None, None
        series = series_of(self.ruleset.classification, effect.entry.series)
        if series is None or self.store is None:
            return replace(
                effect.entry, number=_PREVIEW, registered=self.around.now.isoformat(timespec="seconds")
            ), None
        related = None
        if thread.entry is not None and thread.relation in {"reply", "follow-up"}:
            related = self.store.registry.get(thread.entry.number)
        entry = self.store.registry.preview(effect.entry, series, related, self.around.now)
        return (None, entry) if isinstance(entry, Hold) else (entry, None)


def decision_json(decision: Decision, plan: Plan) -> dict[str, Any]:
    """`decision` of `explain --json`."""
    hold = plan.hold or decision.hold
    return {
        "matched": list(decision.rules),
        "hold": {"code": hold.code, "reason": hold.reason, "evidence": list(hold.evidence)} if hold else None,
        "effects": [effect_json(effect) for effect in plan.effects],
        "shadow": [effect_json(effect) for effect in plan.shadow],
        "notes": list(plan.notes),
        "link": plan.link,
        "preview": True,
        "trace": trace_json(decision),
        "ruleset": decision.ruleset,
    }


def trace_json(decision: Decision) -> list[dict[str, Any]]:
    """Rule by rule: why and why not."""
    return [
        {
            "rule": one.rule,
            "file": one.file,
            "line": one.line,
            "matched": one.matched,
            "shadow": one.shadow,
            "conditions": [
                {"condition": c.condition, "wanted": c.wanted, "found": c.found, "matched": c.matched}
                for c in one.conditions
            ],
        }
        for one in decision.trace
    ]


def effect_json(effect: Effect) -> dict[str, Any]:
    """One effect: kind, rule, key and what the kind needs of to, cc, subject, text, folder, entry."""
    data: dict[str, Any] = EFFECT.dump_python(effect, mode="json")
    content = data.pop("content", None)
    if content is not None:
        data |= {name: content[name] for name in ("subject", "text", "html", "attachments", "language")}
    for name in ("to", "cc"):
        if name in data:
            data[name] = addresses(getattr(effect, name))
    if isinstance(effect, RegisterEffect):
        data["entry"] = entry_json(effect.entry)
    for name in ("source", "content"):
        data.pop(name, None)
    return {"kind": data.pop("kind"), "rule": data.pop("rule"), "key": data.pop("key"), **data}


def addresses(listed: Sequence[Address]) -> list[str]:
    """Bare addresses, or the name where there is none."""
    return [one.address or one.name for one in listed]


def past(case: Case, then: RuleSet, now: RuleSet) -> dict[str, Any]:
    """Why a stored mail was decided so, under the rules of then; and what the rules of now would do."""
    before = decide(case, then, full=True)
    shown: dict[str, Any] = {
        "decision": {"matched": list(before.rules), "trace": trace_json(before), "ruleset": before.ruleset},
        "case": {
            "sender": {
                "name": case.sender.name,
                "address": case.sender.address,
                "verified": case.sender.verified,
                "why": case.sender.why,
            },
            "incoming": _party(case),
            "instruction": None
            if case.instruction is None
            else {"evidence": list(case.instruction.evidence), "unclear": case.instruction.unclear},
            "thread": {
                "relation": case.thread.relation,
                "entry": case.thread.entry.number if case.thread.entry else None,
            },
            "letters": [
                {
                    "path": list(one.path),
                    "author": one.author.name,
                    "addressee": one.addressee.name,
                    "asks": [{"kind": a.kind, "text": a.text, "deadline": a.deadline} for a in one.asks],
                }
                for one in case.letters
            ],
        },
    }
    if now.digest != then.digest:
        after = decide(case, now, full=True)
        shown["now"] = {
            "matched": list(after.rules),
            "hold": after.hold.code if after.hold else None,
            "ruleset": now.digest,
        }
    return shown


def _party(case: Case) -> dict[str, Any] | None:
    one = case.incoming
    if one is None:
        return None
    author = one.author
    return {
        "from": {"name": author.name, "address": author.address} if author else None,
        "institution": one.institution,
        "subject": one.subject,
        "sent": one.sent,
        "claimed": one.claimed,
    }
