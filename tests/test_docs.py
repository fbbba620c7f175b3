"""What is written down is true: settings are described, the commands of the README exist, links lead somewhere."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_command

from mailrouter import settings
from mailrouter.cli.commands import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def models(model: type[BaseModel]):
    yield model
    for field in model.model_fields.values():
        for nested in settings._models(field.annotation):
            yield from models(nested)


@pytest.mark.parametrize(
    "model", sorted(set(models(settings.Settings)), key=lambda one: one.__name__), ids=lambda one: one.__name__
)
def test_every_setting_says_what_it_does(model):
    """`describe settings` and the schema have a sentence for each key."""
    silent = [name for name, field in model.model_fields.items() if not field.description]
    assert silent == []


def test_every_command_says_what_it_does():
    """`--help` has a sentence for each command."""
    silent = [" ".join(path) for path, command in commands() if not (command.help or "").strip()]
    assert silent == []


def test_the_list_of_commands_says_what_their_own_help_says():
    """The list loads no command, and still has each command's own words."""
    for listed in get_command(app).commands.values():
        assert listed.help == listed.real().help


def commands(group=None, path=()):
    group = group or get_command(app)
    for name, listed in group.commands.items():
        command = listed.real() if hasattr(listed, "real") else listed
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_pages_exist(page):
    """Each `mailrouter …` that a page shows is a command."""
    known = {" ".join(path) for path, _ in commands()}
    groups = {path[0] for path, command in commands() if hasattr(command, "commands")}
    text = page.read_text("utf-8")
    spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
    for first, second in re.findall(r"mailrouter ([a-z]+)(?: ([a-z]+))?", "\n".join(spans)):
        assert first in known, f"{page.name}: mailrouter {first}"
        assert first not in groups or not second or f"{first} {second}" in known, (
            f"{page.name}: mailrouter {first} {second}"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Relative links of the pages name files that exist."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
