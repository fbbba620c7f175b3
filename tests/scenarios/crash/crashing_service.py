"""Services that kill or stop themselves at a named step, forked from one process that has loaded everything.

Reads commands on stdin, one JSON object a line, and answers each with one line:

    {"config": DIR, "log": FILE, "serve": bool, "expected": N, "step": "before|after NAME", "count": K, "signal": 9}
        → {"pid": P}; `serve` runs the threads as `mailrouter run` does, else `run --once` is repeated until quiet
    {"wait": P} → {"status": S}: negative for a signal, as subprocess has it

Invariant: a service ends when nothing waits any more and `expected` mails were seen, and at the latest with us.
"""

import contextlib
import ctypes
import functools
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from mailrouter import bootstrap
from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.shell import log, smtp
from mailrouter.shell.errors import Temporary
from mailrouter.shell.mailboxes.imap import ImapConnection
from mailrouter.shell.node import alone
from mailrouter.shell.pipeline import Pipeline
from mailrouter.shell.store.intake import Intake
from mailrouter.shell.store.leases import Leases
from mailrouter.shell.store.queue import Queue
from mailrouter.shell.store.settlement import Settler
from mailrouter.shell.store.store import Store
from mailrouter.shell.store.versions import Versions

POINTS: dict[str, tuple[Any, str]] = {
    "publish": (Versions, "publish"),
    "lease": (Leases, "take"),
    "begin_epoch": (Intake, "begin_epoch"),
    "see": (Intake, "see"),
    "fetch": (ImapConnection, "fetch"),
    "read": (Pipeline, "_read"),
    "settling": (Settler, "_settle"),  # inside the transaction
    "settle": (Settler, "settle"),
    "healthy": (Intake, "healthy"),
    "claim": (Queue, "claim"),
    "begin": (Queue, "begin"),
    "begin_many": (Queue, "begin_many"),
    "hand-over": (smtp._Delivery, "_data"),
    "append": (ImapConnection, "append"),
    "find": (ImapConnection, "find"),
    "remove": (ImapConnection, "remove"),
    "ensure": (ImapConnection, "ensure"),
    "move": (ImapConnection, "move"),
    "flag": (ImapConnection, "flag"),
    "finish": (Store, "finish"),
    "finishing": (Queue, "finish_in"),  # inside the transaction
}


class ReadHere:
    """Reads in this process: forked services have the word lists already, and their children would load them again."""

    def read_many(self, mails):
        for raw in mails:
            yield read(raw, Limits())

    def read(self, raw):
        return read(raw, Limits())

    def close(self) -> None:
        """Nothing to end."""


def arm(step: str, count: int, number: int) -> None:
    """Send ourselves the signal at the `count`-th time that the step is reached."""
    when, name = step.split(" ")
    owner, attribute = POINTS[name]
    plain = getattr(owner, attribute)
    calls = [0]

    def strike(now: str) -> None:
        if when == now and calls[0] == count:
            signal.pthread_kill(threading.get_ident(), number)  # this very thread, so that it does nothing more

    if name == "hand-over":

        @functools.wraps(plain)
        async def watched(*args, **kwargs):
            calls[0] += 1
            strike("before")
            result = await plain(*args, **kwargs)
            strike("after")
            return result

    else:

        @functools.wraps(plain)
        def watched(*args, **kwargs):
            calls[0] += 1
            strike("before")
            result = plain(*args, **kwargs)
            strike("after")
            return result

    setattr(owner, attribute, watched)


def seen(app: bootstrap.App) -> int:
    """How many mails are in the ledger."""
    return sum(sum(states.values()) for states in app.store.intake.counts().values())


def serve(app: bootstrap.App, expected: int) -> None:
    """The service with its threads, until nothing waits."""
    service = app.service()
    service.start()
    calm = 0
    while calm < 2:
        time.sleep(0.05)
        with contextlib.suppress(Temporary):  # the database may be gone for a while
            calm = calm + 1 if seen(app) >= expected and service.quiet() else 0
    service.stop()


def repeat(app: bootstrap.App, expected: int) -> None:
    """`run --once` until nothing waits."""
    for _ in range(200):
        service = app.service()
        if service.run_once() != 3 and seen(app) >= expected and service.quiet():
            return
    raise RuntimeError("not quiet after 200 runs")


def work(order: dict[str, Any]) -> None:
    """One service, in its own process."""
    os.environ.update(order.get("environment", {}))
    if order.get("step"):
        arm(order["step"], order.get("count", 1), order.get("signal", signal.SIGKILL))
    app = bootstrap.app(Path(order["config"]))
    log.configure("json")
    if not order.get("children"):
        app._reader = ReadHere()
    with alone(app.store.path):
        if order.get("serve"):
            serve(app, order["expected"])
        else:
            repeat(app, order["expected"])
    app.close()


def forked(order: dict[str, Any], parent: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: we never outlive the tests
        if os.getppid() != parent:
            os._exit(0)
        out = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 2)
        os.dup2(out, 1)
        work(order)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def main() -> None:
    """Answer commands until stdin ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    read(b"Subject: warming\n\nThe first mail loads the language model and the word lists.\n", Limits())
    print(json.dumps({"ready": True, "points": list(POINTS)}), flush=True)
    for text in sys.stdin:
        order = json.loads(text)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = {"status": os.waitstatus_to_exitcode(status)}
        else:
            answer = {"pid": forked(order, os.getpid())}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
