"""The IMAP mailbox against a real Dovecot, whole and with capabilities hidden."""

import socket
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from mailrouter.shell import mailboxes
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes.interface import EpochChanged, Moved

LIMIT = 35 * 1024 * 1024


@pytest.fixture
def box(dovecot, connected):
    user = dovecot.user()
    connection = connected(dovecot, user)
    connection.user = user
    return connection


def validity(connection, folder="INBOX"):
    return connection.state(folder).uidvalidity


def test_fetch_gives_the_bytes_and_leaves_seen_alone(dovecot, box, mail):
    """A mail comes byte for byte, and is still unread for colleagues (RFC 3501 § 6.4.5)."""
    dovecot.deliver(box.user, mail(1), mail(2))
    epoch = validity(box)
    fetched = list(box.fetch("INBOX", epoch, box.uids("INBOX", epoch), LIMIT))
    assert [one.raw for one in fetched] == [mail(1), mail(2)]
    assert all(one.whole and one.size == len(one.raw) and one.received.tzinfo for one in fetched)
    client = dovecot.client(box.user)
    client.select("INBOX")
    assert client.search(None, "SEEN")[1] == [b""]
    client.logout()


def test_uids_above_the_last_are_none(dovecot, box, mail):
    """`UID n:*` names the last mail even when it is below n; it is not told as new."""
    dovecot.deliver(box.user, mail(1), mail(2))
    epoch = validity(box)
    assert box.uids("INBOX", epoch) == [1, 2]
    assert box.uids("INBOX", epoch, after=1) == [2]
    assert box.uids("INBOX", epoch, after=2) == []
    assert box.uids("INBOX", epoch, after=200) == []


def test_a_mail_delivered_meanwhile_is_seen_at_the_next_look(dovecot, box, mail):
    """A connection that stays open sees new mail."""
    epoch = validity(box)
    assert box.uids("INBOX", epoch) == []
    dovecot.deliver(box.user, mail(1))
    assert box.uids("INBOX", epoch) == [1]


def test_mail_over_the_limit_comes_by_its_headers(dovecot, box, mail):
    """A large mail is not read, but what is needed to hold it is; the others are not held up."""
    big = mail("big", body="x" * 50_000)
    dovecot.deliver(box.user, mail(1), big, mail(2))
    epoch = validity(box)
    by_uid = {one.uid: one for one in box.fetch("INBOX", epoch, [1, 2, 3], 10_000)}
    assert list(by_uid) == [1, 2, 3]
    assert not by_uid[2].whole
    assert by_uid[2].size == len(big)
    assert by_uid[2].raw == big.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert by_uid[3].raw == mail(2)


def test_fetch_leaves_out_what_is_gone(dovecot, box, mail):
    """UIDs that are not there any more are left out, not an error."""
    dovecot.deliver(box.user, mail(1), mail(2), mail(3))
    epoch = validity(box)
    uids = box.uids("INBOX", epoch)
    colleague = dovecot.client(box.user)
    colleague.select("INBOX")
    colleague.uid("STORE", "2", "+FLAGS", "(\\Deleted)")
    colleague.expunge()
    colleague.logout()
    assert [one.uid for one in box.fetch("INBOX", epoch, [*uids, 99], LIMIT)] == [1, 3]


def test_many_mails_come_in_order_and_once(dovecot, box, mail):
    """More mails than one command fetches are all there, each once."""
    dovecot.deliver(box.user, *(mail(number) for number in range(900)))
    epoch = validity(box)
    uids = box.uids("INBOX", epoch)
    assert [one.raw for one in box.fetch("INBOX", epoch, uids, LIMIT)] == [mail(number) for number in range(900)]


def test_move_tells_the_new_uids(dovecot, box, mail):
    """COPYUID proves each move and names the new UID; the target is made; what is not there is gone (RFC 6851)."""
    dovecot.deliver(box.user, mail(1), mail(2), mail(3))
    epoch = validity(box)
    moved = box.move("INBOX", epoch, [1, 3, 77], "Registreeritud/2024 õ")
    assert moved == [Moved(1, "moved", 1), Moved(3, "moved", 2), Moved(77, "gone")]
    assert dovecot.mails(box.user) == [mail(2)]
    new = validity(box, "Registreeritud/2024 õ")
    assert [one.raw for one in box.fetch("Registreeritud/2024 õ", new, [1, 2], LIMIT)] == [mail(1), mail(3)]


