"""The seed letter from the mailbox to the answer, over Dovecot and an SMTP server."""

import threading
import time
from email.message import Message

from mailrouter.shell.views import draft_json, entry_json, message_json


def text_of(mail: Message) -> str:
    return "\n".join(
        part.get_payload(decode=True).decode(part.get_content_charset() or "utf-8", "replace")
        for part in mail.walk()
        if part.get_content_type() == "text/plain"
    )


def test_the_seed_letter_is_registered_forwarded_drafted_and_filed(office):
    """One run turns the mail into everything that the registrar used to do by hand."""
    raw = office.sample("global-alliance")
    office.deliver(raw)
    assert office.run_once() == 0

    app = office.app()
    [entry] = [entry_json(one) for one in app.store.registry.entries()]
    assert entry["number"] == "5-4/22-1"
    assert entry["registered"].startswith("2024-02-29")
    assert entry["title"] == "Follow-up on Global Alliance to Counter Migrant Smuggling"
    assert (entry["function"], entry["series"], entry["file"]) == ("5", "5-4", "5-4/2024")
    assert entry["access"] == "Avalik"
    assert entry["sender"]["institution"] == "European Commission, DG Migration and Home Affairs"
    assert entry["sender"]["name"] == "HOME GLOBAL ALLIANCE"
    assert entry["sender_date"] == "2024-02-28"
    assert entry["responsible"]["name"] == "Katarina Budrik"
    assert entry["arrival"] == "e-post"
    assert entry["state"] == "open"

    assert office.mails("INBOX") == []
    assert len(office.mails("Registered")) == 1
    drafts = office.mails("Drafts")
    assert len(drafts) == 2
    assert {draft["To"] for draft in drafts} == {"HOME-GLOBAL-ALLIANCE@ec.europa.eu"}
    assert len({draft["In-Reply-To"] for draft in drafts}) == 1

    forwarded = [taken for taken in office.sink.mails if b"message/rfc822" in taken.data]
    assert len(forwarded) == 1
    assert all(address.endswith("@ministry.example") for address in forwarded[0].recipients)
    told = [taken for taken in office.sink.mails if "katarina.budrik@ministry.example" in taken.recipients]
    assert len(told) == 1
    assert b"5-4/22-1" in told[0].data


def test_an_approved_nomination_goes_out_once_and_closes_the_letter(office):
    """Approval records; the next run sends, copies to Sent, registers 5-4/22-2 and closes 5-4/22-1."""
    office.deliver(office.sample("global-alliance"))
    office.run_once()
    app = office.app()
    nomination = next(one for one in app.store.drafts.all() if one.purpose == "nomination")
    approved = office.command("drafts", "approve", str(nomination.id), "--as", "Katarina Budrik")
    assert approved.returncode == 0, approved.stderr
    assert not any(b"5-4/22-2" in taken.data for taken in office.sink.mails), "the command line sends nothing itself"

    assert office.run_once("2024-03-01T09:00:00+02:00") == 0
    sent = [taken for taken in office.sink.mails if "HOME-GLOBAL-ALLIANCE@ec.europa.eu" in taken.recipients]
    assert len(sent) == 1
    [copy] = office.mails("Sent Items")
    assert "5-4/22-2" in text_of(copy)
    assert "{number}" not in text_of(copy)
    assert office.mails("Drafts") == [], "the answer has gone, and who has it needs no acknowledgement"

    incoming, outgoing = (entry_json(one) for one in office.app().store.registry.entries())
    assert (outgoing["number"], outgoing["direction"]) == ("5-4/22-2", "outgoing")
    assert (incoming["state"], incoming["answered"]) == ("closed", "2024-03-01")

    assert office.run_once("2024-03-01T09:05:00+02:00") == 0
    assert len([t for t in office.sink.mails if "HOME-GLOBAL-ALLIANCE@ec.europa.eu" in t.recipients]) == 1


def test_the_acknowledgement_closes_nothing(office):
    """An acknowledgement is no answer: it is sent, not registered."""
    office.deliver(office.sample("global-alliance"))
    office.run_once()
    draft = next(one for one in office.app().store.drafts.all() if one.purpose == "acknowledgement")
    assert "5-4/22-1" in draft_json(draft)["text"]
    assert office.command("drafts", "approve", str(draft.id)).returncode == 0
    assert office.run_once() == 0
    [entry] = [entry_json(one) for one in office.app().store.registry.entries()]
    assert entry["state"] == "open"


