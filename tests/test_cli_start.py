"""What a command does not need is not loaded: help and lists answer at once."""

import subprocess
import sys

import pytest

HEAVY = {
    "sqlalchemy",
    "alembic",
    "numpy",
    "pypdfium2",
    "icalendar",
    "msal",
    "apscheduler",
    "imapclient",
    "aiosmtplib",
    "holidays",
}
LISTS = ["status", "messages list", "drafts list", "register list"]


def loaded(tmp_path, *words: str) -> set[str]:
    """The packages that a command loads."""
    code = "import sys; from mailrouter.cli import main\ntry: main()\nexcept SystemExit as end: code = end.code or 0\nprint('\\x1e', code, *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )
    code, *names = done.stdout.rpartition("\x1e")[2].split()
    assert code == "0", done.stdout + done.stderr
    return {name.partition(".")[0] for name in names} | set(names)


@pytest.fixture
def settings(tmp_path):
    """Settings with an empty store, opened once."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mailrouter.yaml").write_text(
        "institution: {name: Ministeerium, domains: [ministry.example]}\n"
        "mailboxes: [{name: registry, address: info@ministry.example, directory: mail}]\n"
        "smtp: {host: 127.0.0.1}\n"
    )
    loaded(tmp_path, "messages", "list")
    return tmp_path


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_and_version_load_nothing_of_the_service(tmp_path, word):
    """They answer without settings, database and core."""
    names = loaded(tmp_path, word)
    assert not names & (HEAVY | {"pydantic", "structlog", "jinja2", "babel", "mailrouter.settings"})


@pytest.mark.parametrize("words", LISTS)
def test_lists_load_the_store_alone(settings, words):
    """No reader, no rules, no protocol, no migration where the store is up to date."""
    names = loaded(settings, *words.split())
    unneeded = {
        "mailrouter.core.reading",
        "mailrouter.core.rules",
        "mailrouter.shell.pipeline",
        "jinja2",
        "babel",
        "structlog",
    }
    assert not names & ((HEAVY | unneeded) - {"sqlalchemy"})


def test_version_is_told(tmp_path):
    """`--version` names the program and its version."""
    done = subprocess.run(
        [sys.executable, "-m", "mailrouter", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("mailrouter 0.")
