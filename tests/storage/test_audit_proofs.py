from __future__ import annotations

import hashlib
import json
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Corrupt, Refused
from holdfast.storage.audit_proofs import (
    RecordProof,
    canonical_leaf,
    check_proof,
    commitment,
    format_proof,
    parse_proof,
)
from holdfast.storage.checkpoint import Checkpoint, sign_checkpoint
from holdfast.storage.merkle import leaf_hash, node_hash

ORIGIN = "archive.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LEAVES = [b"first", b"second", b"third"]
FIRST, SECOND, THIRD = map(leaf_hash, LEAVES)
CHECKPOINT = Checkpoint(ORIGIN, 3, node_hash(node_hash(FIRST, SECOND), THIRD))
NOTE = sign_checkpoint(CHECKPOINT, KEY)
PROOF = RecordProof(1, (FIRST, THIRD), NOTE, b"salt")
TEXT = format_proof(PROOF)

text_values = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def test_proof_has_the_published_form() -> None:
    lines = TEXT.decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra c2FsdA==", "index 1"]
    assert lines[5] == ""
    assert "\n".join(lines[6:]).encode() == NOTE
    assert format_proof(RecordProof(0, (), NOTE)).startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\n")


@settings(deadline=None)
@given(
    st.integers(0, 2**60),
    st.lists(st.binary(min_size=32, max_size=32), max_size=60),
    st.binary(max_size=50),
)
def test_any_proof_parses_to_itself(index: int, hashes: list[bytes], extra: bytes) -> None:
    proof = RecordProof(index, tuple(hashes), NOTE, extra)
    assert parse_proof(format_proof(proof)) == proof


def test_proof_shows_exactly_its_own_leaf() -> None:
    assert check_proof(TEXT, b"second", KEY.public_key(), ORIGIN) == CHECKPOINT
    for other in (b"first", b"third", b"second ", b""):
        with pytest.raises(Corrupt):
            check_proof(TEXT, other, KEY.public_key(), ORIGIN)
    with pytest.raises(Corrupt):
        check_proof(TEXT, b"second", Ed25519PrivateKey.generate().public_key(), ORIGIN)
    with pytest.raises(Corrupt):
        check_proof(TEXT, b"second", KEY.public_key(), "another.example/log")


def test_p8_no_flipped_bit_outside_the_extra_data_is_accepted() -> None:
    start, end = TEXT.index(b"extra"), TEXT.index(b"index")
    for bit in range(len(TEXT) * 8):
        if start <= bit // 8 < end:  # the log does not vouch for it: the format says so
            continue
        flipped = bytearray(TEXT)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Corrupt):
            check_proof(bytes(flipped), b"second", KEY.public_key(), ORIGIN)


def test_p8_random_mutations_are_never_accepted_for_another_leaf() -> None:
    chance = random.Random(8)
    for _ in range(3000):
        mutated = bytearray(TEXT)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(mutated))
            mutated[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        with pytest.raises(Corrupt):
            check_proof(bytes(mutated), b"never logged", KEY.public_key(), ORIGIN)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"c2sp.org/tlog-proof@v2\nindex 0\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 00\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex -1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 0\n!!\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nextra !!\nindex 0\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nextra AAAA\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + (b"A" * 43 + b"=\n") * 65 + b"\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 0",
        b"c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n",
        b"\xff\n\n",
    ],
)
def test_malformed_proofs_are_refused(text: bytes) -> None:
    with pytest.raises(Corrupt):
        parse_proof(text)


def test_commitment_hides_the_hash_behind_the_salt() -> None:
    digest = hashlib.sha256(b"original").digest()
    assert commitment(bytes(32), digest) == hashlib.sha256(bytes(32) + digest).digest()
    assert commitment(bytes(32), digest) != commitment(b"\1" * 32, digest)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("abcxyz_", min_size=1, max_size=8),
        text_values | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none(),
        max_size=8,
    )
)
def test_leaf_is_the_json_of_rfc_8785(fields: dict[str, str | int | bool | None]) -> None:
    leaf = canonical_leaf(fields)
    plain = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert leaf == plain.encode()
    assert canonical_leaf(dict(reversed(fields.items()))) == leaf


def test_leaf_refuses_what_other_libraries_might_write_differently() -> None:
    for fields in ({"ä": 1}, {"a": 2**53}, {"a": "x" * 65_530}, {"a": "\ud800"}):
        with pytest.raises(Refused):
            canonical_leaf(fields)
    for value in (1.5, [1], {"b": 1}, b"bytes"):
        with pytest.raises(Refused):
            canonical_leaf({"a": value})  # type: ignore[dict-item]
