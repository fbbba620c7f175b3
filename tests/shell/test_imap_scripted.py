"""The IMAP mailbox against servers that answer what no Dovecot does, and against pymap, which the demo runs."""

import re
import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from mailrouter import settings
from mailrouter.demo.servers import LocalServers
from mailrouter.shell import mailboxes
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes import imap
from mailrouter.shell.mailboxes.interface import Moved

CAPABILITIES = "IMAP4rev1 IDLE UIDPLUS MOVE LITERAL+"
SELECT = "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 10] ok\r\n{tag} OK [READ-WRITE] done\r\n"


class Scripted:
    """An IMAP server that answers each command by the first pattern that it matches; "CUT" hangs up."""

    def __init__(self, answers):
        self.answers = {
            r"CAPABILITY": f"* CAPABILITY {CAPABILITIES}\r\n{{tag}} OK done\r\n",
            r"LOGIN": "{tag} OK in\r\n",
            r"SELECT": SELECT,
            r"LIST": '* LIST () "/" INBOX\r\n* LIST () "/" Done\r\n{tag} OK done\r\n',
            r"LOGOUT": "* BYE bye\r\n{tag} OK out\r\n",
        } | answers
        self.commands = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        peer, _ = self.listener.accept()
        with peer, peer.makefile("rb") as lines:
            peer.sendall(b"* OK ready\r\n")
            tag = "*"
            for line in lines:
                text = line.decode().strip()
                if text != "DONE":
                    tag, _, text = text.partition(" ")
                self.commands.append(text)
                answer = next(
                    (self.pick(given) for key, given in self.answers.items() if re.match(key, text)),
                    "{tag} BAD what\r\n",
                )
                if answer == "CUT":
                    return
                peer.sendall(answer.replace("{tag}", tag).encode("latin-1"))
                if text == "LOGOUT":
                    return

    def pick(self, given):
        return given if isinstance(given, str) else given.pop(0) if len(given) > 1 else given[0]


@pytest.fixture
def scripted(secret_variable):
    """Open a mailbox on a scripted server: scripted({"UID MOVE": "{tag} NO full\r\n"}) → (server, connection)."""
    opened = []

    def start(answers, connect=True):
        server = Scripted(answers)
        mailbox = settings.Mailbox(
            name="registry", address="a@ministry.example",
            imap=settings.Imap(host="127.0.0.1", port=server.port, tls=False, user="u", password_env=secret_variable, timeout_seconds=2),
        )  # fmt: skip
        opened.append([server, None])
        if connect:
            opened[-1][1] = mailboxes.connect(mailbox)
        return (server, opened[-1][1]) if connect else (server, mailbox)

    yield start
    for server, connection in opened:
        if connection:
            connection.close()
        server.thread.join(5)
        server.listener.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("{tag} NO [AUTHENTICATIONFAILED] no\r\n", Permanent),
        ("{tag} NO LOGIN failed.\r\n", Permanent),
        ("{tag} NO [UNAVAILABLE] Temporary authentication failure.\r\n", Temporary),
        ("{tag} NO [LIMIT] too many connections\r\n", Temporary),
        ("{tag} BAD User is authenticated but not connected.\r\n", Temporary),
        ("CUT", Temporary),
        ("* BYE overloaded\r\n", Temporary),
    ],
)
def test_a_refused_login_is_for_a_person_a_troubled_server_is_not(scripted, answer, kind):
    """RFC 5530 § 3: what the server says decides who must act."""
    _, mailbox = scripted({"LOGIN": answer}, connect=False)
    with pytest.raises((Permanent, Temporary)) as failed:
        mailboxes.connect(mailbox)
    assert failed.type is kind


def test_a_server_that_wants_tls_names_the_setting(scripted):
    """LOGINDISABLED: the password is not even sent."""
    server, mailbox = scripted(
        {"CAPABILITY": "* CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS\r\n{tag} OK done\r\n"}, connect=False
    )
    with pytest.raises(Permanent, match=r"imap\.starttls"):
        mailboxes.connect(mailbox)
    assert not any(command.startswith("LOGIN ") for command in server.commands)


@pytest.mark.parametrize(
    "copyuid",
    ["7 1:4294967295 1:4294967295", "7 1:3 1:2", "7 x y", "7 1 999999999999999999999999", "7 3,1 5,4", ""],
)
def test_a_copyuid_that_proves_nothing(scripted, copyuid):
    """Sets that do not match, or name the whole world: nothing is proven by them, and nothing runs long."""
    _, box = scripted({
        "UID MOVE": f"* OK [COPYUID {copyuid}] ok\r\n{{tag}} OK done\r\n", "UID SEARCH": "* SEARCH 2\r\n{tag} OK done\r\n",
    })  # fmt: skip
    assert box.move("INBOX", 7, [2], "Done") == [Moved(2, "unknown")]


def test_copyuid_pairs_in_the_order_printed(scripted):
    """RFC 4315 § 3: the sets correspond one by one, ranges may run backwards, several answers add up."""
    _, box = scripted({
        "UID MOVE": "* OK [COPYUID 7 4,2 10,11] ok\r\n* OK [COPYUID 7 9:8 20:21] ok\r\n{tag} OK done\r\n",
    })  # fmt: skip
    moved = box.move("INBOX", 7, [2, 4, 8, 9], "Done")
    assert {one.uid: one.new_uid for one in moved} == {4: 10, 2: 11, 8: 20, 9: 21}


