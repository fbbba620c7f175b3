"""MAIL.md's duties end to end, and where every one of them is tested.

Sections named here are those of the RFCs that the duties cite.
"""

import re
from email import message_from_bytes
from pathlib import Path

import pytest

from mailrouter.core.containers import Limits
from mailrouter.core.reading import read

TESTS = Path(__file__).parents[1]
RULES = """
- rule: ask
  when: {message.subject: {contains: Question}}
  then:
    - acknowledge: {text: "We have your question.", subject: "Received"}
    - move: Questions
- rule: pass
  when: {message.subject: {contains: Letter}}
  then:
    - forward: {to: adviser@ministry.example, note: "For you."}
"""


class Here:
    def read_many(self, mails):
        return (read(raw, Limits()) for raw in mails)

    def close(self):
        pass


def mail(number, subject="Question", *headers, to="info@ministry.example", sender="mari@kodanik.example"):
    lines = [
        f"Return-Path: <{sender}>", *headers, f"From: Mari <{sender}>", f"To: {to}", f"Subject: {subject} {number}",
        "Date: Thu, 29 Feb 2024 12:00:00 +0200", f"Message-ID: <q{number}@kodanik.example>",
    ]  # fmt: skip
    return ("\r\n".join(lines) + f"\r\n\r\nThis is text {number}, in words of its own.\r\n").encode()


@pytest.fixture
def desk(office):
    """The office with two rules: `desk.run(clock)` runs once, in this process."""
    for file in (office.folder / "rules").glob("*.yaml"):
        file.unlink()
    (office.folder / "rules" / "10.yaml").write_text(RULES)

    def run(clock=None, **changes):
        office.configure(**changes)
        app = office.app(clock)
        app._reader = Here()
        return app.service().run_once()

    office.run = run
    return office


def answers(desk):
    return [one for one in desk.sink.mails if b"We have your question" in one.data]


def states(desk, kind):
    listed = desk.app().store.listing.messages()
    return [effect["state"] for one in listed for effect in one.effects if effect["kind"] == kind]


def test_an_automatic_answer_is_marked_and_goes_to_the_return_path(desk):
    """RFC 3834 § 3: null envelope sender, Auto-Submitted: auto-replied, threaded, to the return path."""
    desk.deliver(mail(1).replace(b"Return-Path: <mari@", b"Return-Path: <mari-bounces-here@"))
    desk.run()
    [answer] = answers(desk)
    message = message_from_bytes(answer.data)
    assert (answer.sender, answer.recipients) == ("", ("mari-bounces-here@kodanik.example",))
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<q1@kodanik.example>"
    assert "<q1@kodanik.example>" in message["References"]


def test_a_sender_gets_one_automatic_answer_in_seven_days(desk):
    """RFC 5230 § 4.2: also when two mails lie there at once; the mails themselves are all filed."""
    desk.deliver(mail(1))
    desk.deliver(mail(2))
    desk.run("2024-02-29T13:06:00+02:00")
    assert len(answers(desk)) == 1
    desk.deliver(mail(3))
    desk.run("2024-03-06T13:00:00+02:00")
    assert len(answers(desk)) == 1
    desk.deliver(mail(4))
    desk.deliver(mail(5, sender="jaan@kodanik.example"))
    desk.run("2024-03-08T13:10:00+02:00")
    assert [one.recipients[0] for one in answers(desk)] == [
        "mari@kodanik.example", "mari@kodanik.example", "jaan@kodanik.example",
    ]  # fmt: skip
    assert len(desk.mails("Questions")) == 5


def test_an_answer_that_did_not_go_out_is_not_remembered_as_given(desk):
    """RFC 7352 § 4: recorded only after success; the next mail gets its answer."""
    desk.sink.refuse["mari@kodanik.example"] = "550 5.2.1 disabled"
    desk.deliver(mail(1))
    desk.run()
    assert states(desk, "acknowledge") == ["failed"]
    desk.sink.refuse.clear()
    desk.deliver(mail(2))
    desk.run()
    assert len(answers(desk)) == 1


