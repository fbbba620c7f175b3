"""What commands print: JSON Lines on stdout, tables for people, progress on stderr.

Invariant: with `--json` nothing but JSON Lines is on stdout.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailrouter.bootstrap import App
from mailrouter.bootstrap import app as build

Config = Annotated[Path, typer.Option("--config", help="The folder of settings.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout, and nothing else there.")]
As = Annotated[str, typer.Option("--as", help="Who says so; it is recorded, it proves nothing.", metavar="NAME")]
Limit = Annotated[int | None, typer.Option(help="At most so many.", min=1, max=2**31 - 1)]
LARGEST_ID = 2**63 - 1  # of a row in either database
CONFIG = Path("config")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def opened(config: Path) -> Iterator[App]:
    """The application, closed afterwards."""
    app = build(config)
    try:
        yield app
    finally:
        app.close()


def line(data: Mapping[str, Any]) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """A table for people; cells are text, whatever they hold."""
    if not rows:
        out.print(empty)
        return
    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    Console(highlight=False, width=None if out.is_terminal else 180).print(shown)


def say(text: str, style: str = "") -> None:
    """A line for people; mail text in it is never read as markup."""
    out.print(Text(text, style=style))


def day(value: str | None) -> str:
    """An ISO time as registers print it: 29.02.2024."""
    try:
        return datetime.fromisoformat(value).strftime("%d.%m.%Y") if value else ""
    except ValueError:
        return value or ""


def iso_date(value: str | None) -> str | None:
    """Callback of an option: an ISO date or date-time, else wrong use."""
    try:
        datetime.fromisoformat(value or "2000-01-01")
    except ValueError as error:
        raise typer.BadParameter(f"'{value}' is no ISO date, such as 2024-03-29") from error
    return value


def reason(value: str) -> str:
    """Callback of an option: words that say why, else wrong use."""
    if not value.strip():
        raise typer.BadParameter("say why in a few words; they are recorded")
    return value.strip()


def who(given: str | None) -> str:
    """The name to record: as given, else the login's."""
    return given or os.environ.get("USER") or os.environ.get("LOGNAME") or "unknown"


@contextmanager
def progress(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Any]:
    """A progress bar on stderr; yields a function to call for each step."""
    if quiet or not err.is_terminal:
        yield lambda: None
        return
    from rich.progress import (  # noqa: PLC0415 - few commands take long enough
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err, transient=True
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
