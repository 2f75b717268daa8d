"""Make written bytes and names survive a power cut; knows nothing of what the bytes mean.

A failed fsync is never retried on its descriptor: the kernel marks the pages clean, and the second
call succeeds with the data gone (Rebello et al., USENIX ATC 2020).
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from holdfast.core.errors import Unavailable

_OPEN_AT_ONCE = 64  # descriptors; the usual limit is 1,024 for the whole process
_CAUSES = {
    errno.ENOSPC: ("The disk is full.", "Free space on it; nothing that was acknowledged is lost."),
    errno.EDQUOT: ("The disk quota is used up.", "Raise the quota or free space."),
    errno.EROFS: ("The file system is read-only.", "Check the disk's health and remount it."),
    errno.EIO: ("The disk reported an error.", "Check the disk's health before it is used again."),
}


class Files(Protocol):
    """The few file operations that durable writing needs; tests inject faults here."""

    def create(self, path: Path) -> int:
        """Open a new file for writing, mode 0600; FileExistsError if the name is taken."""
        ...

    def write(self, descriptor: int, data: bytes) -> int:
        """Write at the descriptor's position; return the number of bytes written."""
        ...

    def fsync(self, descriptor: int) -> None:
        """Return when everything written to the descriptor is on the medium."""
        ...

    def close(self, descriptor: int) -> None:
        """Give the descriptor back."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Give `source` the name `target` in one step."""
        ...

    def fsync_folder(self, folder: Path) -> None:
        """Return when names made in or removed from the folder are on the medium."""
        ...


class SystemFiles:
    """The operating system's own files."""

    def create(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, descriptor: int, data: bytes) -> int:
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        if sys.platform == "darwin":  # fsync leaves the bytes in the drive's cache there
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def fsync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unavailable(error: OSError, doing: str) -> Unavailable:
    """Return the refusal to raise for a failed file operation; `doing` completes "while …"."""
    cause, next_step = _CAUSES.get(
        error.errno or 0, (f"{error.strerror or error}.", "See the log of the operating system.")
    )
    name = errno.errorcode.get(error.errno or 0, "unknown")
    return Unavailable(f"{cause[:-1]} (while {doing}).", next_step=next_step, errno=name)


def write_whole(files: Files, descriptor: int, data: bytes) -> None:
    """Write all of `data`, or raise OSError: on a disk file a short write is a fault."""
    written = files.write(descriptor, data)
    if written != len(data):
        raise OSError(errno.ENOSPC, f"short write: {written} of {len(data)} bytes")


def write_new(files: Files, path: Path, data: bytes) -> None:
    """Create `path` with `data` and make the bytes durable; the name is not, until its folder is.

    Raises:
        OSError: The file may exist with any part of the bytes; it must not be used.
    """
    descriptor = files.create(path)
    try:
        write_whole(files, descriptor, data)
        files.fsync(descriptor)
    finally:
        files.close(descriptor)


def replace_file(files: Files, path: Path, data: bytes) -> None:
    """Make `path` hold exactly `data`, atomically and durably; readers see the old or the new.

    Raises:
        OSError: The old content is still there, or the new; never a mixture.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_new(files, fresh, data)
        files.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    files.fsync_folder(path.parent)


def make_folder(files: Files, folder: Path) -> None:
    """Create the folder and its missing parents, each name durable; no error if it exists.

    Raises:
        OSError: Some of the parents may have been made.
    """
    if folder.is_dir():
        return
    make_folder(files, folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    files.fsync_folder(folder.parent)


def write_set(files: Files, contents: Mapping[Path, bytes]) -> None:
    """Write these files, replacing what has their names; all bytes and names durable on return.

    Not atomic: for files that nobody reads before something else, written later, refers to them.

    Raises:
        OSError: Any part of any file may be there.
    """
    fresh: set[Path] = set()
    for folder in {path.parent for path in contents}:
        _add_folder(folder, fresh)
    waiting = list(contents.items())
    for start in range(0, len(waiting), _OPEN_AT_ONCE):
        _write_some(files, waiting[start : start + _OPEN_AT_ONCE])
    for folder in fresh | {path.parent for path in contents}:
        files.fsync_folder(folder)


def _add_folder(folder: Path, fresh: set[Path]) -> None:
    """Make the folder, and collect the parents in which names are new."""
    missing = folder
    while not missing.is_dir():
        fresh.add(missing.parent)
        missing = missing.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _write_some(files: Files, contents: list[tuple[Path, bytes]]) -> None:
    """Write all before syncing any: the disk then merges the work."""
    descriptors: list[int] = []
    try:
        for path, data in contents:
            path.unlink(missing_ok=True)  # left by a crash; nothing refers to it
            descriptors.append(files.create(path))
            write_whole(files, descriptors[-1], data)
        for descriptor in descriptors:
            files.fsync(descriptor)
    finally:
        for descriptor in descriptors:
            files.close(descriptor)
