"""Commands that are used wrongly, or whose output has no place to go: one line with the remedy, never a traceback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def config(tmp_path):
    """The shipped settings with an empty store."""
    for name in ("config", "rules", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path / "config"


def command(*words: object, **more: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "mailrouter", *map(str, words)], capture_output=True, timeout=60, check=False, **more
    )


@pytest.mark.parametrize(
    "words",
    [
        "messages list --state lost",
        "messages list --limit 99999999999999999999999",
        "messages release 1",
        "drafts list --state lost",
        "drafts show 99999999999999999999999",
        "register list --direction sideways",
        "register list --due-before soon",
        "register correct 1-1/1-1 --set title=A --reason",
        "explain some.eml --at yesterday",
    ],
)
def test_wrong_use_is_told_as_such(config, words):
    """A value that is none exits 2, instead of an empty list that looks like an answer."""
    given = [*words.split(), *([""] if words.endswith("--reason") else [])]
    done = command(*given, "--config", config)
    assert done.returncode == 2, done.stderr.decode()
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr


def test_json_lines_are_utf8_in_any_locale(tmp_path):
    """A script reads the same bytes under a locale that knows ASCII alone."""
    mail = tmp_path / "mail.eml"
    mail.write_bytes("From: Jüri <j@ministry.example>\nSubject: Õigus\n\nTäname.\n".encode())
    done = command("read", mail, "--json", env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout.decode("utf-8"))["message"]["subject"] == "Õigus"


def test_a_full_disk_is_told_in_a_line(tmp_path):
    """Output that cannot be written ends the command with its reason."""
    mail = tmp_path / "mail.eml"
    mail.write_bytes(b"From: j@ministry.example\n\nTere\n")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mailrouter", "read", mail, "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"No space left" in done.stderr


def test_an_unreadable_path_has_the_keys_of_every_line(tmp_path):
    """A line without a mail can be read by the same script as the others."""
    done = command("read", tmp_path / "nowhere.eml", "--json")
    assert done.returncode == 1
    line = json.loads(done.stdout)
    assert "No such file" in line["error"]
    assert (line["message"], line["chain"], line["letters"], line["forwarded"]) == (None, [], [], False)


def test_pages_that_may_be_seen_no_longer_are_taken_away(config, tmp_path):
    """A page of an earlier public export does not outlive its entry; other files stay."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "1-2_3-1_2024-02-29.html").write_text("once public")
    (site / "about.html").write_text("the web master's own")
    done = command("register", "export", "--public", "--to", site, "--config", config)
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(page.name for page in site.iterdir()) == ["about.html", "index.html"]
