"""The outbox's rows: every transition of the table, by the function that makes it, on both databases."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from mailrouter.core.effects import EFFECT, FlagEffect, MoveEffect, NotifyEffect, Text
from mailrouter.core.message import Address
from mailrouter.shell.store import queue as queue_file
from mailrouter.shell.store.queue import TRANSITIONS, Finished
from mailrouter.shell.store.schema import effects, intake
from mailrouter.shell.store.store import Store

NOW = "2024-02-29T12:00:00+00:00"
STATES = ("pending", "claimed", "performing", "done", "failed", "held", "unknown")


class Rows:
    """Effects in a store, one intake row for each message."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.numbers = itertools.count(1)

    def add(self, kind="notify", state="pending", message=1, **values) -> str:
        number = next(self.numbers)
        key = f"key{number:03}"
        effect = {
            "notify": NotifyEffect(key, "rule", (Address("", f"a{number}@x.example"),), Text("s", "t")),
            "move": MoveEffect(key, "rule", "Done"),
            "flag": FlagEffect(key, "rule", ("\\Flagged",)),
        }[kind]
        row = {"key": key, "intake_id": message, "mailbox": "registry", "kind": kind, "rule": "rule",
               "position": number, "payload": EFFECT.dump_json(effect).decode(), "state": state, "attempts": 0,
               "not_before_epoch": 0.0, "recovering": False}  # fmt: skip

        def work(tx):
            where = {"mailbox": "registry", "folder": "INBOX", "uidvalidity": 1, "uid": message, "state": "settled"}
            self.store._db.add(tx, intake, [{"id": message, **where}])
            tx.execute(effects.insert().values(**(row | values)))

        self.store._db.write(work)
        return key

    def claim(self, *kinds, lease=60.0, limit=100):
        return self.store.queue.claim(kinds or ("notify", "move", "flag"), NOW, lease, limit)

    def state(self, key) -> str:
        return self.row(key).state

    def row(self, key):
        return self.store._db.read(lambda tx: tx.execute(select(effects).where(effects.c.key == key)).one())

    def set(self, key, **values) -> None:
        self.store._db.write(lambda tx: tx.execute(update(effects).where(effects.c.key == key).values(**values)))


@pytest.fixture
def rows(store_url):
    store = Store(store_url)
    yield Rows(store)
    store.close()


def held_by(rows, state, lease=60.0):
    """A claimed or performing effect with its task."""
    rows.add()
    [task] = rows.claim(lease=lease)
    if state == "performing":
        assert rows.store.queue.begin(task, 1)
    return task


def test_the_table_names_every_state_and_no_other():
    """What the outbox may do is said in one place, for all states."""
    assert set(TRANSITIONS) == set(STATES)
    assert {to for targets in TRANSITIONS.values() for to in targets} <= set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_claim_takes_what_waits_and_nothing_else(rows, state):
    """Pending effects are claimed, and unknown ones to be searched for; nothing else is touched."""
    key = rows.add(state=state)
    taken = [task.key for task in rows.claim()]
    assert taken == ([key] if "claimed" in TRANSITIONS[state] else [])
    assert rows.state(key) == ("claimed" if taken else state)


def test_a_claimed_effect_is_nobody_elses(rows):
    """Eight claimers at once: each effect is in exactly one hand."""
    keys = {rows.add() for _ in range(40)}
    barrier = threading.Barrier(8)

    def take(_):
        barrier.wait()
        return [task.key for _ in range(3) for task in rows.claim(limit=3)]

    with ThreadPoolExecutor(8) as pool:
        taken = list(itertools.chain.from_iterable(pool.map(take, range(8))))
    taken += [task.key for task in rows.claim()]
    assert sorted(taken) == sorted(keys)


@pytest.mark.parametrize("state", ["claimed", "performing"])
@pytest.mark.parametrize("outcome", ["done", "pending", "failed", "held", "unknown"])
def test_finish_writes_what_the_performer_found(rows, state, outcome):
    """From claimed and from performing, every outcome of the table, and only with the claim's token."""
    task = held_by(rows, state)
    assert outcome in TRANSITIONS[state]
    stranger = Finished(task.__class__(**{**{n: getattr(task, n) for n in task.__slots__}, "token": "other"}), outcome)
    rows.store.queue.finish([stranger], NOW)
    assert rows.state(task.key) == state
    rows.store.queue.finish([Finished(task, outcome, "why")], NOW)
    assert rows.state(task.key) == outcome
    assert rows.row(task.key).recovering == (outcome == "unknown")


@pytest.mark.parametrize(("state", "after"), [("claimed", "pending"), ("performing", "unknown")])
def test_a_dead_nodes_effects_are_given_back(rows, state, after):
    """Its lease over: what it had not begun waits again, what it had begun is an unknown outcome."""
    task = held_by(rows, state)
    assert rows.store.queue.expire() == 0
    rows.set(task.key, lease_epoch=1.0)
    assert rows.store.queue.expire() == 1
    assert rows.state(task.key) == after
    assert after in TRANSITIONS[state]
    assert not rows.store.queue.begin(task, 0.1), "the dead node's claim is worth nothing when it wakes"
    rows.store.queue.finish([Finished(task, "done")], NOW)
    assert rows.state(task.key) == after


