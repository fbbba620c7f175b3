"""`run` and `status`."""

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailrouter.bootstrap import App, Refused
from mailrouter.bootstrap import app as load
from mailrouter.cli.output import CONFIG, Config, Json, day, line, opened, out, say, table
from mailrouter.shell import log
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.node import alone

if TYPE_CHECKING:
    from mailrouter.shell.scheduler import Service


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(status)


def run(
    config: Config = CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Poll every mailbox, perform what is due, exit.")] = False,
) -> None:
    """The service: polls the mailboxes and performs what was decided, until SIGTERM; SIGHUP rereads the settings."""
    application = load(config)
    log.configure(application.settings.log)
    with alone(application.store.path):
        if once:
            try:
                code = application.service().run_once()
            finally:
                application.close()
            raise typer.Exit(code)
        _serve(application)


def _serve(application: App) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP starts anew with new settings, or keeps the old ones and says why."""
    ended, reread = threading.Event(), threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    def again(_signal: int, _frame: FrameType | None) -> None:
        reread.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, again)
    service = _started(application)
    while not ended.wait(0.2):
        if reread.is_set():
            reread.clear()
            renewed = _renewed(application)
            if renewed is None:
                continue
            service.stop()
            application.close()
            application = renewed
            service = _started(application)
            log.event("service.settings_taken")
    service.stop()
    application.close()


def _renewed(application: App) -> App | None:
    """The application on the settings of now, its store and rules usable; None, and why, if the old ones are kept."""
    problems: list[str] = []
    try:
        renewed = load(application.folder)
    except Refused as refused:
        problems = [str(one) for one in refused.problems]
    else:
        if renewed.settings.store != application.settings.store:
            problems = ["store: another database needs a restart of the service"]
        else:
            try:
                renewed.rulebook().current()
            except (Permanent, Temporary) as error:
                problems = [str(error)]
                renewed.close()
    if problems:
        log.event("service.settings_kept", warning=True, problems=problems)
    return None if problems else renewed


def _started(application: App) -> "Service":
    application.rulebook().current()  # problems of the rules are said at once, not by each mailbox
    service = application.service()
    service.start()
    return service


def status(config: Config = CONFIG, as_json: Json = False) -> None:
    """Mailboxes, proof of life, reconciled counts, queue, deadlines. Reads only the store."""
    from mailrouter.shell.views import status as status_of  # noqa: PLC0415 - `run` needs no views

    with opened(config) as application:
        lines = status_of(application.store, application.settings, application.clock.now())
        notes = [*lines.notes, *_of_working_copy(application)]
    if as_json:
        for one in lines.mailboxes:
            line(one)
        return
    columns = (
        "mailbox",
        "state",
        "since",
        "last fetch",
        "seen",
        "settled",
        "held",
        "gone",
        "unaccounted",
        "pending",
        "failed",
        "unknown",
    )
    table(columns, [_row(one) for one in lines.mailboxes], "no mailbox was polled yet: 'mailrouter run --once'")
    for one in lines.mailboxes:
        if one["error"]:
            say(f"{one['mailbox']}: {one['error']}", "red")
    out.print()
    for text in notes:
        say(text)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    names = (
        "messages_seen",
        "messages_settled",
        "held",
        "gone",
        "unaccounted",
        "pending_effects",
        "failed_effects",
        "unknown_outcome",
    )
    state = one["state"] if one["polled"] else "not polled yet"
    return (one["mailbox"], state, day(one["since"]), one["last_fetch"], *(one[name] for name in names))


def _of_working_copy(application: App) -> list[str]:
    """What the administrator should know of the rules on disk."""
    try:
        differs = application.rulebook().differs()
    except Permanent as error:
        return [str(error)]
    return ["the rules' working copy differs from the version in force: 'mailrouter rules diff'"] if differs else []
