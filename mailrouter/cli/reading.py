"""`read` and `explain`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mailrouter.bootstrap import plain_reader
from mailrouter.cli import shown
from mailrouter.cli.output import CONFIG, Config, Json, iso_date, line, opened, progress, say
from mailrouter.core.mail import as_json
from mailrouter.shell.reading import iter_paths

Paths = Annotated[
    list[str], typer.Argument(metavar="PATH…", help=".eml, .msg or .mbox files, directories, or - for standard input.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(read)
    app.command()(explain)


def read(
    paths: Paths,
    as_json_lines: Json = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="Settings, for the limits of reading.", metavar="DIR")
    ] = None,
) -> None:
    """Read mails to the bottom: chain, letters, orders. Works without any settings; never fails on a message."""
    failed = False
    with plain_reader(config) as reader:
        found = list(iter_paths(paths))
        with progress("reading", len(found), quiet=not as_json_lines) as step:
            readings = iter(reader.read_many(one.raw for one in found if one.raw is not None))
            for one in found:
                if one.raw is None:
                    failed = True
                    _unread(one.file, one.index, one.error, as_json_lines=as_json_lines)
                    continue
                reading = next(readings)
                if as_json_lines:
                    line(as_json(reading, one.file, one.index))
                else:
                    shown.reading(reading, one.file)
                step()
    raise typer.Exit(1 if failed else 0)


def explain(
    paths: Paths,
    config: Config = CONFIG,
    as_json_lines: Json = False,
    at: Annotated[
        str | None,
        typer.Option("--at", help="When the mail came and is decided (ISO); default: now.", callback=iso_date),
    ] = None,
) -> None:
    """What the working copy of the rules would do with a mail, and why; nothing is performed."""
    with opened(config) as application:
        ruleset = application.rulebook().working_ruleset()
        explainer = application.explainer(ruleset, datetime.fromisoformat(at) if at else None)
        failed = False
        for one in iter_paths(paths):
            if one.raw is None:
                failed = True
                _unread(one.file, one.index, one.error, as_json_lines=as_json_lines)
                continue
            reading = application.reader.read(one.raw)
            explained = explainer.explain(reading, explainer.around.now, one.file, one.index)
            if as_json_lines:
                line(explained)
            else:
                shown.explanation(explained)
    raise typer.Exit(1 if failed else 0)


def _unread(file: str, index: int, error: str | None, *, as_json_lines: bool) -> None:
    if as_json_lines:
        known = {"file": file, "index": index, "sha256": None, "error": error}
        line(
            {
                **known,
                "message": None,
                "forwarded": False,
                "incoming": None,
                "chain": [],
                "letters": [],
                "instruction": None,
            }
        )
    else:
        say(f"{file}: {error}", "red")
