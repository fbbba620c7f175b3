"""The two errors of the shell: try again later, or ask a person now.

Invariant: an unknown error is temporary. A message names the thing and the remedy, and no body, secret or private
person's address.
"""


class Temporary(Exception):  # noqa: N818 - named for what it says, not for being an error
    """It may work later: backoff with jitter, then a person."""


class Permanent(Exception):  # noqa: N818 - as above
    """It will not work by itself: a person now."""
