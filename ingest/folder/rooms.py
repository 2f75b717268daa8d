"""The folder and the folders in it, each opened once; every name is looked up below one of them.

So a folder that somebody swaps for a link leads nowhere else. It knows nothing of mail.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import Unavailable
from holdfast.storage.durable import unavailable

CLAIMS = ".holdfast"
DONE = "done"
FAILED = "failed"
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FRESH = ".holdfast-result"


class FolderAway(Unavailable):
    """The watched folder, not the archive, refuses; other sources go on."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells one state of a file from another."""

    inode: int
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Rooms:
    """Descriptors of the open folders."""

    root: int
    claims: int = -1
    """What is being taken: a folder of its own for each file. -1 where files stay."""
    ends: dict[str, int] | None = None
    """`DONE` and `FAILED`; None where files stay."""


@contextmanager
def opened(folder: Path, *, keeps: bool) -> Iterator[Rooms]:
    """Open the folder, and make and open what it needs inside.

    Raises:
        FolderAway: It is not there, or something in it is no folder, or not ours.
    """
    with ExitStack() as closing:
        try:
            root = os.open(folder, _OPEN)
        except OSError as error:
            raise away(error, f"opening {folder}") from error
        closing.callback(os.close, root)
        if keeps:
            yield Rooms(root)
            return
        claims = _room(closing, root, CLAIMS, 0o700)
        status = os.fstat(claims)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise FolderAway(
                f"Others may write into {folder}/{CLAIMS}.",
                next_step="Remove it; it is made again when it is needed.",
            )
        ends = {name: _room(closing, root, name, 0o777) for name in (DONE, FAILED)}
        yield Rooms(root, claims, ends)


def _room(closing: ExitStack, root: int, name: str, mode: int) -> int:
    try:
        try:
            os.mkdir(name, mode, dir_fd=root)
        except FileExistsError:
            pass
        else:
            os.fsync(root)
        room = os.open(name, _OPEN | os.O_NOFOLLOW, dir_fd=root)
    except OSError as error:
        raise away(error, f"opening the folder {name!r} in the watched one") from error
    closing.callback(os.close, room)
    return room


def away(error: OSError, doing: str) -> FolderAway:
    """Return the refusal for what failed in the watched folder."""
    found = unavailable(error, doing)
    return FolderAway(found.cause, next_step=found.next_step, **found.facts)


def mark_of(status: os.stat_result) -> Mark:
    """Return what tells this state of the file."""
    return Mark(status.st_ino, status.st_size, status.st_mtime_ns)


def mark_in(room: int, name: str) -> Mark | None:
    """Return the state of the file of this name, or of the link itself; None when it is gone."""
    try:
        return mark_of(os.stat(name, dir_fd=room, follow_symlinks=False))
    except FileNotFoundError:
        return None


def names_in(room: int) -> list[str]:
    """Return the names in an open folder, in order."""
    with os.scandir(room) as listing:
        return sorted(entry.name for entry in listing)


def lies_in(room: int, name: str) -> bool:
    """Tell whether something has this name, be it a link that leads nowhere."""
    return mark_in(room, name) is not None


def write_durably(room: int, name: str, data: bytes, mode: int) -> None:
    """Make the file hold exactly this, or leave what was there; the name is not synced.

    Raises:
        OSError: The old content is still there.
    """
    place = f"{name[: name.rfind('/') + 1]}{_FRESH}"
    with suppress(FileNotFoundError):  # left by a dead run; only one at a time is at work here
        os.unlink(place, dir_fd=room)
    descriptor = os.open(place, _WRITE, mode, dir_fd=room)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(place, name, src_dir_fd=room, dst_dir_fd=room)
