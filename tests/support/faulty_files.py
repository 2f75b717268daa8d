"""A file layer that fails where a test says, and remembers what was asked of it."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from holdfast.storage.durable import SystemFiles


class Crash(BaseException):
    """The process dies here: nothing that follows in the code under test may run."""


class FaultyFiles:
    """The real file operations, with the n-th call of one operation failing.

    `fail("fsync", 3, errno.EIO)` makes the third fsync from now fail; `crash_at(5)` raises `Crash`
    instead of the fifth operation of any kind that changes the disk.
    """

    def __init__(self) -> None:
        self._files = SystemFiles()
        self._failures: dict[tuple[str, int], int] = {}
        self._calls: Counter[str] = Counter()
        self._crash_at = 0
        self.steps = 0
        """Operations that change the disk, so far."""
        self.before: Callable[[str], None] = lambda operation: None
        """Called with the name of every operation before it is done."""
        self.log: list[str] = []
        """Their names, in order."""
        self.failed: list[int] = []
        """Descriptors whose fsync failed and that are still open."""
        self.synced_again = False
        """A descriptor was written or synced after its fsync had failed."""

    def fail(self, operation: str, nth: int, error: int, *, times: int = 1) -> None:
        """Let the n-th call from now, and those after it, fail with this errno."""
        for number in range(nth, nth + times):
            self._failures[operation, self._calls[operation] + number] = error

    def crash_at(self, step: int) -> None:
        """Die instead of this step, counted from the first operation; 0 never."""
        self._crash_at = step

    def create(self, path: Path) -> int:
        self._step("create")
        return self._files.create(path)

    def write(self, descriptor: int, data: bytes) -> int:
        self.synced_again = self.synced_again or descriptor in self.failed
        try:
            self._step("write")
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return os.write(descriptor, data[: len(data) // 2])  # as a disk that fills up does
        return self._files.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self.synced_again = self.synced_again or descriptor in self.failed
        try:
            self._step("fsync")
        except OSError:
            self.failed.append(descriptor)
            raise
        self._files.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        if descriptor in self.failed:
            self.failed.remove(descriptor)
        self._files.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._step("replace")
        self._files.replace(source, target)

    def fsync_folder(self, folder: Path) -> None:
        self._step("fsync_folder")
        self._files.fsync_folder(folder)

    def _step(self, operation: str) -> None:
        self.steps += 1
        self.log.append(operation)
        self.before(operation)
        if self.steps == self._crash_at:
            raise Crash
        self._calls[operation] += 1
        error = self._failures.get((operation, self._calls[operation]))
        if error is not None:
            raise OSError(error, os.strerror(error))


class Stubborn(FaultyFiles):
    """Tries a failed fsync once more, and believes the second answer."""

    def fsync(self, descriptor: int) -> None:
        try:
            super().fsync(descriptor)
        except OSError:
            super().fsync(descriptor)


class Deaf(FaultyFiles):
    """Does not hear that the disk refuses."""

    def write(self, descriptor: int, data: bytes) -> int:
        with suppress(OSError):
            super().write(descriptor, data)
        return len(data)
