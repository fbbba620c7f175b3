"""`messages list | show | retry | release`."""

from typing import Annotated, Any, Literal

import typer

from mailrouter.bootstrap import App
from mailrouter.cli import shown
from mailrouter.cli.output import CONFIG, As, Config, Json, Limit, day, line, opened, say, table, who
from mailrouter.cli.output import reason as said
from mailrouter.shell.errors import Permanent
from mailrouter.shell.views import draft_json, message_json

app = typer.Typer(help="The ledger of mails: what happened to each, and why.", no_args_is_help=True)
Wanted = Annotated[
    str, typer.Argument(metavar="MESSAGE", help="The beginning of its digest, its register number, or its id.")
]

State = Literal["seen", "settled", "held", "released", "gone"]


def add_to(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="messages")


@app.command("list")
def list_(
    config: Config = CONFIG,
    as_json: Json = False,
    state: Annotated[State | None, typer.Option(help="Only mails in this state; seen: not taken in yet.")] = None,
    mailbox: Annotated[str | None, typer.Option(help="Only this mailbox.")] = None,
    limit: Limit = None,
) -> None:
    """Every mail that was seen, oldest first."""
    with opened(config) as application:
        listed = application.store.listing.messages(state=state, mailbox=mailbox, limit=limit)
        found = [message_json(one) for one in listed]
    if as_json:
        for one in found:
            line(one)
        return
    rows = [
        (
            one["id"],
            (one["sha256"] or "")[:10],
            day(one["received"]),
            one["from"],
            one["subject"],
            one["state"],
            one["hold"],
            one["number"],
        )
        for one in found
    ]
    table(
        ("id", "digest", "received", "from", "subject", "state", "hold", "number"),
        rows,
        "no such mail" if state or mailbox else "no mail yet",
    )


@app.command()
def show(message: Wanted, config: Config = CONFIG, as_json: Json = False) -> None:
    """One mail: what was decided and why, rule by rule; why the other rules did not match; what became of it."""
    with opened(config) as application:
        one = _shown(application, message)
    if as_json:
        line(one)
    else:
        shown.message(one)


@app.command()
def retry(message: Wanted, config: Config = CONFIG, by: As = "") -> None:
    """Decide a held mail anew with the rules of now; a settled mail's failed effects are tried again."""
    from mailrouter.shell.staff import try_again  # noqa: PLC0415 - the whole core

    with opened(config) as application:
        say(try_again(application.pipeline(), message, who(by)))


@app.command()
def release(
    message: Wanted,
    reason: Annotated[str, typer.Option("--reason", help="Why nothing more is to be done; recorded.", callback=said)],
    config: Config = CONFIG,
    by: As = "",
) -> None:
    """Close a held mail: a person has dealt with it."""
    with opened(config) as application:
        one = application.store.listing.one(message)
        if not application.store.listing.release(one.id, who=who(by), why=reason, at=application.clock.iso()):
            raise Permanent(f"message {one.id} is {one.state}; only held mail can be released")
        say(f"message {one.id} is released")


@app.command()
def erase(
    person: Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's mail address.")],
    reason: Annotated[str, typer.Option("--reason", help="Whose request, by which right; recorded.", prompt="Why")],
    config: Config = CONFIG,
    by: As = "",
) -> None:
    """Erase what a person wrote or what names them: mails, cases, texts. The register and the decision log stay."""
    with opened(config) as application:
        domain = person.rpartition("@")[2].lower()
        if not domain or "@" not in person:
            raise Permanent(f"'{person}' is no mail address; write it as it stands in 'mailrouter messages list'")
        if domain in {one.lower() for one in application.settings.institution.domains}:
            raise Permanent("that is an address of our own: its mails are the institution's, kept for retention_days")
        erased = application.store.retention.person(person, who=who(by), why=reason, at=application.clock.now())
        say(f"{erased.mails} mails erased")
        if erased.waiting:
            ids = ", ".join(str(one) for one in erased.waiting)
            raise Permanent(f"not erased, because they still wait: {ids}; release or finish them, then erase again")


def _shown(application: App, wanted: str) -> dict[str, Any]:
    """One mail with its decision explained, and its drafts."""
    listed = application.store.listing.one(wanted)
    case = application.store.listing.case(listed.id)
    drafts = application.store.drafts.all(intake_id=listed.id)
    shown = {**message_json(listed), "drafts": [draft_json(one) for one in drafts]}
    for effect, row in zip(shown["effects"], listed.effects, strict=True):
        effect["payload"] = row["payload"]
    if case is not None and listed.ruleset:
        from mailrouter.shell.explaining import past  # noqa: PLC0415 - the whole core

        rulebook = application.rulebook()
        shown |= past(case, rulebook.version(listed.ruleset), rulebook.current())
    return shown