def test_a_draft_changed_after_its_approval_is_not_sent(office):
    """The copy in Drafts is compared before sending: the approval falls and the difference is shown."""
    office.deliver(office.sample("global-alliance"))
    office.run_once()
    nomination = next(one for one in office.app().store.drafts.all() if one.purpose == "nomination")
    assert office.command("drafts", "approve", str(nomination.id)).returncode == 0

    client = office.imap()
    client.select("Drafts")
    _, found = client.search(None, "SUBJECT", '""')
    name = f"<{nomination.message_key}@ministry.example>"
    _, found = client.search(None, "HEADER", "Message-ID", name)
    [number] = found[0].split()
    _, data = client.fetch(number, "(BODY.PEEK[])")
    changed = data[0][1].replace(b"Dear", b"Dearest")
    assert changed != data[0][1]
    client.store(number, "+FLAGS", "\\Deleted")
    client.expunge()
    client.append("Drafts", "\\Draft", None, changed)
    client.logout()

    office.run_once()
    assert not [t for t in office.sink.mails if "HOME-GLOBAL-ALLIANCE@ec.europa.eu" in t.recipients]
    draft = office.app().store.drafts.get(nomination.id)
    assert draft.state == "waiting"
    assert "Dearest" in draft.note


def test_a_mail_is_forwarded_by_idle_not_by_the_poll(office):
    """With a poll an hour away, a mail that is appended is forwarded at once."""
    office.configure(
        mailboxes=[{**office.mailbox("registry", "info@ministry.example", office.user), "poll_seconds": 3600}]
    )
    app = office.app()
    service = app.service()
    service.start()
    try:
        until = time.monotonic() + 20
        while not app.store.intake.health() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)  # the watcher is in IDLE by now; nothing is measured against this
        office.deliver(office.sample("global-alliance"))
        office.sink.wait(2, 30)
    finally:
        service.stop()
    assert any(b"message/rfc822" in taken.data for taken in office.sink.mails)
    assert threading.active_count() < 20


def test_a_held_mail_is_shown_with_its_reason_and_can_be_released(office):
    """A mail that no rule knows waits for a person, flagged, and its colleagues are told."""
    office.deliver(office.sample("unknown"), when="2024-09-01T09:00:00+03:00")
    assert office.run_once("2024-09-02T09:00:00+03:00") == 0
    [one] = [message_json(listed) for listed in office.app().store.listing.messages()]
    assert (one["state"], one["hold"]) == ("held", "no-rule")
    assert len(office.mails("INBOX")) == 1
    done = office.command(
        "messages", "release", one["sha256"][:10], "--reason", "dealt with by phone", "--as", "Katrin"
    )
    assert done.returncode == 0, done.stderr
    assert office.app().store.listing.messages()[0].state == "released"


def test_an_answer_to_two_goes_once_to_each(office):
    """Where one recipient's server says later, the next try goes to that one alone."""
    office.deliver(office.sample("global-alliance"))
    office.run_once()
    draft = next(one for one in office.app().store.drafts.all() if one.purpose == "acknowledgement")
    two = ["--to", "HOME-GLOBAL-ALLIANCE@ec.europa.eu", "--to", "second@office.example"]
    assert office.command("drafts", "fill", str(draft.id), *two).returncode == 0
    office.run_once()
    assert office.command("drafts", "approve", str(draft.id)).returncode == 0
    office.sink.refuse["second@office.example"] = "451 4.7.1 later"
    office.run_once()
    office.sink.refuse.clear()
    for _ in range(20):
        office.run_once()
        if office.app().store.drafts.get(draft.id).state == "sent":
            break
        time.sleep(0.2)
    answers = [taken.recipients for taken in office.sink.mails if b"Auto-Submitted" not in taken.data]
    assert sorted(answers) == [("HOME-GLOBAL-ALLIANCE@ec.europa.eu",), ("second@office.example",)]
    assert office.app().store.drafts.get(draft.id).state == "sent"


def test_a_mail_that_cannot_even_be_held_by_template_is_held(office):
    """Where the text of the hold itself fails, the mail is still kept, flagged, and a registrar told in plain words."""
    (office.folder / "templates" / "hold.txt.j2").write_text("---\nsubject: held\n---\n{{ 1 // 0 }}\n")
    office.deliver(office.sample("unknown"))
    office.deliver(office.sample("newsletter"))
    office.run_once()
    held, other = (message_json(one) for one in office.app().store.listing.messages())
    assert (held["state"], held["hold"]) == ("held", "defect")
    assert "could not decide" in held["hold_reason"]
    assert other["state"] == "settled", "one bad mail does not stop the next"
    told = [taken for taken in office.sink.mails if "katrin.hantsom@ministry.example" in taken.recipients]
    assert len(told) == 1
    assert len(office.mails("INBOX")) == 1
