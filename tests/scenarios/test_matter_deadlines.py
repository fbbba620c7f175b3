"""Deadlines that pass: who is reminded, how often, and where it shows. The calendar is set by each test."""

import json
from email import message_from_bytes, policy

from mailrouter.core.effects import EFFECT


def head_of_unit(office, name):
    people = office.config / "people.yaml"
    people.write_text(people.read_text("utf-8").replace("head: Merike Aasmäe", f"head: {name}"), "utf-8")


def reminders(office, number="5-4/22-1"):
    """(recipients, subject) of the mails about the letter that say so, beyond what was sent when it came."""
    mails = [(taken, message_from_bytes(taken.data, policy=policy.default)) for taken in office.sink.mails]
    return [
        (sorted(taken.recipients), str(mail["Subject"]))
        for taken, mail in mails
        if number in str(mail["Subject"])
        and ("Meeldetuletus" in str(mail["Subject"]) or "Overdue" in str(mail["Subject"]))
    ]


def status(office, app):
    done = office.command("status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_missed_deadline(office):
    """Before it the responsible is reminded, after it the head of unit as well, every three days until it is answered."""
    head_of_unit(office, "Birgit Paal")
    office.deliver(office.sample("global-alliance"))
    app = office.app("2024-02-29T13:06:00+02:00")
    service = app.service()

    def on(moment):
        app.clock.set(app.clock.now().fromisoformat(moment))
        assert service.run_once() == 0
        return reminders(office)

    assert on("2024-02-29T13:06:00+02:00") == []
    [entry] = app.store.registry.entries()
    assert entry.due == "2024-04-01"
    [before] = [one for one in app.store.listing.messages()[0].effects if one["kind"] == "remind"]
    assert EFFECT.validate_python(before["payload"]).at.startswith("2024-03-26T09:00")
    assert on("2024-03-26T08:55:00+02:00") == []
    katarina, birgit = "katarina.budrik@ministry.example", "birgit.paal@ministry.example"
    told = [([katarina], "Meeldetuletus: 5-4/22-1 Follow-up on Global Alliance to Counter Migrant Smuggling")]
    assert on("2024-03-26T09:00:00+02:00") == told
    assert on("2024-04-01T23:00:00+03:00") == told, "the due date is not over"
    assert on("2024-04-02T08:30:00+03:00") == told, "reminders go out in the morning, at nine"
    late = on("2024-04-02T09:10:00+03:00")[1:]
    assert [to for to, _ in late] == [[birgit, katarina]]
    assert "5-4/22-1" in late[0][1]
    assert on("2024-04-02T16:00:00+03:00")[1:] == late, "once"
    assert len(on("2024-04-05T09:10:00+03:00")) == 3
    assert len(on("2024-04-07T12:00:00+03:00")) == 3
    assert len(on("2024-04-08T10:00:00+03:00")) == 4
    assert len(on("2024-05-20T10:00:00+03:00")) == 5, "what a service that stood still has missed is not made up"

    office.configure(clock="2024-05-20T10:00:00+03:00")
    assert status(office, app)["overdue"] == 1
    nomination = next(one for one in app.store.drafts.all() if one.purpose == "nomination")
    refused = office.command("drafts", "approve", str(nomination.id), "--as", "Birgit Paal")
    assert refused.returncode == 1
    assert "Katarina Budrik" in refused.stderr
    assert office.command("drafts", "approve", str(nomination.id), "--as", "Katarina Budrik").returncode == 0
    assert len(on("2024-05-22T10:00:00+03:00")) == 5
    assert app.store.registry.get("5-4/22-1").answered == "2024-05-22", "late, and answered"
    assert len(on("2024-06-03T10:00:00+03:00")) == 5, "an answered letter is not spoken of any more"
    assert status(office, app)["overdue"] == 0


def test_nobody_is_reminded_of_what_the_same_run_answers(office):
    """Approved, and the deadline passes before it can go out: the answer goes first, the reminders due with it do not go."""
    office.deliver(office.sample("global-alliance"))
    app = office.app("2024-02-29T13:06:00+02:00")
    service = app.service()
    assert service.run_once() == 0
    acknowledgement, nomination = sorted(app.store.drafts.all(), key=lambda one: one.purpose)
    office.configure(clock="2024-03-25T16:00:00+02:00")
    assert office.command("drafts", "approve", str(nomination.id), "--as", "Katarina Budrik").returncode == 0
    app.clock.set(app.clock.now().fromisoformat("2024-04-02T09:10:00+03:00"))
    assert service.run_once() == 0
    assert app.store.drafts.get(nomination.id).state == "sent"
    assert reminders(office) == []

    told = json.loads(office.command("drafts", "show", str(acknowledgement.id), "--json").stdout)
    assert (told["state"], told["note"]) == ("withdrawn", "no longer needed: 5-4/22-1 is answered by 5-4/22-2")
    assert office.mails("Drafts") == [], "nobody sends the acknowledgement after the answer by mistake"
    refused = office.command("drafts", "approve", str(acknowledgement.id), "--as", "Katarina Budrik")
    assert (refused.returncode, "is withdrawn" in refused.stderr) == (1, True)
    assert service.run_once() == 0
    assert len(app.store.drafts.all(["withdrawn"])) == 1


def test_a_corrected_due_date_moves_its_reminder(office):
    """The Commission gives more time: nobody is reminded of the old date, and once of the new one."""
    office.deliver(office.sample("global-alliance"))
    assert office.run_once() == 0
    said = office.command("register", "correct", "5-4/22-1", "--set", "due=2024-05-15", "--reason", "by phone")
    assert said.returncode == 0, said.stderr
    assert office.run_once("2024-03-26T09:00:00+02:00") == 0
    assert office.run_once("2024-05-09T18:00:00+03:00") == 0
    assert reminders(office) == []
    assert office.run_once("2024-05-10T09:00:00+03:00") == 0
    [(to, _)] = reminders(office)
    assert to == ["katarina.budrik@ministry.example"]
    told = message_from_bytes(office.sink.mails[-1].data, policy=policy.default).get_content()
    assert "15.05.2024" in told
    assert office.run_once("2024-05-10T12:00:00+03:00") == 0
    assert len(reminders(office)) == 1


def test_no_held_mail_passes_unseen(office):
    """Flagged and told at once, reminded before the working day of the law is over, reminded again when it is."""
    office.deliver(office.sample("unknown"), when="2024-09-02T09:00:00+03:00")
    app = office.app("2024-09-02T09:01:00+03:00")
    service = app.service()

    def on(moment):
        app.clock.set(app.clock.now().fromisoformat(moment))
        assert service.run_once() == 0
        return [list(one.recipients) for one in office.sink.mails]

    registrar = ["katrin.hantsom@ministry.example"]
    assert on("2024-09-02T09:01:00+03:00") == [registrar]
    client = office.imap()
    client.select("INBOX", readonly=True)
    assert client.search(None, "FLAGGED")[1][0], "flagged where colleagues see it"
    client.logout()
    [held] = app.store.listing.messages(state="held")
    assert held.hold_due == "2024-09-03T17:00:00+03:00"
    assert on("2024-09-03T12:55:00+03:00") == [registrar]
    assert on("2024-09-03T13:00:00+03:00") == [registrar] * 2
    office.configure(clock="2024-09-03T18:00:00+03:00")
    assert status(office, app)["overdue_holds"] == 1
    assert on("2024-09-04T09:30:00+03:00") == [registrar] * 3
    last = message_from_bytes(office.sink.mails[-1].data, policy=policy.default)
    assert "Overdue" in last["Subject"]
    assert "03.09.2024" in last.get_content()
    assert on("2024-09-04T17:30:00+03:00") == [registrar] * 3
    app.store.listing.release(held.id, who="Katrin", why="answered by phone", at="2024-09-05T10:00:00+03:00")
    assert on("2024-09-20T10:00:00+03:00") == [registrar] * 3
    assert status(office, app)["overdue_holds"] == 0