def test_the_only_node_takes_back_at_once(rows):
    """Where the store has one node, it need not wait for the lease of the one that died."""
    task = held_by(rows, "performing")
    assert rows.store.queue.expire(alone=True) == 1
    assert rows.state(task.key) == "unknown"


def test_no_command_begins_with_too_little_lease(rows):
    """With less lease left than the command may take, `begin` says no and nothing is committed."""
    task = held_by(rows, "claimed", lease=5)
    assert not rows.store.queue.begin(task, 6)
    assert rows.store.queue.begin_many([task], 6) == set()
    assert rows.state(task.key) == "claimed"
    assert rows.store.queue.begin(task, 4)


def test_an_unknown_outcome_is_searched_for_once(rows):
    """It is claimed as recovering; after a search in vain that is final it waits for a person."""
    task = held_by(rows, "performing")
    rows.store.queue.expire(alone=True)
    [again] = rows.claim()
    assert (again.key, again.recovering, again.attempts) == (task.key, True, 2)
    rows.store.queue.finish([Finished(again, "unknown", "not in Sent", final=True)], NOW)
    assert rows.claim() == []
    assert rows.store.queue.due(NOW) == 0
    assert rows.store.queue.given_up() == 1


def test_a_claim_that_came_to_nothing_stays_unknown(rows):
    """An unknown outcome whose searcher died is unknown still, not a fresh effect to be sent."""
    task = held_by(rows, "performing")
    rows.store.queue.expire(alone=True)
    [again] = rows.claim()
    rows.set(again.key, lease_epoch=1.0)
    rows.store.queue.expire()
    assert rows.state(task.key) == "unknown"


@pytest.mark.parametrize("state", STATES)
def test_a_person_may_have_given_up_effects_performed_again(rows, state):
    """Held, failed and unknown ones wait again from the start; others are left as they are."""
    key = rows.add(state=state, attempts=8)
    allowed = state in {"held", "failed", "unknown"}
    assert rows.store.queue.again(key) is allowed
    assert rows.state(key) == ("pending" if allowed else state)
    if allowed:
        assert "pending" in TRANSITIONS[state]
        assert rows.row(key).attempts == 0


def test_a_move_waits_for_the_messages_other_effects(rows):
    """Filed last: not while another effect of the mail is open, but when it is done or given up."""
    move, other = rows.add("move"), rows.add("notify")
    strange = rows.add("move", message=2)
    assert [task.key for task in rows.claim("move")] == [strange]
    [task] = rows.claim("notify")
    assert rows.claim("move") == []
    rows.store.queue.finish([Finished(task, "held", "brake")], NOW)
    assert [task.key for task in rows.claim("move")] == [move]
    assert other == task.key


def test_backoff_and_the_calendar_let_effects_wait(rows):
    """A pending effect is not due before its backoff, nor before its calendar time."""
    task = held_by(rows, "claimed")
    rows.store.queue.finish([Finished(task, "pending", "later", wait_seconds=100)], NOW)
    rows.add(at="2024-03-01T00:00:00+00:00")
    assert rows.claim() == []
    rows.set(task.key, not_before_epoch=0.0)
    assert [one.key for one in rows.claim()] == [task.key]


def test_a_node_that_ends_in_good_order_gives_back(rows):
    """What it had claimed and not begun is free at once."""
    task = held_by(rows, "claimed")
    rows.store.queue.give_back([task.token])
    assert rows.state(task.key) == "pending"


def test_the_brake_counts_each_address(rows):
    """Mails of the last hour to one address, from one mailbox, each once; another address has its own count."""
    for _ in range(3):
        rows.add()
    tasks = rows.claim("notify")
    assert rows.store.queue.sent_lately("registry", 3600) == {}
    rows.store.queue.finish([Finished(task, "done") for task in tasks], NOW)
    assert rows.store.queue.sent_lately("registry", 3600) == {f"a{n}@x.example": 1 for n in (1, 2, 3)}
    assert rows.store.queue.sent_lately("registry", 3600) == {f"a{n}@x.example": 1 for n in (1, 2, 3)}
    assert rows.store.queue.sent_lately("other", 3600) == {}
    rows.set(tasks[0].key, done_epoch=1.0)
    fresh = queue_file.Queue(rows.store._db)
    assert fresh.sent_lately("registry", 3600) == {"a2@x.example": 1, "a3@x.example": 1}


def test_an_idle_service_sees_at_a_glance_that_nothing_is_due(rows):
    """Nothing, the future, and what a person must settle are no work; what is due or was left by a dead node is."""
    queue = rows.store.queue
    assert not queue.anything(NOW)
    rows.add(at="2024-03-01T00:00:00+00:00")
    rows.add(state="held")
    rows.add(state="unknown", lease_epoch=0.0)
    assert not queue.anything(NOW)
    task = held_by(rows, "performing")
    assert not queue.anything(NOW)
    rows.set(task.key, lease_epoch=1.0)
    assert queue.anything(NOW)
    queue.expire()
    assert queue.anything(NOW)
    assert queue.anything("2024-03-02T00:00:00+00:00")
