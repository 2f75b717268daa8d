"""Turn an original into compressed, encrypted frames and back; never decides where they are kept.

Layout, big-endian: a 12-byte header (version, codec, dictionary id, size of the original), then
frames: 4 bytes of length, whose top bit marks the last frame, and that many bytes of AES-256-GCM
ciphertext with its 16-byte tag. The plain side is one zstd stream, cut every MiB.

Associated data of frame n: content id, header, n, last flag. The nonce is n itself: the key is
fresh for every original and encrypts nothing else, so no (key, nonce) pair can repeat. Derived text
is encrypted under a key derived from that key by purpose, with a random nonce.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import os
import secrets
import struct
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.core.errors import Corrupt
from holdfast.core.ports import Prepared
from holdfast.storage.durable import unavailable

MIB = 1024 * 1024
FRAME_BYTES = MIB
"""Most compressed bytes in one frame, and most original bytes in one piece that is read back."""
INLINE_BYTES = MIB // 2
"""Originals up to this size are compressed in one call; they always fit one frame."""
SPOOL_ABOVE_BYTES = 8 * MIB
"""Originals above this size go through a spool file, so that memory stays bounded."""
MAX_TEXT_BYTES = 256 * MIB
"""Longest derived text that is opened again."""

_LEVEL = 3
_VERSION = 1
_ZSTD = 1
_HEADER = struct.Struct(">BBHQ")
_LENGTH = struct.Struct(">I")
_PLACE = struct.Struct(">QB")
_LAST = 0x8000_0000
_TAG_BYTES = 16
_NONCE_BYTES = 12
_TEXT_VERSION = b"\x01"
_LOCAL = threading.local()  # a zstd context costs more than a message, and serves one thread only


def prepare(raw: bytes | mmap.mmap, *, spool: Path | None) -> Prepared:
    """Return the original hashed, compressed (zstd 3) and encrypted under a fresh random key.

    Args:
        raw: The bytes as received; a mapped file keeps a large one out of memory.
        spool: Folder for originals above `SPOOL_ABOVE_BYTES`, on a disk of ours; only ciphertext
            is written there. The caller removes the file with `discard` when the batch is kept.
            None keeps everything in memory.

    Raises:
        Unavailable: The spool file could not be written; nothing is left behind.
    """
    content_id = _digest(raw)
    key = os.urandom(32)
    pieces = _encrypted(raw, content_id, key)
    frames: bytes | Path
    if spool is not None and len(raw) > SPOOL_ABOVE_BYTES:
        frames = _spooled(pieces, spool)
    else:
        frames = b"".join(pieces)
    return Prepared(content_id, len(raw), key, frames)


def discard(prepared: Prepared) -> None:
    """Remove the spool file, if there is one; repeating it is harmless."""
    if isinstance(prepared.frames, Path):
        prepared.frames.unlink(missing_ok=True)


def open_frames(pieces: Iterable[bytes], content_id: bytes, key: bytes) -> Iterator[bytes]:
    """Yield the original in pieces of at most 1 MiB; the last only after the whole was verified.

    Args:
        pieces: The frames as `prepare` made them, cut anywhere.
        content_id: SHA-256 that the original must have.
        key: The key it was prepared with.

    Raises:
        Corrupt: Wrong key, or any byte altered, missing, added or moved.
    """
    source = _Ciphertext(iter(pieces))
    header = source.take(_HEADER.size)
    version, codec, dictionary, size_bytes = _HEADER.unpack(header)
    if (version, codec, dictionary) != (_VERSION, _ZSTD, 0):
        raise Corrupt("The frames have an unknown version.", version=version, codec=codec)
    compressed = _decrypted(source, content_id + header, AESGCM(key))
    opened = _inflated(compressed, size_bytes)
    return _verified(opened, size_bytes, content_id)


def first_bytes(pieces: Iterable[bytes], limit: int) -> tuple[bytes, bool]:
    """Return the beginning of what comes in pieces, up to so many bytes, and whether it is all."""
    taken = bytearray()
    for piece in pieces:
        taken += piece
        if len(taken) > limit:
            break
    return bytes(taken[:limit]), len(taken) <= limit


def seal_text(data: bytes, key: bytes, purpose: bytes) -> bytes:
    """Return derived text compressed and encrypted under a key derived from its original's key.

    Args:
        data: At most `MAX_TEXT_BYTES`.
        key: The original's key; when it is destroyed the text is gone too.
        purpose: Names the kind of text (`b"body"`); another purpose cannot open it.
    """
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_derived(key, purpose)).encrypt(nonce, _compressor().compress(data), purpose)
    return b"".join((_TEXT_VERSION, nonce, sealed))


def open_text(sealed: bytes, key: bytes, purpose: bytes) -> bytes:
    """Return the text that `seal_text` was given.

    Raises:
        Corrupt: Wrong key or purpose, or any byte altered or missing.
    """
    start = 1 + _NONCE_BYTES
    if sealed[:1] != _TEXT_VERSION:
        raise Corrupt("The sealed text has an unknown version.")
    try:
        packed = AESGCM(_derived(key, purpose)).decrypt(sealed[1:start], sealed[start:], purpose)
        if zstandard.frame_content_size(packed) > MAX_TEXT_BYTES:
            raise Corrupt("The sealed text is longer than allowed.")
        return _decompressor().decompress(packed)
    except (InvalidTag, ValueError, zstandard.ZstdError) as error:
        raise Corrupt("The sealed text does not open with its key.") from error


def _derived(key: bytes, purpose: bytes) -> bytes:
    # HKDF-Expand for one block (RFC 5869, 2.3); the key is uniform, so Extract is not needed (3.3).
    return hmac.digest(key, b"holdfast text " + purpose + b"\x01", "sha256")


def _compressor() -> zstandard.ZstdCompressor:
    try:
        found: zstandard.ZstdCompressor = _LOCAL.compressor
    except AttributeError:
        found = _LOCAL.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    try:
        found: zstandard.ZstdDecompressor = _LOCAL.decompressor
    except AttributeError:
        found = _LOCAL.decompressor = zstandard.ZstdDecompressor()
    return found


def _spooled(pieces: Iterator[bytes], folder: Path) -> Path:
    path = folder / f"{secrets.token_hex(16)}.frames"
    try:
        with path.open("xb") as spool:
            path.chmod(0o600)
            for piece in pieces:
                spool.write(piece)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unavailable(error, "spooling a large original") from error
    return path


def _encrypted(raw: bytes | mmap.mmap, content_id: bytes, key: bytes) -> Iterator[bytes]:
    cipher = AESGCM(key)
    header = _HEADER.pack(_VERSION, _ZSTD, 0, len(raw))
    bound = content_id + header
    yield header
    if len(raw) <= INLINE_BYTES:
        yield from _frame(cipher, bound, 0, _LAST, _compressor().compress(raw[:]))
        return
    number = 0
    held = b""
    for piece in _deflated(raw):
        if held:
            yield from _frame(cipher, bound, number, 0, held)
            number += 1
        held = piece
    yield from _frame(cipher, bound, number, _LAST, held)


def _frame(
    cipher: AESGCM, bound: bytes, number: int, last: int, compressed: bytes
) -> tuple[bytes, bytes]:
    sealed = cipher.encrypt(_nonce(number), compressed, bound + _PLACE.pack(number, last != 0))
    return _LENGTH.pack(len(sealed) | last), sealed


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")


def _deflated(raw: bytes | mmap.mmap) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    chunker = compressor.chunker(size=len(raw), chunk_size=FRAME_BYTES)
    for piece in _read_once(raw):
        yield from chunker.compress(piece)
    yield from chunker.finish()  # type: ignore[no-untyped-call]  # its stub forgot the result


def _digest(raw: bytes | mmap.mmap) -> bytes:
    if isinstance(raw, bytes):
        return hashlib.sha256(raw).digest()
    digest = hashlib.sha256()
    for piece in _read_once(raw):
        digest.update(piece)
    return digest.digest()


def _read_once(raw: bytes | mmap.mmap) -> Iterator[bytes]:
    """Yield the original by the MiB; a mapped file gives back the memory of what was read."""
    for start in range(0, len(raw), MIB):
        piece = raw[start : start + MIB]
        yield piece
        if isinstance(raw, mmap.mmap):  # shared with its file; a private one would lose its bytes
            raw.madvise(mmap.MADV_DONTNEED, start, len(piece))


class _Ciphertext:
    """Cuts exact lengths from pieces of any length; holds no more than it needs for one cut."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def take(self, length: int) -> bytes:
        """Return exactly `length` bytes; Corrupt when the pieces end before."""
        parts = [self._held]
        have = len(self._held)
        while have < length:
            piece = next(self._pieces, None)
            if piece is None:
                raise Corrupt("The frames end too early.")
            parts.append(piece)
            have += len(piece)
        whole = b"".join(parts) if len(parts) > 1 else parts[0]
        self._held = whole[length:]
        return whole[:length]

    def is_at_end(self) -> bool:
        """Tell whether no byte is left."""
        return not self._held and not any(self._pieces)


