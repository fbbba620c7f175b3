"""The service killed with SIGKILL in the middle of its work: nothing lost, nothing twice.

A short form of `make chaos`, which tries every step and 200 random moments.
"""

import pytest

STEPS = [
    ("after see", 1),
    ("before settle", 1),
    ("after settle", 1),
    ("before send", 7),
    ("after send", 12),
    ("after append", 3),
    ("after move", 1),
    ("before finish", 9),
]


@pytest.mark.parametrize(("step", "count"), STEPS, ids=lambda value: str(value).replace(" ", "-"))
def test_killed_at_a_step(killed, step, count):
    """Killed there and started again, the service ends with each mail handled once."""
    assert killed.at_step(step, count), "the step was never reached"
    killed.until_quiet()
    killed.check()


@pytest.mark.parametrize("moment", [1.9, 2.6])
def test_killed_at_a_moment(killed, moment):
    """Killed at any moment, twice, the same holds."""
    killed.after(moment)
    killed.after(moment + 0.3)
    killed.until_quiet()
    killed.check()
