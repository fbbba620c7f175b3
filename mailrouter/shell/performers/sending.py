"""Sends approved drafts.

The copy in Drafts is compared first: changed → the approval falls and the difference is shown; gone → Sent is searched,
else a person; then the copy is removed, and only a proven removal permits DATA. Afterwards the mail is copied to Sent.
Invariant: what a person approved goes out as approved, once, or a person is told why not.
"""

import hashlib
from collections.abc import Sequence

from mailrouter.core.effects import SendEffect
from mailrouter.core.message import Message, parse
from mailrouter.core.register import Classification
from mailrouter.shell import smtp
from mailrouter.shell.draftwatch import adopt, says_the_same
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.performers.interface import Desk, Outcome, Tell
from mailrouter.shell.performers.letters import carried, draft_mail, message_id_of, outgoing_mail
from mailrouter.shell.performers.mailing import addressed, send_all
from mailrouter.shell.sentwatch import look
from mailrouter.shell.store.draft import Draft, digest_of, words_of
from mailrouter.shell.store.queue import Task


class Sending:
    """Kind `send`."""

    kinds: tuple[str, ...] = ("send",)

    def perform(self, tasks: Sequence[Task], desk: Desk, tell: Tell) -> None:
        """See interface.py."""
        for task in tasks:
            tell(task, self._one(task, desk))

    def _one(self, task: Task, desk: Desk) -> Outcome:
        assert isinstance(task.effect, SendEffect)
        draft = desk.store.drafts.get(task.effect.draft)
        if draft.state != "approved" or draft.digest != task.effect.digest:
            return Outcome("done", f"the draft is {draft.state}", {"skipped": True})
        mailbox = desk.mailbox(task.mailbox)
        connection = desk.connection(task.mailbox)
        raw = outgoing_mail(draft, mailbox, desk.clock.now(), carried(draft, desk))
        sent_folder = connection.special("sent")
        name = message_id_of(draft.message_key, mailbox)
        if connection.find(sent_folder, name):
            return _sent(raw, name, "found in Sent")
        if task.recovering and desk.settings.outbox.unknown_outcome == "hold" and not _copies(task, draft, desk):
            return Outcome(
                "unknown",
                "nobody knows whether it went out, and Sent does not have it: ask the recipient, then approve it again",
                dict(task.result),
                final=True,
            )
        if not task.result.get("removed"):
            stopped = self._early(draft, desk) or self._take_copy(task, draft, desk)
            if stopped is not None:
                return stopped
        return self._send(task, draft, raw, desk)

    def _early(self, draft: Draft, desk: Desk) -> Outcome | None:
        """What ends the task before the copy is looked at."""
        if desk.store.drafts.on_its_way(draft):
            return Outcome("pending", "its copy is not in Drafts yet")
        if self._sent_by_hand(draft, desk):
            return Outcome("done", "a person has sent it", {"skipped": True})
        return None

    def _sent_by_hand(self, draft: Draft, desk: Desk) -> bool:
        """Whether somebody answered from their own mail program since Sent was last looked at."""
        mailbox, connection = desk.mailbox(draft.mailbox), desk.connection(draft.mailbox)
        found = look(
            mailbox,
            connection,
            desk.store,
            domains=desk.settings.institution.domains,
            at=desk.clock.now(),
            classification=Classification(),  # an approved answer has its number
            only=draft.id,
        )
        return draft.id in found

    def _take_copy(self, task: Task, draft: Draft, desk: Desk) -> Outcome | None:
        """Compare the copy in Drafts and remove it; an outcome if that forbids sending."""
        connection = desk.connection(task.mailbox)
        folder = connection.special("drafts")
        uidvalidity = connection.state(folder).uidvalidity
        uids = _copies(task, draft, desk)
        if not uids:
            return self._gone(draft, desk)
        ours = digest_of_copy(
            parse(draft_mail(draft, desk.mailbox(task.mailbox), desk.clock.now(), carried(draft, desk)))
        )
        for copy in connection.fetch(folder, uidvalidity, uids, 1 << 30):
            message = parse(copy.raw)
            if digest_of_copy(message) != ours:
                return self._changed(draft, message, desk)
        if not desk.begin(task, desk.settings.smtp.timeout_seconds):
            return Outcome("pending", "the claim was lost")
        removed = [connection.remove(folder, uidvalidity, uid) for uid in uids]
        if not all(removed):
            return Outcome(
                "unknown", "the copy in Drafts could not be removed for sure: look whether it was sent", final=True
            )
        return None

    def _gone(self, draft: Draft, desk: Desk) -> Outcome:
        """Not in Drafts and not in Sent: nobody may guess whether a person threw it away or sent it elsewhere."""
        why = "not in Drafts any more and not in Sent: put back; reject it if it was sent by hand or is not wanted"
        desk.store.drafts.change(draft.id, draft.content, who="mailrouter", at=desk.clock.now(), why=why)
        return Outcome("done", f"draft {draft.id} was {why}", {"skipped": True})

    def _changed(self, draft: Draft, message: Message, desk: Desk) -> Outcome:
        """Someone changed the copy: it is the draft now, and waits for approval again."""
        why = "changed in Drafts after its approval"
        if says_the_same(message, draft):
            why = "files were attached to it in Drafts: send it from there, and it is registered as sent"
        adopt(desk.store, draft, message, desk.clock.now(), why)
        return Outcome("done", "changed in Drafts after its approval: it waits again", {"skipped": True})

    def _send(self, task: Task, draft: Draft, raw: bytes, desk: Desk) -> Outcome:
        mailbox = desk.mailbox(task.mailbox)
        done = set(task.result.get("accepted", ()))  # by an earlier try that some recipients' server put off
        recipients = tuple(one for one in addressed((*draft.content.to, *draft.content.cc)) if one not in done)
        envelope = smtp.Envelope(sender=mailbox.address, recipients=recipients, raw=raw, key=task.key)
        told: list[Outcome] = []
        send_all({task.key: (task, envelope)}, desk, lambda _, one: told.append(one))
        if not told:
            return Outcome("pending", "the claim was lost", {**task.result, "removed": True})
        outcome = told[0]
        kept = {**outcome.result, "removed": True}
        if outcome.state != "done":
            return Outcome(outcome.state, outcome.error, kept, outcome.final)
        connection = desk.connection(task.mailbox)
        note = None
        try:
            connection.append(connection.special("sent"), raw, ("\\Seen",), desk.clock.now())
        except (Temporary, Permanent) as error:  # it went out, whatever becomes of our own copy
            note = f"sent; the copy to Sent failed: {error}"
        return _sent(raw, message_id_of(draft.message_key, mailbox), note, kept)


def _copies(task: Task, draft: Draft, desk: Desk) -> list[int]:
    """The draft's copies in Drafts: while one is there nothing was handed over, since its removal comes first."""
    connection = desk.connection(task.mailbox)
    name = message_id_of(draft.message_key, desk.mailbox(task.mailbox))
    return connection.find(connection.special("drafts"), name)


def digest_of_copy(message: Message) -> str:
    """The digest of a copy read back from Drafts, comparable with the one that was approved."""
    parts = tuple((part.name, hashlib.sha256(part.content).hexdigest()) for part in message.parts if not part.inline)
    return digest_of(message.addresses.to, message.addresses.cc, message.subject, words_of(message), parts)


def _sent(raw: bytes, message_id: str, note: str | None, result: dict[str, object] | None = None) -> Outcome:
    digest = hashlib.sha256(raw).hexdigest()
    return Outcome("done", note, {**(result or {}), "sha256": digest, "message_id": message_id})
