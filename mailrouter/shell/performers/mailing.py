"""Sends what goes out by itself: forwards, automatic replies, notices, calendars; and reminders, after the answers.

Invariant: `performing` is committed for each mail before its DATA; after a crash Sent is searched, and what is not
found there is an unknown outcome for a person, or sent again where the setting says `resend`. Never a silent double.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from mailrouter.core.case import Case
from mailrouter.core.effects import AutoReplyEffect, ForwardEffect, NotifyEffect, RemindEffect
from mailrouter.core.message import Address
from mailrouter.core.nature import loop_hops, loop_token
from mailrouter.shell import smtp
from mailrouter.shell.errors import Permanent
from mailrouter.shell.performers.interface import Desk, Outcome, Tell
from mailrouter.shell.performers.letters import automatic_mail, forward_mail, message_id_of
from mailrouter.shell.store.queue import Task

Automatic = ForwardEffect | AutoReplyEffect | NotifyEffect | RemindEffect
_HOUR = 3600.0
_ONCE_IN = timedelta(days=7)


class Mailing:
    """Kinds `forward`, `acknowledge`, `reply`, `notify`, `calendar`: one connection for a batch."""

    kinds: tuple[str, ...] = ("forward", "acknowledge", "reply", "notify", "calendar")

    def perform(self, tasks: Sequence[Task], desk: Desk, tell: Tell) -> None:
        """See interface.py."""
        ready: dict[str, tuple[Task, smtp.Envelope]] = {}
        lately = {name: desk.store.queue.sent_lately(name, _HOUR) for name in {task.mailbox for task in tasks}}
        cases = desk.store.listing.cases_of([task.intake_id for task in tasks if task.intake_id])
        for task in tasks:
            if any(_same_answer(task, other) for other, _ in ready.values()):
                continue  # tried alone, once it is known whether the other went out
            early = self._before(task, desk, lately[task.mailbox])
            if early is not None:
                tell(task, early)
                continue
            try:
                ready[task.key] = (task, self._envelope(task, desk, cases.get(task.intake_id or 0)))
            except Permanent as error:
                tell(task, Outcome("failed", str(error)))
        send_all(ready, desk, tell)

    def _before(self, task: Task, desk: Desk, lately: Mapping[str, int]) -> Outcome | None:
        """What ends the task without sending: found in Sent, nobody knows, braked, no longer wanted."""
        effect = task.effect
        assert isinstance(effect, Automatic)
        if task.recovering:
            found = searched(task, desk)
            if found is not None:
                return found
        if isinstance(effect, RemindEffect) and not desk.store.listing.reminder_wanted(
            task.intake_id or 0, effect.until
        ):
            return Outcome("done", f"not needed any more: {effect.until}", {"skipped": True})
        if isinstance(effect, AutoReplyEffect) and self._answered(task, desk):
            return Outcome("done", "the sender had this automatic answer within seven days", {"skipped": True})
        most = desk.settings.outbox.per_address
        for one in effect.to:
            if one.address and lately.get(one.address, 0) >= most:
                return Outcome(
                    "held", f"more than {most} mails went to one address within an hour; see 'outbox.per_address'"
                )
        if not effect.to:
            return Outcome("failed", "nobody to send it to: the rule's `to` names no one with an address")
        return None

    def _answered(self, task: Task, desk: Desk) -> bool:
        """RFC 5230 § 4.2, RFC 7352 § 4: once for a sender and a rule in seven days, counted from answers that went out."""
        effect = task.effect
        assert isinstance(effect, AutoReplyEffect)
        since = (desk.clock.now() - _ONCE_IN).isoformat(timespec="seconds")
        return any(
            desk.store.queue.answered_since(task.mailbox, effect.rule, one.address, since)
            for one in effect.to
            if one.address
        )

    def _envelope(self, task: Task, desk: Desk, case: Case | None) -> smtp.Envelope:
        effect = task.effect
        assert isinstance(effect, Automatic)
        mailbox = desk.mailbox(task.mailbox)
        now = desk.clock.now()
        done = set(task.result.get("accepted", ()))
        listed = (*effect.to, *(effect.cc if isinstance(effect, ForwardEffect) else ()))
        recipients = tuple(dict.fromkeys(one.address for one in listed if one.address and one.address not in done))
        loop = _loop(task, case, desk)
        if isinstance(effect, ForwardEffect):
            original = desk.store.intake.original(task.intake_id or 0)
            if original is None:
                raise Permanent("the mail's content is not kept (erased, or over the size limit): forward it by hand")
            raw = forward_mail(task.key, effect, effect.to, mailbox, original, now, loop)
        else:
            raw = automatic_mail(task.key, effect, mailbox, now, loop)
        # an automatic reply has the null return path, so that nothing answers it (RFC 3834 § 3.3)
        sender = "" if isinstance(effect, AutoReplyEffect) else mailbox.address
        return smtp.Envelope(sender=sender, recipients=recipients, raw=raw, key=task.key)


class Reminding(Mailing):
    """Kind `remind`: performed when approved answers have gone out, so that nobody is reminded of what is answered."""

    kinds: tuple[str, ...] = ("remind",)


def _same_answer(one: Task, other: Task) -> bool:
    """Two automatic answers of one rule to one sender."""
    mine, theirs = one.effect, other.effect
    return (
        isinstance(mine, AutoReplyEffect)
        and isinstance(theirs, AutoReplyEffect)
        and (mine.rule, one.mailbox) == (theirs.rule, other.mailbox)
        and bool(set(addressed(mine.to)) & set(addressed(theirs.to)))
    )


def send_all(ready: dict[str, tuple[Task, smtp.Envelope]], desk: Desk, tell: Tell) -> None:
    """Send a batch over one connection; each mail's outcome is told as it is known. A lost claim tells nothing."""
    timeout = desk.settings.smtp.timeout_seconds

    def before_data(envelope: smtp.Envelope) -> bool:
        return desk.begin(ready[envelope.key][0], timeout)

    def done(result: smtp.Result) -> None:
        task, _ = ready[result.key]
        tell(task, outcome_of(task, result))

    envelopes = [envelope for _, envelope in ready.values()]
    smtp.send(desk.settings.smtp, envelopes, before_data=before_data, done=done, token=desk.smtp_token())


