"""S/MIME (RFC 8551) and CMS files: signed ones are opened, encrypted ones recognised, compressed ones unpacked."""

import base64
import binascii
import re
import zlib
from datetime import datetime
from typing import Any

from asn1crypto import cms

from mailrouter.core.containers.opened import Contents, Item
from mailrouter.core.containers.signers import certificate_name, subject_name
from mailrouter.core.message import Signer
from mailrouter.core.outcomes import Defect

# asn1crypto reads lazily: what is broken shows wherever it is first touched, as any of these.
_BROKEN = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, AttributeError, UnicodeError)
_ENCRYPTED = frozenset(
    {"enveloped_data", "authenticated_enveloped_data", "encrypted_data", "signed_and_enveloped_data"}
)
_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----\r?\n([A-Za-z0-9+/=\s]+)-----END ")


def open_pkcs7(content: bytes, name: str, max_bytes: int) -> Contents:
    """What a CMS file holds: the signed or compressed content (none in a detached signature), and its signers."""
    try:
        info = cms.ContentInfo.load(_der(content))
        kind = info["content_type"].native
        inner = info["content"]
        if kind == "signed_data":
            return _signed(inner, name, max_bytes)
        if kind == "compressed_data":
            return _compressed(inner["encap_content_info"]["content"].native or b"", name, max_bytes)
    except _BROKEN:
        return Contents(defects=(Defect("container", f"{name}: broken CMS file"),))
    if kind in _ENCRYPTED:
        return Contents(encrypted="S/MIME")
    return Contents(defects=(Defect("container", f"{name}: CMS content {kind} is not read"),))


def _signed(inner: Any, name: str, max_bytes: int) -> Contents:
    signers = _signers(inner)
    held = inner["encap_content_info"]["content"].native
    if not isinstance(held, bytes) or not held:
        return Contents(signers=signers)
    if len(held) > max_bytes:
        return Contents(signers=signers, defects=(Defect("parts", f"{name}: content beyond the limits"),))
    return Contents((Item(_inner_name(name), held, "", signers),), signers)


def _der(content: bytes) -> bytes:
    """DER, or the same in PEM or base64 as gateways save it."""
    pem = _PEM.search(content)
    text = pem[1] if pem else content
    if not pem and not content.startswith(b"MI"):
        return content
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return content


def _inner_name(name: str) -> str:
    stem = re.sub(r"\.p7[ms]$", "", name, flags=re.IGNORECASE)
    return stem if stem != name and "." in stem else ""


def _compressed(packed: bytes, name: str, max_bytes: int) -> Contents:
    try:
        data = zlib.decompressobj().decompress(packed, max_bytes + 1)
    except zlib.error:
        return Contents(defects=(Defect("container", f"{name}: broken compressed content"),))
    if len(data) > max_bytes:
        return Contents(defects=(Defect("zip-bomb", f"{name}: unpacks beyond the limits"),))
    return Contents((Item(_inner_name(name), data),))


def _signers(signed: Any) -> tuple[Signer, ...]:
    certificates = [each.chosen for each in signed["certificates"] or [] if each.name == "certificate"]
    found: list[Signer] = []
    for signer in signed["signer_infos"]:
        identity = signer["sid"]
        match = next((each for each in certificates if _is_of(each, identity)), None)
        name = certificate_name(match.dump()) if match is not None else ""
        if not name and identity.name == "issuer_and_serial_number":
            issuer = identity.chosen["issuer"].native
            name = f"holder of a certificate by {subject_name({key: str(value) for key, value in issuer.items()})}"
        found.append(Signer(name or "unknown", _signing_time(signer)))
    return tuple(found)


def _is_of(certificate: Any, identity: Any) -> bool:
    if identity.name == "issuer_and_serial_number":
        return bool(
            certificate.serial_number == identity.chosen["serial_number"].native
            and certificate.issuer == identity.chosen["issuer"]
        )
    return bool(certificate.key_identifier == identity.chosen.native)


def _signing_time(signer: Any) -> str | None:
    for attribute in signer["signed_attrs"] or []:
        if attribute["type"].native == "signing_time":
            moment = attribute["values"][0].native
            return moment.isoformat() if isinstance(moment, datetime) else None
    return None
