"""Hand-over to Delta: by its folder on a real IMAP server, by SOAP to a stub of its service."""

import email
import email.policy
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from lxml import etree

from mailrouter.core.register import Correspondent, Entry, Responsible
from mailrouter.shell import registers
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.registers import Document, Unproven

RAW = b"Message-ID: <1@ec.europa.eu>\r\nSubject: Follow-up\r\n\r\n\xff\xfeDear Minister\r\n--mailrouter--\r\n"
ENTRY = Entry(
    "incoming", "Follow-up \x0b& <on>", "5", "5-4", "5-4/22-1", 22, 1, "2024-02-29T13:06:00+02:00", "5-4/2024", access="AK", access_basis="AvTS § 35 lg 3",
    access_until="2029-02-28", sender=Correspondent("European Commission", "HOME", "home@ec.europa.eu"), responsible=Responsible("Katarina Budrik"), arrival="e-post",
)  # fmt: skip
DOCUMENT = Document("k1", ENTRY, "registry", RAW, "<1@ec.europa.eu>")
NAMES = {"add": "http://delta/addDocument/schemas"}
OK = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><r xmlns="x"><v>OK</v></r></s:Body></s:Envelope>'
FAULT = OK.replace(
    b'<r xmlns="x"><v>OK</v></r>',
    b"<s:Fault><faultcode>s:Server</faultcode><faultstring>unknown  field docNam</faultstring></s:Fault>",
)


class Service:
    """A stub of Delta's service: keeps what it gets, answers what it is told."""

    def __init__(self) -> None:
        self.requests = []
        self.status, self.answer, self.hang_up = 200, OK, False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers), body))
                if outer.hang_up:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, *args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/ws/addDocument"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *raised):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def request(self):
        """The last request: its envelope and its attached files."""
        _, headers, body = self.requests[-1]
        message = email.message_from_bytes(
            b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body, policy=email.policy.compat32
        )
        root, *files = message.get_payload()
        assert f"<{message.get_param('start').strip('<>')}>" == root["Content-ID"]
        return etree.fromstring(root.get_payload(decode=True)), files


@pytest.fixture
def service():
    with Service() as running:
        yield running


def soap(service, **more):
    return registers.connect("delta", {"delta": {"way": "soap", "url": service.url, **more}}, lambda name: None)


def test_mail_is_put_into_deltas_folder(dovecot, connected):
    """The mail lies in Delta's folder as it came, byte for byte, and is found there after a crash."""
    connection = connected(dovecot, dovecot.user())
    asked = []
    mirror = registers.connect("delta", {"delta": {}}, lambda name: asked.append(name) or connection)
    with pytest.raises(Permanent):
        mirror.prepare(DOCUMENT)
    folder = "Dokumendihaldus/Sissetulevad kirjad"
    connection.ensure(folder)
    mirror.prepare(DOCUMENT)
    assert mirror.trace(DOCUMENT) == "nobody knows"
    assert mirror.hand_over(DOCUMENT).reference
    assert mirror.trace(DOCUMENT) == "there"
    state = connection.state(folder)
    (kept,) = connection.fetch(folder, state.uidvalidity, connection.uids(folder, state.uidvalidity), 10_000)
    assert kept.raw == RAW
    assert set(asked) == {"registry"}


def test_taken_mail_is_not_repeated_by_a_machine(dovecot, connected):
    """Delta empties its folder: that a mail is not there any more says nothing."""
    connection = connected(dovecot, dovecot.user())
    connection.ensure("Delta")
    mirror = registers.connect(
        "d", {"d": {"kind": "delta", "folder": "Delta", "mailbox": "other"}}, lambda name: connection
    )
    mirror.hand_over(DOCUMENT)
    state = connection.state("Delta")
    connection.remove("Delta", state.uidvalidity, connection.uids("Delta", state.uidvalidity)[0])
    assert mirror.trace(DOCUMENT) == "nobody knows"


def test_append_without_an_answer_is_unproven():
    """The connection broke in the middle of the append: the mail may lie there, so that nothing is repeated."""

    class Broken:
        def append(self, folder, raw, flags=(), received=None):
            raise Temporary("connection lost")

    with pytest.raises(Unproven):
        registers.connect("delta", {"delta": {}}, lambda name: Broken()).hand_over(DOCUMENT)


def test_erased_mail_is_left_to_a_person():
    """Without the mail's bytes there is nothing to hand over."""
    erased = replace(DOCUMENT, raw=None)
    for settings in ({"way": "imap"}, {"way": "soap", "url": "http://127.0.0.1:9/x"}):
        with pytest.raises(Permanent, match="by hand"):
            registers.connect("delta", {"delta": settings}, lambda name: None).prepare(erased)


