"""Outgoing mail against a real SMTP server that misbehaves on command."""

import socket
import ssl
import threading
import time

import local_smtp
import pytest
from aiosmtpd.smtp import AuthResult

from mailrouter import settings
from mailrouter.shell import smtp
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.smtp import Envelope

A, B, C = "a@one.example", "b@two.example", "c@three.example"
RAW = b"From: info@ministry.example\r\nTo: a@one.example\r\nSubject: hi\r\n\r\nbody\r\n"


def setting(sink, **changes):
    return settings.Smtp(**({"host": sink.host, "port": sink.port, "timeout_seconds": 2} | changes))


def envelope(*recipients, key="k", raw=RAW, sender="info@ministry.example"):
    return Envelope(sender, recipients or (A,), raw, key)


def send(sink, *envelopes, before=lambda _: True, token=None, **changes):
    results = []
    smtp.send(setting(sink, **changes), envelopes, before_data=before, done=results.append, token=token)
    return results


def states(result):
    return {one.recipient: one.state for one in result.outcomes}


def test_a_batch_goes_over_one_connection_in_order(smtp_sink):
    """Many mails, one connection, each result told as it happens."""
    told = []
    smtp.send(
        setting(smtp_sink),
        [envelope(A, key=str(number)) for number in range(20)],
        before_data=lambda one: told.append(("data", one.key)) is None,
        done=lambda result: told.append(("done", result.key)),
    )
    assert told == [(word, str(number)) for number in range(20) for word in ("data", "done")]
    assert len(smtp_sink.mails) == 20
    assert smtp_sink.connections == 1


def test_bytes_arrive_as_they_are(smtp_sink):
    """Leading dots, 8-bit text and long lines arrive unchanged; the null return path is carried."""
    raw = b"Subject: x\r\n\r\n.dot\r\n..dots\r\n.\r\n\xc3\xb5\xff\r\n" + b"l" * 900 + b"\r\n"
    (result,) = send(smtp_sink, envelope(A, B, raw=raw, sender=""))
    assert states(result) == {A: "accepted", B: "accepted"}
    (mail,) = smtp_sink.mails
    assert (mail.sender, mail.recipients, mail.data) == ("", (A, B), raw)


def test_bare_line_ends_cannot_end_the_mail(smtp_sink):
    """SMTP smuggling: a bare LF-dot-LF is no end of data, and the next command is none."""
    raw = b"Subject: x\n\nhello\n.\nMAIL FROM:<evil@x.example>\r.\rRSET\n"
    (result,) = send(smtp_sink, envelope(A, raw=raw))
    assert states(result) == {A: "accepted"}
    (mail,) = smtp_sink.mails
    assert mail.data == b"Subject: x\r\n\r\nhello\r\n.\r\nMAIL FROM:<evil@x.example>\r\n.\r\nRSET\r\n"


def test_each_recipient_has_its_outcome(smtp_sink):
    """One refused for good, one for now, one taken: three outcomes, and one mail to the one (RFC 5321 § 4.2.1)."""
    smtp_sink.refuse = {A: "550 5.1.1 no such user", B: "451 4.7.1 greylisted"}
    (result,) = send(smtp_sink, envelope(A, B, C))
    assert states(result) == {A: "permanent", B: "temporary", C: "accepted"}
    assert "no such user" in result.outcomes[0].text
    assert [mail.recipients for mail in smtp_sink.mails] == [(C,)]


def test_all_refused_means_no_data(smtp_sink):
    """Where nobody is accepted nothing is handed over, and the next mail goes on."""
    smtp_sink.refuse = {A: "550 no"}
    asked = []
    results = send(smtp_sink, envelope(A, key="1"), envelope(B, key="2"), before=lambda one: not asked.append(one.key))
    assert [states(result) for result in results] == [{A: "permanent"}, {B: "accepted"}]
    assert asked == ["2"]


@pytest.mark.parametrize(("answer", "state"), [("550 5.7.1 not you", "permanent"), ("451 4.3.0 later", "temporary")])
def test_a_refused_sender(smtp_sink, answer, state):
    """A sender refused is every recipient's outcome."""
    smtp_sink.refuse_sender = answer
    (result,) = send(smtp_sink, envelope(A, B))
    assert states(result) == {A: state, B: state}
    assert smtp_sink.mails == []


