"""`register list | show | confirm | correct | export`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mailrouter.cli.output import CONFIG, As, Config, Json, Limit, day, iso_date, line, opened, say, table, who
from mailrouter.cli.output import reason as said
from mailrouter.core.people import Directory, Found
from mailrouter.shell.errors import Permanent
from mailrouter.shell.views import entry_json, letters_calendar

app = typer.Typer(help="The register.", no_args_is_help=True)
_ENTRY_PAGE = re.compile(r".+_\d{4}-\d\d-\d\d(_\d+)?\.html")  # as core/publicview names the page of an entry
Number = Annotated[str, typer.Argument(metavar="NUMBER")]


def add_to(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="register")


@app.command("list")
def list_(
    config: Config = CONFIG,
    as_json: Json = False,
    series: Annotated[str | None, typer.Option(help="Only this series.")] = None,
    state: Annotated[Literal["open", "closed"] | None, typer.Option(help="Only entries in this state.")] = None,
    direction: Annotated[Literal["incoming", "outgoing"] | None, typer.Option(help="Only this direction.")] = None,
    responsible: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    due_before: Annotated[str | None, typer.Option(help="Due on or before this ISO date.", callback=iso_date)] = None,
    text: Annotated[str | None, typer.Option(help="Words anywhere in the entry.")] = None,
    limit: Limit = None,
) -> None:
    """Entries in the order of registration."""
    with opened(config) as application:
        entries = application.store.registry.entries(
            series=series,
            state=state,
            direction=direction,
            responsible=responsible,
            due_before=due_before,
            text=text,
            limit=limit,
        )
        found = [entry_json(entry) for entry in entries]
    if as_json:
        for one in found:
            line(one)
        return
    rows = [_row(one) for one in found]
    table(
        ("number", "registered", "direction", "title", "from / to", "responsible", "access", "due", "state"),
        rows,
        "no such entry" if any((series, state, direction, responsible, due_before, text)) else "the register is empty",
    )


@app.command()
def show(number: Number, config: Config = CONFIG, as_json: Json = False) -> None:
    """One entry with its history."""
    with opened(config) as application:
        entry = application.store.registry.sought(number)
        if entry is None:
            raise Permanent(f"no entry {number}; see 'mailrouter register list'")
        one = {**entry_json(entry), "history": application.store.registry.history(entry.number or "", entry.registered)}
    if as_json:
        line(one)
        return
    for name, value in one.items():
        if name != "history" and value not in (None, "", []):
            say(f"{name + ':':18} {_plain(value)}")
    for change in one["history"]:
        say(f"{day(change['at'])}  {change['who']}: {change['what']} ({change['why']})")


@app.command()
def confirm(
    ours: Annotated[str, typer.Argument(metavar="OURS", help="Our proposed number.")],
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="The number that the other system gave.")],
    config: Config = CONFIG,
    by: As = "",
) -> None:
    """The number that the owning register gave to our proposal."""
    from mailrouter.shell.staff import confirm_number  # noqa: PLC0415 - the whole core, as the next

    with opened(config) as application:
        entry = confirm_number(application.store, ours, theirs, who=who(by), at=application.clock.now())
    say(f"{ours} is confirmed as {entry.theirs}")


@app.command()
def correct(
    number: Number,
    field: Annotated[
        list[str], typer.Option("--set", help="FIELD=VALUE, such as title=…, due=2024-03-29, responsible=…")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the old value.", callback=said)],
    config: Config = CONFIG,
    by: As = "",
) -> None:
    """Correct an entry; the old values stay in its history."""
    from mailrouter.shell.staff import correct_entry  # noqa: PLC0415

    with opened(config) as application:
        directory = application.rulebook().current().directory
        correct_entry(application.store, number, field, directory, who=who(by), at=application.clock.now(), why=reason)
    say(f"{number} is corrected")


@app.command()
def export(
    config: Config = CONFIG,
    as_json: Json = False,
    public: Annotated[bool, typer.Option("--public", help="Only what the law lets the public see.")] = False,
    to: Annotated[Path | None, typer.Option("--to", help="A folder for static HTML pages.", metavar="DIR")] = None,
) -> None:
    """The whole register as JSON Lines; `--public` leaves out what the public may not see, `--to` writes HTML pages."""
    with opened(config) as application:
        if public:
            from mailrouter.core.publicview import public_entries, public_site  # noqa: PLC0415 - seldom wanted

            ruleset = application.rulebook().current()
            whole = list(application.store.registry.entries())
            entries = public_entries(whole, ruleset.classification)
            pages = public_site(whole, ruleset.classification, ruleset.institution)
        else:
            if to is not None:
                raise Permanent("HTML pages are for the public: add --public")
            entries, pages = [entry_json(entry) for entry in application.store.registry.entries()], {}
    if to is not None:
        _write_pages(to, pages)
        if not as_json:
            say(f"{len(pages)} pages in {to}")
    if as_json or to is None:
        for one in entries:
            line(one)


@app.command()
def calendar(
    to: Annotated[Path, typer.Option("--to", help="The .ics file; - writes it to standard output.", metavar="FILE")],
    config: Config = CONFIG,
    person: Annotated[str | None, typer.Option(help="Only what this person is responsible for.")] = None,
    events: Annotated[bool, typer.Option("--events", help="The events that letters announce as well.")] = False,
) -> None:
    """The due dates of open letters as a calendar to subscribe to or import."""
    with opened(config) as application:
        name = _responsible(person, application.rulebook().current().directory) if person else None
        text = letters_calendar(application.store, application.clock.now(), responsible=name, events=events)
    if str(to) == "-":
        typer.echo(text, nl=False)
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(text.encode("utf-8"))
    say(f"{text.count('BEGIN:VEVENT')} dates in {to}")


def _responsible(name: str, directory: Directory) -> str:
    from mailrouter.core.people import find  # noqa: PLC0415 - names and their case endings

    found = find(directory, name)
    return found.name if isinstance(found, Found) else name


def _write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Write the pages, and remove those of an earlier export that the public may see no longer."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in folder.glob("*.html"):
        if _ENTRY_PAGE.fullmatch(page.name) and page.name not in pages:
            page.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    party = one["sender"] or (one["recipients"] or [None])[0]
    name = (party["name"] or party["institution"]) if party else ""
    responsible = one["responsible"]["name"] if one["responsible"] else ""
    return (
        one["number"],
        day(one["registered"]),
        one["direction"],
        one["title"],
        name,
        responsible,
        one["access"],
        day(one["due"]),
        one["state"],
    )


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(str(item) for item in value.values() if item)
    if isinstance(value, list):
        return "; ".join(_plain(item) for item in value)
    return str(value)
