"""Take one layer of compression off, within limits; the result is bytes or a nameless spool file.

A spool has no name from the moment it exists, so nothing is left after a crash and no name from an
archive ever reaches the disk.
"""

from __future__ import annotations

import bz2
import lzma
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from holdfast.ingest.readers.offers import Layer

PIECE_BYTES = 1 << 20
MAX_XZ_MEMORY_BYTES = 256 * 1024 * 1024
RATIO_FLOOR_BYTES = 1 << 20
"""Below this much output no ratio is judged: a short mail of blanks is no bomb."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far archives are followed (zip bombs; CVE-2024-0450)."""

    max_depth: int = 3
    max_ratio: int = 100
    max_total_bytes: int = 64 << 30
    """Of everything one file on disk expands to."""
    max_members: int = 1_000_000
    """Of one file on disk, at all depths."""


class Unpackable(Exception):
    """A layer cannot be taken off; the only argument is the reason, as `Unreadable` has it."""


class _Decompressor(Protocol):
    """What `bz2` and `lzma` offer alike."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...


class _Zlib:
    """A zlib stream with the face of the others."""

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


_OPENERS: dict[str, Callable[[], _Decompressor]] = {
    "gz": lambda: _Zlib(31),
    "deflate": lambda: _Zlib(-15),
    "bz2": bz2.BZ2Decompressor,
    "zip_bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY_BYTES),
}
_REPEATING = frozenset(("gz", "bz2", "xz"))
"""Several streams in a row make one file (RFC 1952, 2.2)."""


def expand(fd: int, layer: Layer, limits: Limits) -> Iterator[bytes]:
    """Yield the bytes inside a layer, in pieces of at most `PIECE_BYTES`.

    Raises:
        Unpackable: Damage, a limit, or a size or CRC other than the archive states; at the latest
            instead of the end of iteration.
    """
    produced, crc = 0, 0
    ceiling = limits.max_total_bytes if layer.size < 0 else layer.size
    try:
        for piece, consumed in _pieces(fd, layer):
            produced += len(piece)
            if produced > ceiling:
                raise Unpackable("total_limit" if layer.size < 0 else "size_differs")
            if produced > max(RATIO_FLOOR_BYTES, limits.max_ratio * consumed):
                raise Unpackable("ratio_limit")
            if layer.crc >= 0:
                crc = zlib.crc32(piece, crc)
            yield piece
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise Unpackable(f"damaged:{layer.method}") from error
    if layer.size >= 0 and produced != layer.size:
        raise Unpackable("size_differs")
    if layer.crc >= 0 and crc != layer.crc:
        raise Unpackable("crc_differs")


def spool(fd: int, layer: Layer, limits: Limits) -> BinaryIO:
    """Return a nameless temporary file with the bytes inside a layer.

    Raises:
        Unpackable: As `expand`.
    """
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the caller closes it
    try:
        for piece in expand(fd, layer, limits):
            file.write(piece)
    except BaseException:
        file.close()
        raise
    return file


def head_of(fd: int, layer: Layer, limits: Limits, length: int) -> bytes:
    """Return the first bytes inside a layer.

    Raises:
        Unpackable: As `expand`, as far as the first bytes show it.
    """
    head = b""
    for piece in expand(fd, layer, limits):
        head += piece
        if len(head) >= length:
            break
    return head[:length]


def _pieces(fd: int, layer: Layer) -> Iterator[tuple[bytes, int]]:
    """Yield pieces with the number of compressed bytes read so far."""
    if layer.method == "stored":
        for at in range(0, layer.length, PIECE_BYTES):
            piece = os.pread(fd, min(PIECE_BYTES, layer.length - at), layer.offset + at)
            yield piece, at + len(piece)
        return
    stream, fed = _open(fd, layer), 9 if layer.method == "zip_lzma" else 0
    data = b""
    while True:
        if not data and stream.needs_input:
            data = os.pread(fd, min(PIECE_BYTES, layer.length - fed), layer.offset + fed)
            fed += len(data)
        piece = stream.decompress(data, PIECE_BYTES)
        if piece:
            yield piece, fed
        elif not data and not stream.eof:
            raise EOFError
        data = b""
        if stream.eof:
            data = stream.unused_data.lstrip(b"\x00")
            if layer.method not in _REPEATING or (not data and fed >= layer.length):
                return
            stream = _OPENERS[layer.method]()


def _open(fd: int, layer: Layer) -> _Decompressor:
    if layer.method != "zip_lzma":
        return _OPENERS[layer.method]()
    # APPNOTE 5.8.8: version (2), properties size (2), properties (5 for LZMA1).
    lead = os.pread(fd, 9, layer.offset)
    byte, dictionary = lead[4], int.from_bytes(lead[5:9], "little")
    if lead[2:4] != b"\x05\x00" or byte >= 225 or dictionary > MAX_XZ_MEMORY_BYTES:
        raise Unpackable("damaged:zip_lzma")
    rest, lc = divmod(byte, 9)
    pb, lp = divmod(rest, 5)
    chain = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])
