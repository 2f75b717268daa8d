"""A file on another disk, best under another administrator, that remembers every checkpoint.

One line of JSON for each, only ever added to; the file may be made append-only by its owner.
Whoever holds a copy needs nothing else to see that the log still begins with what he knows.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import Corrupt, Unavailable
from holdfast.storage.durable import SystemFiles, unavailable, write_whole

if TYPE_CHECKING:
    from pathlib import Path

MOST_LINE_BYTES = 256 * 1024
_VERSION = 1
_BEGIN = b'{"at":'
_OWN_WORDS = "writing the witness file"


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    v: int
    at: int
    note: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One line of the file."""

    number: int
    """From 1."""
    at_ms: int
    note: bytes
    token: bytes | None
    """An authority's token over the note, where there was one."""


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(_Line).decode
Check = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness file."""

    path: Path

    def lines(self) -> Iterator[Remembered]:
        """Yield what the file remembers, oldest first.

        A line that a crash cut off has no closing brace, and counts as never written.

        Raises:
            Corrupt: A line is none of ours.
            Unavailable: The file is not there or cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                number = 0
                while line := file.readline(MOST_LINE_BYTES):
                    number += 1
                    if line.rstrip().endswith(b"}"):
                        yield self._read(line, number)
        except OSError as error:
            raise self._missing(error) from error

    def last(self) -> Remembered | None:
        """Return the last line; None where no file is. Errors as `lines`."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._missing(error) from error
        try:
            return self._tail(descriptor)[1]
        finally:
            os.close(descriptor)

    def add(self, remembered: Remembered, check: Check, *, may_begin: bool) -> None:
        """Add a line, durably, unless the last one contradicts what is to be remembered.

        Args:
            remembered: Its number is not looked at.
            check: Is given the note of the last line; raises where it must not be followed.
            may_begin: The file may be made: nothing was ever remembered there.

        Raises:
            Corrupt: The file is damaged.
            Unavailable: It is not there, another process writes, or the disk refused.
        """
        token = base64.b64encode(remembered.token or b"").decode()
        line = _encode(_Line(_VERSION, remembered.at_ms, remembered.note.decode(), token))
        with self._open(may_begin=may_begin) as descriptor:
            end, last = self._tail(descriptor)
            if last is not None:
                check(last.note)
            try:
                files = SystemFiles()
                write_whole(files, descriptor, b"\n" * (not end) + line + b"\n")
                files.fsync(descriptor)
                files.fsync_folder(self.path.parent)
            except OSError as error:
                raise unavailable(error, _OWN_WORDS) from error

    @contextmanager
    def _open(self, *, may_begin: bool) -> Iterator[int]:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if may_begin else 0)
        try:
            descriptor = os.open(self.path, flags, 0o644)
        except OSError as error:
            raise self._missing(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield descriptor
        except BlockingIOError as error:
            raise Unavailable("Another process writes the witness file.") from error
        finally:
            os.close(descriptor)

    def _tail(self, descriptor: int) -> tuple[bool, Remembered | None]:
        """Return whether the file ends with a whole line, and the last whole line."""
        try:
            size = os.fstat(descriptor).st_size
            raw = os.pread(descriptor, 2 * MOST_LINE_BYTES, max(size - 2 * MOST_LINE_BYTES, 0))
        except OSError as error:
            raise unavailable(error, "reading the witness file") from error
        whole = [line for line in raw.split(b"\n") if line.endswith(b"}")]
        if not whole and raw[: len(_BEGIN)] != _BEGIN[: len(raw)]:
            raise Corrupt(f"The witness file {self.path} holds no line of ours.")
        return not raw or raw.endswith(b"\n"), self._read(whole[-1], 0) if whole else None

    def _read(self, line: bytes, number: int) -> Remembered:
        try:
            found = _decode(line)
            token = base64.b64decode(found.token, validate=True) or None
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
            named = f"Line {number}" if number else "The last line"
            raise Corrupt(f"{named} of the witness file {self.path} is damaged.") from error
        return Remembered(number, found.at, found.note.encode(), token)

    def _missing(self, error: OSError) -> Unavailable:
        if not isinstance(error, FileNotFoundError):
            return unavailable(error, "opening the witness file")
        return Unavailable(
            f"The witness file {self.path} is not there.",
            next_step="Mount its disk, or correct anchors.witness_file.",
        )
