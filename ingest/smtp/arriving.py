"""Holds the content of one message while it arrives: small ones in memory, large ones in a file.

The file has no name, so that nothing is left of it whatever ends the process.
"""

from __future__ import annotations

import mmap
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MEMORY_BYTES = 1 << 20
"""Content up to this size stays in memory."""


@dataclass(slots=True)
class Arriving:
    """The content of one message, dots undone (RFC 5321 section 4.5.2)."""

    spool: Path
    watches: bool = False
    """Look for CR and LF that do not stand together."""
    is_stuffed: bool = True
    """Dots that begin lines are doubled; those of chunks are not."""
    has_bare_newline: bool = False
    size_bytes: int = 0
    _pieces: list[bytes] = field(default_factory=list)
    _held: bytes = b""
    """The end of what was added, while it may be part of a line end with a dot."""
    _file: IO[bytes] | None = None
    _ends_in_cr: bool = False

    def add(self, piece: bytes) -> None:
        """Take further bytes as they were transferred.

        Raises:
            OSError: The disk refused them.
        """
        if self.watches:
            self._watch(piece)
        if not self.is_stuffed:
            self._keep(piece)
            return
        text = (self._held + piece).replace(b"\r\n.", b"\r\n")
        cut = len(text) - (2 if text.endswith(b"\r\n") else text.endswith(b"\r"))
        self._held = text[cut:]
        self._keep(text[:cut])

    def _watch(self, piece: bytes) -> None:
        pairs = piece.count(b"\r\n")
        starts_with_rest = self._ends_in_cr and piece.startswith(b"\n")
        lone_cr = piece.count(b"\r") - pairs - piece.endswith(b"\r")
        lone_lf = piece.count(b"\n") - pairs - starts_with_rest
        left_alone = self._ends_in_cr and bool(piece) and not starts_with_rest
        self.has_bare_newline = self.has_bare_newline or bool(lone_cr or lone_lf or left_alone)
        self._ends_in_cr = piece.endswith(b"\r") if piece else self._ends_in_cr

    def end(self) -> None:
        """Take what was held back; nothing follows.

        Raises:
            OSError: The disk refused it.
        """
        held, self._held = self._held, b""
        self._keep(held)

    def _keep(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        if self._file is not None:
            self._file.write(piece)
            return
        self._pieces.append(piece)
        if self.size_bytes > MEMORY_BYTES:
            self._file = tempfile.TemporaryFile(dir=self.spool)  # noqa: SIM115 - `close` closes it
            self._file.writelines(self._pieces)
            self._pieces.clear()

    def content(self) -> bytes | mmap.mmap:
        """Return the whole; what it returns must not be used after `close`.

        Raises:
            OSError: The disk refused the last of it.
        """
        if self._file is None:
            return b"".join(self._pieces)
        self._file.flush()
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Forget everything; may be repeated."""
        self._pieces.clear()
        if self._file is not None:
            with suppress(OSError):  # it flushes what a full disk has refused already
                self._file.close()
            self._file = None
