"""Carrying a document over ends in exactly one outcome, and nothing is handed over twice."""

import pytest

from mailrouter.core.register import Entry
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.registers import Document, Handed, Unproven, carry_over

DOCUMENT = Document("k1", Entry("incoming", "Letter", "5", "5-4", "5-4/22-1"), "registry")


class Recorded:
    """A mirror that does as it is told and remembers the order of things."""

    needed_seconds = 1.0

    def __init__(self, trace="not there", prepare=None, hand_over=None):
        self.done, self._trace, self._prepare, self._hand_over = [], trace, prepare, hand_over

    def begin(self):
        self.done.append("begin")
        return True

    def prepare(self, document):
        self.done.append("prepare")
        if self._prepare:
            raise self._prepare

    def trace(self, document):
        self.done.append("trace")
        return self._trace

    def hand_over(self, document):
        self.done.append("hand over")
        if self._hand_over:
            raise self._hand_over
        return Handed("D-17")


def test_handed_over_once_after_everything_that_may_fail():
    """What may fail is tried first; the claim is committed just before the command."""
    mirror = Recorded()
    ended = carry_over(mirror, DOCUMENT, recovering=False, begin=mirror.begin)
    assert (ended.state, ended.result) == ("done", {"reference": "D-17"})
    assert mirror.done == ["prepare", "begin", "hand over"]


@pytest.mark.parametrize(
    ("trace", "state", "again"),
    [("there", "done", False), ("nobody knows", "unknown", False), ("not there", "done", True)],
)
def test_after_a_crash_its_trace_decides(trace, state, again):
    """Only what is proven not to have arrived is handed over again."""
    mirror = Recorded(trace)
    ended = carry_over(mirror, DOCUMENT, recovering=True, begin=mirror.begin)
    assert (ended.state, ended.final) == (state, trace == "nobody knows")
    assert ("hand over" in mirror.done) is again


@pytest.mark.parametrize(
    ("error", "state"), [(Unproven("?"), "unknown"), (Temporary("later"), "pending"), (Permanent("no"), "failed")]
)
def test_errors_have_their_outcome(error, state):
    """No answer is unknown, not reached is tried again, refused is for a person."""
    mirror = Recorded(hand_over=error)
    assert carry_over(mirror, DOCUMENT, recovering=False, begin=mirror.begin).state == state


def test_what_cannot_be_prepared_is_not_begun():
    """A missing folder is told before anything is committed."""
    mirror = Recorded(prepare=Permanent("no folder"))
    assert carry_over(mirror, DOCUMENT, recovering=False, begin=mirror.begin).error == "no folder"
    assert mirror.done == ["prepare"]


def test_lost_claim_hands_nothing_over():
    """Another node owns it now."""
    mirror = Recorded()
    assert carry_over(mirror, DOCUMENT, recovering=False, begin=lambda: False) is None
    assert mirror.done == ["prepare"]
