"""The service killed with SIGKILL in the middle of its work: nothing lost, nothing twice.

A short form of `make chaos`, which tries every step and 200 random moments.
"""

import pytest

STEPS = [
    ("after see", 1),
    ("after settling", 7),
    ("after settle", 1),
    ("before hand-over", 7),
    ("after append", 3),
    ("after move", 1),
]


@pytest.mark.parametrize(("step", "count"), STEPS, ids=lambda value: str(value).replace(" ", "-"))
def test_killed_at_a_step(killed, step, count):
    """Killed there and started again, the service ends with each mail handled once."""
    assert killed.killed_at(step, count), "the step was never reached"
    killed.until_quiet()
    killed.check()


def test_killed_when_the_server_has_taken_a_mail_and_not_said_so(killed):
    """Nobody knows whether that forward went out: it is shown, and not sent again."""
    assert killed.killed_when_stored(5)
    killed.until_quiet()
    assert killed.check() == {"sent": 20, "unknown": 1}


@pytest.mark.parametrize("serve", [False, True], ids=["once", "service"])
def test_killed_at_moments(killed, chance, serve):
    """Killed at any two moments, the same holds; once with the threads, and the reading children, of the service."""
    killed.killed_after(chance.uniform(0.3, 1.2), serve=serve, children=serve)
    killed.killed_after(chance.uniform(0.3, 1.2), serve=serve)
    killed.until_quiet(serve=serve)
    killed.check()


def test_killed_while_approved_answers_are_sent(killed):
    """Each answer goes out once or is shown as unknown, under its own number; no copy is left in Drafts."""
    killed.until_quiet()
    killed.approve()
    assert killed.killed_at("after remove", 3)
    assert killed.killed_at("after hand-over", 2)
    killed.until_quiet()
    counts = killed.check(approved=True)
    assert counts["unknown"] == 2
