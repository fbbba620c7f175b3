"""Hands entries over to other register systems.

Invariant: the mirror says whether an earlier try arrived; where nobody knows, a person looks before anything is repeated
(an append into a folder that the other system empties).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from mailrouter.core.effects import HandOverEffect
from mailrouter.shell.errors import Permanent
from mailrouter.shell.mailboxes.interface import in_time
from mailrouter.shell.performers.interface import Desk, Outcome, Tell
from mailrouter.shell.registers import discovery
from mailrouter.shell.registers.interface import Document, Mirror
from mailrouter.shell.store.queue import Task


class Handing:
    """Kind `hand_over`."""

    kinds: tuple[str, ...] = ("hand_over",)

    def perform(self, tasks: Sequence[Task], desk: Desk, tell: Tell) -> None:
        """See interface.py."""
        mirrors: dict[str, Mirror] = {}
        for task in tasks:
            assert isinstance(task.effect, HandOverEffect)
            name = task.effect.register
            if name not in mirrors:
                described: Mapping[str, object] = desk.settings.registers
                mirrors[name] = discovery.connect(name, described, desk.connection)
            tell(task, self._one(task, mirrors[name], desk))

    def _one(self, task: Task, mirror: Mirror, desk: Desk) -> Outcome:
        document = self._document(task, desk)
        if task.recovering:
            trace = mirror.trace(document)
            if trace == "there":
                return Outcome("done", "an earlier try had arrived")
            if trace == "nobody knows":
                return Outcome(
                    "unknown",
                    "nobody knows whether the other register took it: look there, then 'mailrouter messages retry'",
                    final=True,
                )
        mirror.prepare(document)
        if mirror.needed_seconds >= desk.settings.outbox.lease_seconds:
            raise Permanent(f"outbox.lease_seconds must be more than {mirror.needed_seconds:.0f} for this register")
        if not desk.begin(task, mirror.needed_seconds):
            return Outcome("pending", "the claim was lost")
        in_time(desk.not_after(task))
        handed = mirror.hand_over(document)
        return Outcome("done", None, {"reference": handed.reference})

    def _document(self, task: Task, desk: Desk) -> Document:
        listed = desk.store.listing.messages(ids=[task.intake_id or 0])
        one = listed[0] if listed else None
        entry = desk.store.registry.get(one.number) if one and one.number else None
        if one is None or entry is None:
            raise Permanent("only a registered letter can be handed over: the rule needs 'register' as well")
        case = desk.store.listing.case(one.id)
        return Document(
            key=task.key,
            entry=entry,
            mailbox=task.mailbox,
            raw=desk.store.intake.content(one.sha256 or ""),
            message_id=case.message.message_id if case else None,
            received=datetime.fromisoformat(one.received) if one.received else None,
        )
