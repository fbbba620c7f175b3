"""Delta's SOAP service `addDocument` (namespace http://delta/addDocument/schemas).

The request has documentType, senderApplication, fields (id, values) and files as swaRef (WS-I Attachments Profile 1.0
§ 4.4: the XML names the MIME part by "cid:…"). Delta rejects function, series, file and case; it takes regNumber,
regDateTime and shortRegNumber all or none, ownerId and ownerName likewise, and answers OK.
Invariant: XML is built by lxml, never by pasting; the answer is read without entities and network.
"""

import base64
import hashlib
import http.client
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lxml import etree

from mailrouter.core.register import Entry
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.registers.interface import Document, Handed, Trace, Unproven

NAMESPACE = "http://delta/addDocument/schemas"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_LARGEST_ANSWER = 1_000_000  # bytes
_WRITTEN = re.compile(rb"<(?:[\w.-]+:)?Envelope\b.*</(?:[\w.-]+:)?Envelope\s*>", re.DOTALL)
REJECTED = frozenset({"function", "series", "volume", "file", "case"})  # Delta files by itself


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom."""

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    application: str = "mailrouter"
    document_type: str = "incomingLetter"
    numbered: bool = False
    owners: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """The HTTP body with its Content-Type."""

    content_type: str
    body: bytes


class DeltaSoap:
    """Delta by SOAP. There is no way to ask whether a document arrived."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.needed_seconds = endpoint.timeout_seconds

    def prepare(self, document: Document) -> None:
        """See that the request can be built."""
        build_request(document, self._endpoint)

    def trace(self, document: Document) -> Trace:
        """The service cannot be asked."""
        del document
        return "nobody knows"

    def hand_over(self, document: Document) -> Handed:
        """Send the request; anything but OK is an error that says what Delta said."""
        status, answer = self._post(build_request(document, self._endpoint))
        said = read_answer(answer)
        if status == 200 and said == "OK":
            return Handed()
        if status in {502, 503, 504}:
            raise Temporary(f"Delta is not reachable behind {urlsplit(self._endpoint.url).hostname}: HTTP {status}")
        if status in {401, 403}:
            raise Permanent(f"Delta refuses our login (HTTP {status}): see registers.….user and its password")
        if status == 200 and said is None:
            raise Unproven("Delta's answer cannot be read")
        raise Permanent(f"Delta did not take {document.entry.number}: {said or f'HTTP {status}'}")

    def _post(self, request: Request) -> tuple[int, bytes]:
        """Errors before the request was written are temporary, those after it unproven."""
        connection = self._connect()
        path = urlsplit(self._endpoint.url)
        target = path.path + (f"?{path.query}" if path.query else "") or "/"
        try:
            connection.request("POST", target, body=request.body, headers=self._headers(request))
            answer = connection.getresponse()
            return answer.status, answer.read(_LARGEST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise Unproven(f"no answer from Delta: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        url = urlsplit(self._endpoint.url)
        host, seconds = url.hostname or "", self._endpoint.timeout_seconds
        connection = (
            http.client.HTTPSConnection(host, url.port, timeout=seconds, context=ssl.create_default_context())
            if url.scheme == "https"
            else http.client.HTTPConnection(host, url.port, timeout=seconds)
        )
        try:
            connection.connect()
        except OSError as error:
            raise Temporary(f"Delta at {host} cannot be reached: {error}") from error
        return connection

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Content-Type": request.content_type, "SOAPAction": '""'}
        if self._endpoint.user:
            login = f"{self._endpoint.user}:{self._endpoint.password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        return headers


def build_request(document: Document, endpoint: Endpoint) -> Request:
    """The request for a document: SOAP with its mail attached. Permanent where Delta would reject it."""
    files = _files(document)
    fields = document_fields(document.entry, endpoint)
    check_fields(fields)
    return _multipart(_envelope(fields, files, endpoint), files)


def document_fields(entry: Entry, endpoint: Endpoint) -> dict[str, Sequence[str]]:
    """Delta's fields of an entry; those without a value are left out."""
    sender = entry.sender
    fields: dict[str, str | None] = {
        "docName": entry.title,
        "accessRestriction": entry.access,
        "accessRestrictionReason": entry.access_basis,
        "accessRestrictionBeginDate": entry.access_from,
        "accessRestrictionEndDate": _if_date(entry.access_until),
        "accessRestrictionEndDesc": None if _if_date(entry.access_until) else entry.access_until,
        "senderDetailsName": (sender.institution or sender.name) if sender else None,
        "senderDetailsEmail": sender.address if sender else None,
        "senderRegNumber": entry.sender_reference,
        "senderRegDate": entry.sender_date,
        "dueDate": entry.due,
        "transmittalMode": entry.arrival,
        "comment": entry.note,
    }
    if endpoint.numbered:
        short = str(entry.counter) if entry.counter is not None else None
        fields |= {"regNumber": entry.number, "regDateTime": entry.registered, "shortRegNumber": short}
    owner = endpoint.owners.get(entry.responsible.name) if entry.responsible else None
    if entry.responsible and owner:
        fields |= {"ownerId": owner, "ownerName": entry.responsible.name}
    return {name: (value,) for name, value in fields.items() if value}


def check_fields(fields: Mapping[str, Sequence[str]]) -> None:
    """Permanent where Delta is known to reject the fields."""
    if REJECTED & set(fields):
        raise Permanent(f"Delta takes no {', '.join(sorted(REJECTED & set(fields)))}: it files documents itself")
    for group in (("regNumber", "regDateTime", "shortRegNumber"), ("ownerId", "ownerName")):
        given = [name for name in group if name in fields]
        if given and len(given) < len(group):
            missing = ", ".join(name for name in group if name not in given)
            raise Permanent(f"Delta takes {', '.join(group)} all or none; {missing} is missing")


def _if_date(value: str | None) -> str | None:
    return value if value and value[:4].isdigit() and len(value) == 10 else None


def _files(document: Document) -> list[tuple[str, str, bytes]]:
    """(content id, file name, bytes) of what is attached: the whole mail."""
    if document.raw is None:
        raise Permanent("the mail's content is not kept (erased, or over the size limit): put it into Delta by hand")
    digest = hashlib.sha256(document.raw).hexdigest()
    return [(f"{digest[:32]}@mailrouter", "kiri.eml", document.raw)]


def _envelope(
    fields: Mapping[str, Sequence[str]], files: Sequence[tuple[str, str, bytes]], endpoint: Endpoint
) -> bytes:
    envelope = etree.Element(f"{{{_ENVELOPE}}}Envelope", nsmap={"soapenv": _ENVELOPE, "add": NAMESPACE})
    body = etree.SubElement(envelope, f"{{{_ENVELOPE}}}Body")
    request = _child(body, "addDocumentRequest")
    _child(request, "documentType", endpoint.document_type)
    _child(request, "senderApplication", endpoint.application)
    listed = _child(request, "fields")
    for name, values in fields.items():
        one = _child(listed, "field")
        _child(one, "id", name)
        holder = _child(one, "values")
        for value in values:
            _child(holder, "value", value)
    attached = _child(request, "files")
    for content_id, name, _ in files:
        one = _child(attached, "file")
        _child(one, "name", name)
        _child(one, "content", f"cid:{content_id}")
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _child(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if text is not None:
        # XML 1.0 § 2.2 has no control characters, which titles of broken mails may have.
        child.text = "".join(each for each in text if each in "\t\n\r" or (each >= " " and each not in "\ufffe\uffff"))
    return child


def _multipart(envelope: bytes, files: Sequence[tuple[str, str, bytes]]) -> Request:
    """multipart/related (RFC 2387) with the envelope as root; the files byte for byte."""
    root = "envelope@mailrouter"
    boundary = "mailrouter-" + hashlib.sha256(envelope + b"".join(content for _, _, content in files)).hexdigest()
    parts = [("text/xml; charset=UTF-8", root, "", envelope)]
    parts += [("application/octet-stream", content_id, name, content) for content_id, name, content in files]
    body = b""
    for media_type, content_id, name, content in parts:
        headers = f"--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{content_id}>\r\n"
        if name:
            headers += f'Content-Disposition: attachment; filename="{name}"\r\n'
        body += headers.encode() + b"\r\n" + content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    content_type = f'multipart/related; type="text/xml"; start="<{root}>"; boundary="{boundary}"'
    return Request(content_type, body)


def read_answer(answer: bytes) -> str | None:
    """What Delta said: "OK", or the fault's words; None if nothing can be read."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    written = _WRITTEN.search(answer)  # a multipart answer has headers around it
    if written is None:
        return None
    try:
        envelope = etree.fromstring(written[0], parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    fault = envelope.find(".//faultstring")
    if fault is None:
        fault = envelope.find(f".//{{{_ENVELOPE}}}Fault")
    if fault is not None:
        return " ".join("".join(map(str, fault.itertext())).split())[:500] or "a fault without words"
    body = envelope.find(f"{{{_ENVELOPE}}}Body")
    if body is None:
        return None
    return " ".join("".join(map(str, body.itertext())).split())[:500] or None