def test_moving_twice_is_gone_not_moved(dovecot, box, mail):
    """Dovecot answers OK to MOVE of a UID that is not there: that is no proof of a second move."""
    dovecot.deliver(box.user, mail(1))
    epoch = validity(box)
    assert box.move("INBOX", epoch, [1], "Done") == [Moved(1, "moved", 1)]
    assert box.move("INBOX", epoch, [1], "Done") == [Moved(1, "gone")]
    assert len(dovecot.mails(box.user, "Done")) == 1


def test_moving_eight_hundred_takes_one_command(dovecot, box, mail):
    """A batch of scattered UIDs is moved at once, each with its proof."""
    dovecot.deliver(box.user, *(mail(number) for number in range(1600)))
    epoch = validity(box)
    odd = list(range(1, 1600, 2))
    begun = time.monotonic()
    moved = box.move("INBOX", epoch, odd, "Done")
    assert time.monotonic() - begun < 3
    assert [one.outcome for one in moved] == ["moved"] * 800
    target = validity(box, "Done")
    copies = {one.uid: one.raw for one in box.fetch("Done", target, [one.new_uid for one in moved], LIMIT)}
    assert [copies[one.new_uid] for one in moved] == [mail(one.uid - 1) for one in moved]


def test_the_target_removed_meanwhile_is_made_again(dovecot, box, mail):
    """A folder that somebody deleted after we saw it is made again, once."""
    dovecot.deliver(box.user, mail(1), mail(2))
    epoch = validity(box)
    box.move("INBOX", epoch, [1], "Done")
    colleague = dovecot.client(box.user)
    assert colleague.delete("Done")[0] == "OK"
    colleague.logout()
    assert [one.outcome for one in box.move("INBOX", epoch, [2], "Done")] == ["moved"]
    assert dovecot.mails(box.user, "Done") == [mail(2)]


def test_move_without_the_move_extension(dovecot_uidplus, connected, mail):
    """COPY, \\Deleted and UID EXPUNGE of the proven ones; what a colleague marked \\Deleted stays."""
    user = dovecot_uidplus.user()
    dovecot_uidplus.deliver(user, mail(1), mail(2), mail(3))
    dovecot_uidplus.deliver(user, mail("marked"), flags="(\\Deleted)")
    box = connected(dovecot_uidplus, user)
    moved = box.move("INBOX", validity(box), [1, 2, 50], "Done")
    assert moved == [Moved(1, "moved", 1), Moved(2, "moved", 2), Moved(50, "gone")]
    assert dovecot_uidplus.mails(user) == [mail(3), mail("marked")]
    assert dovecot_uidplus.mails(user, "Done") == [mail(1), mail(2)]


def test_move_without_uidplus_never_expunges(dovecot_plain, connected, mail):
    """Without UIDPLUS a copy is proven by its Message-ID, and nothing is expunged: the mail is only marked."""
    user = dovecot_plain.user()
    dovecot_plain.deliver(user, mail(1), mail(2))
    dovecot_plain.deliver(user, mail("marked"), flags="(\\Deleted)")
    box = connected(dovecot_plain, user)
    epoch = validity(box)
    assert box.move("INBOX", epoch, [1, 9], "Done") == [Moved(1, "moved", 1), Moved(9, "gone")]
    assert dovecot_plain.mails(user, "Done") == [mail(1)]
    assert dovecot_plain.mails(user) == [mail(1), mail(2), mail("marked")]
    (marked,) = box.fetch("INBOX", epoch, [1], LIMIT)
    assert "\\Deleted" in marked.flags


def test_a_move_that_nothing_proves_is_unknown(dovecot_plain, connected):
    """Without UIDPLUS and without a Message-ID there is no proof, and the mail is not marked."""
    user = dovecot_plain.user()
    dovecot_plain.deliver(user, b"Subject: nameless\r\n\r\nx\r\n")
    box = connected(dovecot_plain, user)
    epoch = validity(box)
    assert box.move("INBOX", epoch, [1], "Done") == [Moved(1, "unknown")]
    (still,) = box.fetch("INBOX", epoch, [1], LIMIT)
    assert "\\Deleted" not in still.flags


