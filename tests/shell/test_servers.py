"""The tests' own servers do what the tests lean on."""

import smtplib

import psycopg
import pytest

MAIL = b"From: a@x.example\r\nTo: b@y.example\r\nSubject: hi\r\n\r\nbody\r\n"


def test_dovecot_accounts_are_apart(dovecot):
    """What is delivered to one user is not seen by the next."""
    one, two = dovecot.user(), dovecot.user()
    dovecot.deliver(one, MAIL)
    assert dovecot.mails(one) == [MAIL]
    assert dovecot.mails(two) == []


def test_sink_keeps_what_it_took(smtp_sink):
    """The envelope and the bytes are kept as they came."""
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=10) as client:
        client.sendmail("", ["b@y.example"], MAIL)
    (mail,) = smtp_sink.wait(1)
    assert (mail.sender, mail.recipients, mail.data) == ("", ("b@y.example",), MAIL)


def test_sink_drops_before_the_answer(smtp_sink):
    """A cut before the answer leaves the mail stored and the client without word."""
    smtp_sink.drop = "before-answer"
    with (
        pytest.raises(smtplib.SMTPServerDisconnected),
        smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=10) as client,
    ):
        client.sendmail("a@x.example", ["b@y.example"], MAIL)
    assert len(smtp_sink.mails) == 1


def test_sink_answers_then_drops(smtp_sink):
    """A cut after the answer: the client knows that the mail was taken."""
    smtp_sink.drop = "after-answer"
    client = smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=10)
    assert client.sendmail("a@x.example", ["b@y.example"], MAIL) == {}
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.sendmail("a@x.example", ["b@y.example"], MAIL)
    client.close()


def test_databases_are_fresh(postgres_server):
    """Two tests never share a database."""
    with postgres_server.database() as one, postgres_server.database() as two:
        with psycopg.connect(one.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE t (x int)")
        with psycopg.connect(two.replace("+psycopg", "")) as connection:
            tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_store_url_opens(store_url):
    """Each database is offered under the name that settings use."""
    assert store_url.startswith(("sqlite:///", "postgresql+psycopg://"))
