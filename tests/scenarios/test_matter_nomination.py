"""A nomination from the request to the answer: everything that a person does with its draft."""

import json
import re
from email import policy
from email.message import EmailMessage

import pytest
from ruamel.yaml import YAML

from mailrouter.shell.errors import Permanent
from mailrouter.shell.nominating import approve_draft, fill_draft
from mailrouter.shell.views import draft_json

COMMISSION = "HOME-GLOBAL-ALLIANCE@ec.europa.eu"
APPROVER = "Katarina Budrik"


class Matter:
    """The seed letter's nomination, and what a person does with it."""

    def __init__(self, office, clock="2024-03-01T09:00:00+02:00"):
        self.office = office
        office.deliver(office.sample("global-alliance"))
        assert office.run_once() == 0
        self.app = office.app(clock)
        self.id = next(one.id for one in self.app.store.drafts.all() if one.purpose == "nomination")

    @property
    def draft(self):
        return self.app.store.drafts.get(self.id)

    @property
    def text(self):
        return self.draft.content.content.text

    def fill(self, **given):
        ruleset = self.app.rulebook().current()
        return fill_draft(
            self.app.store,
            self.draft,
            directory=ruleset.directory,
            organisation=ruleset.institution,
            who="Katarina Budrik",
            at=self.app.clock.now(),
            **given,
        )

    def approve(self, who=APPROVER):
        ruleset = self.app.rulebook().current()
        return approve_draft(self.app.store, self.id, ruleset=ruleset, who=who, at=self.app.clock.now())

    def run(self, at=None):
        if at:
            self.app.clock.set(self.app.clock.now().fromisoformat(at))
        return self.app.service().run_once()

    def sent(self, address=COMMISSION):
        return [taken for taken in self.office.sink.mails if address in taken.recipients]


def in_yaml(path, change):
    yaml = YAML()
    data = yaml.load(path.read_text("utf-8"))
    change(data)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(data, file)


