"""Makes and reads the passes that open one contact's trail in a frame, for five minutes; no I/O.

A pass names who asked for it and what it opens, and is signed with a key that the keyring gives:
nobody can make one, lengthen one, or use one for another contact.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast.storage.keyring import Keyring

VALID_MS = 5 * 60 * 1000
_PURPOSE = b"embedded timeline"
_FORM = 1
_SAID = struct.Struct(">BIQQQQ")
_MAC_BYTES = 32
TEXT_CHARS = (_SAID.size + _MAC_BYTES) * 4 // 3
"""Of every pass, which fills its base64: one pass is one text."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says."""

    user_id: int
    key_id: int | None
    contact_id: int
    until_ms: int
    """Unix milliseconds."""


def issue(keyring: Keyring, given: Pass) -> str:
    """Return the pass as it stands in an address."""
    version = keyring.current
    said = _SAID.pack(
        _FORM, version, given.user_id, given.key_id or 0, given.contact_id, given.until_ms
    )
    return base64.urlsafe_b64encode(said + _mac(keyring, version, said)).decode()


def opened(keyring: Keyring, text: str, now_ms: int) -> Pass | None:
    """Return what a pass says; None: it was not made here, was altered, or is over."""
    if len(text) != TEXT_CHARS or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    said, mac = raw[: _SAID.size], raw[_SAID.size :]
    form, version, user_id, key_id, contact_id, until_ms = _SAID.unpack(said)
    try:
        is_ours = hmac.compare_digest(mac, _mac(keyring, version, said))
    except HoldfastError:  # the keyring has no such version
        return None
    if not is_ours or form != _FORM or until_ms <= now_ms:
        return None
    return Pass(user_id, key_id or None, contact_id, until_ms)


def _mac(keyring: Keyring, version: int, said: bytes) -> bytes:
    return hmac.digest(keyring.derived(_PURPOSE, version), said, "sha256")
