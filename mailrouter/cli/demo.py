"""`demo`."""

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the summary and exit when all is done.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="Where config, rules, templates and the store are written.", metavar="DIR"),
    ] = None,
) -> None:
    """A local IMAP server and SMTP sink, the sample mails, the service on them. Nothing leaves the machine."""
    try:
        from mailrouter.demo.run import demo as play  # noqa: PLC0415 - its servers are an optional extra
    except ImportError as error:
        typer.echo(f"mailrouter: the demo needs its servers ({error.name}): pip install 'mailrouter[demo]'", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(play(directory, once=once))