@pytest.mark.parametrize(
    "answer", ["{tag} NO [OVERQUOTA] full\r\n", "{tag} BAD what\r\n", "* BYE off\r\n", "CUT", "rubbish\r\n"]
)
def test_a_refused_move_is_temporary(scripted, answer):
    """NO, BAD, BYE, a cut and nonsense: nothing is claimed, the connection is used up."""
    _, box = scripted({"UID MOVE": answer})
    with pytest.raises(Temporary):
        box.move("INBOX", 7, [1], "Done")
    with pytest.raises(Temporary, match="connect anew"):
        box.state("INBOX")


def test_mails_removed_while_we_fetch(scripted):
    """RFC 5530 § 3, EXPUNGEISSUED: the others are fetched all the same."""
    there = '* 1 FETCH (UID 1 RFC822.SIZE 5 FLAGS () INTERNALDATE "29-Feb-2024 13:05:00 +0200")\r\n'
    _, box = scripted({
        r"UID FETCH \S+ \(RFC822": ["{tag} NO [EXPUNGEISSUED] some are gone\r\n", there + "{tag} OK done\r\n"],
        r"NOOP": "* 2 EXPUNGE\r\n{tag} OK done\r\n",
        r"UID FETCH \S+ \(BODY": "* 1 FETCH (UID 1 BODY[] {5}\r\na: b\n)\r\n{tag} OK done\r\n",
    })  # fmt: skip
    assert [(one.uid, one.raw) for one in box.fetch("INBOX", 7, [1, 2], 1000)] == [(1, b"a: b\n")]


def test_news_in_the_same_packet_as_idles_answer(scripted):
    """New mail told in one packet with IDLE's "+" wakes at once."""
    _, box = scripted({
        "NOOP": "{tag} OK done\r\n", "IDLE": "+ idling\r\n* 4 EXISTS\r\n", "DONE": "{tag} OK done\r\n",
    })  # fmt: skip
    begun = time.monotonic()
    assert box.idle("INBOX", 10, threading.Event()) is True
    assert time.monotonic() - begun < 0.4


def test_idle_is_renewed(scripted, monkeypatch):
    """RFC 2177: servers drop an IDLE that lasts too long; it is renewed within 10 minutes."""
    assert imap.IDLE_RENEWAL_SECONDS < 600
    monkeypatch.setattr(imap, "IDLE_RENEWAL_SECONDS", 0.2)
    server, box = scripted({"NOOP": "{tag} OK done\r\n", "IDLE": "+ idling\r\n", "DONE": "{tag} OK done\r\n"})
    assert box.idle("INBOX", 0.9, threading.Event()) is False
    assert server.commands.count("IDLE") >= 3
    assert server.commands.count("IDLE") == server.commands.count("DONE")


def test_a_huge_folder_is_searched_in_windows(dovecot, connected, mail, monkeypatch):
    """No answer is longer than the client library takes: 100,000 mails are told in pieces, each UID once."""
    monkeypatch.setattr(imap, "SEARCH_WINDOW", 7)
    user = dovecot.user()
    dovecot.deliver(user, *(mail(number) for number in range(30)))
    box = connected(dovecot, user)
    epoch = box.state("INBOX").uidvalidity
    assert box.uids("INBOX", epoch) == list(range(1, 31))
    assert box.uids("INBOX", epoch, after=11) == list(range(12, 31))
    assert box.uids("INBOX", epoch, after=30) == []


def test_the_demos_server(secret_variable, tmp_path, mail):
    """pymap has no special use and keeps no keywords: names from the settings, moves and removals proven all the same."""
    with LocalServers("registry", "secret", tmp_path) as server:
        for number in range(3):
            server.deliver(mail(number), datetime(2024, 2, 29, 11, tzinfo=UTC))
        box = mailboxes.connect(
            settings.Mailbox(
                name="registry", address="a@ministry.example",
                imap=settings.Imap(host="127.0.0.1", port=server.imap_port, tls=False, user="registry", password_env=secret_variable),
            )
        )  # fmt: skip
        epoch = box.state("INBOX").uidvalidity
        uids = box.uids("INBOX", epoch)
        assert [one.raw for one in box.fetch("INBOX", epoch, uids, 10_000)] == [mail(number) for number in range(3)]
        outcomes = [one.outcome for one in box.move("INBOX", epoch, [uids[0], 9999], "Registreeritud")]
        assert outcomes == ["moved", "gone"]
        assert box.find("Registreeritud", "<0@x.example>")
        assert (box.special("drafts"), box.special("sent")) == ("Drafts", "Sent")
        box.flag("INBOX", epoch, [uids[1]], ["\\Flagged", "Keyword"])
        assert box.remove("INBOX", epoch, uids[1]) is True
        assert box.remove("INBOX", epoch, uids[1]) is False
        box.state("INBOX")
        server.deliver(mail(9), datetime(2024, 2, 29, 11, tzinfo=UTC))
        begun = time.monotonic()
        assert box.idle("INBOX", 10, threading.Event()) is True
        assert time.monotonic() - begun < 2
        box.close()
