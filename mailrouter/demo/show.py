"""What the demo prints: a mail, what was decided and why, what waits, how to look further.

Invariant: everything shown is read from the store, as `messages show`, `drafts list` and `register list` read it.
"""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from mailrouter.core.case import Case
from mailrouter.core.letter.letters import Letter
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


def arrival(console: Console, sample: Sample, mail: Listed, case: Case | None) -> None:
    """The mail that came in, and what was read from it."""
    console.print()
    console.rule(f"[bold]{sample.arrives:%d.%m.%Y %H:%M}  {escape(mail.subject or '(no subject)')}", align="left")
    console.print(sample.story, style="dim", markup=False)
    console.print(f"[dim]from[/] {escape(mail.sender or '(nobody)')}", highlight=False)
    if case is None:
        return
    words = " ".join(case.message.text.split())
    if words:
        _fact(console, "says", f"“{_short(words)}”")
    if case.incoming is not None and case.incoming.index >= 0 and case.incoming.author is not None:
        _fact(console, "wrote to us", f"{case.incoming.author.name} <{case.incoming.author.address or ''}>")
    for letter in case.letters:
        _fact(console, "letter", _letter(letter))
    for signer in dict.fromkeys(signer for attachment in case.attachments for signer in attachment.signers):
        _fact(console, "signed by", f"{signer.name} ({signer.status})")


def _program() -> str:
    """How this command was called, so that the printed ones can be called the same way."""
    called = Path(sys.argv[0])
    if called.name != "mailrouter" or shutil.which("mailrouter") == str(called):
        return "mailrouter"
    return str(_shown(called))


