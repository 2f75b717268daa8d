"""Bounds what one answer of a server may take of our memory; understands nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.imap.failures import Lost

if TYPE_CHECKING:
    from holdfast.ingest.imap.wire.stream import Stream

MIB = 1024 * 1024
SMALL_ANSWER = 8 * MIB
"""For what names no message: lists, states, capabilities."""


@dataclass(slots=True)
class Meter:
    """Stands between imaplib and the connection; imaplib would read any length it is told."""

    stream: Stream
    left: int = SMALL_ANSWER

    def allow(self, size_bytes: int) -> None:
        """Let the answers from here on come to so many bytes."""
        self.left = size_bytes

    def read(self, size_bytes: int) -> bytes:
        """Read a literal."""
        self._take(size_bytes)
        return self.stream.read(size_bytes)

    def readline(self) -> bytes:
        """Read a line; the one of a SEARCH may be longer than imaplib allows."""
        line = self.stream.readline(self.left + 1)
        self._take(len(line))
        return line

    def _take(self, size_bytes: int) -> None:
        self.left -= size_bytes
        if self.left < 0:
            raise Lost("The server answered with more than was asked for.")
