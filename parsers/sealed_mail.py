"""Says which parts are signed, encrypted, partial or in a foreign wrapping; opens none of them.

RFC 8551 (S/MIME), RFC 3156 (PGP/MIME), RFC 2046 sections 5.2.2 and 5.2.3, MS-OXTNEF.
"""

from __future__ import annotations

from holdfast.parsers.defects import Defects
from holdfast.parsers.mime_tree import Part
from holdfast.parsers.transfer import decoded

_PKCS7_MIME = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_PROBE_BYTES = 512
_BY_TYPE = {
    "application/ms-tnef": "tnef",
    "application/vnd.ms-tnef": "tnef",
    "message/partial": "message_partial",
    "message/external-body": "message_external_body",
    "application/pgp-encrypted": "pgp_encrypted",
    "application/pgp-signature": "pgp_signed",
    "application/pkcs7-signature": "smime_signed",
    "application/x-pkcs7-signature": "smime_signed",
}


def note_armour(body: str, defects: Defects) -> None:
    """Record OpenPGP that stands in the text itself (RFC 9580, 6.2 and 7)."""
    if "-----BEGIN PGP " in body:
        if "-----BEGIN PGP MESSAGE-----" in body:
            defects.add("pgp_encrypted")
        if "-----BEGIN PGP SIGNED MESSAGE-----" in body:
            defects.add("pgp_signed")


def note_protection(part: Part, defects: Defects) -> None:
    """Record how a part is wrapped, as an information among the defects."""
    name = part.content_type.value
    if name.startswith("text/") and part.shape == "leaf":
        return
    if name == "multipart/encrypted":
        defects.add("pgp_encrypted", part.path)
    elif name in _PKCS7_MIME:
        defects.add(_pkcs7_code(part), part.path)
    elif name in _BY_TYPE:
        defects.add(_BY_TYPE[name], part.path)
    elif part.filename.lower() == "winmail.dat":
        defects.add("tnef", part.path)


def _pkcs7_code(part: Part) -> str:
    kind = part.content_type.get("smime-type").lower()
    if not kind:
        stop = min(part.end, part.start + _PROBE_BYTES)
        head = decoded(part.buffer, part.start, stop, part.encoding, [])[:64]
        kind = "signed-data" if _SIGNED_DATA in head else ""
    return "smime_signed" if kind in ("signed-data", "certs-only") else "smime_encrypted"
