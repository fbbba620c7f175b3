"""The commands by name: what is listed stands here, and a command's module is loaded when it is chosen.

Invariant: a command's words in the list are those of its own help; a test compares.
"""

from importlib import import_module, metadata
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class _Listed(NamedTuple):
    """A command or a group of them: its name, its module, and what the list says of it."""

    name: str
    module: str
    words: str


_COMMANDS = (
    _Listed("demo", "demo", "A local IMAP server and SMTP sink, the sample mails, the service on them. Nothing leaves the machine."),
    _Listed("run", "service", "The service: polls the mailboxes and performs what was decided, until SIGTERM; SIGHUP rereads the settings."),
    _Listed("status", "service", "Mailboxes, proof of life, reconciled counts, queue, deadlines. Reads only the store."),
    _Listed("read", "reading", "Read mails to the bottom: chain, letters, orders. Works without any settings; never fails on a message."),
    _Listed("explain", "reading", "What the working copy of the rules would do with a mail, and why; nothing is performed."),
    _Listed("check", "rules", "Settings, rules, templates, directory and the rules' own examples; every problem at once."),
    _Listed("backtest", "rules", "The same cases under the published and the given rules: what would change. Exits 1 if anything does."),
    _Listed("schema", "rules", "JSON Schema, for completion and hover in editors."),
    _Listed("describe", "rules", "The reference: what every condition, action or setting means."),
    _Listed("rules", "rules", "Versions of the rules: the published one decides."),
    _Listed("messages", "messages", "The ledger of mails: what happened to each, and why."),
    _Listed("drafts", "drafts", "Drafts that wait for a person. Approving records; the service sends."),
    _Listed("register", "register", "The register."),
)  # fmt: skip


class _Later(TyperCommand):
    """A command as the list shows it; chosen, it gives place to the real one."""

    def __init__(self, listed: _Listed) -> None:
        super().__init__(listed.name, help=listed.words)
        self._module = listed.module

    def real(self) -> Any:
        """The command itself."""
        chosen = typer.Typer(add_completion=False)
        chosen.callback()(_nothing)  # a group, whatever is in it
        import_module(f"mailrouter.cli.{self._module}").add_to(chosen)
        return typer.main.get_group(chosen).commands[str(self.name)]

    def make_context(self, *args: Any, **more: Any) -> Any:
        """The context of the command itself."""
        return self.real().make_context(*args, **more)


class _Commands(TyperGroup):
    """The list of commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for listed in _COMMANDS:
            self.add_command(_Later(listed))


def _nothing() -> None:
    """Do nothing: the commands do."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailrouter {metadata.version('mailrouter')}")
        raise typer.Exit


app = typer.Typer(
    cls=_Commands,
    name="mailrouter",
    help="The mail room of a ministry: reads, registers, forwards, drafts, watches deadlines.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, hidden=True)] = False,
) -> None:
    """See `help` above."""
