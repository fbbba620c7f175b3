"""The register around a matter: its history, the second public case, corrections, calendars, what the public sees."""

import json
from datetime import date
from email import policy
from email.message import EmailMessage

from icalendar import Calendar

COMMISSION = "HOME-GLOBAL-ALLIANCE@ec.europa.eu"
INVITATION = """\
Tere!

Palun registreerida, vastutaja Birgit Paal.

Birgit

From: HOME COUNTERSMUGGLING CONF <HOME-COUNTERSMUGGLING-CONF@ec.europa.eu>
Sent: Tuesday, November 7, 2023 8:49 PM
To: Birgit Paal <birgit.paal@ministry.example>; Julika Luts <julika.luts@ministry.example>
Subject: Invitation to International Conference on a Global Alliance to counter migrant smuggling

Dear Ms. Paal, dear Ms. Luts,

Please find attached the invitation to the International Conference on a Global Alliance to Counter Migrant Smuggling.

Kind regards
"""


def invitation():
    mail = EmailMessage(policy=policy.SMTP)
    mail["Authentication-Results"] = "mx.ministry.example; dmarc=pass header.from=ministry.example"
    mail["From"], mail["To"] = "Birgit Paal <birgit.paal@ministry.example>", "info@ministry.example"
    mail["Subject"] = "FW: Invitation to International Conference on a Global Alliance to counter migrant smuggling"
    mail["Date"], mail["Message-ID"] = "Wed, 08 Nov 2023 09:10:00 +0200", "<inv1@ex02.ministry.example>"
    mail.set_content(INVITATION)
    return mail.as_bytes()


def answered(office, purpose, approver, at):
    app = office.app(at)
    draft = next(one for one in app.store.drafts.all(["waiting"]) if one.purpose == purpose)
    office.configure(clock=at)
    done = office.command("drafts", "approve", str(draft.id), "--as", approver)
    assert done.returncode == 0, done.stderr
    assert app.service().run_once() == 0
    return app


def test_the_letter_belongs_to_the_invitation_that_was_registered_before(office):
    """The invitation of 7 November 2023 lies in the history of the new letter: it joins that matter and closes with it."""
    office.deliver(invitation(), when="2023-11-08T09:10:00+02:00")
    assert office.run_once("2023-11-08T09:11:00+02:00") == 0
    office.deliver(office.sample("global-alliance"))
    assert office.run_once("2024-02-29T13:06:00+02:00") == 0
    app = office.app()
    first, letter = app.store.registry.entries()
    assert (first.number, first.registered[:10], first.responsible.name) == ("5-4/22-1", "2023-11-08", "Birgit Paal")
    assert (letter.number, letter.responsible.name) == ("5-4/22-2", "Katarina Budrik")
    assert [(one.kind, one.number) for one in letter.relations] == [("initial", "5-4/22-1")]
    assert [(one.kind, one.number) for one in first.relations] == [("follow-up", "5-4/22-2")]
    assert any("5-4/22-2" in change["what"] for change in app.store.registry.history("5-4/22-1"))
    assert app.store.listing.case_of(letter.message).thread.entry.by == "history"

    answered(office, "nomination", "Katarina Budrik", "2024-03-01T09:00:00+02:00")
    first, letter, answer = app.store.registry.entries()
    assert (answer.number, letter.state) == ("5-4/22-3", "closed")
    assert [(one.kind, one.number) for one in answer.relations] == [("initial", "5-4/22-2")]
    assert first.state == "open", "the answer is to the letter, not to the invitation"


