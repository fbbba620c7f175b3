"""The two errors of the shell: try again later, or ask a person now; and that settings have problems.

Invariant: an unknown error is temporary. A message names the thing and the remedy, and no body, secret or private
person's address.
"""

from collections.abc import Sequence

from mailrouter.core.outcomes import Problem


class Temporary(Exception):  # noqa: N818 - named for what it says, not for being an error
    """It may work later: backoff with jitter, then a person."""


class Permanent(Exception):  # noqa: N818 - as above
    """It will not work by itself: a person now."""


class Refused(Exception):  # noqa: N818 - as above
    """The settings have problems; every one of them. Nothing is begun."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
