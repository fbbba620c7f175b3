"""A progress bar on stderr for what takes long, where a person looks.

Invariant: nothing is shown where stderr is no terminal, or where there is little to do.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LITTLE = 500  # things; fewer are done before anybody wonders


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for the length of a block; yields what tells it that so many more are done."""
    if total < _LITTLE or not sys.stderr.isatty():
        yield lambda _more: None
        return
    from rich.console import Console  # noqa: PLC0415 - few polls show a bar
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda more: bar.advance(task, more)