def test_the_second_public_case_from_request_to_answer(office):
    """The Permanent Representation passes on a request: answered in Estonian with nominee and deputy, on time."""
    office.deliver(office.sample("permanent-representation"), when="2024-07-30T09:38:12+03:00")
    assert office.run_once("2024-07-30T09:39:00+03:00") == 0
    app = answered(office, "nomination", "Birgit Paal", "2024-08-05T10:00:00+03:00")
    letter, answer = app.store.registry.entries()
    assert (letter.due, letter.answered, letter.state) == ("2024-09-06", "2024-08-05", "closed")
    assert (letter.sender_reference, letter.sender_date) == ("14-4/773", "2024-07-29")
    assert (answer.number, answer.sender_reference) == ("5-4/22-2", "14-4/773")
    [sent] = [one for one in office.mails("Sent Items") if one["To"] == "esindus@permrep.example"]
    words = sent.get_payload(decode=True).decode()
    assert "Nimi: Kristjan Põldsaar" in words
    assert "Nimi: Anu Lepiksaar" in words
    assert "05.08.2024 nr 5-4/22-2" in words
    assert "29.07.2024 nr 14-4/773" in words

    said = office.command(
        "register", "correct", "5-4/22-1", "--set", "title=Esindajate nimetamine komiteesse, tel 5123 4567",
        "--set", "note=helistada +372 5123 4567", "--reason", "the title said too little", "--as", "Katrin Hantsom",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    shown = json.loads(office.command("register", "show", "5-4/22-1", "--json").stdout)
    assert shown["title"].startswith("Esindajate nimetamine komiteesse")
    last = shown["history"][-1]
    assert (last["who"], last["why"]) == ("Katrin Hantsom", "the title said too little")
    assert "'Esindajate nimetamine'" in last["what"], "the old title stays"
    assert [one["what"].split()[0] for one in shown["history"][:2]] == ["registered", "closed"]
    wrong = office.command("register", "correct", "5-4/22-1", "--set", "number=5-4/1-1", "--reason", "x")
    assert wrong.returncode == 1

    site = office.folder / "public"
    assert office.command("register", "export", "--public", "--to", str(site)).returncode == 0
    pages = "\n".join(page.read_text("utf-8") for page in site.iterdir())
    assert {"index.html"} < {page.name for page in site.iterdir()}
    lines = office.command("register", "export", "--public").stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == ["5-4/22-1", "5-4/22-2"]
    for text in (pages, "\n".join(lines)):
        assert "Esindajate nimetamine komiteesse" in text
        assert "Birgit Paal" in text
        for secret in ("5123", "esindus@permrep.example", "helistada", "Liis", "600 0112"):
            assert secret not in text, secret


def test_calendars(office):
    """A feed of each person's due dates; with --events what the letters announce; answered letters leave it."""
    office.deliver(office.sample("global-alliance"))
    assert office.run_once() == 0
    office.deliver(office.sample("permanent-representation"), when="2024-07-30T09:38:12+03:00")
    assert office.run_once("2024-07-30T09:39:00+03:00") == 0
    office.configure(clock="2024-07-31T09:00:00+03:00")

    def calendar(*options):
        file = office.folder / "feed" / "due.ics"
        done = office.command("register", "calendar", "--to", str(file), *options)
        assert done.returncode == 0, done.stderr
        return [
            (str(event["summary"]), event.decoded("dtstart"), str(event["uid"]))
            for event in Calendar.from_ical(file.read_bytes()).walk("VEVENT")
        ]

    [mine] = calendar("--person", "Katarina Budrik")
    assert mine[0].startswith("5-4/22-1 Follow-up on Global Alliance")
    assert mine[1] == date(2024, 4, 1)
    every = calendar()
    assert [day for _, day, _ in every] == [date(2024, 4, 1), date(2024, 9, 6)]
    assert calendar() == every, "the same dates keep their UIDs"
    announced = calendar("--events")[2:]
    assert date(2024, 7, 11) in [day for _, day, _ in announced], "the working group in Vienna"
    assert len({uid for _, _, uid in announced}) == len(announced) > 0

    app = office.app("2024-07-31T09:00:00+03:00")
    app.store.registry.correct(
        "5-4/22-1", {"state": "closed"}, at="2024-07-31T09:00:00+03:00", who="Katrin", why="answered by phone"
    )
    assert calendar("--person", "Katarina Budrik") == []