def _decrypted(source: _Ciphertext, bound: bytes, cipher: AESGCM) -> Iterator[bytes]:
    number = 0
    while True:
        (word,) = _LENGTH.unpack(source.take(_LENGTH.size))
        is_last = word >= _LAST
        length = word % _LAST
        if not _TAG_BYTES <= length <= FRAME_BYTES + _TAG_BYTES:
            raise Corrupt("A frame has an impossible length.", frame=number)
        associated = bound + _PLACE.pack(number, is_last)
        try:
            yield cipher.decrypt(_nonce(number), source.take(length), associated)
        except InvalidTag as error:
            raise Corrupt("A frame fails authentication.", frame=number) from error
        if is_last:
            break
        number += 1
    if not source.is_at_end():
        raise Corrupt("Bytes follow the last frame.")


class _Pull:
    """Gives decrypted frames to the decompressor, one a call."""

    def __init__(self, compressed: Iterator[bytes]) -> None:
        self._compressed = compressed

    def read(self, _size: int = -1) -> bytes:
        """Return the next frame, whatever its size; empty at the end."""
        return next(self._compressed, b"")


def _inflated(compressed: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    try:
        if size_bytes <= INLINE_BYTES:
            yield _inflated_once(next(compressed), size_bytes)
        else:
            # Its own context: the shared one may serve another reader between two pieces.
            source = cast("IO[bytes]", _Pull(compressed))  # only read is ever called
            reader = zstandard.ZstdDecompressor().stream_reader(source)
            while piece := reader.read(MIB):
                yield piece
    except zstandard.ZstdError as error:
        raise Corrupt("A frame does not decompress.") from error
    if next(compressed, None) is not None:
        raise Corrupt("Frames follow the end of the original.")


def _inflated_once(packed: bytes, size_bytes: int) -> bytes:
    if zstandard.frame_content_size(packed) != size_bytes:
        raise Corrupt("The original is not as long as its header says.")
    return _decompressor().decompress(packed)


def _verified(pieces: Iterator[bytes], size_bytes: int, content_id: bytes) -> Iterator[bytes]:
    digest = hashlib.sha256()
    seen = 0
    held = b""
    for piece in pieces:
        seen += len(piece)
        if seen > size_bytes:  # stops a decompression bomb at its declared size
            raise Corrupt("The original is longer than its header says.")
        if held:
            yield held
        digest.update(piece)
        held = piece
    if seen != size_bytes or digest.digest() != content_id:
        raise Corrupt("The original does not match its hash.")
    if held:
        yield held