def test_another_uidvalidity_stops_every_uid_command(dovecot, box, mail):
    """A folder that was deleted and made again has new mail under old UIDs: no command touches it."""
    colleague = dovecot.client(box.user)
    colleague.create("Work")
    colleague.append("Work", None, None, mail("old"))
    epoch = validity(box, "Work")
    box.state("INBOX")
    colleague.delete("Work")
    colleague.create("Work")
    colleague.append("Work", None, None, mail("new"))
    colleague.logout()
    for call in (
        lambda: box.uids("Work", epoch),
        lambda: list(box.fetch("Work", epoch, [1], LIMIT)),
        lambda: box.move("Work", epoch, [1], "Done"),
        lambda: box.remove("Work", epoch, 1),
        lambda: box.flag("Work", epoch, [1], ["\\Flagged"]),
    ):
        with pytest.raises(EpochChanged):
            call()
    assert dovecot.mails(box.user, "Work") == [mail("new")]


def test_a_folder_replaced_under_us_harms_nothing(dovecot, box, mail):
    """The selected folder is deleted and made again by somebody else: never the wrong mail, though Dovecot would."""
    colleague = dovecot.client(box.user)
    colleague.create("Work")
    colleague.append("Work", None, None, mail("old"))
    epoch = validity(box, "Work")
    colleague.delete("Work")
    colleague.create("Work")
    colleague.append("Work", None, None, mail("new"))
    colleague.logout()
    with pytest.raises(EpochChanged):
        box.move("Work", epoch, [1], "Done")
    assert dovecot.mails(box.user, "Work") == [mail("new")]
    assert dovecot.mails(box.user, "Done") == []


def test_append_tells_the_uid_and_keeps_the_bytes(dovecot, box, mail):
    """APPENDUID names the new mail; flags and time are kept."""
    received = datetime(2024, 2, 29, 13, 5, tzinfo=timezone(timedelta(hours=2)))
    uid = box.append("Eelnõud", mail("draft"), ["\\Draft", "\\Seen"], received)
    (found,) = box.fetch("Eelnõud", validity(box, "Eelnõud"), [uid], LIMIT)
    assert found.raw == mail("draft")
    assert {"\\Draft", "\\Seen"} <= set(found.flags)
    assert found.received == received


def test_remove_is_true_only_for_what_was_there(dovecot, box, mail):
    """A second removal proves nothing, and what a colleague marked is not taken along."""
    dovecot.deliver(box.user, mail(1))
    dovecot.deliver(box.user, mail("marked"), flags="(\\Deleted)")
    epoch = validity(box)
    assert box.remove("INBOX", epoch, 1) is True
    assert box.remove("INBOX", epoch, 1) is False
    assert dovecot.mails(box.user) == [mail("marked")]


def test_remove_without_uidplus_is_no_proof(dovecot_plain, connected, mail):
    """A mail that is only marked is not removed."""
    user = dovecot_plain.user()
    dovecot_plain.deliver(user, mail(1))
    box = connected(dovecot_plain, user)
    assert box.remove("INBOX", validity(box), 1) is False


def test_flags_and_keywords(dovecot, box, mail):
    """Flags are added to those that are there; a word that is no flag is refused with the remedy."""
    dovecot.deliver(box.user, mail(1), mail(2))
    epoch = validity(box)
    box.flag("INBOX", epoch, [1, 50], ["\\Flagged", "Registered"])
    flags = {one.uid: set(one.flags) for one in box.fetch("INBOX", epoch, [1, 2], LIMIT)}
    assert {"\\Flagged", "Registered"} <= flags[1]
    assert not flags[2] & {"\\Flagged", "Registered"}
    with pytest.raises(Permanent, match="no IMAP flag"):
        box.flag("INBOX", epoch, [1], ["two words) (\\Deleted"])