@pytest.mark.parametrize(("answer", "state"), [("554 5.7.1 spam", "permanent"), ("452 4.3.1 full", "temporary")])
def test_a_refused_mail(smtp_sink, answer, state):
    """An answer to the end of data that is no yes is no "unknown"."""
    smtp_sink.answer = answer
    (result,) = send(smtp_sink, envelope(A, B))
    assert states(result) == {A: state, B: state}


def test_a_lost_lease_skips_the_mail(smtp_sink):
    """`before_data` says no: the mail is not sent, nothing is told of it, the next one is sent."""
    results = send(smtp_sink, envelope(A, key="1"), envelope(B, key="2"), before=lambda one: one.key != "1")
    assert [result.key for result in results] == ["2"]
    assert [mail.recipients for mail in smtp_sink.mails] == [(B,)]


def test_a_failing_commit_sends_nothing(smtp_sink):
    """If "performing" cannot be committed the mail stays here."""

    def broken(_):
        raise Temporary("database is locked")

    with pytest.raises(Temporary, match="locked"):
        send(smtp_sink, envelope(A), before=broken)
    assert smtp_sink.mails == []


def test_cut_before_the_answer_is_unknown(smtp_sink):
    """Handed over, no answer: only "unknown" is true, and the next mail goes over a new connection."""
    smtp_sink.drop, smtp_sink.drops = "before-answer", 1
    smtp_sink.refuse = {B: "550 no"}
    first, second = send(smtp_sink, envelope(A, B, key="1"), envelope(C, key="2"))
    assert states(first) == {A: "unknown", B: "permanent"}
    assert states(second) == {C: "accepted"}
    assert len(smtp_sink.mails) == 2


def test_silence_after_data_is_unknown(smtp_sink):
    """A server that never answers is given up after the timeout."""
    smtp_sink.delay_seconds = 3
    begun = time.monotonic()
    (result,) = send(smtp_sink, envelope(A), timeout_seconds=0.5)
    assert states(result) == {A: "unknown"}
    assert time.monotonic() - begun < 2.5


def test_cut_before_data_is_temporary(smtp_sink):
    """Nothing was handed over: it is safe to try again later."""
    smtp_sink.drop = "rcpt"
    (result,) = send(smtp_sink, envelope(A))
    assert states(result) == {A: "temporary"}


def test_a_connection_closed_between_two_mails_is_opened_again(smtp_sink):
    """The server closes after each mail: all are sent all the same, each once."""
    smtp_sink.drop = "after-answer"
    results = send(smtp_sink, *(envelope(A, key=str(number)) for number in range(4)))
    assert [states(result) for result in results] == [{A: "accepted"}] * 4
    assert len(smtp_sink.mails) == 4


def test_a_server_that_closes_an_idle_connection(smtp_sink):
    """421 or a cut at the first command of a reused connection is tried once more over a new one."""
    smtp_sink.drop, smtp_sink.drops = "", 1

    def done(result):
        results.append(result)
        smtp_sink.drop = "rcpt"

    results = []
    mails = [envelope(A, key="1"), envelope(B, key="2")]
    smtp.send(setting(smtp_sink), mails, before_data=lambda _: True, done=done)
    assert [states(result) for result in results] == [{A: "accepted"}, {B: "accepted"}]


def test_the_server_is_down():
    """A server that cannot be reached is told once, no mail has an outcome."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = []
    with pytest.raises(Temporary, match="cannot be reached"):
        smtp.send(settings.Smtp(host="127.0.0.1", port=port), [envelope(A)], before_data=told.append, done=told.append)
    assert told == []


@pytest.mark.parametrize(
    "greeting", [b"", b"554 go away\r\n", b"421 busy\r\n", b"nonsense\r\n", b"220 hi\r\n\xff\x00\r\n", None]
)
def test_a_server_that_is_none_is_temporary(greeting):
    """Hanging up, refusing at the door, nonsense and silence: later, and never hang."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            peer, _ = listener.accept()
            with peer:
                if greeting is None:
                    time.sleep(1)
                else:
                    peer.sendall(greeting)

        thread = threading.Thread(target=serve)
        thread.start()
        broken = settings.Smtp(host="127.0.0.1", port=listener.getsockname()[1], timeout_seconds=0.5)
        with pytest.raises(Temporary):
            smtp.send(broken, [envelope(A)], before_data=lambda _: True, done=lambda _: None)
        thread.join()


