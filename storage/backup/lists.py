"""Keep long lists of rows as compressed parts, and read them back; knows no table.

A list is cut where the hash of a row's key says so. A row that is changed, added or removed
therefore changes the part that it stands in, and the next backup keeps that part alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import zstandard

from holdfast.core.errors import Corrupt
from holdfast.storage.backup.parts import Part, Parts
from holdfast.storage.moving.tables import Digest, Values, pack

_LEVEL = 3
_CUT_BITS = 0x7FF  # 2,048 rows on average
_MOST_ROWS = 16_384
_MOST_BYTES = 8 * 1024 * 1024
_unpack = msgspec.msgpack.Decoder(list[tuple[Any, ...]]).decode


class List(msgspec.Struct, frozen=True):
    """A list of rows that was kept."""

    rows: int
    sha256: str
    """Over the rows in order, each packed by itself."""
    parts: tuple[Part, ...]


@dataclass(slots=True)
class ListWriter:
    """Writes one list."""

    parts: Parts
    key_length: int = 1
    """How many of the first values of a row name it."""
    _digest: Digest = field(default_factory=Digest, init=False)
    _waiting: list[bytes] = field(default_factory=list, init=False)
    _waiting_bytes: int = field(default=0, init=False)
    _done: list[Part] = field(default_factory=list, init=False)

    def add(self, row: Sequence[Any]) -> None:
        """Add the next row."""
        packed = pack(row)
        self._digest.add(packed)
        self._waiting.append(packed)
        self._waiting_bytes += len(packed)
        is_full = len(self._waiting) >= _MOST_ROWS or self._waiting_bytes >= _MOST_BYTES
        if is_full or not zlib.crc32(pack(row[: self.key_length])) & _CUT_BITS:
            self._cut()

    def finish(self) -> List:
        """Keep what is left and return the list."""
        if self._waiting:
            self._cut()
        return List(self._digest.rows, self._digest.hexadecimal(), tuple(self._done))

    def _cut(self) -> None:
        plain = _array_header(len(self._waiting)) + b"".join(self._waiting)
        self._done.append(self.parts.keep(zstandard.compress(plain, _LEVEL)))
        self._waiting, self._waiting_bytes = [], 0


def _array_header(length: int) -> bytes:
    return b"\xdd" + length.to_bytes(4, "big")  # MessagePack: array 32


def keep_list(parts: Parts, rows: Iterable[Sequence[Any]]) -> List:
    """Write a whole list whose rows are named by their first value."""
    writer = ListWriter(parts)
    for row in rows:
        writer.add(row)
    return writer.finish()


def read_list(parts: Parts, kept: List) -> Iterator[Values]:
    """Yield the rows in order.

    Raises:
        Corrupt: A part is missing or was altered; at the latest instead of the end: rows are.
    """
    digest = Digest()
    for part in kept.parts:
        for row in _opened(parts, part):
            digest.add(pack(row))
            yield row
    if (digest.rows, digest.hexadecimal()) != (kept.rows, kept.sha256):
        raise Corrupt("A list of the backup is not what it was.", next_step="Use another backup.")


def _opened(parts: Parts, part: Part) -> list[Values]:
    data = parts.read(part)
    try:
        return _unpack(zstandard.decompress(data))
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise Corrupt(
            "A part of the backup cannot be read.",
            next_step="Use another backup.",
            file=str(parts.path(part)),
        ) from error
