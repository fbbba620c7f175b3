"""`check`, `backtest`, `rules publish | history | diff | rollback`, `schema`, `describe`."""

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailrouter import ruleset
from mailrouter import settings as settings_file
from mailrouter.bootstrap import App, Refused
from mailrouter.bootstrap import app as build
from mailrouter.cli.output import (
    CONFIG,
    LARGEST_ID,
    As,
    Config,
    Json,
    day,
    iso_date,
    line,
    opened,
    out,
    progress,
    say,
    table,
    who,
)
from mailrouter.core.outcomes import Problem
from mailrouter.shell.errors import Permanent

if TYPE_CHECKING:
    from mailrouter.shell.store.versions import Publication

versions = typer.Typer(help="Versions of the rules: the published one decides.", no_args_is_help=True)
_SHORTEST = 6  # letters of a digest that name a version
Message = Annotated[str, typer.Option("--message", "-m", help="What changed; kept with the version.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)
    app.command()(backtest)
    app.command()(schema)
    app.command()(describe)
    app.add_typer(versions, name="rules")


def check(config: Config = CONFIG, as_json: Json = False) -> None:
    """Settings, rules, templates, directory and the rules' own examples; every problem at once."""
    problems: list[Problem] = []
    try:
        application = build(config)
    except Refused as refused:
        problems = list(refused.problems)
    else:
        try:
            problems = application.problems()
        finally:
            application.close()
    for one in problems:
        if as_json:
            line(
                {
                    "file": one.file,
                    "line": one.line,
                    "column": one.column,
                    "severity": one.severity,
                    "message": one.message,
                }
            )
        else:
            say(str(one), "yellow" if one.severity == "warning" else "red")
    errors = sum(one.severity == "error" for one in problems)
    if not as_json:
        warnings = len(problems) - errors
        say(f"{errors} problems, {warnings} warnings" if problems else "everything is in order", "bold")
    raise typer.Exit(1 if errors else 0)


def backtest(
    rules: Annotated[
        Path, typer.Option("--rules", help="The folder of the new rules.", metavar="DIR", exists=True, file_okay=False)
    ],
    config: Config = CONFIG,
    templates: Annotated[
        Path | None, typer.Option("--templates", help="The folder of the new templates.", metavar="DIR")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option("--against", help="Mails to try, instead of the archive.", metavar="PATH…")
    ] = None,
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH…]", help="More of them.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only mail received since this ISO date.", callback=iso_date)
    ] = None,
    mailbox: Annotated[str | None, typer.Option(help="Only this mailbox.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only changes in this rule.")] = None,
    as_json: Json = False,
) -> None:
    """The same cases under the published and the given rules: what would change. Exits 1 if anything does."""
    from mailrouter.cli import shown  # noqa: PLC0415 - as the next
    from mailrouter.shell.backtesting import Backtest  # noqa: PLC0415 - the whole core

    with opened(config) as application:
        rulebook = application.rulebook()
        rulebook.working_ruleset(rules, templates)  # its problems are told with the files' places
        run = Backtest(
            application.pipeline(),
            rulebook.texts_in_force(),
            rulebook.working_copy(rules, templates),
            since=since,
            mailbox=mailbox,
            rule=rule,
            paths=[*(against or []), *(paths or [])],
        )
        with progress("deciding", run.count()) as step:
            for difference in run.differences(step):
                if as_json:
                    line(difference)
                else:
                    shown.difference(difference)
        summary = run.summary()
    if as_json:
        line(summary)
    else:
        shown.backtest(summary)
    raise typer.Exit(1 if summary["changed"] else 0)


@versions.command()
def publish(
    config: Config = CONFIG,
    message: Message = "",
    agree: Annotated[
        int | None,
        typer.Option("--agree", help="As the second person: put this waiting version in force.", min=1, max=LARGEST_ID),
    ] = None,
    by: As = "",
) -> None:
    """Put the working copy in force. Refused while `check` has problems; shows what it changes in the archive."""
    from mailrouter.cli import shown  # noqa: PLC0415 - as the next
    from mailrouter.shell.backtesting import Backtest  # noqa: PLC0415 - the whole core

    with opened(config) as application:
        if agree is not None:
            one = application.store.versions.agree(agree, who(by))
            say(f"version {one.id} ({one.digest[:12]}) is in force")
            return
        problems = [one for one in application.problems() if one.severity == "error"]
        if problems:
            for problem in problems:
                say(str(problem), "red")
            raise Permanent(f"{len(problems)} problems: nothing is published, the version in force stays")
        rulebook = application.rulebook()
        texts = rulebook.working_copy()  # read once: what is published is what was tried
        built, found = ruleset.build(texts)
        if built is None:
            raise Permanent(f"the rules were changed while they were checked ({found[0].message}): publish again")
        if _in_force(application, built.digest):
            say("the working copy is in force already")
            return
        run = Backtest(application.pipeline(), rulebook.texts_in_force(), texts)
        with progress("deciding", run.count()) as step:
            for _ in run.differences(step):
                pass
        shown.backtest(run.summary())
        one = application.store.versions.publish(
            built.digest,
            texts,
            at=application.clock.iso(),
            author=who(by),
            message=message,
            four_eyes=application.settings.four_eyes,
        )
    _say_published(one)


