"""The demo's own IMAP server and SMTP sink."""

import select
import smtplib
import time
from datetime import datetime

import imapclient
import pytest

from mailrouter.demo.samples import load, shipped
from mailrouter.demo.servers import HOST, LocalServers


@pytest.fixture
def servers(tmp_path):
    """Both servers, with a folder for what is sent."""
    with LocalServers("registry", "secret", tmp_path / "sent") as running:
        yield running


def _log_in(servers):
    client = imapclient.IMAPClient(HOST, servers.imap_port, ssl=False)
    client.login("registry", "secret")
    return client


def test_a_delivered_mail_lies_in_the_inbox_byte_for_byte(servers):
    """Every sample can be fetched as it was delivered, broken ones included, with its time of arrival."""
    client = _log_in(servers)
    client.normalise_times = False
    client.select_folder("INBOX")
    for number, sample in enumerate(load(shipped() / "rules" / "samples"), 1):
        servers.deliver(sample.raw, sample.arrives)
        client.noop()
        uid = client.search()[-1]
        fetched = client.fetch([uid], ["BODY.PEEK[]", "INTERNALDATE"])[uid]
        assert fetched[b"BODY[]"] == sample.raw
        assert fetched[b"INTERNALDATE"] == sample.arrives
        assert servers.folders()["INBOX"] == number
    client.logout()


def test_an_idling_client_is_woken_by_a_delivery(servers):
    """IDLE tells of the new mail at once."""
    client = _log_in(servers)
    client.select_folder("INBOX")
    client.idle()
    servers.deliver(b"Subject: tere\r\n\r\ntere\r\n", datetime.fromisoformat("2024-02-29T13:06:00+02:00"))
    ready, _, _ = select.select([client.socket()], [], [], 20)
    time.sleep(0.2)  # a line may come in pieces, which imapclient takes for a broken one
    assert ready, "nothing was told"
    assert (1, b"EXISTS") in client.idle_check(timeout=5)
    client.idle_done()
    client.logout()


def test_what_is_sent_ends_as_a_file(servers):
    """The sink accepts a mail and keeps its bytes; nothing goes on from there."""
    with smtplib.SMTP(HOST, servers.smtp_port) as smtp:
        smtp.sendmail("info@ministry.example", ["a@b.example"], b"Subject: =?utf-8?q?K=C3=A4tte?=\r\n\r\n.\r\ntere\r\n")
    (mail,) = servers.sent
    assert (mail.sender, mail.recipients, mail.subject) == ("info@ministry.example", ("a@b.example",), "Kätte")
    assert mail.path.read_bytes() == b"Subject: =?utf-8?q?K=C3=A4tte?=\r\n\r\n.\r\ntere\r\n"


def test_the_end_ends_open_connections(tmp_path):
    """A client that idles does not keep the servers alive."""
    with LocalServers("registry", "secret", tmp_path) as servers:
        client = _log_in(servers)
        client.select_folder("INBOX")
        client.idle()
    with pytest.raises((imapclient.exceptions.IMAPClientError, OSError)):
        client.idle_done()
    client.shutdown()
