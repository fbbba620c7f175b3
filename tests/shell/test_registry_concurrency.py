"""Registrars at work at once, each with a mailbox and a connection to the database of its own."""

import shutil
import threading
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrouter import bootstrap
from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.shell import mailboxes
from mailrouter.shell.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
REGISTRARS = 8
LETTERS = 200  # each of them forwarded by two officials: 400 mails
OFFICIALS = ("Birgit Paal <birgit.paal@ministry.example>", "Rando Käsper <rando.kasper@ministry.example>")


class InThisProcess:
    """A reader without children: the mails are the test's own."""

    def read_many(self, raws):
        return [read(raw, Limits()) for raw in raws]


def forwarded(letter, official):
    """The Commission's letter as one of two officials passes it on."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["Authentication-Results"] = "mx.ministry.example; dmarc=pass header.from=ministry.example"
    mail["From"], mail["To"] = OFFICIALS[official], "info@ministry.example"
    mail["Subject"] = f"FW: Consultation {letter} on border management"
    mail["Date"] = f"Thu, 29 Feb 2024 13:{official:02}:18 +0200"
    mail["Message-ID"] = f"<fw{letter}.{official}@ex02.ministry.example>"
    mail["References"] = f"<letter{letter}@ec.europa.eu>"
    words = " ".join(f"paragraph{letter} says{number}" for number in range(12))
    mail.set_content(
        f"Palun registreerida.\n\nFrom: HOME BORDERS <home-borders@ec.europa.eu>\n"
        f"Sent: Thursday, February 29, 2024 {8 + letter // 60}:{letter % 60:02} AM\nTo: officials\n"
        f"Subject: Consultation {letter} on border management\n\nDear colleagues,\n\n{words}\n\nKind regards\n"
    )
    return mail.as_bytes()


@pytest.fixture
def config(tmp_path, store_url):
    for name in ("config", "rules", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    boxes = []
    for registrar in range(REGISTRARS):
        folder = tmp_path / "mail" / str(registrar)
        folder.mkdir(parents=True)
        boxes.append({"name": f"box{registrar}", "address": "info@ministry.example", "directory": str(folder)})
    data = {
        "institution": {"name": "Siseministeerium", "domains": ["ministry.example"]},
        "clock": "2024-02-29T13:06:00+02:00",
        "trust": {"authserv_ids": ["mx.ministry.example"]},
        "mailboxes": boxes,
        "smtp": {"host": "127.0.0.1", "port": 9},
        "store": {"url": store_url},
    }
    with (tmp_path / "config" / "mailrouter.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(data, file)
    return tmp_path / "config"


def at_once(config):
    """Every registrar polls its mailbox, all beginning at the same moment; what went wrong."""
    errors = []
    begin = threading.Barrier(REGISTRARS)

    def registrar(number):
        app = bootstrap.app(config)
        try:
            pipeline = Pipeline(app.settings, app.store, app.rulebook(), InThisProcess(), app.clock)
            pipeline.rulebook.current()
            connection = mailboxes.connect(app.settings.mailboxes[number])
            begin.wait(120)
            pipeline.poll(app.settings.mailboxes[number], connection)
            connection.close()
        except Exception as error:
            errors.append(error)
        finally:
            app.close()

    threads = [threading.Thread(target=registrar, args=(number,)) for number in range(REGISTRARS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_two_officials_forward_every_letter_at_the_same_moment(config, tmp_path):
    """Eight registrars settle 400 mails: each letter gets one number, the other mail is linked, and no number is missing."""
    for letter in range(LETTERS):
        for official in range(2):
            box = (2 * letter + official) % REGISTRARS
            (tmp_path / "mail" / str(box) / f"{letter:03}.eml").write_bytes(forwarded(letter, official))
    app = bootstrap.app(config)
    app.rulebook().current()  # published once, before the registrars begin

    assert at_once(config) == []

    entries = list(app.store.registry.entries())
    assert [entry.counter for entry in sorted(entries, key=lambda entry: entry.counter)] == list(
        range(22, 22 + LETTERS)
    )
    assert len({entry.number for entry in entries}) == LETTERS
    mails = app.store.listing.messages()
    assert {mail.state for mail in mails} == {"settled"}
    linked = {}
    for mail in mails:
        linked.setdefault(mail.number, []).append(mail.subject)
    assert {len(subjects) for subjects in linked.values()} == {2}
    assert all(len(set(subjects)) == 1 for subjects in linked.values()), "only the same letter is linked"
    drafts = app.store.drafts.all()
    assert len(drafts) == LETTERS, "the letter is acknowledged once"
    app.close()
