"""Look at a range of an open file in chunks; the whole is never held, and never mapped.

A mapping would save a copy, but a mailbox that a mail program shortens meanwhile would then kill
the process.
"""

from __future__ import annotations

import hashlib
import os
import re

CHUNK_BYTES = 2 * 1024 * 1024
MAX_LINE_BYTES = 1024
AHEAD_BYTES = MAX_LINE_BYTES + 256
"""What must be seen after the beginning of a From_ line to judge it."""
_BEHIND = 4


class Window:
    """A moving view of the bytes `[begin, end)` of a file; only `pread` is used."""

    def __init__(self, fd: int, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end
        self.start = begin
        """File offset of what is loaded."""
        self._fd = fd
        self._data = b""

    def bytes_at(self, position: int, length: int) -> bytes:
        """Return the bytes there; fewer at the ends of the range."""
        position = max(position, self.begin)
        length = max(min(length, self.end - position), 0)
        at = position - self.start
        if at >= 0 and at + length <= len(self._data):
            return self._data[at : at + length]
        return os.pread(self._fd, length, position)

    def line(self, position: int) -> bytes:
        """Return the line that begins there, line end included; at most `MAX_LINE_BYTES`."""
        piece = self.bytes_at(position, MAX_LINE_BYTES)
        return piece[: piece.find(b"\n") + 1] or piece

    def line_like(self, pattern: re.Pattern[bytes], position: int) -> tuple[bytes, int] | None:
        """Return the next line that a pattern finds, as what is loaded and the place in it.

        Args:
            pattern: Begins with a line feed, which ends the line before.
            position: Where to begin; the byte before it is looked at, too.
        """
        while position < self.end:
            self._load(position)
            data = self._data
            is_last = self.start + len(data) >= self.end
            limit = len(data) if is_last else len(data) - AHEAD_BYTES
            found = pattern.search(data, max(position - 1 - self.start, 0))
            if found is not None and found.start() < limit:
                return data, found.start() + 1
            if is_last:
                break
            position = self.start + limit
        return None

    def digest(self, begin: int, end: int) -> str:
        """Return the first 16 hex digits of the SHA-256 of a range."""
        at = begin - self.start
        if at >= 0 and end - self.start <= len(self._data):
            view = memoryview(self._data)[at : end - self.start]
            return hashlib.sha256(view).hexdigest()[:16]
        return digest(self._fd, begin, end)

    def _load(self, position: int) -> None:
        """Have the bytes from a little before `position` to enough after it."""
        start = max(position - _BEHIND, self.begin)
        wanted = min(position + AHEAD_BYTES + 1, self.end)
        if start >= self.start and wanted <= self.start + len(self._data):
            return
        self.start = start
        self._data = os.pread(
            self._fd, min(CHUNK_BYTES + AHEAD_BYTES, self.end - self.start), self.start
        )
        if self.start + len(self._data) < wanted:
            self.end = self.start + len(self._data)  # the file has been shortened meanwhile


def digest(fd: int, begin: int, end: int) -> str:
    """Return the first 16 hex digits of the SHA-256 of a range of a file."""
    total = hashlib.sha256()
    while begin < end:
        piece = os.pread(fd, min(1 << 20, end - begin), begin)
        if not piece:
            break
        total.update(piece)
        begin += len(piece)
    return total.hexdigest()[:16]
