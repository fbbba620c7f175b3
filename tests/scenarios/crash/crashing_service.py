"""The service in a process of its own that kills itself at a named step, or runs until it is quiet.

Usage: crashing_service.py CONFIG [STEP COUNT]; STEP is "before NAME" or "after NAME" of POINTS.
"""

import functools
import os
import signal
import sys
from pathlib import Path

from mailrouter import bootstrap
from mailrouter.shell import smtp
from mailrouter.shell.mailboxes.imap import ImapConnection
from mailrouter.shell.store.intake import Intake
from mailrouter.shell.store.queue import Queue
from mailrouter.shell.store.settlement import Settler
from mailrouter.shell.store.store import Store

POINTS = {
    "begin_epoch": (Intake, "begin_epoch"),
    "see": (Intake, "see"),
    "fetch": (ImapConnection, "fetch"),
    "settle": (Settler, "settle"),
    "claim": (Queue, "claim"),
    "begin": (Queue, "begin"),
    "begin_many": (Queue, "begin_many"),
    "send": (smtp, "_handed_over"),
    "append": (ImapConnection, "append"),
    "find": (ImapConnection, "find"),
    "move": (ImapConnection, "move"),
    "flag": (ImapConnection, "flag"),
    "finish": (Store, "finish"),
}


def arm(step: str, count: int) -> None:
    """Kill this process at the `count`-th time that the step is reached."""
    when, name = step.split(" ")
    owner, attribute = POINTS[name]
    if name == "send":
        _arm_send(when, count)
        return
    plain = getattr(owner, attribute)
    calls = [0]

    @functools.wraps(plain)
    def watched(*args, **kwargs):
        calls[0] += 1
        if when == "before" and calls[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
        result = plain(*args, **kwargs)
        if when == "after" and calls[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, attribute, watched)


def _arm_send(when: str, count: int) -> None:
    """Around the hand-over itself: the DATA command of a mail, and the server's answer to it."""
    plain = smtp._Delivery.run
    calls = [0]

    async def watched(self):
        calls[0] += 1
        if when == "before" and calls[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
        result = await plain(self)
        if when == "after" and calls[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    smtp._Delivery.run = watched


def main() -> None:
    """Run the service on the settings until nothing waits."""
    config = Path(sys.argv[1])
    if len(sys.argv) > 2:
        arm(sys.argv[2], int(sys.argv[3]))
    app = bootstrap.app(config)
    service = app.service()
    for _ in range(200):
        service.run_once()
        if service.quiet():
            break
    app.close()


if __name__ == "__main__":
    main()