def test_more_than_the_servers_limit_is_permanent():
    """RFC 1870: the server's limit is known before anything is sent."""
    with local_smtp.smtp_sink(size_limit=1000) as sink:
        big, small = send(sink, envelope(A, key="1", raw=RAW + b"x" * 2000), envelope(A, key="2"))
        assert states(big) == {A: "permanent"}
        assert "limit of 1000" in big.outcomes[0].text
        assert states(small) == {A: "accepted"}
        assert len(sink.mails) == 1


def test_international_addresses_go_where_the_server_takes_them(smtp_sink):
    """RFC 6531: SMTPUTF8 is asked for and the address arrives as it is."""
    (result,) = send(smtp_sink, envelope("jüri@näide.example"))
    assert states(result) == {"jüri@näide.example": "accepted"}
    assert smtp_sink.mails[0].recipients == ("jüri@näide.example",)


def test_international_addresses_are_held_elsewhere():
    """Without SMTPUTF8 the address is held, never rewritten; the others get their mail."""
    with local_smtp.smtp_sink(utf8=False) as sink:
        mixed, header = send(
            sink, envelope("jüri@x.example", B), envelope(B, key="2", raw="To: jüri@x.example\r\n\r\nx\r\n".encode())
        )
        assert states(mixed) == {"jüri@x.example": "permanent", B: "accepted"}
        assert "held" in mixed.outcomes[0].text
        assert states(header) == {B: "permanent"}
        assert [mail.recipients for mail in sink.mails] == [(B,)]


@pytest.mark.parametrize("hostile", ["a@b.example>\r\nRSET", "a b@c.example", "no-at-sign", "<a@b.example>", ""])
def test_what_is_no_address_is_not_asked_for(smtp_sink, hostile):
    """An address with a command in it is refused here; the others get their mail."""
    (result,) = send(smtp_sink, envelope(hostile, B))
    assert states(result) == {hostile: "permanent", B: "accepted"}


def authenticator(accepted):
    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == accepted and data.login == b"registry", handled=False)

    return check


def test_login_and_its_refusal(monkeypatch):
    """A password logs in; a wrong one names the setting, never the secret."""
    monkeypatch.setenv("SMTP_PASSWORD", "s3cret-õ")
    with local_smtp.smtp_sink(authenticator=authenticator("s3cret-õ".encode())) as sink:
        (result,) = send(sink, envelope(A), user="registry", password_env="SMTP_PASSWORD")
        assert states(result) == {A: "accepted"}
        monkeypatch.setenv("SMTP_PASSWORD", "wr0ng")
        with pytest.raises(Permanent, match="SMTP_PASSWORD") as refused:
            send(sink, envelope(A), user="registry", password_env="SMTP_PASSWORD")
        assert "wr0ng" not in str(refused.value)
        monkeypatch.delenv("SMTP_PASSWORD")
        with pytest.raises(Permanent, match="SMTP_PASSWORD"):
            send(sink, envelope(A), user="registry", password_env="SMTP_PASSWORD")


# asyncio leaves the socket of a refused handshake to the collector when the other side resets it first
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_starttls_with_our_own_certificate(dovecot):
    """STARTTLS is used when set, with `ca_file`; an unknown certificate and a server without it are refused."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(dovecot.home / "server.pem", dovecot.home / "server.key")
    with local_smtp.smtp_sink(tls_context=context) as sink:
        (result,) = send(sink, envelope(A), starttls=True, ca_file=dovecot.ca_file)
        assert states(result) == {A: "accepted"}
        with pytest.raises(Permanent, match="ca_file"):
            send(sink, envelope(A), starttls=True)
    with local_smtp.smtp_sink() as sink, pytest.raises(Permanent, match="no STARTTLS"):
        send(sink, envelope(A), starttls=True, ca_file=dovecot.ca_file)
