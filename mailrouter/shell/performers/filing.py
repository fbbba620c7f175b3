"""Files and flags mails in their mailbox.

IMAP's OK is no proof (Dovecot answers OK to a MOVE of a UID that is not there): a move is done when COPYUID names it,
or the mail is not there any more. Invariant: moving again what was moved does nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from mailrouter.core.effects import FlagEffect, MoveEffect
from mailrouter.shell.mailboxes.interface import MailboxConnection
from mailrouter.shell.performers.interface import Desk, Outcome, Tell, timeout_of
from mailrouter.shell.store.intake import Located
from mailrouter.shell.store.queue import Task


class Filing:
    """Kinds `move` and `flag`: one command for all mails of a folder and target."""

    kinds: tuple[str, ...] = ("flag", "move")

    def perform(self, tasks: Sequence[Task], desk: Desk, tell: Tell) -> None:
        """See interface.py."""
        places = desk.store.intake.locate_each([task.intake_id or 0 for task in tasks])
        placed = [(task, places[task.intake_id or 0]) for task in tasks]

        def group(one: tuple[Task, Located]) -> tuple[str, str, str, int, str]:
            task, where = one
            effect = task.effect
            target = effect.folder if isinstance(effect, MoveEffect) else " ".join(getattr(effect, "flags", ()))
            return (task.kind, task.mailbox, where.folder, where.uidvalidity, target)

        for (kind, name, folder, uidvalidity, _), members in groupby(sorted(placed, key=group), key=group):
            batch = list(members)
            connection = desk.connection(name)
            kept = desk.begin_many([task for task, _ in batch], timeout_of(desk.mailbox(name)))
            batch = [(task, where) for task, where in batch if task.key in kept]
            if not batch:
                continue
            do = _move if kind == "move" else _flag
            for task, outcome in do(batch, connection, folder, uidvalidity):
                tell(task, outcome)


def _move(
    batch: Sequence[tuple[Task, Located]], connection: MailboxConnection, folder: str, uidvalidity: int
) -> Iterator[tuple[Task, Outcome]]:
    effect = batch[0][0].effect
    assert isinstance(effect, MoveEffect)
    if effect.folder == folder:
        yield from ((task, Outcome("done", None, {"folder": folder})) for task, _ in batch)
        return
    uids = sorted({where.uid for _, where in batch})
    moved = {one.uid: one for one in connection.move(folder, uidvalidity, uids, effect.folder)}
    for task, where in batch:
        one = moved[where.uid]
        if one.outcome == "moved":
            yield task, Outcome("done", None, {"folder": effect.folder, "uid": one.new_uid})
        elif one.outcome == "gone":
            yield (
                task,
                Outcome("done", "it was not there any more: filed earlier, or moved by a person", {"gone": True}),
            )
        else:
            yield task, Outcome("unknown", "the server did not say what became of it")


def _flag(
    batch: Sequence[tuple[Task, Located]], connection: MailboxConnection, folder: str, uidvalidity: int
) -> Iterator[tuple[Task, Outcome]]:
    effect = batch[0][0].effect
    assert isinstance(effect, FlagEffect)
    connection.flag(folder, uidvalidity, sorted({where.uid for _, where in batch}), effect.flags)
    yield from ((task, Outcome("done")) for task, _ in batch)