def test_find_is_exact(dovecot, box, mail):
    """A Message-ID that is part of another is not found in its place."""
    dovecot.deliver(box.user, mail("1"), mail("11"), mail("1"))
    assert box.find("INBOX", "<1@x.example>") == [1, 3]
    assert box.find("INBOX", "<1@x.exam") == []
    assert box.find("Nowhere", "<1@x.example>") == []


@pytest.mark.parametrize("hostile", ['<a"b\\c@x.example>', "<õ@x.example>", '<a@x> "\r\nA1 DELETE INBOX', "", "<a b>"])
def test_find_with_a_hostile_message_id(dovecot, box, mail, hostile):
    """What a stranger put into a Message-ID is never a command; the connection goes on."""
    dovecot.deliver(box.user, mail(1))
    assert box.find("INBOX", hostile) == []
    assert box.find("INBOX", "<1@x.example>") == [1]


def test_find_references(dovecot, box, mail):
    """An answer that a colleague sent from Outlook is found by what it refers to."""
    dovecot.deliver(
        box.user,
        mail("one", "In-Reply-To: <letter@y.example>"),
        mail("two", "References: <first@y.example>\r\n <letter@y.example>"),
        mail("three", "References: <xletter@y.example>"),
        mail("letter"),
    )
    assert box.find_references("INBOX", "<letter@y.example>") == [1, 2]


def test_special_use_beats_the_name(dovecot, box):
    """Drafts and Sent are found by special use (RFC 6154), whatever they are called."""
    assert box.special("drafts") == "Drafts"
    assert box.special("sent") == "Sent Items"


def test_a_missing_folder_names_the_remedy(box):
    """A watched folder that is not there is a person's matter; the connection goes on."""
    with pytest.raises(Permanent, match="no folder 'Nowhere'"):
        box.state("Nowhere")
    assert box.state("INBOX").exists == 0


def test_ensure_is_repeatable(dovecot, box):
    """Making a folder that is there is no error, names with wildcards are taken as names."""
    for _ in range(2):
        box.ensure("Kirjad/50% *")
    assert box.state("Kirjad/50% *").exists == 0


def test_idle_tells_new_mail_at_once(dovecot, box, mail):
    """New mail wakes IDLE within a second or so; silence does not."""
    box.state("INBOX")
    assert box.idle("INBOX", 0.3, threading.Event()) is False
    timer = threading.Timer(0.3, dovecot.deliver, (box.user, mail(1)))
    timer.start()
    begun = time.monotonic()
    assert box.idle("INBOX", 20, threading.Event()) is True
    assert time.monotonic() - begun < 3
    timer.join()
    assert box.uids("INBOX", validity(box)) == [1]


def test_idle_tells_what_came_since_the_last_look(dovecot, box, mail):
    """Mail that comes between the poll and IDLE is not slept over."""
    for number in range(5):
        epoch = validity(box)
        box.uids("INBOX", epoch)
        dovecot.deliver(box.user, mail(number))
        begun = time.monotonic()
        assert box.idle("INBOX", 20, threading.Event()) is True
        assert time.monotonic() - begun < 2


def test_idle_stops_promptly(box):
    """A service that is told to stop does not wait for the mailbox."""
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    begun = time.monotonic()
    assert box.idle("INBOX", 60, stop) is False
    assert time.monotonic() - begun < 1.3
    timer.join()


def test_idle_without_the_extension_waits(dovecot_plain, connected):
    """A server without IDLE is polled; waiting ends in time."""
    box = connected(dovecot_plain, dovecot_plain.user())
    begun = time.monotonic()
    assert box.idle("INBOX", 0.4, threading.Event()) is False
    assert 0.3 < time.monotonic() - begun < 2


def test_a_refused_password_names_the_setting_not_the_secret(dovecot, imap_mailbox, monkeypatch):
    """Staff read which variable to look at; the secret is nowhere."""
    monkeypatch.setenv("MAILROUTER_TEST_PASSWORD", "wr0ng-s3cret")
    with pytest.raises(Permanent, match="MAILROUTER_TEST_PASSWORD") as refused:
        mailboxes.connect(imap_mailbox(dovecot, dovecot.user()))
    assert "wr0ng" not in str(refused.value)


