"""Mails, decisions and differences as a person reads them.

Invariant: words of a mail are printed as they are, never read as markup.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mailrouter.cli.output import day, out, say
from mailrouter.core.mail import Reading

_TEXT_LINES = 6
_LONGEST = 160


def reading(one: Reading, file: str) -> None:
    """What the words of one mail say."""
    mail = one.message
    say(f"{file}", "bold")
    say(f"  from {_party(mail.author)}  {day(mail.date)}  {mail.subject}")
    _words(mail.text)
    for number, hop in enumerate(one.chain, 1):
        say(f"  {'  ' * number}↳ {hop.kind} from {_party(hop.author)}  {hop.sent_raw}  {hop.subject}", "cyan")
        _words(hop.text, number)
    for letter in one.letters:
        say(f"  letter {'/'.join(letter.path) or '(the mail itself)'}", "green")
        for name, value in (
            ("author", ", ".join(filter(None, (letter.author.name, letter.author.role, letter.author.institution)))),
            (
                "to",
                ", ".join(filter(None, (letter.addressee.name, letter.addressee.role, letter.addressee.institution))),
            ),
            ("reference", letter.reference),
            ("dated", letter.dated),
            ("subject", letter.subject),
            ("marking", letter.marking),
            ("reply to", letter.reply_to),
        ):
            if value:
                say(f"    {name + ':':11} {value}")
        for ask in letter.asks:
            say(f"    asks to {ask.kind}{f' by {ask.deadline}' if ask.deadline else ''}: {_short(ask.text)}")
        if letter.events:
            say(f"    {len(letter.events)} events announced")
    for attachment in mail.attachments:
        signers = ", ".join(f"{signer.name} ({signer.status})" for signer in attachment.signers)
        say(
            f"  attached {'/'.join(attachment.path)} {attachment.size} bytes{f', signed by {signers}' if signers else ''}"
        )
    for hold in one.holds:
        say(f"  held: {hold.reason}", "red")
    for defect in mail.defects:
        say(f"  defect {defect.code}: {defect.detail}", "yellow")
    out.print()


def explanation(one: Mapping[str, Any]) -> None:
    """`explain` for a person: why and why not."""
    case, decided = one["case"], one["decision"]
    say(f"{one['file']}: {case['message']['subject']}", "bold")
    verified = "verified" if case["message"]["verified"] else "not verified"
    say(f"  from {_json_party(case['message']['from'])} ({verified}: {case['sender']['why']})")
    decision(decided)
    out.print()


def decision(one: Mapping[str, Any]) -> None:
    """Matched rules first, then why the others did not."""
    hold = one.get("hold")
    if hold:
        say(f"  held: {hold['reason']}" if isinstance(hold, Mapping) else f"  held: {hold}", "red")
    for line in sorted(one["trace"], key=lambda item: not item["matched"]):
        mark = "✓" if line["matched"] else "✗"
        shadow = " (shadow: does nothing)" if line.get("shadow") else ""
        say(f"  {mark} {line['rule']}{shadow}  {line['file']}:{line['line']}", "green" if line["matched"] else "")
        for condition in line["conditions"]:
            if line["matched"] or not condition["matched"]:
                tick = "✓" if condition["matched"] else "✗"
                say(
                    f"      {tick} {condition['condition']}: wanted {_short(condition['wanted'])}, found {_short(condition['found'])}"
                )
    for effect in one.get("effects", ()):
        say(f"  → {effect_line(effect)}", "cyan")
    for note in one.get("notes", ()):
        say(f"  note: {note}")


def effect_line(effect: Mapping[str, Any]) -> str:
    """One effect in a line."""
    kind = effect["kind"]
    if kind == "register":
        entry = effect["entry"]
        return f"register {entry.get('number') or ''} in {entry['series']}, {entry.get('access')}, responsible {(entry.get('responsible') or {}).get('name', 'nobody')}"
    parts = [kind]
    if effect.get("to"):
        parts.append(f"to {', '.join(effect['to'])}")
    parts += [
        str(effect[name]) for name in ("purpose", "folder", "flags", "subject", "at", "register") if effect.get(name)
    ]
    if effect.get("needs"):
        parts.append(f"needs {', '.join(effect['needs'])}")
    return ", ".join(parts)


def message(one: Mapping[str, Any]) -> None:
    """`messages show` for a person."""
    say(f"{one['subject']}", "bold")
    number = f" as {one['number']}" if one["number"] else ""
    say(f"  {one['state']}{number}; from {one['from']}, received {one['received']}, {one['mailbox']}")
    if one["hold"]:
        say(f"  held ({one['hold']}): {one['hold_reason']}; due {one['hold_due']}", "red")
    if one["closed"]:
        say(f"  closed by {one['closed']}")
    case = one.get("case")
    if case:
        say(
            f"  sender {case['sender']['name']} <{case['sender']['address']}>: {'verified' if case['sender']['verified'] else 'not verified'} ({case['sender']['why']})"
        )
        if case["instruction"]:
            for words in case["instruction"]["evidence"]:
                say(f"  asked: “{words}”")
    if "decision" in one:
        decision(one["decision"])
    if "now" in one:
        say(f"  the rules of now would match: {', '.join(one['now']['matched']) or 'none'}", "yellow")
    for effect in one["effects"]:
        done = f" {effect['done']}" if effect["done"] else ""
        error = f": {effect['error']}" if effect["error"] else ""
        say(f"  {effect['state']:10} {effect['kind']}{done}{error}", _colour(effect["state"]))
    for draft in one["drafts"]:
        say(f"  draft {draft['id']}: {draft['purpose']}, {draft['state']}, to {', '.join(draft['to'])}")


def difference(one: Mapping[str, Any]) -> None:
    """One changed case of a backtest."""
    say(f"{one['sha256'][:12]}  {one['subject']}", "bold")
    if one["hold_before"] != one["hold_after"]:
        say(f"  hold: {one['hold_before'] or 'none'} → {one['hold_after'] or 'none'}", "yellow")
    for effect in one["before"]:
        if effect not in one["after"]:
            say(f"  - {effect_line(effect)}", "red")
    for effect in one["after"]:
        if effect not in one["before"]:
            say(f"  + {effect_line(effect)}", "green")


def backtest(summary: Mapping[str, Any]) -> None:
    """The summary of a backtest."""
    say(f"{summary['cases']} cases, {summary['changed']} changed", "bold")
    for name, label in (("gained", "would match now"), ("lost", "would match no longer")):
        for rule, count in sorted(summary[name].items()):
            say(f"  {rule}: {count} {label}")


def _party(address: Any) -> str:
    return f"{address.name} <{address.address}>" if address else "nobody named"


def _json_party(address: Mapping[str, Any] | None) -> str:
    return f"{address['name']} <{address['address']}>" if address else "nobody named"


def _words(text: str, depth: int = 0) -> None:
    lines: Sequence[str] = [line for line in text.splitlines() if line.strip()]
    for line in lines[:_TEXT_LINES]:
        say(f"    {'  ' * depth}{_short(line)}", "dim")
    if len(lines) > _TEXT_LINES:
        say(f"    {'  ' * depth}… {len(lines) - _TEXT_LINES} more lines", "dim")


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _colour(state: str) -> str:
    return {"done": "green", "failed": "red", "held": "red", "unknown": "red"}.get(state, "yellow")