def _shown(path: Path) -> Path:
    """A path as short as it can be called from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _fact(console: Console, name: str, value: str) -> None:
    console.print(f"[dim]{name}[/] {escape(value)}", highlight=False)


def _letter(letter: Letter) -> str:
    author = letter.author.name or letter.author.institution or "?"
    addressee = letter.addressee.name or letter.addressee.role or letter.addressee.institution
    parts = [
        f"{author} to {addressee}" if addressee else author,
        f"no {letter.reference}" if letter.reference else "",
        _day(letter.dated),
        letter.marking or "",
        f"asks to {', '.join(dict.fromkeys(ask.kind for ask in letter.asks))}" if letter.asks else "",
        f"by {_day(letter.deadline)}" if letter.deadline else "",
        f"answer to {letter.reply_to}" if letter.reply_to else "",
    ]
    return "; ".join(part for part in parts if part)


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
        _effects(console, mail.effects)


def summary(
    console: Console, entries: Iterable[Entry], drafts: Sequence[Draft], mails: Sequence[Listed], sent: Sequence[Sent],
    folders: Mapping[str, int],
) -> None:  # fmt: skip
    """The register, what waits for a person, what went out, where the mails lie."""
    console.print()
    console.rule("[bold]The register", align="left")
    _register(console, entries)
    console.rule("[bold]Waiting for a person", align="left")
    _drafts(console, drafts)
    for mail in mails:
        if mail.state == "held":
            _waits(console, mail, f"held, {mail.hold}")
        for effect in mail.effects:
            if effect["state"] in {"failed", "unknown", "held"}:
                _waits(console, mail, f"{effect['kind']} {effect['state']}, {effect['error']}")
    console.rule("[bold]Went out by SMTP, to the sink alone", align="left")
    _sent(console, sent)
    console.print("[dim]folders[/] " + ", ".join(f"{escape(name)} {count}" for name, count in sorted(folders.items())))


def _waits(console: Console, mail: Listed, why: str) -> None:
    console.print(f" {(mail.sha256 or '')[:12]}  {escape(mail.subject or '')}: [yellow]{escape(why)}[/]", highlight=False)


def further(console: Console, work: Workspace, drafts: Sequence[Draft], mails: Sequence[Listed], *, running: bool) -> None:
    """Commands to go on with."""
    program, directory = _program(), _shown(work.directory)
    config = f"--config {directory / 'config'}"
    example = next(((mail.sha256 or "")[:12] for mail in mails if mail.rules), "DIGEST")
    lines = [
        f"{program} messages list {config}",
        f"{program} messages show {example} {config}  # why, and why not",
        f"{program} drafts list {config}",
        f"{program} register list {config}",
        f"{program} status {config}",
        f"{program} explain {directory / 'rules' / 'samples' / 'global-alliance.eml'} {config}",
        f"{program} check {config}",
    ]
    answer = next((draft for draft in drafts if draft.answers), None)
    if answer is not None:
        lines.append(f"{program} drafts approve {answer.id} --as 'Katarina Budrik' {config}")
    if running:
        lines.append("The service is running: an approved draft is sent, registered, and closes its letter. Ctrl-C ends the demo.")
    else:
        lines.append(
            "The servers end with this command: approving is recorded, but sending needs a demo left running "
            f"({program} demo --dir {directory}, which begins anew)."
        )
    console.rule("[bold]Look further", align="left")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _conditions(console: Console, trace: RuleTrace) -> None:
    for condition in trace.conditions:
        mark = "[green]✓[/]" if condition.matched else "[dim]·[/]"
        console.print(f"  {mark} {escape(condition.condition)}: {escape(_short(condition.found))}", highlight=False)


def _effects(console: Console, effects: Sequence[Mapping[str, Any]]) -> None:
    rows = []
    for effect in effects:
        payload = effect["payload"] or {}
        rows.append((effect["kind"], effect["state"], effect["error"] or _target(payload), _subject(payload)))
    _table(console, ("", "", "", ""), rows, cut=(2, 3))


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


def _register(console: Console, entries: Iterable[Entry]) -> None:
    heads = ("number", "registered", "title", "other party", "access", "due", "state")
    rows = []
    for entry in entries:
        party = entry.sender.name if entry.sender else ", ".join(one.name for one in entry.recipients)
        dates = _day(entry.registered), _day(entry.due)
        rows.append((entry.number or "", dates[0], entry.title, party, entry.access, dates[1], entry.state))
    _table(console, heads, rows, cut=(2, 3))


def _drafts(console: Console, drafts: Sequence[Draft]) -> None:
    rows = []
    for draft in drafts:
        to, needs = ", ".join(one.address or one.name for one in draft.content.to), ", ".join(draft.content.needs)
        rows.append((str(draft.id), draft.content.purpose, to, draft.content.content.subject, draft.answers or "", needs))
    _table(console, ("draft", "purpose", "to", "subject", "closes", "needs"), rows, cut=(2, 3))


def _sent(console: Console, sent: Sequence[Sent]) -> None:
    rows = [(mail.path.name, ", ".join(mail.recipients), mail.subject) for mail in sent]
    _table(console, ("file", "to", "subject"), rows, cut=(1, 2))


def _table(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]], cut: Sequence[int]) -> None:
    """One line a row: the columns `cut` share what the others leave of the width."""
    table = Table(box=None, padding=(0, 1), header_style="dim", show_header=any(heads))
    whole = [max(map(len, (head, *(row[at] for row in rows)))) for at, head in enumerate(heads) if at not in cut]
    share = max(8, (console.width - sum(whole) - 2 * len(heads)) // len(cut))
    for at, head in enumerate(heads):
        table.add_column(head, no_wrap=True, overflow="ellipsis", max_width=share if at in cut else None)
    for row in rows:
        table.add_row(*(f"[{_STATES[cell]}]{cell}[/]" if cell in _STATES else escape(cell) for cell in row))
    console.print(table)


def _short(found: Any) -> str:
    text = " ".join((", ".join(map(str, found)) if isinstance(found, list | tuple) else str(found)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _day(text: str | None) -> str:
    return f"{date.fromisoformat(text[:10]):%d.%m.%Y}" if text else ""


def _minute(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%d.%m.%Y %H:%M}" if text else ""
