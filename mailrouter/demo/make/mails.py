"""mails.yaml → the bytes of each sample mail, as Outlook, a plain mail program or a mail server would write them.

Invariant: the same description gives the same bytes; boundaries are derived from the sample's name.
"""

from collections.abc import Mapping, Sequence
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from mailrouter.core import effects

_AS_WRITTEN = SMTP.clone(
    header_factory=HeaderRegistry(default_class=UnstructuredHeader, use_default_map=False), max_line_length=998, utf8=False
)
_OUTLOOK_HEAD = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40"><head>'
    '<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><meta name="Generator" content="Microsoft Word 15">'
    "<style>p.MsoNormal {margin:0cm;font-size:11.0pt;font-family:Calibri,sans-serif;}</style></head>"
    '<body lang="ET" link="#0563C1" vlink="#954F72"><div class="WordSection1">\n'
)
_OUTLOOK_TAIL = "</div></body></html>\n"
_OUTLOOK_BLOCK = (
    '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">'
    '<span lang="EN-US">{lines}<o:p></o:p></span></p></div></div>\n<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n'
)


def descriptions() -> Sequence[Mapping[str, Any]]:
    """mails.yaml, in the order of arrival."""
    loaded: Sequence[Mapping[str, Any]] = YAML(typ="safe").load(
        files("mailrouter.demo.make").joinpath("mails.yaml").read_text("utf-8")
    )
    return loaded


def mail(description: Mapping[str, Any], attached: Mapping[str, bytes], earlier: Mapping[str, bytes]) -> bytes:
    """One sample's bytes; `attached` has the files by name, `earlier` the samples made before it."""
    match description["style"]:
        case "raw":
            return str(description["raw"]).replace("\n", "\r\n").rstrip().encode()
        case "bounce":
            return _bounce(description, earlier)
        case _:
            return _written(description, attached)


def _written(description: Mapping[str, Any], attached: Mapping[str, bytes]) -> bytes:
    message = _headers(description)
    quoted = description.get("quoted", ())
    message.set_content(_plain(description["text"], quoted), cte="quoted-printable")
    if description["style"] == "outlook":
        message.add_alternative(_html(description["text"], quoted), subtype="html", cte="quoted-printable")
    for item in description.get("attachments", ()):
        main, _, sub = item["media_type"].partition("/")
        message.add_attachment(attached[item["file"]], main, sub, filename=item["name"])
    return _bytes(message, description["name"])


def _headers(description: Mapping[str, Any]) -> EmailMessage:
    message = EmailMessage(policy=_AS_WRITTEN)
    for name, value in description["headers"]:
        message[name] = value
    return message


def _bytes(message: EmailMessage, name: str) -> bytes:
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_{name}_{number}")
    return message.as_bytes()


def _plain(text: str, quoted: Sequence[Mapping[str, Any]]) -> str:
    blocks = [text.strip()]
    for hop in quoted:
        lines = "\n".join(f"{label}: {value}" for label, value in hop["headers"])
        blocks.append(f"{lines}\n\n{hop['text'].strip()}")
    return "\n\n".join(blocks) + "\n"


def _html(text: str, quoted: Sequence[Mapping[str, Any]]) -> str:
    parts = [_OUTLOOK_HEAD, _paragraphs(text)]
    for hop in quoted:
        lines = "<br>\n".join(f"<b>{escape(label)}:</b> {escape(value)}" for label, value in hop["headers"])
        parts += ['<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n', _OUTLOOK_BLOCK.format(lines=lines), _paragraphs(hop["text"])]
    return "".join((*parts, _OUTLOOK_TAIL))


def _paragraphs(text: str) -> str:
    return "".join(
        f'<p class="MsoNormal">{escape(line) if line else "<o:p>&nbsp;</o:p>"}</p>\n' for line in text.strip().split("\n")
    )


def _bounce(description: Mapping[str, Any], earlier: Mapping[str, bytes]) -> bytes:
    """A delivery status notification (RFC 3464) for a mail that the service sends for an earlier sample."""
    of = description["of"]
    key = effects.effect_key(sha256(earlier[of["sample"]]).hexdigest(), of["mailbox"], of["rule"], of["kind"])
    recipient = description["recipient"]
    message = _headers(description)
    message.set_content(description["text"], cte="quoted-printable")
    message.make_mixed()
    status = EmailMessage(policy=_AS_WRITTEN)
    status["Content-Type"] = "message/delivery-status"
    server, refused, returned = (EmailMessage(policy=_AS_WRITTEN) for _ in range(3))
    server["Reporting-MTA"] = "dns; mx.ministry.example"
    refused["Final-Recipient"] = f"rfc822; {recipient}"
    refused["Action"] = "failed"
    refused["Status"] = "5.2.2"
    refused["Diagnostic-Code"] = f"smtp; {description['diagnostic']}"
    status.set_payload([server, refused])
    returned.set_content(
        f"From: info@ministry.example\nTo: {recipient}\nMessage-ID: {effects.message_id(key, 'ministry.example')}\n",
        subtype="rfc822-headers",
        cte="7bit",
    )
    message.attach(status)
    message.attach(returned)
    message.replace_header("Content-Type", "multipart/report; report-type=delivery-status")
    return _bytes(message, description["name"])
