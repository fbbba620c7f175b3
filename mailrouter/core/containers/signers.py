"""Certificates → names of signers, the personal code withheld.

Invariant: no personal code leaves this module ("PNOEE-38001085718", "JÕEORG,JAAK-KRISTJAN,38001085718"): it is neither
shown nor stored. What is listed here is what a signature claims; nothing is validated.
"""

import base64
import binascii
import re

from asn1crypto import x509
from lxml import etree

from mailrouter.core.headers import clean
from mailrouter.core.message import Signer

_CODE = re.compile(r"(?:(?:PNO|IDC|PAS|TIN)[A-Z]{2}-?)?\d{6,12}(?:-\d{1,6})?")
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")


def certificate_name(der: bytes) -> str:
    """The signer's name in a certificate: given name and surname of a person, else the organisation's; "" if none."""
    try:
        subject = x509.Certificate.load(der).subject.native
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, UnicodeError):
        return ""
    return subject_name({str(key): _text(value) for key, value in subject.items()})


def subject_name(subject: dict[str, str]) -> str:
    """The name in a certificate's subject, whose keys are asn1crypto's."""
    given, surname = subject.get("given_name", ""), subject.get("surname", "")
    if given or surname:
        return without_code(f"{given} {surname}")
    common = subject.get("common_name", "")
    parts = [without_code(part) for part in common.split(",")]
    parts = [part for part in parts if part]
    if len(parts) == 2 and common.count(",") == 2:  # SURNAME,GIVEN NAME,code: the Estonian ID card's way
        return f"{parts[1]} {parts[0]}"
    return ", ".join(parts) or without_code(subject.get("organization_name", ""))


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def without_code(text: str) -> str:
    """The text without personal codes."""
    return re.sub(r"\s+", " ", _CODE.sub("", clean(text))).strip(" ,")


def xml_signers(root: etree._Element) -> list[tuple[Signer, str, tuple[str, ...]]]:
    """The ds:Signature elements of a signature file or a DDOC → signer, the signature's id, the URIs that it covers."""
    found: list[tuple[Signer, str, tuple[str, ...]]] = []
    for signature in root.iter("{http://www.w3.org/2000/09/xmldsig#}Signature"):
        certificate = signature.find(".//{*}KeyInfo//{*}X509Certificate")
        name = certificate_name(_der(certificate.text or "")) if certificate is not None else ""
        moment = signature.find(".//{*}SigningTime")
        stated = (moment.text or "").strip() if moment is not None else ""
        signed = stated if _ISO_TIME.fullmatch(stated) else None
        references = [reference.get("URI") or "" for reference in signature.findall("{*}SignedInfo/{*}Reference")]
        found.append((Signer(name or "unknown", signed), signature.get("Id") or "", tuple(references)))
    return found


def _der(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""
