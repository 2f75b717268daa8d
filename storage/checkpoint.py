"""Signed checkpoints of the audit log as C2SP signed notes; no files and no trees.

Formats: c2sp.org/tlog-checkpoint (origin, size, root) inside c2sp.org/signed-note with Ed25519.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.core.errors import Corrupt, Refused

_ED25519 = b"\x01"
_DASH = "— "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+]+")
_MAX_NOTE_BYTES = 64 * 1024
_KEY_ID_BYTES = 4
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its name, how many entries, and the root over them."""

    origin: str
    """Name of the log, and of the key that signs it: no space, no plus sign."""
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note's text (c2sp.org/tlog-checkpoint), without signatures."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def check_origin(origin: str) -> None:
    """Raise Refused unless the name can stand in a signed note."""
    if not _NAME.fullmatch(origin) or _CONTROL.search(origin):
        raise Refused("The log's origin may hold no space and no plus sign.", origin=origin)


def key_id(origin: str, public: Ed25519PublicKey) -> bytes:
    """Return the 4 bytes by which a signature line names its key."""
    named = origin.encode() + b"\n" + _ED25519 + public.public_bytes_raw()
    return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]


def verifier_key(origin: str, public: Ed25519PublicKey) -> str:
    """Return the key as other tools take it: name, key id in hex, and key, joined by plus signs."""
    encoded = _base64(_ED25519 + public.public_bytes_raw())
    return f"{origin}+{key_id(origin, public).hex()}+{encoded}"


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """Return the signed note; the caller answers for its consistency with the one before."""
    return sign_note(checkpoint.text(), checkpoint.origin, key)


def sign_note(text: str, origin: str, key: Ed25519PrivateKey) -> bytes:
    """Return any text, which ends with a line end, as a signed note (c2sp.org/signed-note).

    What is no checkpoint must not begin with a name that can be an origin.
    """
    check_origin(origin)
    signature = key_id(origin, key.public_key()) + key.sign(text.encode())
    return f"{text}\n{_DASH}{origin} {_base64(signature)}\n".encode()


def open_checkpoint(note: bytes, public: Ed25519PublicKey, origin: str) -> Checkpoint:
    """Return the checkpoint after checking its form, its origin and our signature.

    Signatures by others (witnesses) are ignored; extension lines are signed and ignored.

    Raises:
        Corrupt: It is malformed, another log's, or not signed by this key.
    """
    return _parsed(open_note(note, public, origin, _MAX_NOTE_BYTES), origin)


def open_note(note: bytes, public: Ed25519PublicKey, origin: str, max_bytes: int) -> str:
    """Return the text of a signed note after checking our signature; others are ignored.

    Raises:
        Corrupt: It is malformed, too long, or not signed by this key.
    """
    text, signatures = _split_note(note, max_bytes)
    wanted = key_id(origin, public)
    lines = [_signature(line, origin) for line in signatures.split("\n")[:-1]]
    for signature in lines:
        if signature[:_KEY_ID_BYTES] == wanted:
            try:
                public.verify(signature[_KEY_ID_BYTES:], text.encode())
            except InvalidSignature:
                raise Corrupt("The checkpoint's signature is false.", origin=origin) from None
            return text
    raise Corrupt("The checkpoint is not signed by the log's key.", origin=origin)


def unbase64(text: str) -> bytes:
    """Decode standard base64 with padding, and nothing but its one canonical spelling.

    Raises:
        Corrupt: Anything else.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Corrupt("Malformed base64.") from None
    if _base64(data) != text:
        raise Corrupt("Base64 that is not canonical.")
    return data


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _split_note(note: bytes, max_bytes: int) -> tuple[str, str]:
    try:
        whole = note[: max_bytes + 1].decode()
    except UnicodeDecodeError:
        raise Corrupt("The checkpoint is not UTF-8.") from None
    text, blank, signatures = whole.rpartition("\n\n")
    is_formed = blank and signatures.endswith("\n") and not _CONTROL.search(whole)
    if len(note) > max_bytes or not is_formed:
        raise Corrupt("The checkpoint is no signed note.")
    return text + "\n", signatures


def _signature(line: str, origin: str) -> bytes:
    if not line.startswith(_DASH):
        raise Corrupt("The checkpoint has a malformed signature line.")
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    signature = unbase64(encoded)
    return signature if name == origin else b""


def _parsed(text: str, origin: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != origin or not _SIZE.fullmatch(lines[1]):
        raise Corrupt("The checkpoint is malformed or belongs to another log.", origin=origin)
    root = unbase64(lines[2])
    if len(root) != _HASH_BYTES:
        raise Corrupt("The checkpoint's root has the wrong length.", origin=origin)
    return Checkpoint(origin, int(lines[1]), root)