def test_two_nominees_at_a_new_address(office):
    """The Commission moved its mailbox, and two are nominated: both stand in the answer, which goes to the new address."""
    matter = Matter(office)
    assert "Name: Liis Tammemägi" in matter.text
    done = office.command(
        "drafts", "fill", str(matter.id), "--nominee", "Anu Lepiksaar", "--nominee", "Liis Tammemägi",
        "--to", "new-alliance@ec.europa.eu", "--as", "Birgit Paal",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    blocks = re.findall(r"Name: (.+)\nFunction: (.+)\nOrganisation: (.+)\nE-mail: (.+)\nPhone: (.+)", matter.text)
    assert [(name, mail) for name, _, _, mail, _ in blocks] == [
        ("Anu Lepiksaar", "anu.lepiksaar@ministry.example"),
        ("Liis Tammemägi", "liis.tammemagi@ministry.example"),
    ]
    shown = json.loads(office.command("drafts", "show", str(matter.id), "--json").stdout)
    assert (shown["nominees"], shown["needs"]) == (["Anu Lepiksaar", "Liis Tammemägi"], [])
    assert matter.run() == 0
    copies = [one for one in office.mails("Drafts") if one["To"] == "new-alliance@ec.europa.eu"]
    assert len(copies) == 1
    assert len(office.mails("Drafts")) == 2, "the new copy takes the old one's place"

    refused = office.command("drafts", "approve", str(matter.id), "--as", "Rando Käsper")
    assert refused.returncode == 1
    assert "entitles Katarina Budrik" in refused.stderr
    assert matter.draft.state == "waiting"
    matter.approve()
    assert matter.run() == 0
    [taken] = matter.sent("new-alliance@ec.europa.eu")
    assert matter.sent() == []
    assert b"anu.lepiksaar@ministry.example" in taken.data
    [letter, answer] = matter.app.store.registry.entries()
    assert letter.state == "closed"
    assert answer.recipients[0].address == "new-alliance@ec.europa.eu"


def test_approved_and_edited_then_named_anew(office):
    """An approval falls with any later change; what is approved again goes out, once, under the number it had."""
    matter = Matter(office)
    approved = matter.approve()
    assert approved.number == "5-4/22-2"
    changed = matter.fill(nominees=["Anu Lepiksaar"])
    assert (changed.state, changed.approved_by, changed.number) == ("waiting", None, "5-4/22-2")
    assert matter.run() == 0
    assert matter.sent() == []
    with pytest.raises(Permanent, match="may not approve"):
        matter.approve("Birgit Paal")
    matter.approve()
    assert matter.run() == 0
    [taken] = matter.sent()
    assert b"anu.lepiksaar" in taken.data
    assert b"liis.tammemagi" not in taken.data
    assert [one.number for one in matter.app.store.registry.entries()] == ["5-4/22-1", "5-4/22-2"]


def test_an_approval_withdrawn_before_it_goes_out(office):
    """Approved by mistake, rejected before the service ran: nothing goes out, the letter stays open."""
    matter = Matter(office)
    matter.approve()
    done = office.command("drafts", "reject", str(matter.id), "--reason", "the unit must be asked", "--as", APPROVER)
    assert done.returncode == 0, done.stderr
    assert matter.run() == 0
    assert matter.sent() == []
    assert matter.app.store.registry.get("5-4/22-1").state == "open"
    with pytest.raises(Permanent, match="rejected"):
        matter.approve()


def test_the_nominee_leaves_before_the_approval(office):
    """Valid when the draft was made, gone when it is approved: the draft needs a nominee again, in Drafts too."""

    def leaves(data):
        next(one for one in data["people"] if one["name"] == "Liis Tammemägi")["valid_until"] = "2024-03-10"

    in_yaml(office.config / "people.yaml", leaves)
    matter = Matter(office)
    assert draft_json(matter.draft)["needs"] == []
    matter.approve()
    matter.app.store.drafts.change(
        matter.id, matter.draft.content, who="Birgit Paal", at=matter.app.clock.now(), why="not yet"
    )
    matter.app.clock.set(matter.app.clock.now().fromisoformat("2024-03-11T09:00:00+02:00"))
    with pytest.raises(Permanent, match=r"valid until 2024-03-10.*drafts fill"):
        matter.approve()
    assert draft_json(matter.draft)["needs"] == ["nominee"]
    assert "Liis" not in matter.text
    assert matter.run() == 0
    assert not any("Liis" in str(one.get_payload(decode=True)) for one in office.mails("Drafts"))
    with pytest.raises(Permanent, match="still needs: nominee"):
        matter.approve()
    with pytest.raises(Permanent, match="not valid on 2024-03-11"):
        matter.fill(nominees=["Liis Tammemägi"])
    matter.fill(nominees=["Kristjan Põldsaar"])
    matter.approve()
    assert matter.run("2024-03-11T10:00:00+02:00") == 0
    [taken] = matter.sent()
    assert b"kristjan.poldsaar@ministry.example" in taken.data


def test_the_service_notices_that_an_approved_nominee_left(office):
    """Approved, and not sent while the servers were down; when they are back the nominee has left."""

    def leaves(data):
        next(one for one in data["people"] if one["name"] == "Liis Tammemägi")["valid_until"] = "2024-03-10"

    in_yaml(office.config / "people.yaml", leaves)
    matter = Matter(office)
    matter.approve()
    assert matter.run("2024-03-12T09:00:00+02:00") == 0
    assert matter.sent() == []
    assert matter.draft.state == "waiting"
    assert "valid until 2024-03-10" in matter.draft.note


def test_numbers_that_another_register_gives(office):
    """Where Delta owns the counter, ours is a proposal: what names it waits for `register confirm`."""

    def delta(data):
        data["series"][0]["owner"] = "delta"

    in_yaml(office.config / "register.yaml", delta)
    matter = Matter(office)
    assert matter.app.store.registry.get("5-4/22-1").confirmed is False
    acknowledgement = next(one for one in matter.app.store.drafts.all() if one.purpose == "acknowledgement")
    assert draft_json(acknowledgement)["needs"] == ["number"], "it prints the number too"
    with pytest.raises(Permanent, match="register confirm"):
        matter.approve()
    assert office.command("register", "confirm", "5-4/22-1", "5-4/307-1", "--as", "Katrin").returncode == 0
    assert "5-4/307-1" in matter.text
    assert "5-4/22-1" not in matter.text
    assert draft_json(matter.app.store.drafts.get(acknowledgement.id))["needs"] == []
    said = office.command("drafts", "approve", str(matter.id), "--as", APPROVER)
    assert said.returncode == 0, said.stderr
    assert "waits for its number" in said.stdout
    assert matter.run("2024-03-01T09:05:00+02:00") == 0
    assert matter.sent() == []
    assert office.command("register", "confirm", matter.draft.number, "5-4/307-2").returncode == 0
    assert matter.run("2024-03-01T09:10:00+02:00") == 0
    [taken] = matter.sent()
    assert b"5-4/307-2" in taken.data
    [letter, _] = matter.app.store.registry.entries()
    assert letter.state == "closed"
    assert "5-4/307-2" in letter.note


def edited_in_drafts(office, draft, change, *, attach=None):
    """A person's mail program writes the copy anew, as HTML alone, and deletes the old one."""
    name = f"<{draft.message_key}@ministry.example>"
    old = next(one for one in office.mails("Drafts") if one["Message-ID"] == name)
    new = EmailMessage(policy=policy.SMTP)
    for header in ("From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Date"):
        if old[header]:
            new[header] = " ".join(str(old[header]).split())
    words = change(old.get_payload(decode=True).decode())
    new.set_content("".join(f"<p>{line}</p>" for line in words.splitlines()), subtype="html")
    if attach:
        new.add_attachment(attach, maintype="application", subtype="pdf", filename="cv.pdf")
    client = office.imap()
    client.select("Drafts")
    [number] = client.search(None, "HEADER", "Message-ID", name)[1][0].split()
    client.append("Drafts", "\\Draft", None, new.as_bytes())
    client.store(number, "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()


def test_the_nominee_is_filled_in_in_drafts(office):
    """Nobody is known for the topic; a colleague writes the name into the draft in Outlook, another approves it."""
    in_yaml(office.config / "nominations.yaml", lambda data: data.update(topics=[]))
    matter = Matter(office)
    assert draft_json(matter.draft)["needs"] == ["nominee"]
    particulars = {"name": "Birgit Paal", "function": "nõunik", "organisation": "Siseministeerium",
                   "email": "birgit.paal@ministry.example", "phone": "+372 600 0199"}  # fmt: skip

    def filled(text):
        for name, value in particulars.items():
            text = text.replace(f"{{nominee.{name}}}", value)
        return text

    edited_in_drafts(office, matter.draft, filled)
    assert matter.run() == 0
    assert draft_json(matter.draft)["needs"] == []
    assert "+Name: Birgit Paal" in matter.draft.note, "the difference is shown"
    matter.approve()
    assert matter.run() == 0
    [taken] = matter.sent()
    assert b"birgit.paal@ministry.example" in taken.data
    assert matter.app.store.registry.get("5-4/22-1").state == "closed"


def test_a_file_attached_in_drafts_is_not_lost(office):
    """What our service would not send along is not left out silently: a person is asked to send it from there."""
    matter = Matter(office)
    edited_in_drafts(office, matter.draft, lambda text: text, attach=b"%PDF-1.4 a life")
    assert matter.run() == 0
    matter.approve()
    assert matter.run() == 0
    assert matter.sent() == []
    assert matter.draft.state == "waiting"
    assert "send it from there" in matter.draft.note
