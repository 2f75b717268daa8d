"""DEFLATE over a connection (RFC 4978), opened no faster than read; keeps no more than a piece."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from holdfast.ingest.imap.failures import Lost

if TYPE_CHECKING:
    from collections.abc import Callable

_RAW = -15
"""Without header and checksum, the largest window (RFC 4978, section 3)."""
_LEVEL = 6
_RECEIVED = 64 * 1024


class Deflated:
    """Both directions of one connection."""

    def __init__(self, receive: Callable[[int], bytes], held: bytes) -> None:
        self._receive = receive
        self._held = held
        self._inflater = zlib.decompressobj(_RAW)
        self._deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)

    def receive(self, most: int) -> bytes:
        """Return at most so many plain bytes; none when the connection ended.

        However far a piece would expand, no more of it is expanded than was asked for: what an
        answer may come to is bounded by whoever reads it.

        Raises:
            Lost: It is no DEFLATE, or it ended in the middle of the connection.
        """
        while True:
            found = self._opened(most)
            if found:
                return found
            if self._inflater.eof:
                raise Lost("The server ended the compression in the middle.")
            self._held = self._receive(_RECEIVED)
            if not self._held:
                return b""

    def _opened(self, most: int) -> bytes:
        try:
            found = self._inflater.decompress(self._held, most)
        except zlib.error:
            raise Lost("The server sends what is no DEFLATE.") from None
        self._held = self._inflater.unconsumed_tail
        return found

    def squeeze(self, data: bytes) -> bytes:
        """Return what to send, whole in itself."""
        return self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