def test_soap_request_has_the_fields_and_the_mail(service):
    """Fields, type and application as Delta asks for them; the mail is attached byte for byte and named by cid."""
    mirror = soap(service, application="postituba", owners={"Katarina Budrik": "38001010000"})
    mirror.prepare(DOCUMENT)
    assert service.requests == []
    mirror.hand_over(DOCUMENT)
    envelope, (file,) = service.request()
    request = envelope.find(".//add:addDocumentRequest", NAMES)
    assert request.findtext("add:documentType", namespaces=NAMES) == "incomingLetter"
    assert request.findtext("add:senderApplication", namespaces=NAMES) == "postituba"
    fields = {
        field.findtext("add:id", namespaces=NAMES): [
            value.text for value in field.findall("add:values/add:value", NAMES)
        ]
        for field in request.findall("add:fields/add:field", NAMES)
    }
    assert fields["docName"] == ["Follow-up & <on>"]
    assert fields["senderDetailsName"] == ["European Commission"]
    assert (fields["accessRestriction"], fields["accessRestrictionReason"]) == (["AK"], ["AvTS § 35 lg 3"])
    assert fields["accessRestrictionEndDate"] == ["2029-02-28"]
    assert (fields["ownerId"], fields["ownerName"]) == (["38001010000"], ["Katarina Budrik"])
    assert not {"function", "series", "file", "case", "volume", "regNumber", "shortRegNumber", "regDateTime"} & set(
        fields
    )
    assert (
        request.findtext("add:files/add:file/add:content", namespaces=NAMES) == f"cid:{file['Content-ID'].strip('<>')}"
    )
    assert file.get_payload(decode=True) == RAW


def test_number_and_owner_are_given_whole_or_not_at_all(service):
    """Where we own the counter, number, time and short number go along together; an owner without an id does not."""
    soap(service, numbered=True).hand_over(DOCUMENT)
    envelope, _ = service.request()
    ids = {field.text for field in envelope.iterfind(".//add:id", NAMES)}
    assert {"regNumber", "regDateTime", "shortRegNumber"} <= ids
    assert not {"ownerId", "ownerName"} & ids
    with pytest.raises(Permanent, match="shortRegNumber is missing"):
        soap(service, numbered=True).prepare(replace(DOCUMENT, entry=replace(ENTRY, counter=None)))


def test_login_is_sent(service, monkeypatch):
    """The password comes from the environment."""
    monkeypatch.setenv("DELTA_PASSWORD", "s3cret")
    soap(service, user="mailrouter", password_env="DELTA_PASSWORD").hand_over(DOCUMENT)
    path, headers, _ = service.requests[-1]
    assert path == "/ws/addDocument"
    assert headers["Authorization"] == "Basic bWFpbHJvdXRlcjpzM2NyZXQ="


@pytest.mark.parametrize(
    ("status", "answer", "error", "words"),
    [
        (500, FAULT, Permanent, "unknown field docNam"),
        (200, FAULT, Permanent, "unknown field docNam"),
        (200, OK.replace(b"OK", b"FAILED"), Permanent, "FAILED"),
        (400, b"", Permanent, "HTTP 400"),
        (401, b"", Permanent, "password"),
        (503, b"busy", Temporary, "503"),
        (200, b"<html>login</html>", Unproven, "cannot be read"),
        (200, b'<!DOCTYPE x [<!ENTITY e "OK">]>' + OK.replace(b"OK", b"&e;"), Unproven, "cannot be read"),
    ],
)
def test_anything_but_ok_is_an_error(service, status, answer, error, words):
    """What Delta says is shown to the person; what cannot be told is unproven, never done."""
    service.status, service.answer = status, answer
    with pytest.raises(error, match=words) as raised:
        soap(service).hand_over(DOCUMENT)
    assert isinstance(raised.value, Unproven) is (error is Unproven)


def test_multipart_answer_is_read(service):
    """Delta may answer with attachments of its own."""
    service.answer = (
        b"--b\r\nContent-Type: text/xml\r\nContent-ID: <a@b>\r\n\r\n<?xml version='1.0'?>" + OK + b"\r\n--b--"
    )
    soap(service).hand_over(DOCUMENT)
    assert len(service.requests) == 1


def test_hung_up_is_unproven_and_unreachable_is_temporary(service):
    """No answer after the request went out: nobody knows. Nobody there: nothing was sent."""
    service.hang_up = True
    mirror = soap(service)
    with pytest.raises(Unproven):
        mirror.hand_over(DOCUMENT)
    assert mirror.trace(DOCUMENT) == "nobody knows"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    with pytest.raises(Temporary) as raised:
        registers.connect("delta", {"delta": {"way": "soap", "url": url}}, lambda name: None).hand_over(DOCUMENT)
    assert not isinstance(raised.value, Unproven)
