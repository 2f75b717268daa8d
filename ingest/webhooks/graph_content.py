"""Opens the encrypted content of Microsoft Graph's notifications; knows no subscription.

The key of the content is sealed with our certificate (RSA-OAEP, SHA-1), the content is signed with
it (HMAC-SHA256) and then AES-256-CBC, the IV being the first 16 bytes of the key. The signature is
checked before anything is decrypted. Rules: learn.microsoft.com, "Set up change notifications that
include resource data".
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks.checking import hmac_sha256
from holdfast.ingest.webhooks.request import Deny
from holdfast.parsers.chat.values import Json, text


def checked_key(pem: str) -> None:
    """Check that a text is the PEM form of an RSA key without a password.

    Raises:
        Refused: It is none.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Refused(
            "A private key is not an RSA key in PEM form.",
            next_step="Give it as PKCS#8 without a password.",
        )


def _loaded(pem: str) -> RSAPrivateKey:
    """Return a checked key; checking it anew for each notification would take the longest."""
    key = serialization.load_pem_private_key(
        pem.encode(), None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def opened(content: Mapping[str, Json], pem: str) -> bytes:
    """Return the content of a notification in clear; deny what is not signed rightly."""
    try:
        sealed_key, data, signature = (
            base64.b64decode(text(content.get(name)), validate=True)
            for name in ("dataKey", "data", "dataSignature")
        )
        # Graph seals keys by SHA-1, and nothing else can be chosen.
        oaep = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
        content_key = _loaded(pem).decrypt(sealed_key, oaep)
    except (binascii.Error, ValueError):
        raise _wrong() from None
    if not hmac.compare_digest(hmac_sha256(content_key, data), signature):
        raise _wrong()
    try:
        opening = Cipher(algorithms.AES256(content_key), modes.CBC(content_key[:16])).decryptor()
        padded = opening.update(data) + opening.finalize()
        unpadding = PKCS7(128).unpadder()
        return unpadding.update(padded) + unpadding.finalize()
    except ValueError:
        raise _wrong() from None


def _wrong() -> Deny:
    return Deny(401, "signature_wrong", "The encrypted content is not signed with its key.")
