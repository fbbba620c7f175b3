"""Mail protocols with a proxy between that cuts, silences and garbles: what is told is true, and nothing hangs.

| fault | IMAP | SMTP |
|---|---|---|
| cut at any byte | Temporary; no mail lost; "moved" only what lies in the target | "accepted" only what arrived once, "temporary" only what did not, else "unknown" |
| garbled at random bytes | Temporary, Permanent or a true answer | as above |
| a command that is never answered | Temporary within the timeout | "temporary" before the mail is handed over, "unknown" after |
| a slow server | all is done | all is done |
"""

import random
import time

import fault_proxy
import pytest
from fault_proxy import Faults

from mailrouter import settings
from mailrouter.shell import mailboxes, smtp
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes.interface import EpochChanged

LIMIT = 10**6


@pytest.fixture
def story(imap_mailbox, dovecot, mail):
    """A whole story over a proxy: fetch, move, append, remove. Returns what was told before it broke off."""

    def play(faults, timeout=2.0):
        user = dovecot.user()
        dovecot.deliver(user, *(mail(number) for number in range(4)))
        told = {"fetched": {}, "moved": [], "appended": None, "removed": None, "failed": None, "user": user}
        with fault_proxy.fault_proxy(dovecot.port, faults) as proxy:
            told["proxy"] = proxy
            box = None
            try:
                box = mailboxes.connect(imap_mailbox(dovecot, user, port=proxy.port, timeout_seconds=timeout))
                epoch = box.state("INBOX").uidvalidity
                for one in box.fetch("INBOX", epoch, box.uids("INBOX", epoch), LIMIT):
                    told["fetched"][one.uid] = one.raw
                told["moved"] = box.move("INBOX", epoch, [1, 2], "Done")
                told["appended"] = box.append("Drafts", mail("draft"), ["\\Draft"])
                told["removed"] = box.remove("INBOX", epoch, 3)
            except (Temporary, Permanent) as error:
                told["failed"] = error
            finally:
                if box:
                    box.close()
        return told

    return play


def assert_true(told, dovecot, mail):
    """Whatever broke: no mail is lost or doubled by a move, and what was told as done is done."""
    inbox, done = dovecot.mails(told["user"]), dovecot.mails(told["user"], "Done")
    kept = [mail(number) for number in range(4)]
    left = sorted(inbox + done)
    assert left in (sorted(kept), sorted(kept[:2] + kept[3:]))  # the third may have been removed, as was ordered
    for one in told["moved"]:
        if one.outcome == "moved":
            assert kept[one.uid - 1] in done
        if one.outcome == "gone":
            assert kept[one.uid - 1] not in inbox
    if told["removed"]:
        assert kept[2] not in inbox
    if told["appended"]:
        assert mail("draft") in dovecot.mails(told["user"], "Drafts")


def test_imap_without_faults(story, dovecot, mail):
    """The story comes to its end through a faithful proxy, and through a slow one."""
    for faults in (Faults(), Faults(delay_seconds=0.05)):
        told = story(faults)
        assert told["failed"] is None
        assert told["removed"] is True
        assert [one.outcome for one in told["moved"]] == ["moved", "moved"]
        assert list(told["fetched"].values()) == [mail(number) for number in range(4)]
        assert_true(told, dovecot, mail)


@pytest.mark.parametrize("direction", ["cut_up", "cut_down"])
def test_imap_cut_at_any_byte(story, dovecot, mail, direction):
    """The connection ends after any number of bytes: Temporary, and nothing told that is not so."""
    proxy = story(Faults())["proxy"]
    whole = proxy.up_bytes if direction == "cut_up" else proxy.down_bytes
    places = [*random.Random(6).sample(range(1, whole), 14), whole - 1]
    for place in places:
        begun = time.monotonic()
        told = story(Faults(**{direction: place}))
        assert time.monotonic() - begun < 5
        assert told["failed"] is None or isinstance(told["failed"], Temporary), (place, told["failed"])
        assert_true(told, dovecot, mail)


def test_imap_garbled(story, dovecot, mail):
    """A server whose answers are garbled: an error of ours or a true answer, never another exception, never a hang.

    What is fetched is checked by its digest further on; here the mails' own bytes may be garbled as well.
    """
    failures = 0
    for seed in range(12):
        begun = time.monotonic()
        told = story(Faults(garble_down=random.Random(seed).choice([0.002, 0.01, 0.05]), seed=seed), timeout=0.7)
        assert time.monotonic() - begun < 10
        failures += told["failed"] is not None
        inbox, done = dovecot.mails(told["user"]), dovecot.mails(told["user"], "Done")
        assert len(inbox) + len(done) >= 3
    assert failures > 4


