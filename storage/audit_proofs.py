"""State leaves of the audit log and self-contained proofs of them; pure functions on bytes.

Format of a proof: c2sp.org/tlog-proof@v1. It is checked with the log's public key alone, so that
nobody needs this program or its archive.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.core.errors import Corrupt, Refused
from holdfast.storage.checkpoint import Checkpoint, open_checkpoint, unbase64
from holdfast.storage.merkle import HASH_BYTES, is_included, leaf_hash

MAX_LEAF_BYTES = 0xFFFF
"""Entry bundles have 16-bit lengths (c2sp.org/tlog-tiles)."""

Leaf = Mapping[str, "str | int | bool | None"]
"""What a leaf may hold: flat, no fractions, so that every JSON library writes the same bytes."""

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_MAX_HASHES = 64
_MAX_INT = 2**53 - 1
_ENCODER = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class RecordProof:
    """Everything that shows one entry to be in a signed log, except the entry itself."""

    index: int
    hashes: tuple[bytes, ...]
    """Inclusion proof, from the leaf's sibling up."""
    note: bytes
    """The signed checkpoint, verbatim."""
    extra: bytes = b""
    """Context that the log does not vouch for: here the salt of the commitment."""


def commitment(salt: bytes, digest: bytes) -> bytes:
    """Return SHA-256(salt ‖ SHA-256 of the original): meaningless once the salt is destroyed.

    Args:
        salt: 32 random bytes, kept in the catalogue.
        digest: SHA-256 of the original, 32 bytes.
    """
    return hashlib.sha256(salt + digest).digest()


def canonical_leaf(fields: Leaf) -> bytes:
    """Return the leaf as canonical JSON (RFC 8785, for names in ASCII and integers up to 2^53).

    Raises:
        Refused: A name, a value or the whole is outside these limits.
    """
    for name, value in fields.items():
        is_value = value is None or isinstance(value, str | int)
        if not name.isascii() or not is_value:
            raise Refused("A leaf holds flat text and integers only.", field=name)
        if isinstance(value, int) and abs(value) > _MAX_INT:
            raise Refused("A number in a leaf is too large for JSON.", field=name)
    try:
        leaf = _ENCODER.encode(dict(fields))
    except UnicodeEncodeError:
        raise Refused("A leaf's text is not Unicode.") from None
    if len(leaf) > MAX_LEAF_BYTES:
        raise Refused("A leaf is longer than 65,535 bytes.", size_bytes=len(leaf))
    return leaf


def format_proof(proof: RecordProof) -> bytes:
    """Return the proof as the text of a `.tlog-proof` file."""
    lines = [_FIRST_LINE]
    if proof.extra:
        lines.append(f"extra {base64.b64encode(proof.extra).decode()}")
    lines.append(f"index {proof.index}")
    lines += [base64.b64encode(value).decode() for value in proof.hashes]
    return "\n".join([*lines, "", ""]).encode() + proof.note


def parse_proof(text: bytes) -> RecordProof:
    """Read a `.tlog-proof` file; nothing in it is checked against anything yet.

    Raises:
        Corrupt: It does not follow the format.
    """
    head, blank, note = text.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Corrupt("The proof is malformed.") from None
    first, *rest = lines
    extra = b""
    if rest and rest[0].startswith("extra "):
        extra = unbase64(rest.pop(0).removeprefix("extra "))
    index = _INDEX.fullmatch(rest[0]) if rest else None
    if not blank or first != _FIRST_LINE or index is None or len(rest) > _MAX_HASHES:
        raise Corrupt("The proof is malformed.")
    hashes = tuple(unbase64(line) for line in rest[1:])
    if any(len(value) != HASH_BYTES for value in hashes):
        raise Corrupt("A hash of the proof has the wrong length.")
    return RecordProof(int(index[1]), hashes, note, extra)


def check_proof(text: bytes, leaf: bytes, public: Ed25519PublicKey, origin: str) -> Checkpoint:
    """Return the signed checkpoint that covers this leaf.

    Args:
        text: The `.tlog-proof` file.
        leaf: The entry, byte for byte.
        public: The log's key, from a source that the checker trusts.
        origin: The log's name, likewise.

    Raises:
        Corrupt: The proof does not show that this leaf is in this log.
    """
    proof = parse_proof(text)
    checkpoint = open_checkpoint(proof.note, public, origin)
    leaf_digest = leaf_hash(leaf)
    if not is_included(leaf_digest, proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        raise Corrupt("The entry is not in the signed log.", index=proof.index)
    return checkpoint
