from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Corrupt, Refused
from holdfast.storage.checkpoint import (
    Checkpoint,
    key_id,
    open_checkpoint,
    sign_checkpoint,
    verifier_key,
)

ORIGIN = "archive.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
CHECKPOINT = Checkpoint(ORIGIN, 70_000, hashlib.sha256(b"root").digest())
NOTE = sign_checkpoint(CHECKPOINT, KEY)

# The example of golang.org/x/mod/sumdb/note, which c2sp.org/signed-note describes.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def resigned(text: str, name: str = ORIGIN) -> bytes:
    signature = key_id(ORIGIN, PUBLIC) + KEY.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n".encode()


def test_published_key_has_its_published_id() -> None:
    name, number, encoded = NEUMANN.split("+")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    assert key_id(name, public).hex() == number
    assert verifier_key(name, public) == NEUMANN


def test_note_has_the_published_form() -> None:
    root = base64.b64encode(CHECKPOINT.root).decode()
    text, _, signature = NOTE.decode().partition("\n\n")
    assert text == f"{ORIGIN}\n70000\n{root}"
    assert signature.startswith(f"— {ORIGIN} ")
    assert signature.endswith("\n")
    assert open_checkpoint(NOTE, PUBLIC, ORIGIN) == CHECKPOINT


@settings(deadline=None)
@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_any_checkpoint_opens_to_itself(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), PUBLIC, ORIGIN) == checkpoint


def test_every_bit_flip_is_refused() -> None:
    for bit in range(len(NOTE) * 8):
        flipped = bytearray(NOTE)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Corrupt):
            open_checkpoint(bytes(flipped), PUBLIC, ORIGIN)


def test_every_truncation_is_refused() -> None:
    for length in range(len(NOTE)):
        with pytest.raises(Corrupt):
            open_checkpoint(NOTE[:length], PUBLIC, ORIGIN)


def test_other_key_or_origin_is_refused() -> None:
    with pytest.raises(Corrupt, match="not signed"):
        open_checkpoint(NOTE, Ed25519PrivateKey.generate().public_key(), ORIGIN)
    with pytest.raises(Corrupt, match="not signed"):
        open_checkpoint(NOTE, PUBLIC, "another.example/log")
    with pytest.raises(Corrupt, match="another log"):
        open_checkpoint(resigned(NOTE.decode().partition("\n\n")[0][1:] + "\n"), PUBLIC, ORIGIN)


def test_witness_signatures_and_extension_lines_are_no_hindrance() -> None:
    witness = "— witness.example " + base64.b64encode(bytes(76)).decode() + "\n"
    assert open_checkpoint(NOTE + witness.encode(), PUBLIC, ORIGIN) == CHECKPOINT
    text = CHECKPOINT.text()
    assert open_checkpoint(resigned(text + "extension\n"), PUBLIC, ORIGIN) == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    [
        "archive.example/log\n-1\nAAAA\n",
        "archive.example/log\n007\n" + "A" * 43 + "=\n",
        "archive.example/log\n7\nAAAA\n",
        "archive.example/log\n7\n" + "A" * 42 + "B=\n",
        "archive.example/log\n7\n!\n",
        "archive.example/log\n7\n",
        "archive.example/log\n",
        "archive.example/log\n7\t\n" + "A" * 43 + "=\n",
    ],
)
def test_signed_nonsense_is_refused(text: str) -> None:
    with pytest.raises(Corrupt):
        open_checkpoint(resigned(text), PUBLIC, ORIGIN)


@pytest.mark.parametrize("note", [b"", b"\xff" * 9, b"\n\n", NOTE + b"?\n", NOTE * 500])
def test_malformed_notes_are_refused(note: bytes) -> None:
    with pytest.raises(Corrupt):
        open_checkpoint(note, PUBLIC, ORIGIN)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_by_our_own_error(note: bytes) -> None:
    with pytest.raises(Corrupt):
        open_checkpoint(note, PUBLIC, ORIGIN)


@pytest.mark.parametrize("origin", ["", "with space", "a+b", "a\u2003b", "a\nb", "a\x01b"])
def test_name_that_a_note_cannot_carry_is_refused(origin: str) -> None:
    with pytest.raises(Refused):
        sign_checkpoint(Checkpoint(origin, 0, bytes(32)), KEY)
