"""Hands entries over to other register systems.

Invariant: a mirror's adapter says whether repeating is safe; an append into a folder that the other system empties is
never repeated (see registers/).
"""

from collections.abc import Sequence

from mailrouter.shell.performers.interface import Desk, Outcome, Tell
from mailrouter.shell.store.queue import Task


class Handing:
    """Kind `hand_over`."""

    kinds: tuple[str, ...] = ("hand_over",)

    def perform(self, tasks: Sequence[Task], desk: Desk, tell: Tell) -> None:
        """See interface.py."""
        raise NotImplementedError