@versions.command()
def history(config: Config = CONFIG, as_json: Json = False) -> None:
    """Every publication, newest first."""
    with opened(config) as application:
        found = application.store.versions.history()
    current = next((one.id for one in found if one.in_force), None)
    if as_json:
        for one in found:
            told = {name: getattr(one, name) for name in ("id", "digest", "at", "author", "message", "second")}
            line({**told, "in_force": one.id == current, "waits": not one.in_force})
        return
    rows = [
        (
            one.id,
            one.digest[:12],
            day(one.at),
            one.author,
            one.second,
            "in force" if one.id == current else ("waits" if not one.in_force else ""),
            one.message,
        )
        for one in found
    ]
    table(
        ("id", "digest", "published", "by", "second", "", "message"),
        rows,
        "nothing is published yet: the first run does",
    )


@versions.command()
def diff(
    config: Config = CONFIG,
    version: Annotated[str | None, typer.Argument(help="A version's id or digest; default: the one in force.")] = None,
) -> None:
    """What the working copy changes against a version. Exits 1 if anything."""
    with opened(config) as application:
        old = _files(application, version)
        new = application.rulebook().working_copy()
    changed = False
    for name in sorted(set(old) | set(new)):
        before, after = old.get(name, "").splitlines(), new.get(name, "").splitlines()
        for text in difflib.unified_diff(before, after, f"in force/{name}", f"working copy/{name}", lineterm=""):
            changed = True
            say(text, {"+": "green", "-": "red", "@": "cyan"}.get(text[:1], ""))
    raise typer.Exit(1 if changed else 0)


@versions.command()
def rollback(
    version: Annotated[str, typer.Argument(help="The version's id or digest.")],
    config: Config = CONFIG,
    message: Message = "",
    by: As = "",
) -> None:
    """Put an earlier version in force again; the working copy on disk stays as it is."""
    with opened(config) as application:
        files = _files(application, version)
        built, problems = ruleset.build(files)
        if built is None:
            raise Permanent(f"that version cannot be built by this mailrouter: {problems[0]}")
        if _in_force(application, built.digest):
            say("that version is in force already")
            return
        one = application.store.versions.publish(
            built.digest,
            files,
            at=application.clock.iso(),
            author=who(by),
            message=message or f"back to {version}",
            four_eyes=application.settings.four_eyes,
        )
    _say_published(one)


def _in_force(application: App, digest: str) -> bool:
    current = application.store.versions.in_force()
    return current is not None and current.digest == digest


def _say_published(one: "Publication") -> None:
    if one.in_force:
        say(f"version {one.id} ({one.digest[:12]}) is in force")
    else:
        say(f"version {one.id} waits for a second person: 'mailrouter rules publish --agree {one.id} --as NAME'")


def _files(application: App, version: str | None) -> dict[str, str]:
    store = application.store.versions
    found = store.history()
    if version is None:
        current = store.in_force()
        if current is None:
            return {}
        version = current.digest
    digest = next((one.digest for one in found if version == str(one.id)), version)
    files = store.files(digest) if len(digest) >= _SHORTEST else None  # a mistyped id is no beginning of a digest
    if files is None:
        raise Permanent(f"no version '{version}'; see 'mailrouter rules history'")
    return files


def schema(
    of: Annotated[str, typer.Argument(metavar="rules|settings")],
) -> None:
    """JSON Schema, for completion and hover in editors."""
    schemas: dict[str, Any] = {"rules": ruleset.rules_schema, "settings": settings_file.SETTINGS.json_schema}
    if of not in schemas:
        raise typer.BadParameter("one of: rules, settings")
    out.file.write(json.dumps(schemas[of](), ensure_ascii=False, indent=2) + "\n")


def describe(
    what: Annotated[str, typer.Argument(metavar="conditions|actions|settings")],
) -> None:
    """The reference: what every condition, action or setting means."""
    if what not in {"conditions", "actions", "settings"}:
        raise typer.BadParameter("one of: conditions, actions, settings")
    text = settings_file.describe() if what == "settings" else ruleset.describe(what)
    out.file.write(text.rstrip() + "\n")
