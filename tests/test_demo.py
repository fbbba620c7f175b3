"""The demo, as a newcomer runs it."""

import contextlib
import email.policy
import io
import json
import re
import resource
import signal
import subprocess
import sys
import time

import pytest
from rich.console import Console

from mailrouter import bootstrap
from mailrouter.demo import samples
from mailrouter.demo.run import demo
from mailrouter.demo.servers import LocalServers
from mailrouter.demo.workspace import USER, prepare


def _cli(*arguments):
    command = [sys.executable, "-m", "mailrouter", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def _lines(*arguments):
    done = _cli(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A demo played to its end: its folder, what it printed, how long it worked."""
    folder = tmp_path_factory.mktemp("demo")
    shown = io.StringIO()
    began = _worked()
    code = demo(folder, once=True, console=Console(file=shown, width=200))
    return code, folder, shown.getvalue(), _worked() - began


def _worked():
    """Seconds that this process and its ended children worked: what others do meanwhile on the machine does not count."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def test_demo_ends_well_and_soon(played):
    """`demo --once` exits 0 after less than 30 seconds of work."""
    code, _, shown, seconds = played
    assert code == 0, shown
    assert seconds < 30


def test_demo_shows_what_was_decided_and_why(played):
    """The mail, the rule with the words it was decided on, the number, the drafts that wait, the held mail, the commands."""
    _, folder, shown, _ = played
    for words in (
        "Follow-up on Global Alliance to Counter Migrant Smuggling",
        "letter to the minister",
        "Minister of Interior",
        "5-4/22-1",
        "nomination: Re: Follow-up on Global Alliance",
        "held (no-rule)",
        "mailrouter drafts approve",
        f"--config {folder}/config",
    ):
        assert words in shown, words


def test_demo_leaves_a_working_directory(played):
    """Every list works on the folder while the servers are down."""
    _, folder, _, _ = played
    config = folder / "config"
    register = {entry["number"]: entry for entry in _lines("register", "list", "--config", config)}
    assert register["5-4/22-1"]["responsible"]["name"] == "Katarina Budrik"
    assert register["5-4/23-2"]["relations"] == [{"kind": "initial", "number": "5-4/23-1"}]
    drafts = _lines("drafts", "list", "--config", config)
    assert {(one["purpose"], one["answers"]) for one in drafts} >= {("acknowledgement", None), ("nomination", "5-4/22-1")}
    states = {one["subject"]: one["state"] for one in _lines("messages", "list", "--config", config)}
    assert states["Koopiapaberi hinnad sügisel"] == "held"
    forwards = [(e["kind"], e["state"]) for m in _lines("messages", "list", "--config", config) for e in m["effects"]]
    assert ("forward", "failed") in forwards  # the one whose mail came back
    assert all(one["unaccounted"] == 0 for one in _lines("status", "--config", config))


def test_the_original_is_forwarded_whole(played):
    """The advisers get the mail as it came, byte for byte, beside a note with its number."""
    _, folder, _, _ = played
    original = (folder / "rules" / "samples" / "global-alliance.eml").read_bytes()
    forwarded = [raw for raw in _sent(folder) if original in raw]
    assert len(forwarded) == 1
    parsed = email.message_from_bytes(forwarded[0], policy=email.policy.default)
    assert [address.addr_spec for address in parsed["To"].addresses] == [
        "adviser.one@ministry.example",
        "adviser.two@ministry.example",
    ]
    assert "5-4/22-1" in parsed.get_body(("plain",)).get_content()


def test_a_copy_of_a_mail_does_nothing_twice(tmp_path):
    """The same bytes in the mailbox again: the copy is filed; no number, no draft, no mail more."""
    work = prepare(tmp_path)
    seed = samples.load(samples.shipped() / "rules" / "samples")[0]
    with LocalServers(USER, work.password, work.sent) as servers:
        work.write_settings(servers.imap_port, servers.smtp_port, seed.arrives)
        app = bootstrap.app(work.config)
        try:
            service = app.service()
            after = [_after(servers, service, app, seed) for _ in range(2)]
        finally:
            app.close()
    assert after[0] == (2, ["acknowledgement", "nomination"], ["5-4/22-1"], 1)
    assert after[1] == (2, ["acknowledgement", "nomination"], ["5-4/22-1"], 2)


def _after(servers, service, app, sample):
    """Mails sent, drafts, numbers, mails filed, once the sample was delivered."""
    servers.deliver(sample.raw, sample.arrives)
    assert service.run_once() == 0
    drafts = [draft.purpose for draft in app.store.drafts.all()]
    numbers = [entry.number for entry in app.store.registry.entries()]
    return len(servers.sent), drafts, numbers, servers.folders()["Registered"]


def test_shipped_rules_pass_their_own_check(played):
    """`check` has nothing to say about what is shipped."""
    done = _cli("check", "--config", played[1] / "config")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_edited_rule_stays_in_a_folder_that_is_used_again(tmp_path):
    """The demo begins anew in the same folder: a fresh store, but what somebody edited is kept, and said."""
    prepare(tmp_path).write_settings(1, 2, samples.load(samples.shipped() / "rules" / "samples")[0].arrives)
    edited = tmp_path / "rules" / "00-mail-without-a-letter.yaml"
    edited.write_text(edited.read_text().replace("Automatic", "Puhkused"))
    (tmp_path / "mailrouter.db").write_bytes(b"of the last time")
    again = prepare(tmp_path)
    assert again.kept == ("rules",)
    assert "Puhkused" in edited.read_text()
    assert not (tmp_path / "mailrouter.db").exists()


def test_demo_leaves_a_strange_folder_alone(tmp_path):
    """A folder with settings that the demo did not write is refused and not changed."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mailrouter.yaml").write_text("institution: {name: X, domains: [x.example]}\n")
    assert demo(tmp_path, once=True, console=Console(file=io.StringIO())) == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["config", "mailrouter.yaml"]


def test_an_approved_answer_is_sent_registered_and_closes_the_letter(tmp_path):
    """A demo left running sends what a person approves: 5-4/22-2 goes out and 5-4/22-1 is closed."""
    command = [sys.executable, "-m", "mailrouter", "demo", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            shown = _until(running, "Ctrl-C ends the demo")
            answer = re.search(r"drafts approve (\d+)", shown)[1]
            config = tmp_path / "config"
            assert _cli("drafts", "approve", answer, "--as", "Katarina Budrik", "--config", config).returncode == 0
            letter = _wait_for(lambda: _closed(config))
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0
        finally:
            running.kill()
    assert letter["answered"]
    mail = next(raw for raw in _sent(tmp_path) if b"5-4/22-2" in raw)
    assert b"In-Reply-To: <a3f1c9d27e5b4c60@ec.europa.eu>" in mail
    assert b"Auto-Submitted" not in mail


def _closed(config):
    register = {entry["number"]: entry for entry in _lines("register", "list", "--config", config)}
    if register["5-4/22-1"]["state"] == "closed" and register["5-4/22-2"]["direction"] == "outgoing":
        return register["5-4/22-1"]
    return None


def _sent(folder):
    return [path.read_bytes() for path in sorted((folder / "sent").iterdir())]


def _until(running, words):
    shown = ""
    for line in running.stdout:
        shown += line
        if words in line:
            return shown
    raise AssertionError(shown)


def _wait_for(found, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(KeyError):
            if value := found():
                return value
        time.sleep(0.5)
    raise AssertionError("nothing came of it")
