"""What the demo prints: a mail, what was decided and why, what waits, how to look further.

Invariant: everything shown is read from the store, as `messages show`, `drafts list` and `register list` read it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from mailrouter.core.register import Entry
from mailrouter.core.rules import RuleTrace
from mailrouter.demo.samples import Sample
from mailrouter.demo.servers import Sent
from mailrouter.demo.workspace import Workspace
from mailrouter.shell.store.drafts import Draft
from mailrouter.shell.store.listing import Listed
from mailrouter.shell.store.settlement import TRACE

_LONGEST = 100  # characters of a mail's words that are quoted
_STATES = {"done": "green", "pending": "yellow", "performing": "yellow", "failed": "red", "unknown": "red", "held": "red"}


def opening(console: Console, work: Workspace, imap_port: int, smtp_port: int) -> None:
    """Where everything is."""
    lines = [
        f"IMAP server 127.0.0.1:{imap_port}, SMTP sink 127.0.0.1:{smtp_port}: nothing leaves this machine.",
        f"Settings, rules, templates and the store: {work.directory}. The store and the mailbox begin empty.",
    ]
    if work.kept:
        lines.append(f"Not as shipped, and kept: {', '.join(work.kept)}. Delete them to have the shipped ones.")
    console.print(Panel(escape("\n".join(lines)), title="mailrouter demo", border_style="blue"))


def arrival(console: Console, sample: Sample, mail: Listed) -> None:
    """The mail that came in, and what it is."""
    console.print()
    console.rule(f"[bold]{sample.arrives:%d.%m.%Y %H:%M}  {escape(mail.subject or '(no subject)')}", align="left")
    console.print(f"[dim]from[/] {escape(mail.sender or '(nobody)')}  [dim]{escape(sample.story)}[/]")


def decision(console: Console, mail: Listed) -> None:
    """Which rules matched on which words, or why a person must look; what was done."""
    for trace in TRACE.validate_json(mail.trace or "[]"):
        if trace.matched:
            console.print(f"[bold green]{escape(trace.rule)}[/] [dim]{escape(trace.file)}:{trace.line}[/]")
            _conditions(console, trace)
    if mail.hold:
        due = f", to be looked at by {_minute(mail.hold_due)}" if mail.hold_due else ""
        console.print(f"[bold yellow]held ({mail.hold})[/]{due}: {escape(mail.hold_reason or '')}")
    if mail.number:
        console.print(f"[bold]register[/] {escape(mail.number)}")
    if mail.effects:
        console.print(_effects(mail.effects))


def summary(
    console: Console, entries: Iterable[Entry], drafts: Sequence[Draft], held: Sequence[Listed], sent: Sequence[Sent],
    folders: Mapping[str, int],
) -> None:  # fmt: skip
    """The register, what waits for a person, what went out, where the mails lie."""
    console.print()
    console.rule("[bold]The register", align="left")
    console.print(_register(entries))
    console.rule("[bold]Waiting for a person", align="left")
    console.print(_drafts(drafts))
    for mail in held:
        console.print(f"[yellow]held[/] {(mail.sha256 or '')[:12]} {escape(mail.subject or '')}: {escape(mail.hold or '')}")
    console.rule("[bold]Went out by SMTP (kept by the sink)", align="left")
    console.print(_sent(sent))
    console.print("[dim]folders[/] " + ", ".join(f"{escape(name)} {count}" for name, count in sorted(folders.items())))


def further(console: Console, work: Workspace, drafts: Sequence[Draft], example: Listed | None, *, running: bool) -> None:
    """Commands to go on with."""
    config = f"--config {work.config}"
    lines = [
        f"mailrouter messages list {config}",
        f"mailrouter messages show {(example.sha256 or '')[:12] if example else 'DIGEST'} {config}     why, and why not",
        f"mailrouter drafts list {config}",
        f"mailrouter register list {config}",
        f"mailrouter status {config}",
        f"mailrouter explain {work.directory / 'rules' / 'samples' / 'global-alliance.eml'} {config}",
        f"mailrouter check {config}",
    ]
    answer = next((draft for draft in drafts if draft.answers), None)
    if answer is not None:
        lines.append(f"mailrouter drafts approve {answer.id} --as 'Katarina Budrik' {config}")
    if running:
        lines.append("The service is running: an approved draft is sent, registered, and closes its letter. Ctrl-C ends the demo.")
    else:
        lines.append(
            "The servers end with this command: approving is recorded, but sending needs a demo left running "
            f"(mailrouter demo --dir {work.directory}, which begins anew)."
        )
    console.print(Panel(escape("\n".join(lines)), title="Look further", border_style="blue"))


def _conditions(console: Console, trace: RuleTrace) -> None:
    for condition in trace.conditions:
        mark = "[green]✓[/]" if condition.matched else "[dim]·[/]"
        console.print(f"  {mark} {escape(condition.condition)}: {escape(_short(condition.found))}", highlight=False)


def _effects(effects: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 2), show_header=False)
    for effect in effects:
        payload = effect["payload"] or {}
        color = _STATES.get(effect["state"], "white")
        table.add_row(effect["kind"], f"[{color}]{effect['state']}[/]", escape(_target(payload)), escape(_subject(payload)))
    return table


def _target(payload: Mapping[str, Any]) -> str:
    if payload.get("folder"):
        return f"→ {payload['folder']}"
    if payload.get("to"):
        return "→ " + ", ".join(str(one["address"] or one["name"]) for one in payload["to"])
    if payload.get("flags"):
        return " ".join(payload["flags"])
    return ""


def _subject(payload: Mapping[str, Any]) -> str:
    at = f" at {_minute(payload['at'])}" if payload.get("at") else ""
    purpose = f"{payload['purpose']}: " if payload.get("purpose") else ""
    return purpose + str((payload.get("content") or {}).get("subject") or "") + at


def _register(entries: Iterable[Entry]) -> Table:
    table = Table(box=None, padding=(0, 2))
    for head in ("number", "registered", "title", "from", "access", "due", "state"):
        table.add_column(head, style="bold" if head == "number" else "")
    for entry in entries:
        sender = entry.sender.name if entry.sender else ", ".join(one.name for one in entry.recipients)
        row = (entry.number or "", _day(entry.registered), entry.title, sender, entry.access, _day(entry.due), entry.state)
        table.add_row(*map(escape, row))
    return table


def _drafts(drafts: Sequence[Draft]) -> Table:
    table = Table(box=None, padding=(0, 2))
    for head in ("draft", "purpose", "to", "subject", "closes", "needs"):
        table.add_column(head)
    for draft in drafts:
        to = ", ".join(one.address or one.name for one in draft.content.to)
        row = (str(draft.id), draft.content.purpose, to, draft.content.content.subject, draft.answers or "")
        table.add_row(*map(escape, row), escape(", ".join(draft.content.needs)))
    return table


def _sent(sent: Sequence[Sent]) -> Table:
    table = Table(box=None, padding=(0, 2), show_header=False)
    for mail in sent:
        table.add_row(mail.path.name, escape("→ " + ", ".join(mail.recipients)), escape(mail.subject))
    return table


def _short(found: Any) -> str:
    text = " ".join((", ".join(map(str, found)) if isinstance(found, list | tuple) else str(found)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _day(text: str | None) -> str:
    return f"{date.fromisoformat(text[:10]):%d.%m.%Y}" if text else ""


def _minute(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%d.%m.%Y %H:%M}" if text else ""
