"""Puts drafts into the mailbox's Drafts folder, and takes those out that are withdrawn.

Invariant: before an append is repeated the folder is searched for the draft's Message-ID, and so is Sent: a draft that
a person has sent meanwhile is not put back.
"""

from collections.abc import Sequence

from mailrouter.core.effects import DraftEffect
from mailrouter.shell.performers.interface import Desk, Outcome, Tell, timeout_of
from mailrouter.shell.performers.letters import carried, draft_mail, message_id_of
from mailrouter.shell.store.queue import Task


class Drafting:
    """Kind `draft`."""

    kinds: tuple[str, ...] = ("draft",)

    def perform(self, tasks: Sequence[Task], desk: Desk, tell: Tell) -> None:
        """See interface.py."""
        for task in tasks:
            assert isinstance(task.effect, DraftEffect)
            tell(task, self._one(task, desk))

    def _one(self, task: Task, desk: Desk) -> Outcome:
        draft = desk.store.drafts.of_effect(task.key)
        if draft.state == "withdrawn":
            self._remove(task, desk, desk.connection(task.mailbox).special("drafts"), draft.revision + 1)
        if draft.state not in {"waiting", "approved"}:
            return Outcome("done", f"the draft is {draft.state}")
        mailbox = desk.mailbox(task.mailbox)
        connection = desk.connection(task.mailbox)
        folder = connection.special("drafts")
        name = message_id_of(draft.message_key, mailbox)
        if not connection.find(folder, name):
            if connection.find(connection.special("sent"), name):
                return Outcome("done", "a person has sent it")
            raw = draft_mail(draft, mailbox, desk.clock.now(), carried(draft, desk))
            if not desk.begin(task, timeout_of(mailbox)):
                return Outcome("pending", "the claim was lost")
            connection.append(folder, raw, ("\\Draft",), desk.clock.now(), desk.not_after(task))
        self._remove(task, desk, folder, draft.revision)  # the earlier ones, once the new one is there
        return Outcome("done", None, {"folder": folder, "message_id": name})

    def _remove(self, task: Task, desk: Desk, folder: str, revisions: int) -> None:
        """The copies of the first so many revisions go."""
        connection = desk.connection(task.mailbox)
        for revision in range(revisions):
            key = task.key if revision == 0 else f"{task.key}.{revision}"
            for uid in connection.find(folder, message_id_of(key, desk.mailbox(task.mailbox))):
                connection.remove(folder, connection.state(folder).uidvalidity, uid)