def test_a_missing_password_names_the_setting(dovecot, imap_mailbox, monkeypatch):
    """A variable that is not set is said by its name."""
    monkeypatch.delenv("MAILROUTER_TEST_PASSWORD")
    with pytest.raises(Permanent, match="set the environment variable MAILROUTER_TEST_PASSWORD"):
        mailboxes.connect(imap_mailbox(dovecot, dovecot.user()))


def test_a_name_beyond_ascii_logs_in(dovecot, imap_mailbox, monkeypatch):
    """User names and passwords may have any letter: a wrong one is refused, not a crash."""
    monkeypatch.setenv("MAILROUTER_TEST_PASSWORD", "sõna")
    with pytest.raises(Permanent, match="refused"):
        mailboxes.connect(imap_mailbox(dovecot, dovecot.user()))


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_tls_with_our_own_certificate(dovecot, connected, how):
    """TLS from the first byte and STARTTLS work with `ca_file`."""
    port = dovecot.tls_port if how == "tls" else dovecot.port
    box = connected(dovecot, dovecot.user(), port=port, ca_file=dovecot.ca_file, **{"tls": how == "tls", how: True})
    assert box.state("INBOX").exists == 0
    assert box.idle("INBOX", 0.2, threading.Event()) is False


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_an_unknown_certificate_is_refused_with_the_remedy(dovecot, imap_mailbox, how):
    """Without `ca_file` our own certificate is a stranger's."""
    port = dovecot.tls_port if how == "tls" else dovecot.port
    with pytest.raises(Permanent, match="ca_file"):
        mailboxes.connect(imap_mailbox(dovecot, dovecot.user(), port=port, **{"tls": how == "tls", how: True}))


def test_idle_by_tls_tells_new_mail(dovecot, connected, mail):
    """IDLE works through TLS as well."""
    user = dovecot.user()
    box = connected(dovecot, user, port=dovecot.tls_port, ca_file=dovecot.ca_file, tls=True)
    box.state("INBOX")
    timer = threading.Timer(0.3, dovecot.deliver, (user, mail(1)))
    timer.start()
    assert box.idle("INBOX", 20, threading.Event()) is True
    timer.join()


@pytest.mark.parametrize(
    "greeting",
    [b"", b"* BYE overloaded\r\n", b"garbage\r\n", b"* OK hi\r\n\x00\xff\r\n", b"* OK hi\r\n* BYE later\r\n", None],
    ids=["closed", "bye", "garbage", "binary", "bye-later", "silent"],
)
def test_a_server_that_is_none_is_temporary(imap_mailbox, dovecot, greeting):
    """Hanging up, BYE, nonsense and silence: try again later, and never hang."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            peer, _ = listener.accept()
            with peer:
                if greeting is not None:
                    peer.sendall(greeting)
                else:
                    time.sleep(1.5)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(Temporary):
            mailboxes.connect(imap_mailbox(dovecot, "x", port=listener.getsockname()[1], timeout_seconds=0.7))
        thread.join()


def test_nobody_listens_is_temporary(imap_mailbox, dovecot):
    """A server that is down is tried again later."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Temporary, match="cannot be reached"):
        mailboxes.connect(imap_mailbox(dovecot, "x", port=port))


def test_a_cut_connection_is_temporary_and_used_up(dovecot, box):
    """After a failure every call says so until the caller connects anew; closing never raises."""
    box.state("INBOX")
    box._client.socket().shutdown(socket.SHUT_RDWR)
    with pytest.raises(Temporary):
        box.state("INBOX")
    with pytest.raises(Temporary, match="connect anew"):
        box.uids("INBOX", 1)
    box.close()
    box.close()


def test_idle_notices_a_dead_connection(dovecot, box):
    """A server that hangs up during IDLE is noticed, not spun upon."""
    box.state("INBOX")
    cut = threading.Timer(0.4, lambda: box._client.socket().shutdown(socket.SHUT_RDWR))
    cut.start()
    begun = time.monotonic()
    with pytest.raises(Temporary):
        box.idle("INBOX", 30, threading.Event())
    assert time.monotonic() - begun < 5
    cut.join()
