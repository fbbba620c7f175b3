"""Three nodes on one PostgreSQL: one killed, one stopped past its lease and woken; nothing lost, nothing twice.

A short form of `make chaos`.
"""

import os
import signal

import crash_runs
import pytest

LEASE = 2.0


def finish(run, pids: list[int]) -> None:
    """Wait for the nodes, and let one more look after what they left."""
    for pid in pids:
        run.forks.wait(pid)
    run.until_quiet(serve=True)


def test_a_killed_node_is_taken_over(nodes, chance):
    """One of three nodes is killed in the middle; the others go on within its lease."""
    run = nodes(lease_seconds=LEASE)
    killed = run.start(serve=True, step="after settling", count=chance.randrange(3, 20))
    others = [run.start(serve=True) for _ in range(2)]
    finish(run, [killed, *others])
    run.check()


@pytest.mark.parametrize(
    ("step", "count"),
    [("after begin", 2), ("before append", 2), ("after settling", 5)],
    ids=lambda value: str(value).replace(" ", "-"),
)
def test_a_stopped_node_wakes_after_its_lease(nodes, step, count):
    """A node stopped past its lease does nothing late when it wakes: what it held was taken over."""
    run = nodes(lease_seconds=LEASE)
    sleeper = run.start(serve=True, step=step, count=count, number=signal.SIGSTOP)
    assert crash_runs.stopped(sleeper), "the step was never reached"
    others = [run.start(serve=True) for _ in range(2)]
    for other in others:
        run.forks.wait(other)  # each ends when nothing waits: all that the sleeper held was taken over
    os.kill(sleeper, signal.SIGCONT)
    finish(run, [sleeper])
    run.check()
