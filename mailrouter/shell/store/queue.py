"""The outbox's rows: claims with tokens and leases by the database's clock, and every transition.

The states (each transition is one function here; `TRANSITIONS` is tested against them):

    pending    → claimed      claim: a node takes it, with a token, until its lease ends
    claimed    → performing   begin: committed before the first command that cannot be taken back
    claimed    → pending      expire: the node died before it began
    performing → done | pending | failed | held | unknown       finish: as the performer found
    performing → unknown      expire: the node died in the middle; nobody knows
    unknown    → done | pending | unknown                        finish, after the performer searched for the trace
    held, failed, unknown → pending                              again: a person said so
    pending    → failed       a draft rejected before it was put into Drafts
    done, unknown → failed    the mail bounced (settlement)

Invariant: a transition out of claimed or performing needs the claim's token; a lost lease changes nothing.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select, update

from mailrouter.core.effects import EFFECT, Effect
from mailrouter.shell.store.brake import Brake
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import effects, intake

# What a claim that came to nothing goes back to: an unknown outcome stays one until its trace was searched for.
_waiting_state = case((effects.c.recovering, "unknown"), else_="pending")

OPEN = ("pending", "claimed", "performing")
TRANSITIONS = {
    "pending": {"claimed", "failed"},
    "claimed": {"performing", "pending", "done", "failed", "held", "unknown"},
    "performing": {"done", "pending", "failed", "held", "unknown"},
    "unknown": {"done", "pending", "claimed", "unknown", "failed"},
    "held": {"pending"},
    "failed": {"pending"},
    "done": {"failed"},
}


@dataclass(frozen=True, slots=True)
class Task:
    """A claimed effect."""

    key: str
    token: str
    intake_id: int | None
    mailbox: str
    kind: str
    effect: Effect
    attempts: int  # this one included
    recovering: bool  # the last try ended nobody knows how: search for its trace first
    result: Mapping[str, Any]  # what an earlier try left: recipients done


@dataclass(frozen=True, slots=True)
class Finished:
    """How one try ended. `final`: an unknown outcome that no search can clear; a person must."""

    task: Task
    state: str
    error: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    wait_seconds: float = 0.0
    final: bool = False


class Queue:
    """The outbox's transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._brake = Brake(database)

    def claim(
        self,
        kinds: Sequence[str],
        now_at: str,
        lease_seconds: float,
        limit: int,
        mailboxes: Sequence[str] | None = None,
    ) -> list[Task]:
        """Take up to `limit` effects of these kinds that are due; `mailboxes` None = all.

        A move waits until every other effect of its message is done or given up. An unknown outcome is claimed once,
        to search for its trace.
        """
        token = secrets.token_hex(12)

        def work(tx: Connection) -> list[Task]:
            now = self._db.now(tx)
            query = (
                select(effects)
                .where(
                    effects.c.kind.in_(list(kinds)),
                    effects.c.not_before_epoch <= now,
                    or_(effects.c.at.is_(None), effects.c.at <= now_at),
                    or_(
                        effects.c.state == "pending",
                        and_(effects.c.state == "unknown", effects.c.lease_epoch.is_(None)),
                    ),
                )
                .order_by(effects.c.not_before_epoch, effects.c.intake_id, effects.c.position)
                .limit(limit)
            )
            if mailboxes is not None:
                query = query.where(effects.c.mailbox.in_(list(mailboxes)))
            if "move" in kinds:
                other = effects.alias()
                waited_for = select(other.c.key).where(
                    other.c.intake_id == effects.c.intake_id,
                    other.c.kind.not_in(("move", "remind", "send")),
                    other.c.state.in_(OPEN),
                )
                query = query.where(or_(effects.c.kind != "move", ~exists(waited_for)))
            if not self._db.sqlite:
                query = query.with_for_update(skip_locked=True, of=effects)
            rows = tx.execute(query).all()
            if rows:
                tx.execute(
                    update(effects)
                    .where(effects.c.key.in_([row.key for row in rows]))
                    .values(
                        state="claimed",
                        token=token,
                        lease_epoch=now + lease_seconds,
                        attempts=effects.c.attempts + 1,
                    )
                )
            return [_task(row, token) for row in rows]

        return self._db.write(work)

    def begin(self, task: Task, needed_seconds: float) -> bool:
        """Commit that the irrevocable command comes next; False if the claim is lost or has too little time left."""

        def work(tx: Connection) -> bool:
            now = self._db.now(tx)
            return (
                tx.execute(
                    update(effects)
                    .where(
                        effects.c.key == task.key,
                        effects.c.token == task.token,
                        effects.c.state.in_(("claimed", "performing")),
                        effects.c.lease_epoch >= now + needed_seconds,
                    )
                    .values(state="performing")
                ).rowcount
                == 1
            )

        return self._db.write(work)

    def begin_many(self, tasks: Sequence[Task], needed_seconds: float) -> set[str]:
        """`begin` for a batch in one transaction; the keys that may go on."""

        def work(tx: Connection) -> set[str]:
            now = self._db.now(tx)
            mine = and_(
                effects.c.key.in_([task.key for task in tasks]),
                effects.c.token.in_({task.token for task in tasks}),
                effects.c.state.in_(("claimed", "performing")),
                effects.c.lease_epoch >= now + needed_seconds,
            )
            tx.execute(update(effects).where(mine).values(state="performing"))
            return set(tx.execute(select(effects.c.key).where(mine)).scalars())

        return self._db.write(work) if tasks else set()

    def finish(self, finished: Sequence["Finished"], now_at: str) -> None:
        """Write outcomes; a sent draft closes its letter in the same transaction."""
        if finished:
            self._db.write(lambda tx: self.finish_in(tx, finished, now_at))

    def finish_in(self, tx: Connection, finished: Sequence["Finished"], now_at: str) -> list["Finished"]:
        """`finish` inside a transaction; those whose claim still held."""
        now = self._db.now(tx)
        claimed = select(effects.c.key, effects.c.token).where(
            effects.c.key.in_([one.task.key for one in finished]),
            effects.c.state.in_(("claimed", "performing")),
        )
        tokens = {row.key: row.token for row in tx.execute(claimed.order_by(effects.c.key).with_for_update())}
        kept = [one for one in finished if tokens.get(one.task.key) == one.task.token]
        if kept:
            outcomes = [_outcome(one, now, now_at) for one in kept]
            tx.execute(update(effects).where(effects.c.key == bindparam("effect")), outcomes)
        return kept

    def expire(self, *, alone: bool = False) -> int:
        """Give back what dead nodes held: claimed → pending, performing → unknown.

        `alone`: this is the store's only node and it has just started, so every claim is a dead node's.
        """

        def work(tx: Connection) -> int:
            now = self._db.now(tx)
            over = effects.c.lease_epoch.is_not(None) if alone else effects.c.lease_epoch < now
            back = tx.execute(
                update(effects)
                .where(effects.c.state == "claimed", over)
                .values(state=_waiting_state, token=None, lease_epoch=None)
            ).rowcount
            lost = tx.execute(
                update(effects)
                .where(effects.c.state == "performing", over)
                .values(
                    state="unknown",
                    recovering=True,
                    token=None,
                    lease_epoch=None,
                    error="the service ended in the middle of it",
                )
            ).rowcount
            return int(back + lost)

        return self._db.write(work)

    def give_back(self, owner_tokens: Sequence[str]) -> None:
        """A node that ends in good order gives back what it had claimed and not begun."""
        self._db.write(
            lambda tx: tx.execute(
                update(effects)
                .where(effects.c.token.in_(list(owner_tokens)), effects.c.state == "claimed")
                .values(state=_waiting_state, token=None, lease_epoch=None)
            )
        )

    def again(self, key: str) -> bool:
        """A person wants a held, failed or unknown effect performed again."""
        return self._db.write(
            lambda tx: (
                tx.execute(
                    update(effects)
                    .where(effects.c.key == key, effects.c.state.in_(("held", "failed", "unknown")))
                    .values(
                        state="pending",
                        recovering=False,
                        attempts=0,
                        not_before_epoch=0.0,
                        lease_epoch=None,
                        error=None,
                    )
                ).rowcount
                == 1
            )
        )

    def due(self, now_at: str) -> int:
        """How many effects could be claimed now, or soon after a backoff; reminders of the future not counted."""
        query = select(func.count()).where(
            or_(effects.c.at.is_(None), effects.c.at <= now_at),
            or_(effects.c.state.in_(OPEN), and_(effects.c.state == "unknown", effects.c.lease_epoch.is_(None))),
        )
        return int(self._db.read(lambda tx: tx.execute(query).scalar_one()))

    def anything(self, now_at: str) -> bool:
        """Whether there is something to claim or to expire this moment: one cheap look, for a service that idles."""

        def work(tx: Connection) -> bool:
            now = self._db.now(tx)
            due = and_(
                effects.c.not_before_epoch <= now,
                or_(effects.c.at.is_(None), effects.c.at <= now_at),
                or_(effects.c.state == "pending", and_(effects.c.state == "unknown", effects.c.lease_epoch.is_(None))),
            )
            over = and_(effects.c.state.in_(("claimed", "performing")), effects.c.lease_epoch < now)
            open_states = effects.c.state.in_((*OPEN, "unknown"))
            return bool(tx.execute(select(exists().where(open_states, or_(due, over)))).scalar_one())

        return self._db.read(work)

    def given_up(self) -> int:
        """Effects that only a person can bring on."""
        query = select(func.count()).where(effects.c.state.in_(("failed", "held", "unknown")))
        return int(self._db.read(lambda tx: tx.execute(query).scalar_one()))

    def tried_in_vain(self) -> int:
        """Effects that were tried and wait for their next attempt."""
        query = select(func.count()).where(effects.c.state == "pending", effects.c.error.is_not(None))
        return int(self._db.read(lambda tx: tx.execute(query).scalar_one()))

    def sent_lately(self, mailbox: str, seconds: float) -> Mapping[str, int]:
        """Mails that went from this mailbox in the last seconds, by address, for the brake."""
        return self._brake.sent_lately(mailbox, seconds)

    def answered_since(self, mailbox: str, rule: str, address: str, since: str) -> bool:
        """Whether an automatic answer of this rule went out to the address since that calendar time."""
        query = select(func.count()).where(
            effects.c.mailbox == mailbox,
            effects.c.kind.in_(("acknowledge", "reply")),
            effects.c.rule == rule,
            effects.c.state == "done",
            effects.c.done_at >= since,
            or_(effects.c.result.is_(None), ~effects.c.result.contains('"skipped"')),
            func.lower(effects.c.payload).contains(f'"{address.lower()}"', autoescape=True),
        )
        return bool(self._db.read(lambda tx: tx.execute(query).scalar_one()))

    def by_message_id(self, key: str) -> Mapping[str, Any] | None:
        """The effect whose Message-ID has this key, for bounces."""
        query = (
            select(effects, intake.c.sha256)
            .outerjoin(intake, intake.c.id == effects.c.intake_id)
            .where(effects.c.key == key)
        )
        row = self._db.read(lambda tx: tx.execute(query).one_or_none())
        return dict(row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name


def _outcome(one: Finished, now: float, now_at: str) -> dict[str, Any]:
    """An effect's row after a try."""
    done = one.state == "done"
    return {
        "effect": one.task.key,
        "state": one.state,
        "recovering": one.state == "unknown",
        "token": None,
        # an unknown outcome whose trace was searched for in vain is not claimed again by itself
        "lease_epoch": 0.0 if one.state == "unknown" and one.final else None,
        "error": one.error,
        "result": json.dumps(dict(one.result), ensure_ascii=False) if one.result else None,
        "not_before_epoch": now + one.wait_seconds,
        "done_at": now_at if done else None,
        "done_epoch": now if done else None,
    }


def _task(row: Any, token: str) -> Task:
    return Task(
        key=row.key,
        token=token,
        intake_id=row.intake_id,
        mailbox=row.mailbox,
        kind=row.kind,
        effect=EFFECT.validate_json(row.payload),
        attempts=row.attempts + 1,
        recovering=bool(row.recovering),
        result=json.loads(row.result) if row.result else {},
    )
