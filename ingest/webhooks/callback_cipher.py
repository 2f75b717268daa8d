"""Signs, opens and seals callbacks as WeCom, WeChat and DingTalk all do; knows none of them.

The signature is the hex SHA-1 of token, timestamp, nonce and cipher text, sorted and joined. The
text is AES-256-CBC, its IV the first 16 bytes of the key, padded to 32 bytes: 16 random bytes, the
length as four bytes, the message, and the id of who it is for. Rules:
developer.work.weixin.qq.com/document/path/90968 and open.dingtalk.com, "Configure event callbacks".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks.checking import same
from holdfast.ingest.webhooks.request import Deny

_BLOCK = 32
_HEAD = 20
"""Random bytes and length."""


def key_of(encoding_aes_key: str) -> bytes:
    """Return the AES key of its 43 characters.

    Raises:
        Refused: They are no such key.
    """
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise Refused(
            "The EncodingAESKey is not 43 letters and digits.",
            next_step="Copy it from the page where the callback is configured.",
        )
    return key


def signature(token: str, timestamp: str, nonce: str, sealed: str) -> str:
    """Return what signs a cipher text."""
    joined = "".join(sorted((token, timestamp, nonce, sealed)))
    return hashlib.sha1(joined.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def opened(sealed: str, key: bytes, receiver: str) -> bytes:
    """Return the message; deny what is not sealed with this key, or is for somebody else."""
    try:
        content = base64.b64decode(sealed, validate=True)
        opening = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).decryptor()
        padded = opening.update(content) + opening.finalize()
    except (binascii.Error, ValueError):
        padded = b""
    end = len(padded) - (padded[-1] if padded else 0)
    length = int.from_bytes(padded[16:_HEAD], "big")
    tail = padded[_HEAD + length : end]
    is_whole = _HEAD + length <= end and 0 < len(padded) - end <= _BLOCK
    if not is_whole or padded[end:] != padded[-1:] * (len(padded) - end):
        raise Deny(401, "not_encrypted", "The content is not encrypted with this key.")
    if not same(tail.decode("utf-8", "replace"), receiver):
        raise Deny(401, "receiver_wrong", "The content is meant for another receiver.")
    return padded[_HEAD : _HEAD + length]


def sealed(message: bytes, key: bytes, receiver: str) -> str:
    """Return the cipher text of a message."""
    whole = os.urandom(16) + len(message).to_bytes(4, "big") + message + receiver.encode()
    fill = _BLOCK - len(whole) % _BLOCK
    sealing = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    content = sealing.update(whole + bytes([fill]) * fill) + sealing.finalize()
    return base64.b64encode(content).decode()
