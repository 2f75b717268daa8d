"""Bounds what one answer of a server may take of our memory; understands nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holdfast.ingest.imap.failures import Lost

MIB = 1024 * 1024
SMALL_ANSWER = 8 * MIB
"""For what names no message: lists, states, capabilities."""


@dataclass(slots=True)
class Meter:
    """Stands between imaplib and its file; imaplib itself would read any length it is told."""

    imap: Any
    """The imaplib object, whose file changes by STARTTLS."""
    left: int = SMALL_ANSWER

    def install(self) -> None:
        """Take the place of the methods that read."""
        self.imap.read = self.read
        self.imap.readline = self.readline

    def allow(self, size_bytes: int) -> None:
        """Let the answers from here on come to so many bytes."""
        self.left = size_bytes

    def read(self, size_bytes: int) -> bytes:
        """Read a literal."""
        self._take(size_bytes)
        found: bytes = self.imap.file.read(size_bytes)
        return found

    def readline(self) -> bytes:
        """Read a line; the one of a SEARCH may be longer than imaplib allows."""
        line: bytes = self.imap.file.readline(self.left + 1)
        self._take(len(line))
        return line

    def _take(self, size_bytes: int) -> None:
        self.left -= size_bytes
        if self.left < 0:
            raise Lost("The server answered with more than was asked for.")
