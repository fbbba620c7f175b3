"""Answers that colleagues send from their own mail program: registered, never sent a second time."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

COMMISSION = "HOME-GLOBAL-ALLIANCE@ec.europa.eu"
SENT = '"Sent Items"'  # as IMAP writes it
OWN_WORDS = "Dear colleagues,\n\nOur contact will be Ms Anu Lepiksaar, anu.lepiksaar@ministry.example.\n\nKind regards"


def nomination_of(app):
    return next(one for one in app.store.drafts.all() if one.purpose == "nomination")


def by_hand(text, *, to=COMMISSION, subject="Re: Follow-up on Global Alliance", **headers):
    """A mail as Outlook sends it: a Message-ID of its own."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Siseministeerium <info@ministry.example>", to, subject
    mail["Message-ID"] = "<DB7PR01MB1@outlook.ministry.example>"
    mail["Date"] = "Fri, 01 Mar 2024 10:00:00 +0200"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes(policy=policy.SMTP)


def numbers(app):
    return [(one.number, one.state, one.direction) for one in app.store.registry.entries()]


def to_commission(office):
    return [taken for taken in office.sink.mails if COMMISSION in taken.recipients]


@pytest.fixture
def matter(office):
    """The seed letter, registered, with its acknowledgement and its nomination in Drafts."""
    office.deliver(office.sample("global-alliance"))
    assert office.run_once() == 0
    return office


def test_a_draft_changed_and_sent_in_outlook_is_the_answer(matter):
    """A new Message-ID, the Commission's mail answered: registered as 5-4/22-2, closed, and not sent again."""
    app = matter.app("2024-03-01T10:05:00+02:00")
    draft = nomination_of(app)
    text = draft.content.content.text.replace("{date} No {number}", "01.03.2024 No 5-4/22-2")
    text = text.replace("Liis Tammemägi", "Anu Lepiksaar") + "\nP.S. We look forward to Vienna."
    matter.deliver(by_hand(text, In_Reply_To=draft.content.in_reply_to), SENT, "2024-03-01T10:00:00+02:00")
    assert app.service().run_once() == 0

    assert numbers(app) == [("5-4/22-1", "closed", "incoming"), ("5-4/22-2", "closed", "outgoing")]
    sent = app.store.drafts.get(draft.id)
    assert (sent.state, sent.number) == ("sent", "5-4/22-2")
    assert "sent by a person" in sent.note
    assert "Anu Lepiksaar" in sent.content.content.text
    [letter, answer] = app.store.registry.entries()
    assert letter.answered == "2024-03-01"
    assert answer.message
    assert app.store.drafts.all(["waiting"]) == []
    [acknowledgement] = app.store.drafts.all(["withdrawn"])
    assert acknowledgement.note == "no longer needed: 5-4/22-1 is answered by 5-4/22-2"
    assert matter.mails("Drafts") == [], "what is left of the answered draft, and of the acknowledgement"
    assert app.service().run_once() == 0
    assert to_commission(matter) == []
    assert len(numbers(app)) == 2

    refused = matter.command("drafts", "approve", str(draft.id), "--as", "Katarina Budrik")
    assert refused.returncode == 1
    assert "is sent" in refused.stderr
    reply = by_hand(
        "Thank you for your answer.", to="info@ministry.example", In_Reply_To="<DB7PR01MB1@outlook.ministry.example>"
    )
    reply = reply.replace(b"From: Siseministeerium <info@ministry.example>", f"From: {COMMISSION}".encode())
    reply = reply.replace(b"<DB7PR01MB1@outlook.ministry.example>\r\nDate", b"<next@ec.europa.eu>\r\nDate")
    auth = b"Authentication-Results: mx.ministry.example; dmarc=pass header.from=ec.europa.eu\r\n"
    matter.deliver(auth + reply, when="2024-03-04T09:00:00+02:00")
    app.clock.set(app.clock.now().replace(day=4))
    app.service().run_once()
    thread = app.store.listing.case(app.store.listing.messages()[-1].id).thread
    assert (thread.relation, thread.entry.number) == ("reply", "5-4/22-2"), "what answers it is found by its Message-ID"


