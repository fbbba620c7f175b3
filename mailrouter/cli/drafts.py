"""`drafts list | show | fill | approve | reject`."""

from typing import Annotated, Any, Literal

import typer

from mailrouter.cli.output import CONFIG, LARGEST_ID, As, Config, Json, line, opened, say, table, who
from mailrouter.shell.views import draft_json

app = typer.Typer(help="Drafts that wait for a person. Approving records; the service sends.", no_args_is_help=True)
Wanted = Annotated[int, typer.Argument(metavar="ID", min=1, max=LARGEST_ID)]
State = Literal["waiting", "approved", "sent", "rejected", "withdrawn"]


def add_to(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="drafts")


@app.command("list")
def list_(
    config: Config = CONFIG,
    as_json: Json = False,
    state: Annotated[State | None, typer.Option(help="Only drafts in this state.")] = None,
) -> None:
    """Every draft."""
    with opened(config) as application:
        found = [draft_json(one) for one in application.store.drafts.all([state] if state else None)]
    if as_json:
        for one in found:
            line(one)
        return
    rows = [
        (
            one["id"],
            one["state"],
            one["purpose"],
            ", ".join(one["to"]),
            one["subject"],
            one["answers"],
            ", ".join(one["needs"]),
        )
        for one in found
    ]
    table(
        ("id", "state", "purpose", "to", "subject", "answers", "needs"),
        rows,
        f"no draft is {state}" if state else "no drafts",
    )


@app.command()
def show(draft: Wanted, config: Config = CONFIG, as_json: Json = False) -> None:
    """One draft, as it would go out."""
    with opened(config) as application:
        one: dict[str, Any] = draft_json(application.store.drafts.get(draft))
    if as_json:
        line(one)
        return
    say(f"Draft {one['id']}: {one['purpose']}, {one['state']}", "bold")
    for name in ("to", "cc", "subject", "answers", "needs", "approver", "number", "note"):
        value = one[name]
        if value:
            say(f"{name + ':':9} {', '.join(value) if isinstance(value, list) else value}")
    say("")
    say(one["text"])


@app.command()
def fill(
    draft: Wanted,
    config: Config = CONFIG,
    nominee: Annotated[list[str] | None, typer.Option(help="A person in the directory; give it twice for two.")] = None,
    to: Annotated[list[str] | None, typer.Option(help="The recipient's address, where it changed.")] = None,
    subject: Annotated[str | None, typer.Option(help="Another subject.")] = None,
    text: Annotated[str | None, typer.Option(help="Another text; - reads it from standard input.")] = None,
    by: As = "",
) -> None:
    """Fill in or change a draft; an approval falls, and the copy in Drafts is replaced."""
    from mailrouter.shell.nominating import fill_draft  # noqa: PLC0415 - the directory and the rules, as the next

    with opened(config) as application:
        given = typer.get_text_stream("stdin").read() if text == "-" else text
        ruleset = application.rulebook().current()
        changed = fill_draft(
            application.store,
            application.store.drafts.get(draft),
            directory=ruleset.directory,
            organisation=ruleset.institution,
            who=who(by),
            at=application.clock.now(),
            nominees=nominee or [],
            to=to or [],
            subject=subject,
            text=given,
        )
    needs = f"; it still needs: {', '.join(changed.needs)}" if changed.needs else ""
    say(f"draft {draft} is changed{needs}")


@app.command()
def approve(draft: Wanted, config: Config = CONFIG, by: As = "") -> None:
    """Approve a draft as it stands; the service, or `run --once`, sends it."""
    from mailrouter.shell.nominating import approve_draft  # noqa: PLC0415

    with opened(config) as application:
        ruleset = application.rulebook().current()
        approved = approve_draft(
            application.store, draft, ruleset=ruleset, who=who(by), at=application.clock.now(), named=bool(by)
        )
    number = f" as {approved.number}" if approved.number else ""
    say(f"draft {draft} is approved{number}; {approved.note or 'the service sends it'}")


@app.command()
def reject(
    draft: Wanted,
    config: Config = CONFIG,
    reason: Annotated[str, typer.Option("--reason", help="Why; recorded.")] = "",
    by: As = "",
) -> None:
    """A draft that is not wanted."""
    with opened(config) as application:
        application.store.drafts.reject(draft, who=who(by), at=application.clock.now(), reason=reason)
    say(f"draft {draft} is rejected")