def outcome_of(task: Task, result: smtp.Result) -> Outcome:
    """Recipients' outcomes → the effect's: those accepted are never sent to again."""
    by_state: dict[str, list[str]] = {}
    for one in result.outcomes:
        by_state.setdefault(one.state, []).append(one.recipient)
    accepted = [*task.result.get("accepted", ()), *by_state.get("accepted", ())]
    said = "; ".join(sorted({f"{one.state}: {one.text}" for one in result.outcomes if one.state != "accepted"}))
    kept = {"accepted": accepted, **{key: value for key, value in by_state.items() if key != "accepted"}}
    if "unknown" in by_state:
        return Outcome("unknown", said, kept)
    if "temporary" in by_state:
        return Outcome("pending", said, kept)
    if "permanent" in by_state:
        return Outcome("failed", said, kept)
    return Outcome("done", None, kept)


def searched(task: Task, desk: Desk) -> Outcome | None:
    """After a try that ended nobody knows how: done if Sent has it; None if it may be sent again."""
    mailbox = desk.mailbox(task.mailbox)
    connection = desk.connection(task.mailbox)
    if connection.find(connection.special("sent"), message_id_of(task.key, mailbox)):
        return Outcome("done", "found in Sent", dict(task.result))
    if desk.settings.outbox.unknown_outcome == "resend":
        return None
    return Outcome(
        "unknown",
        "nobody knows whether it went out, and Sent does not have it: look, then 'mailrouter messages retry' or 'release'",
        dict(task.result),
        final=True,
    )


def _loop(task: Task, case: Case | None, desk: Desk) -> str:
    """The loop token: one hop more than the mail came with."""
    key = desk.store.secret("loop").encode()
    hops = loop_hops(case.message.headers, key) if case else 0
    return loop_token(case.sha256 if case else task.key, hops + 1, key)


def addressed(addresses: Sequence[Address]) -> tuple[str, ...]:
    """The bare addresses, each once."""
    return tuple(dict.fromkeys(one.address for one in addresses if one.address))
