"""The demo: local servers, the sample mails one by one on their own days, the service on them.

Invariant: it is the service as `mailrouter run` has it; only the calendar and the other ends of the wires are the demo's.
"""

import contextlib
import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

import structlog
from rich.console import Console

from mailrouter import bootstrap
from mailrouter.demo import samples, show
from mailrouter.demo.servers import LocalServers
from mailrouter.demo.workspace import STORE, USER, NotOurs, Workspace, prepare, require_ours
from mailrouter.shell.errors import Permanent
from mailrouter.shell.node import alone
from mailrouter.shell.scheduler import Service

_FILE_WIDTH = 140  # characters
_ROUNDS = 20  # a mail that needs more polls than this never comes to rest


def demo(directory: Path | None, *, once: bool, console: Console | None = None) -> int:
    """Run the demo in `directory` (None: a new temporary one); `once` ends when all is done.

    The exit code: 0, 1 if something could not be done, 2 if the directory belongs to something else.
    """
    console = console or _console()
    home = (directory or Path(tempfile.mkdtemp(prefix="mailrouter-demo-"))).resolve()
    try:
        require_ours(home)
        with alone(str(home / STORE)):
            return _play(prepare(home), console, once=once)
    except (NotOurs, Permanent) as error:
        console.print(str(error), style="red", markup=False)
        return 2


def _play(work: Workspace, console: Console, *, once: bool) -> int:
    """The demo in a folder that is its own."""
    mails = samples.load(work.directory / "rules" / "samples") or samples.load(samples.shipped() / "rules" / "samples")
    with LocalServers(USER, work.password, work.sent) as servers, _logged_to(work.directory / "service.log"):
        work.write_settings(servers.imap_port, servers.smtp_port, mails[0].arrives)
        show.opening(console, work, servers.imap_port, servers.smtp_port)
        try:
            app = bootstrap.app(work.config)
        except bootstrap.Refused as error:
            console.print(str(error), style="red", markup=False)
            return 1
        try:
            service = app.service()
            worked = _deliver(console, app, service, servers, work, mails)
            _summary(console, app, servers, work, running=not once)
            if not once:
                _stay(service)
        finally:
            app.close()
    return 0 if worked else 1


@contextlib.contextmanager
def _logged_to(path: Path) -> Iterator[None]:
    """The service's log goes into a file meanwhile, so that what the demo shows stays readable."""
    before = structlog.get_config()
    with path.open("w", encoding="utf-8") as file:
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(file),
        )
        try:
            yield
        finally:
            structlog.configure(**before)


def _console() -> Console:
    """The terminal, of whatever encoding; into a file or pipe, lines long enough for tables."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=_FILE_WIDTH)


def _deliver(
    console: Console, app: bootstrap.App, service: Service, servers: LocalServers, work: Workspace, mails: Sequence[samples.Sample]
) -> bool:
    """Each mail on its day: what falls due before it is done first. Whether everything could be done."""
    worked = True
    known: set[int] = set()
    for sample in mails:
        app.clock.set(sample.arrives)
        work.write_settings(servers.imap_port, servers.smtp_port, sample.arrives)
        worked &= _rest(service)
        servers.deliver(sample.raw, sample.arrives)
        worked &= _rest(service)
        for mail in app.store.listing.messages():
            if mail.id not in known:
                known.add(mail.id)
                show.arrival(console, sample, mail, app.store.listing.case(mail.id))
                show.decision(console, mail)
    return worked


def _rest(service: Service) -> bool:
    """Poll and perform until nothing is left to do now."""
    for _ in range(_ROUNDS):
        if service.run_once() != 0:
            return False
        if service.quiet():
            return True
    return False


def _summary(console: Console, app: bootstrap.App, servers: LocalServers, work: Workspace, *, running: bool) -> None:
    drafts = app.store.drafts.all(("waiting",))
    mails = app.store.listing.messages()
    show.summary(console, app.store.registry.entries(), drafts, mails, servers.sent, servers.folders())
    show.further(console, work, drafts, mails, running=running)


def _stay(service: Service) -> None:
    """The service for good, until Ctrl-C or SIGTERM."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell ignores it for what it runs in the background
        signal.signal(ending, signal.default_int_handler)
    service.start()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        service.stop()