@pytest.mark.parametrize(
    "command", [b"LOGIN", b"SELECT", b"SEARCH", b"FETCH", b"MOVE", b"APPEND", b"STORE", b"EXPUNGE"]
)
@pytest.mark.parametrize("then", ["cut", "deaf"])
def test_imap_a_command_without_an_answer(story, dovecot, mail, command, then):
    """At every command: a cut before it, and silence after it, is Temporary within the timeout."""
    begun = time.monotonic()
    told = story(Faults(at=command, then=then), timeout=0.5)
    assert time.monotonic() - begun < 4
    assert isinstance(told["failed"], Temporary)
    assert not isinstance(told["failed"], EpochChanged)
    assert_true(told, dovecot, mail)


@pytest.fixture
def mailing(smtp_sink):
    """Three mails over a proxy in front of the sink: (outcomes by key, mails without a result, the proxy)."""

    def send(faults, timeout=1.0):
        smtp_sink.mails.clear()
        envelopes = [
            smtp.Envelope("a@ministry.example", (f"{key}@x.example",), f"Subject: {key}\r\n\r\nbody\r\n".encode(), key)
            for key in "123"
        ]
        states = {}

        def done(result):
            states[result.key] = result.outcomes[0].state

        with fault_proxy.fault_proxy(smtp_sink.port, faults) as proxy:
            try:
                out = settings.Smtp(host="127.0.0.1", port=proxy.port, timeout_seconds=timeout)
                smtp.send(out, envelopes, before_data=lambda _: True, done=done)
            except Temporary:
                pass
            return states, proxy

    return send


def assert_told_truly(states, sink):
    arrived = [mail.recipients[0][0] for mail in sink.mails]
    assert len(arrived) == len(set(arrived)), "a mail arrived twice"
    for key in "123":
        if states.get(key) == "accepted":
            assert key in arrived
        if states.get(key) in {None, "temporary", "permanent"}:
            assert key not in arrived, f"{key} is told as {states.get(key)} and arrived"


@pytest.mark.parametrize("direction", ["cut_up", "cut_down"])
def test_smtp_cut_at_any_byte(mailing, smtp_sink, direction):
    """The connection ends after any number of bytes: each mail's outcome is true, none arrives twice."""
    _, proxy = mailing(Faults())
    whole = proxy.up_bytes if direction == "cut_up" else proxy.down_bytes
    seen = set()
    for place in random.Random(6).sample(range(1, whole), 20):
        states, _ = mailing(Faults(**{direction: place}, times=1))
        assert_told_truly(states, smtp_sink)
        seen |= set(states.values())
    assert seen >= {"accepted", "unknown"}


def test_smtp_garbled(mailing, smtp_sink):
    """Garbled answers: an outcome for each mail or Temporary, never another exception; none arrives twice."""
    for seed in range(10):
        mailing(Faults(garble_down=0.02, seed=seed), timeout=0.5)
        arrived = [mail.recipients[0] for mail in smtp_sink.mails]
        assert len(arrived) == len(set(arrived))


@pytest.mark.parametrize(
    ("command", "then", "state"),
    [
        (b"MAIL FROM", "cut", "temporary"), (b"MAIL FROM", "deaf", "temporary"), (b"RCPT TO", "cut", "temporary"),
        (b"RCPT TO", "deaf", "temporary"), (b"DATA\r\n", "cut", "temporary"), (b"DATA\r\n", "deaf", "temporary"),
        (b"\r\n\\.\r\n", "cut", "unknown"), (b"\r\n\\.\r\n", "deaf", "unknown"),
    ],
)  # fmt: skip
def test_smtp_a_command_without_an_answer(mailing, smtp_sink, command, then, state):
    """At every command: "temporary" before the mail is handed over, "unknown" after; the other mails go on."""
    begun = time.monotonic()
    states, _ = mailing(Faults(at=command, then=then, times=1), timeout=0.5)
    assert time.monotonic() - begun < 4
    assert states == {"1": state, "2": "accepted", "3": "accepted"}
    assert_told_truly(states, smtp_sink)


def test_an_append_does_not_end_after_its_time(imap_mailbox, dovecot, mail):
    """A node that stalls between APPEND and the mail itself does not put it there late, when another took over."""
    user = dovecot.user()
    with fault_proxy.fault_proxy(dovecot.port, Faults(delay_seconds=0.3)) as proxy:
        box = mailboxes.connect(imap_mailbox(dovecot, user, port=proxy.port))
        box.ensure("Drafts")
        with pytest.raises(Temporary, match="lease ended"):
            box.append("Drafts", mail("late"), ["\\Draft"], None, time.monotonic() + 0.2)
        box.close()
    assert dovecot.mails(user, "Drafts") == []
