"""Raw mail and case go after their time or at a person's request; register and decision log stay; logs name nobody."""

import json
import sqlite3

import pytest

from mailrouter.shell.views import draft_json

WRITER = "mari.maasikas@kodanik.example"
MAIL = (
    f"From: Mari Maasikas <{WRITER}>\r\nTo: info@ministry.example\r\nSubject: Selgitustaotlus salakaubast\r\n"
    "Date: Thu, 29 Feb 2024 12:00:00 +0200\r\nMessage-ID: <isiklik1@kodanik.example>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    "Tere\r\n\r\nMinu isikukood on 48001010000 ja telefon +372 5123 4567. Palun selgitada salakauba asja.\r\n\r\n"
    "Mari Maasikas\r\n"
).encode()
PERSONAL = ("maasikas", "48001010000", "5123 4567", "salakaub", "kodanik.example")
RULES = """
- rule: persons
  when: {message.subject: {contains: taotlus}}
  then:
    - register: {series: "5-4", responsible: Katarina Budrik, access: AK, access_basis: "AvTS § 35 lg 1 p 12"}
    - forward: {to: adviser@ministry.example, note: "Vastata."}
    - draft: {text: "Saime kätte.", subject: "Re: {{ incoming.subject }}", to: =incoming.from, purpose: acknowledgement}
    - move: Persons
"""


@pytest.fixture
def settled(office):
    """A person's letter, registered, forwarded, its acknowledgement rejected: nothing waits any more."""
    for file in (office.folder / "rules").glob("*.yaml"):
        file.unlink()
    (office.folder / "rules" / "10.yaml").write_text(RULES)
    office.configure(
        mailboxes=[{**office.mailbox("registry", "info@ministry.example", office.user), "retention_days": 30}]
    )
    office.deliver(MAIL)
    assert office.run_once() == 0
    app = office.app()
    [draft] = app.store.drafts.all()
    app.store.drafts.reject(draft.id, who="Katarina Budrik", at=app.clock.now(), reason="not needed")
    return office


def kept(office) -> str:
    """Everything in the store but the register, which the law keeps."""
    with sqlite3.connect(office.folder / "mailrouter.db") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [
            str(row)
            for table in tables
            if table not in {"entries", "entry_history", "entry_keys", "identities", "rulesets"}
            for row in connection.execute(f"SELECT * FROM {table}")
        ]
    return "\n".join(rows).lower()


def test_raw_mail_and_case_are_erased_after_the_mailboxs_time(settled):
    """A day before nothing is gone; after it no word of the mail is left, while register and decisions are."""
    settled.run_once("2024-03-29T09:00:00+02:00")
    assert all(one in kept(settled) for one in PERSONAL)
    settled.run_once("2024-04-02T09:00:00+03:00")
    assert [one for one in PERSONAL if one in kept(settled)] == []

    store = settled.app().store
    [mail] = store.listing.messages()
    assert (mail.state, mail.rules, mail.number) == ("settled", ("persons",), "5-4/22-1")
    assert {(effect["kind"], effect["state"]) for effect in mail.effects} >= {("forward", "done"), ("move", "done")}
    assert store.intake.content(mail.sha256 or "") is None
    assert store.registry.get("5-4/22-1").sender.name == "Mari Maasikas"
    assert [draft_json(one)["text"] for one in store.drafts.all()] == [""]
    assert settled.run_once("2024-04-03T09:00:00+03:00") == 0


def test_what_still_waits_is_not_erased(settled):
    """A held mail stays whole until a person has dealt with it, however old it is."""
    settled.deliver(MAIL.replace(b"taotlus", b"kiri").replace(b"isiklik1", b"isiklik2"))
    settled.run_once("2024-03-01T09:00:00+02:00")
    settled.run_once("2024-06-01T09:00:00+03:00")
    held = settled.app().store.listing.messages(state="held")
    assert [one.sender for one in held] == [WRITER]
    assert settled.app().store.listing.case(held[0].id) is not None


def test_a_persons_request_erases_and_is_recorded(settled):
    """`messages erase ADDRESS` leaves nothing of them but the register, and writes who asked for it and why."""
    done = settled.command(
        "messages", "erase", WRITER.upper(), "--reason", "GDPR article 17", "--as", "Katarina Budrik"
    )
    assert done.returncode == 0, done.stderr
    assert "1 mails erased" in done.stdout + done.stderr
    assert [one for one in PERSONAL if one in kept(settled)] == []
    with sqlite3.connect(settled.folder / "mailrouter.db") as connection:
        acts = connection.execute("SELECT who, what, subject, why FROM acts WHERE what = 'erased'").fetchall()
    assert [(who, why) for who, _, _, why in acts] == [("Katarina Budrik", "GDPR article 17")]
    assert "1 mails" in acts[0][2]
    shown = settled.command("messages", "list", "--json")
    assert json.loads(shown.stdout)["from"] is None

    ours = settled.command("messages", "erase", "info@ministry.example", "--reason", "x")
    assert ours.returncode == 1
    assert "our own" in ours.stderr


def test_a_request_names_the_mails_that_still_wait(settled):
    """What waits for a person is named, so that the request is not thought fulfilled."""
    settled.deliver(MAIL.replace(b"taotlus", b"kiri").replace(b"isiklik1", b"isiklik2"))
    settled.run_once()
    done = settled.command("messages", "erase", WRITER, "--reason", "asked")
    assert done.returncode == 1
    assert "still wait: 2" in done.stderr


def test_logs_name_no_person_and_no_content(office):
    """A whole scenario, with what fails in it, leaves nothing personal on stderr: run, hold, refusals, commands."""
    office.deliver(MAIL)
    for name in ("global-alliance", "information-request", "unknown", "bounce", "broken"):
        office.deliver(office.sample(name))
    office.sink.refuse["katarina.budrik@ministry.example"] = "550 5.1.1 <katarina.budrik@ministry.example> unknown"
    runs = [office.command("run", "--once"), office.command("run", "--once")]
    office.sink.answer = "451 later"
    office.deliver(MAIL.replace(b"isiklik1", b"isiklik3").replace(b"salakaub", b"salakoub"))
    runs.append(office.command("run", "--once"))
    logged = "\n".join(one.stderr for one in runs).lower()
    assert logged.count("effect.done") > 5, "the log was looked at, not an empty file"
    assert "effect.given_up" in logged
    found = [
        one for one in (*PERSONAL, "salakoub", "budrik", "global-alliance@", "subject:", "secret") if one in logged
    ]
    assert found == []