def test_the_draft_itself_is_sent_in_the_mail_program(matter):
    """With our own Message-ID, moved from Drafts to Sent by the program."""
    app = matter.app("2024-03-01T10:05:00+02:00")
    draft = nomination_of(app)
    name = f"<{draft.message_key}@ministry.example>"
    copy = next(one for one in matter.mails("Drafts") if one["Message-ID"] == name)
    matter.deliver(copy.as_bytes(policy=policy.SMTP), SENT, "2024-03-01T10:00:00+02:00")
    app.service().run_once()
    assert app.store.drafts.get(draft.id).state == "sent"
    assert "does not name its number 5-4/22-2" in app.store.drafts.get(draft.id).note
    assert numbers(app)[1:] == [("5-4/22-2", "closed", "outgoing")]
    assert to_commission(matter) == []


def test_an_answer_in_own_words_comes_before_the_approved_draft(matter):
    """Approved in the ministry, answered by a colleague a minute before: the outbox looks and does not send."""
    app = matter.app("2024-03-01T10:05:00+02:00")
    draft = nomination_of(app)
    app.store.drafts.approve(
        draft.id, who="Katarina Budrik", at=app.clock.now(), classification=app.rulebook().current().classification
    )
    matter.deliver(
        by_hand(OWN_WORDS, References=f"<x@y.example> {draft.content.in_reply_to}"), SENT, "2024-03-01T10:04:00+02:00"
    )
    outbox = app.service().outbox
    outbox.run_due()
    outbox.close()
    assert to_commission(matter) == []
    assert app.store.drafts.get(draft.id).state == "sent"
    assert numbers(app) == [("5-4/22-1", "closed", "incoming"), ("5-4/22-2", "closed", "outgoing")]
    assert app.service().run_once() == 0
    assert to_commission(matter) == []


def test_what_is_no_answer_leaves_the_draft_waiting(matter):
    """Passed on to a colleague, a confirmation of receipt, another matter: the nomination still waits."""
    app = matter.app("2024-03-01T10:05:00+02:00")
    draft = nomination_of(app)
    thread = {"In_Reply_To": draft.content.in_reply_to}
    when = "2024-03-01T10:00:00+02:00"
    matter.deliver(by_hand("Palun vaata.", to="liis.tammemagi@ministry.example", **thread), SENT, when)
    matter.deliver(by_hand("We confirm receipt of your letter and will come back to you.", **thread), SENT, when)
    matter.deliver(by_hand("About another conference.", subject="Re: Conference in May"), SENT, when)
    app.service().run_once()
    assert app.store.drafts.get(draft.id).state == "waiting"
    assert numbers(app) == [("5-4/22-1", "open", "incoming")]
    acknowledgement = next(one for one in app.store.drafts.all() if one.purpose == "acknowledgement")
    assert acknowledgement.state == "sent", "the confirmation that a person wrote stands for ours"

    matter.deliver(by_hand(f"As to your letter, our number 5-4/22-1:\n{OWN_WORDS}", subject="Contact"), SENT, when)
    app.service().run_once()
    assert app.store.drafts.get(draft.id).state == "sent", "our number in the words is enough"
    assert numbers(app)[0] == ("5-4/22-1", "closed", "incoming")


def test_a_rejected_draft_and_an_answer_of_ones_own(matter):
    """The draft is not wanted; what the colleague writes instead answers the letter."""
    app = matter.app("2024-03-01T10:05:00+02:00")
    draft = nomination_of(app)
    app.store.drafts.reject(draft.id, who="Katarina Budrik", at=app.clock.now(), reason="I write myself")
    assert app.service().run_once() == 0
    assert numbers(app) == [("5-4/22-1", "open", "incoming")]
    matter.deliver(by_hand(OWN_WORDS, In_Reply_To=draft.content.in_reply_to), SENT, "2024-03-01T11:00:00+02:00")
    app.service().run_once()
    assert numbers(app) == [("5-4/22-1", "closed", "incoming"), ("5-4/22-2", "closed", "outgoing")]


def test_our_own_mails_in_sent_are_no_persons(matter):
    """The acknowledgement that the service sent lies in Sent with the thread's Message-ID: the nomination still waits."""
    app = matter.app("2024-03-01T10:05:00+02:00")
    acknowledgement = next(one for one in app.store.drafts.all() if one.purpose == "acknowledgement")
    app.store.drafts.approve(
        acknowledgement.id, who="A", at=app.clock.now(), classification=app.rulebook().current().classification
    )
    app.service().run_once()
    app.service().run_once()
    assert len(to_commission(matter)) == 1
    [copy] = [message_from_bytes(one.as_bytes()) for one in matter.mails("Sent Items")]
    assert re.match(r"<[0-9a-f]{32}@ministry\.example>", copy["Message-ID"])
    assert nomination_of(app).state == "waiting"
    assert app.store.drafts.get(acknowledgement.id).note is None
