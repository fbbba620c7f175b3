"""Every command that others rely on, as a script calls it: exit codes, JSON shapes, nothing else on stdout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "rules" / "samples"


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def plain(*words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "mailrouter", *words], capture_output=True, input=stdin, timeout=120, check=False
    )


@pytest.fixture
def worked(office):
    """A registry that has taken in the seed letter and a mail that no rule knows."""
    office.deliver(office.sample("global-alliance"))
    office.deliver(office.sample("unknown"))
    assert office.run_once() == 0
    return office


def test_lists_are_json_lines_with_the_promised_keys(worked):
    """What scripts read has the keys that INTERFACE promises."""
    entry = lines(worked.command("register", "list", "--json").stdout)[0]
    assert set(entry) >= {
        "number", "counter", "suffix", "registered", "direction", "title", "function", "series", "file", "access",
        "access_basis", "access_until", "responsible", "state", "sender", "sender_reference", "sender_date", "arrival",
        "due", "answered", "recipients", "relations", "message",
    }  # fmt: skip
    assert entry["counter"] == 22
    assert entry["suffix"] == 1
    assert entry["responsible"]["email"] == "katarina.budrik@ministry.example"

    drafts = lines(worked.command("drafts", "list", "--json").stdout)
    assert {draft["purpose"] for draft in drafts} == {"acknowledgement", "nomination"}
    assert set(drafts[0]) >= {
        "id",
        "state",
        "purpose",
        "to",
        "cc",
        "subject",
        "text",
        "answers",
        "needs",
        "digest",
        "rule",
    }
    assert {draft["answers"] for draft in drafts} == {None, "5-4/22-1"}

    mails = lines(worked.command("messages", "list", "--json").stdout)
    assert [mail["state"] for mail in mails] == ["settled", "held"]
    assert set(mails[0]) >= {
        "sha256", "mailbox", "folder", "uidvalidity", "uid", "received", "from", "subject", "state", "hold", "rules",
        "number", "effects",
    }  # fmt: skip
    assert {effect["state"] for effect in mails[0]["effects"]} <= {"pending", "done"}

    [status] = lines(worked.command("status", "--json").stdout)
    assert set(status) >= {
        "mailbox", "folder", "state", "since", "last_fetch", "uidvalidity", "messages_seen", "messages_settled",
        "unaccounted", "held", "pending_effects", "failed_effects", "unknown_outcome",
    }  # fmt: skip
    assert (status["state"], status["messages_seen"], status["messages_settled"], status["held"]) == ("ok", 2, 1, 1)
    assert status["unaccounted"] == 0


def test_a_mailbox_that_was_never_polled_is_told_as_such(office):
    """Before the first poll nobody knows whether the mailbox can be reached: "ok" would be a guess."""
    [status] = lines(office.command("status", "--json").stdout)
    assert (status["polled"], status["last_fetch"]) == (False, None)
    assert "not polled yet" in office.command("status").stdout
    assert office.run_once() == 0
    [status] = lines(office.command("status", "--json").stdout)
    assert (status["polled"], status["state"]) == (True, "ok")
    assert "not polled yet" not in office.command("status").stdout


def test_why_and_why_not_are_told(worked):
    """`messages show` names the words that a rule matched on, and what the others missed."""
    mail = lines(worked.command("messages", "list", "--json").stdout)[0]
    shown = worked.command("messages", "show", mail["sha256"][:10])
    assert shown.returncode == 0, shown.stderr
    assert "✓ letter to the minister" in shown.stdout
    assert "✗ newsletter" in shown.stdout
    assert "Palun registreerida Deltasse" in shown.stdout
    [whole] = lines(worked.command("messages", "show", "5-4/22-1", "--json").stdout)
    matched = {line["rule"] for line in whole["decision"]["trace"] if line["matched"]}
    assert matched == set(mail["rules"])


def test_explain_says_what_would_be_done_and_does_nothing(office):
    """`explain` shows the next free number; the store stays empty."""
    done = office.command("explain", str(SAMPLES / "global-alliance.eml"), "--json")
    [explained] = lines(done.stdout)
    decision = explained["decision"]
    assert decision["hold"] is None
    kinds = [effect["kind"] for effect in decision["effects"]]
    assert set(kinds) >= {"register", "forward", "draft", "move", "notify"}
    assert kinds[-1] == "move" or "move" in kinds
    register = next(effect for effect in decision["effects"] if effect["kind"] == "register")
    assert (register["entry"]["number"], register["entry"]["series"]) == ("5-4/22-1", "5-4")
    assert explained["case"]["incoming"] == 0
    assert explained["case"]["message"]["verified"] is True
    assert explained["case"]["instruction"]["register"] is True
    assert explained["case"]["instruction"]["responsible"] == "Katarina Budrik"
    assert any(not line["matched"] for line in decision["trace"])
    assert office.command("register", "list", "--json").stdout == ""


def test_read_works_without_settings(tmp_path):
    """`read` needs no configuration: what depends on it is null; directories are sorted, bad paths are said."""
    done = plain("read", str(SAMPLES), "--json")
    read = lines(done.stdout.decode())
    assert done.returncode == 0, done.stderr
    assert [Path(one["file"]).name for one in read] == sorted(path.name for path in SAMPLES.glob("*.eml"))
    seed = next(one for one in read if one["file"].endswith("/global-alliance.eml"))
    assert (seed["message"]["verified"], seed["incoming"], seed["instruction"]) == (None, None, None)
    assert [hop["from"]["name"] for hop in seed["chain"]] == ["HOME GLOBAL ALLIANCE", "HOME COUNTERSMUGGLING CONF"]
    assert seed["letters"][0]["reply_to"].lower() == "home-global-alliance@ec.europa.eu"

    piped = plain("read", "-", "--json", stdin=(SAMPLES / "unknown.eml").read_bytes())
    assert lines(piped.stdout.decode())[0]["file"] == "-"
    missing = plain("read", str(tmp_path / "none.eml"), "--json")
    assert missing.returncode == 1
    assert lines(missing.stdout.decode())[0]["error"]


def test_check_names_every_problem_with_its_place(office):
    """Several wrong things are said at once, each with file:line:column and a remedy."""
    assert office.command("check").returncode == 0
    rule = office.folder / "rules" / "15-wrong.yaml"
    rule.write_text("- rule: x\n  when: {letter.adressee: {role: minister}}\n  then:\n    - mve: Somewhere\n")
    done = office.command("check")
    assert done.returncode == 1
    assert "15-wrong.yaml:2:" in done.stdout
    assert "addressee" in done.stdout
    assert "15-wrong.yaml:4:" in done.stdout
    rule.unlink()
    settings = office.config / "mailrouter.yaml"
    settings.write_text(settings.read_text().replace("templates:", "templtes:"))
    done = office.command("check", "--json")
    assert done.returncode == 1
    assert any("did you mean 'templates'" in one["message"] for one in lines(done.stdout))


def test_rules_are_tried_published_and_rolled_back(worked):
    """A changed working copy decides nothing until it is published; the backtest shows what it would change."""
    assert worked.command("backtest", "--rules", str(worked.folder / "rules"), "--json").returncode == 0
    (worked.folder / "rules" / "90-paper.yaml").write_text(
        "- rule: paper\n  when: {message.subject: {contains: Koopiapaber}}\n  then: [{move: Paper}]\n"
    )
    changed = worked.command("backtest", "--rules", str(worked.folder / "rules"), "--json")
    assert changed.returncode == 1
    *cases, summary = lines(changed.stdout)
    assert summary["gained"] == {"paper": 1}
    assert cases[0]["after"][0]["kind"] == "move"
    wrong = worked.command("backtest", "--rules", str(worked.folder / "rules"), "--rule", "papper")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "'papper'; did you mean 'paper'?" in wrong.stderr
    assert worked.command("rules", "diff").returncode == 1

    assert worked.command("rules", "publish", "-m", "paper", "--as", "Katrin").returncode == 0
    newest = lines(worked.command("rules", "history", "--json").stdout)[0]
    assert (newest["author"], newest["message"], newest["in_force"]) == ("Katrin", "paper", True)
    held = next(one for one in lines(worked.command("messages", "list", "--json").stdout) if one["state"] == "held")
    retried = worked.command("messages", "retry", held["sha256"][:10])
    assert retried.returncode == 0, retried.stderr
    assert worked.run_once() == 0
    assert len(worked.mails("Paper")) == 1

    assert worked.command("rules", "rollback", "1").returncode == 0
    assert "differs" in worked.command("status").stdout


def test_publish_refuses_wrong_rules_and_the_version_in_force_stays(worked):
    """`publish` is refused while `check` has problems."""
    (worked.folder / "rules" / "90-wrong.yaml").write_text("- rule: x\n  when: {nonsense: 1}\n  then: [{move: A}]\n")
    done = worked.command("rules", "publish")
    assert done.returncode == 1
    assert "nonsense" in done.stdout + done.stderr
    assert len(lines(worked.command("rules", "history", "--json").stdout)) == 1


def test_four_eyes_wait_for_the_second_person(worked):
    """With four_eyes a version waits until somebody else agrees."""
    worked.configure(four_eyes=True)
    (worked.folder / "rules" / "90-paper.yaml").write_text(
        "- rule: paper\n  when: {message.subject: {contains: Koopiapaber}}\n  then: [{move: Paper}]\n"
    )
    assert "waits" in worked.command("rules", "publish", "--as", "Katrin").stdout
    newest = lines(worked.command("rules", "history", "--json").stdout)[0]
    assert newest["in_force"] is False
    assert worked.command("rules", "publish", "--agree", str(newest["id"]), "--as", "Katrin").returncode == 1
    assert worked.command("rules", "publish", "--agree", str(newest["id"]), "--as", "Rando").returncode == 0


def test_exit_codes_say_what_is_wrong(office, monkeypatch):
    """2 for wrong use, 3 for a server that cannot be reached, 1 for settings with problems."""
    assert plain("no-such-command").returncode == 2
    assert plain("describe", "nonsense").returncode == 2
    assert plain("status", "--config", str(office.folder / "nowhere")).returncode == 1
    box = office.mailbox("registry", "info@ministry.example", office.user)
    box["imap"]["port"] = 1
    office.configure(mailboxes=[box])
    assert office.command("run", "--once").returncode == 3
    [status] = lines(office.command("status", "--json").stdout)
    assert status["state"] == "failing"
    box["imap"]["port"] = office.dovecot.port
    office.configure(mailboxes=[box])
    monkeypatch.setattr(office.dovecot, "password", "wrong")
    done = office.command("run", "--once")
    assert done.returncode == 3
    assert "wrong" not in done.stdout + done.stderr + office.command("status", "--json").stdout


def test_references_come_from_the_code(office):
    """`schema` and `describe` print what editors and staff use."""
    rules = json.loads(plain("schema", "rules").stdout)
    assert "$defs" in rules or "properties" in rules or "items" in rules
    assert "institution" in json.loads(plain("schema", "settings").stdout)["properties"]
    for what, word in (("conditions", b"contains"), ("actions", b"forward"), ("settings", b"lease_seconds")):
        assert word in plain("describe", what).stdout


@pytest.mark.parametrize("signal_name", ["TERM", "HUP"])
def test_the_service_obeys_its_signals(office, signal_name):
    """SIGTERM ends it within ten seconds; after SIGHUP with bad settings the old ones stay and it says why."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mailrouter", "run", "--config", str(office.config)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "MAILROUTER_TEST_PASSWORD": office.dovecot.password},
    )
    seen = []
    try:
        for line in process.stderr:
            seen.append(line)
            if "service.started" in line:
                break
        if signal_name == "HUP":
            settings = office.config / "mailrouter.yaml"
            good = settings.read_text()
            settings.write_text(good + "\nnonsense: 1\n")
            process.send_signal(1)
            line = next(line for line in process.stderr if "service.settings_kept" in line)
            assert "nonsense" in line
            settings.write_text(good)
            process.send_signal(1)
            assert any("service.settings_taken" in line for line in iter(process.stderr.readline, ""))
        process.terminate()
        process.communicate(timeout=10)
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
