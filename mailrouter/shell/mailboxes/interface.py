"""What the service asks of a mailbox; one file per protocol beside this one.

Invariant: a UID is only used together with the UIDVALIDITY it was seen under. Every method raises `Temporary` or
`Permanent` and nothing else; one connection belongs to one thread.
"""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from mailrouter.shell.errors import Temporary


class EpochChanged(Temporary):
    """The folder has another UIDVALIDITY than the UIDs were seen under: they mean nothing any more; poll again."""


def in_time(not_after: float) -> None:
    """Temporary if the time up to which an append may begin has passed."""
    if time.monotonic() > not_after:
        raise Temporary("the lease ended before the command began: another node may have taken over")


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder as the server shows it now."""

    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail as it lies there. `raw` is its bytes, or only its headers when `size` is over the limit (`whole` False)."""

    uid: int
    received: datetime  # INTERNALDATE, with offset
    size: int
    flags: tuple[str, ...]
    raw: bytes
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one UID: moved (with the new UID if the server told), gone (not there), or unknown."""

    uid: int
    outcome: Literal["moved", "gone", "unknown"]
    new_uid: int | None = None


class MailboxConnection(Protocol):
    """An open mailbox."""

    def state(self, folder: str) -> FolderState:
        r"""Select the folder and tell its state; Permanent if it does not exist."""
        ...

    def uids(self, folder: str, uidvalidity: int, after: int = 0) -> list[int]:
        """The UIDs above `after`, ascending (filtered here: `n:*` returns the last one even when it is below n)."""
        ...

    def last_uid_before(self, folder: str, uidvalidity: int, day: date) -> int:
        """The highest UID of the mails that came before that day (INTERNALDATE), 0 if none did."""
        ...

    def fetch(self, folder: str, uidvalidity: int, uids: Sequence[int], size_limit: int) -> Iterator[Fetched]:
        r"""The mails of these UIDs, without setting \Seen; those not there any more are left out."""
        ...

    def append(
        self,
        folder: str,
        raw: bytes,
        flags: Sequence[str] = (),
        received: datetime | None = None,
        not_after: float = math.inf,
    ) -> int | None:
        """Append; the new UID if the server tells it (APPENDUID).

        `not_after`: the monotonic time after which it may not begin (Temporary): a node that was stopped in the middle
        must not do late what another has taken over.
        """
        ...

    def move(self, folder: str, uidvalidity: int, uids: Sequence[int], target: str) -> list[Moved]:
        r"""Move in one command (RFC 6851), else COPY + \Deleted + UID EXPUNGE; the target is made if it is not there.

        One `Moved` for each UID asked for. "gone": it is not in the folder, and this command did not move it.
        """
        ...

    def remove(self, folder: str, uidvalidity: int, uid: int) -> bool:
        """Delete one mail; True only if its removal is proven (it was there and is not any more)."""
        ...

    def flag(self, folder: str, uidvalidity: int, uids: Sequence[int], flags: Sequence[str]) -> None:
        """Add flags; keywords that the server does not keep are left out silently by it."""
        ...

    def find(self, folder: str, message_id: str) -> list[int]:
        """UIDs of the mails in the folder whose Message-ID is exactly this."""
        ...

    def find_references(self, folder: str, message_id: str) -> list[int]:
        """UIDs of the mails in the folder whose In-Reply-To or References name this Message-ID."""
        ...

    def special(self, use: Literal["drafts", "sent"]) -> str:
        """The folder of that special use (RFC 6154), else the configured name, made if it is not there."""
        ...

    def ensure(self, folder: str) -> None:
        """Make the folder if it is not there."""
        ...

    def idle(self, folder: str, seconds: float, stop: threading.Event) -> bool:
        """Wait until new mail is told (True), `seconds` pass or `stop` is set (False). Server without IDLE: waits.

        New is what came after `state` or `uids` last looked at the folder on this connection; what came before the
        connection's first look is not told. `stop` is seen within half a second.
        """
        ...

    def close(self) -> None:
        """Log out; never raises."""
        ...