@pytest.mark.parametrize(
    "odd",
    [
        mail(1, "Question", 'Auto-Submitted: auto-generated; type="x"'),
        mail(1, "Question", "List-Id: <news.office.example>"),
        mail(1, "Question", "Precedence: bulk"),
        mail(1, sender="no-reply@kodanik.example"),
        mail(1, sender="owner-list@kodanik.example"),
        mail(1, to="somebody.else@ministry.example"),
        mail(1).replace(b"Return-Path: <mari@kodanik.example>", b"Return-Path: <>"),
        mail(1, sender="colleague@ministry.example"),
    ],
    ids=["auto-submitted", "list", "bulk", "no-reply", "owner", "not-addressed", "null-return-path", "own"],
)  # fmt: skip
def test_machines_lists_and_ourselves_get_no_automatic_answer(desk, odd):
    """RFC 3834 § 2, RFC 5230 § 4.5: nothing goes out to them."""
    desk.deliver(odd)
    desk.run()
    assert answers(desk) == []


def test_a_bounce_is_shown_at_the_mail_that_came_back(desk):
    """RFC 3464, RFC 6522: linked to the effect whose Message-ID it carries, shown as failed, never answered."""
    desk.deliver(mail(1, "Letter"))
    desk.run()
    [taken] = desk.sink.mails
    name = message_from_bytes(taken.data)["Message-ID"]
    bounce = (
        "Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@mx.office.example>\r\nTo: info@ministry.example\r\n"
        "Subject: Undelivered Mail: Question\r\nMessage-ID: <b1@mx.office.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nNot delivered.\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.office.example\r\n\r\n"
        "Final-Recipient: rfc822; adviser@ministry.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {name}\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()
    desk.deliver(bounce)
    desk.run()
    listed = desk.app().store.listing.messages()
    [forward] = [effect for effect in listed[0].effects if effect["kind"] == "forward"]
    assert forward["state"] == "failed"
    assert "adviser@ministry.example" in forward["error"]
    assert answers(desk) == []


def test_our_own_forward_that_comes_round_is_held(desk):
    """Loops: the token with its hop count is believed when it verifies; `hold`, never silence."""
    desk.deliver(mail(1, "Letter"))
    desk.run()
    [first] = desk.sink.mails
    desk.deliver(first.data)
    desk.run(outbox={"hops": 1, "lease_seconds": 20})
    listed = desk.app().store.listing.messages()
    assert [one.state for one in listed] == ["settled", "held"]
    forwards = [one for one in desk.sink.mails if "adviser@ministry.example" in one.recipients]
    assert len(forwards) == 1


def test_a_mail_through_too_many_servers_is_held(desk):
    """RFC 5321 § 6.3: more Received lines than the setting allows."""
    received = [f"Received: from a{n}.example by b{n}.example; Thu, 29 Feb 2024 10:00:00 +0200" for n in range(60)]
    desk.deliver(mail(1, "Letter", *received))
    desk.run()
    assert [one.state for one in desk.app().store.listing.messages()] == ["held"]


def test_a_storm_to_one_address_is_braked_and_shown(desk):
    """More than the setting allows in an hour is held for a person, not lost."""
    for number in range(5):
        desk.deliver(mail(number, "Letter"))
    desk.run(outbox={"per_address": 3, "batch": 1, "lease_seconds": 20})
    assert sorted(states(desk, "forward")) == ["done", "done", "done", "held", "held"]
    assert len(desk.sink.mails) == 3


def test_a_forward_carries_the_original_whole_from_our_own_address(desk):
    """DMARC (RFC 7489) does not break: our address as From and envelope sender, the mail attached as it was."""
    raw = mail(1, "Letter")
    desk.deliver(raw)
    desk.run()
    [taken] = desk.sink.mails
    message = message_from_bytes(taken.data)
    assert taken.sender == "info@ministry.example"
    assert "info@ministry.example" in message["From"]
    [attached] = [part for part in message.walk() if part.get_content_type() == "message/rfc822"]
    assert attached.get_payload(0)["Message-ID"] == "<q1@kodanik.example>"
    assert raw in taken.data


# Every line of the duties, and a test that holds it.
DUTIES = {
    "ledger key, new epochs by digest": "scenarios/faults/test_ledger.py::test_a_folder_deleted_and_made_again_processes_only_what_is_new",
    "UNSEEN is no queue": "scenarios/faults/test_ledger.py::test_a_colleague_who_opens_a_mail_does_not_hide_it",
    "BODY.PEEK": "shell/test_imap.py::test_fetch_gives_the_bytes_and_leaves_seen_alone",
    "n:* is filtered": "shell/test_imap.py::test_uids_above_the_last_are_none",
    "COPYUID": "shell/test_imap.py::test_move_tells_the_new_uids",
    "MOVE, else COPY and UID EXPUNGE": "shell/test_imap.py::test_move_without_the_move_extension",
    "never a plain EXPUNGE": "shell/test_imap.py::test_move_without_uidplus_never_expunges",
    "moves in one command": "shell/test_imap.py::test_moving_eight_hundred_takes_one_command",
    "special use": "shell/test_imap.py::test_special_use_beats_the_name",
    "APPENDUID": "shell/test_imap.py::test_append_tells_the_uid_and_keeps_the_bytes",
    "IDLE wakes": "shell/test_imap.py::test_idle_tells_new_mail_at_once",
    "IDLE that died is noticed": "shell/test_imap.py::test_idle_notices_a_dead_connection",
    "a failing mailbox is isolated": "scenarios/faults/test_ledger.py::test_one_failing_mailbox_does_not_stop_the_others",
    "OAuth, one refresher": "shell/test_oauth.py::test_many_nodes_one_refresher",
    "a rotated token is saved": "shell/test_oauth.py::test_a_rotated_refresh_token_is_saved_and_used",
    "a secret's end is warned of": "shell/test_oauth.py::test_the_end_of_a_secret_is_warned_of",
    "size limit": "scenarios/faults/test_ledger.py::test_a_mail_over_the_size_limit_is_held_from_its_headers",
    "broken mail is read": "core/test_message.py::test_parse_never_raises",
    "hostile mail costs little": "core/test_message.py::test_hostile_mail_costs_little",
    "forwards are fresh mails": "scenarios/test_duties.py::test_a_forward_carries_the_original_whole_from_our_own_address",
    "the original survives": "shell/test_mime.py::test_the_original_survives_whole",
    "automatic answers: marks": "scenarios/test_duties.py::test_an_automatic_answer_is_marked_and_goes_to_the_return_path",
    "automatic answers: to whom not": "scenarios/test_duties.py::test_machines_lists_and_ourselves_get_no_automatic_answer",
    "automatic answers: once in seven days": "scenarios/test_duties.py::test_a_sender_gets_one_automatic_answer_in_seven_days",
    "automatic answers: after success": "scenarios/test_duties.py::test_an_answer_that_did_not_go_out_is_not_remembered_as_given",
    "a forwarded letter's acknowledgement is a draft": "core/test_actions_replies.py::test_forwarded_letter_gets_a_draft",
    "loops: token": "scenarios/test_duties.py::test_our_own_forward_that_comes_round_is_held",
    "loops: Received": "scenarios/test_duties.py::test_a_mail_through_too_many_servers_is_held",
    "brake": "scenarios/test_duties.py::test_a_storm_to_one_address_is_braked_and_shown",
    "threading": "shell/test_mime.py::test_references_grow_by_the_parent_and_stay_bounded",
    "bounces": "scenarios/test_duties.py::test_a_bounce_is_shown_at_the_mail_that_came_back",
    "EAI": "shell/test_smtp.py::test_international_addresses_are_held_elsewhere",
    "header injection": "shell/test_mime.py::test_header_injection_is_refused",
    "4xx and 5xx per recipient": "shell/test_smtp.py::test_each_recipient_has_its_outcome",
    "unknown after DATA": "shell/test_smtp.py::test_cut_before_the_answer_is_unknown",
    "trust: topmost result of ours": "core/test_trust.py::test_only_the_topmost_of_ours_counts",
    "trust: forged results": "core/test_trust.py::test_results_below_a_server_from_outside_are_forged",
    "trust: Exchange": "core/test_trust.py::test_exchange_says_how_an_internal_author_logged_in",
}


@pytest.mark.parametrize("duty", DUTIES)
def test_every_duty_has_its_test(duty):
    """A duty whose test is renamed or removed is missed here."""
    file, _, name = DUTIES[duty].partition("::")
    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE)
