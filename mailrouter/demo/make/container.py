"""A signed container (ASiC-E, ETSI EN 319 162-1) with a certificate that only this test knows.

Invariant: it is made once and committed, because keys and signatures are random. The signature is formally complete but
the certificate is self-signed, so no validator trusts it.
"""

import base64
import hashlib
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

MEDIA_TYPE = "application/vnd.etsi.asic-e+zip"
SIGNED = datetime(2024, 5, 14, 8, 12, 40, tzinfo=UTC)

_SIGNATURE = """<?xml version="1.0" encoding="UTF-8"?>
<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" \
xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"><ds:Signature Id="S0">{signed_info}<ds:SignatureValue>{value}\
</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>\
</ds:KeyInfo><ds:Object><xades:QualifyingProperties Target="#S0"><xades:SignedProperties Id="S0-P">\
<xades:SignedSignatureProperties><xades:SigningTime>{time}</xades:SigningTime></xades:SignedSignatureProperties>\
</xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature></asic:XAdESSignatures>
"""
_SIGNED_INFO = """<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11"/>\
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/><ds:Reference URI="{name}">\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{digest}</ds:DigestValue>\
</ds:Reference></ds:SignedInfo>"""
_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">\
<manifest:file-entry manifest:full-path="/" manifest:media-type="{container}"/>\
<manifest:file-entry manifest:full-path="{name}" manifest:media-type="application/pdf"/></manifest:manifest>
"""


def container(name: str, content: bytes) -> bytes:
    """A zip with `mimetype` first and stored, the file, its manifest and one signature by an invented mayor."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    signed_info = _SIGNED_INFO.format(name=name, digest=_base64(hashlib.sha256(content).digest()))
    signature = _SIGNATURE.format(
        signed_info=signed_info,
        value=_base64(key.sign(signed_info.encode(), ec.ECDSA(hashes.SHA256()))),
        certificate=_base64(certificate.public_bytes(serialization.Encoding.DER)),
        time=SIGNED.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MEDIA_TYPE, zipfile.ZIP_STORED)
        archive.writestr(name, content)
        archive.writestr("META-INF/manifest.xml", _MANIFEST.format(container=MEDIA_TYPE, name=name))
        archive.writestr("META-INF/signatures0.xml", signature)
    return buffer.getvalue()


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "EE"),
            x509.NameAttribute(NameOID.COMMON_NAME, "RANNAMETS,AADU,TEST"),
            x509.NameAttribute(NameOID.SURNAME, "RANNAMETS"),
            x509.NameAttribute(NameOID.GIVEN_NAME, "AADU"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "TEST-0000"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(SIGNED - timedelta(days=30))
        .not_valid_after(SIGNED + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
