"""Takes files out of the folder, copies them to where nobody else writes, and moves them to an end.

A claim is a folder of its own below `.holdfast`: the file gets there by one rename, so it is taken
once. When its outcome is durable in the archive, the result is written beside it; from then on only
names are moved, first the file, then the result. A run that is killed at any instant leaves a claim
that tells the next one how far it came.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.ingest.folder.names import free_name, result_name
from holdfast.ingest.folder.results import Result, decoded, encoded, moved
from holdfast.ingest.folder.rooms import (
    Mark,
    Rooms,
    away,
    lies_in,
    mark_in,
    mark_of,
    names_in,
    write_durably,
)
from holdfast.ingest.readers.offers import local
from holdfast.storage.durable import unavailable

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE = 1 << 20
_RESULT = ".result"
_LARGEST_RESULT = 16 << 20


@dataclass(frozen=True, slots=True)
class Claim:
    """One file that is being taken."""

    name: str
    """As dropped."""
    room: int
    """Descriptor of the folder that `place` is below."""
    place: str
    """Where the file lies."""

    @property
    def result(self) -> str:
        """Where the result waits to be moved."""
        return f"{self.place.rpartition('/')[0]}/{_RESULT}"


@dataclass(frozen=True, slots=True)
class Copied:
    """A file as it was read."""

    claim: Claim
    path: Path
    """The copy."""
    mark: Mark
    sha256: str = ""
    unreadable: str = ""
    """Why its bytes could not be had; empty when they were."""


def claim(rooms: Rooms, name: str) -> Claim | None:
    """Take a file out of the folder; None when it is gone.

    Raises:
        OSError: It cannot be moved; it lies where it was.
    """
    token = secrets.token_hex(8)
    os.mkdir(token, 0o700, dir_fd=rooms.claims)
    place = f"{token}/{name}"
    try:
        os.rename(name, place, src_dir_fd=rooms.root, dst_dir_fd=rooms.claims)
    except FileNotFoundError:
        os.rmdir(token, dir_fd=rooms.claims)
        return None
    except OSError:
        os.rmdir(token, dir_fd=rooms.claims)
        raise
    return Claim(name, rooms.claims, place)


def claims_left(rooms: Rooms) -> Iterator[Claim]:
    """Yield the files that a killed run had taken; what it had decided is brought to its end.

    Raises:
        FolderAway: They cannot be moved.
    """
    try:
        for token in names_in(rooms.claims):
            with suppress(FileNotFoundError):
                os.unlink(f"{token}/.holdfast-result", dir_fd=rooms.claims)
            yield from _claim_left(rooms, token)
    except OSError as error:
        raise away(error, "taking up what an interrupted run left") from error


def _claim_left(rooms: Rooms, token: str) -> Iterator[Claim]:
    descriptor = os.open(token, os.O_RDONLY | os.O_DIRECTORY, dir_fd=rooms.claims)
    try:
        names = names_in(descriptor)
    finally:
        os.close(descriptor)
    files = [name for name in names if not name.startswith(".")]
    one = Claim(files[0] if files else "", rooms.claims, f"{token}/{files[0] if files else ''}")
    if _RESULT in names:
        decided = decoded(_bytes_of(rooms.claims, one.result))
        if decided is not None and (not files or mark_in(one.room, one.place) == decided.mark):
            finish(rooms, one, decided)
            return
        os.unlink(one.result, dir_fd=rooms.claims)  # the file is another one by now
    if files:
        yield one
    else:
        os.rmdir(token, dir_fd=rooms.claims)


def copy(one: Claim, path: Path) -> Copied | None:
    """Copy the file, which nobody can then change; None when it was changed meanwhile.

    Raises:
        Unavailable: The archive's own disk refuses.
    """
    try:
        descriptor = os.open(one.place, _READ, dir_fd=one.room)
    except FileNotFoundError:
        return None
    except OSError as error:
        mark = mark_in(one.room, one.place)
        return None if mark is None else Copied(one, path, mark, unreadable=_reason(error))
    try:
        before = os.fstat(descriptor)
        try:
            digest, size = _copied(descriptor, path)
        except _Unreadable as error:
            return Copied(one, path, mark_of(before), unreadable=_reason(error.error))
        mark = mark_of(os.fstat(descriptor))
    finally:
        os.close(descriptor)
    is_whole = mark == mark_of(before) and size == mark.size
    return Copied(one, path, mark, digest) if is_whole else None


class _Unreadable(Exception):
    """The file, not the copy, gave an error."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def _copied(descriptor: int, path: Path) -> tuple[str, int]:
    total, size = hashlib.sha256(), 0
    try:
        path.parent.mkdir(parents=True, mode=0o700)
        with path.open("xb", buffering=0) as target:
            while piece := _piece(descriptor):
                total.update(piece)
                size += len(piece)
                view = memoryview(piece)
                while view:
                    view = view[target.write(view) :]
    except OSError as error:
        raise unavailable(error, "copying a dropped file") from error
    return total.hexdigest(), size


def _piece(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _PIECE)
    except OSError as error:
        raise _Unreadable(error) from error


def settle(rooms: Rooms, one: Claim, result: Result) -> bool:
    """Write the result, and move file and result to their end; False when the file has changed.

    Raises:
        FolderAway: The folder refuses; the next run goes on where this one stood.
    """
    try:
        if mark_in(one.room, one.place) != result.mark:
            return False
        if rooms.ends is None:
            write_durably(rooms.root, result_name(one.name), encoded(result), 0o666)
            return True
        placed = moved(result, one.name)
        write_durably(rooms.claims, one.result, encoded(placed), 0o666)
        finish(rooms, one, placed)
    except OSError as error:
        raise away(error, "writing the result of a file") from error
    return True


def finish(rooms: Rooms, one: Claim, result: Result) -> None:
    """Move what is decided; a repeat goes on where it was killed.

    Raises:
        OSError: The folder refuses.
    """
    assert rooms.ends is not None  # noqa: S101 - claims are made where files move
    room = rooms.ends[result.room]
    target = local(result.moved_to).name
    if one.name and lies_in(one.room, one.place):
        wanted = free_name(one.name, lambda name: lies_in(room, name), secrets.token_hex(4))
        if wanted != target:
            target = wanted
            result = moved(result, wanted)
            write_durably(rooms.claims, one.result, encoded(result), 0o666)
        os.rename(one.place, target, src_dir_fd=one.room, dst_dir_fd=room)
    os.rename(one.result, result_name(target), src_dir_fd=rooms.claims, dst_dir_fd=room)
    os.rmdir(one.place.partition("/")[0], dir_fd=rooms.claims)


def sync_rooms(rooms: Rooms) -> None:
    """Make the names durable.

    Raises:
        FolderAway: The disk refuses.
    """
    try:
        for room in (rooms.root, *(rooms.ends or {}).values()):
            os.fsync(room)
    except OSError as error:
        raise away(error, "making the names of files durable") from error


def result_beside(rooms: Rooms, name: str) -> Result | None:
    """Return the result that lies beside a file that stays; None when it has none."""
    try:
        return decoded(_bytes_of(rooms.root, result_name(name)))
    except OSError:
        return None


def _bytes_of(room: int, place: str) -> bytes:
    descriptor = os.open(place, _READ, dir_fd=room)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - below an open folder
        return file.read(_LARGEST_RESULT)


def _reason(error: OSError) -> str:
    return f"io_error:{errno.errorcode.get(error.errno or 0, 'unknown').lower()}"
