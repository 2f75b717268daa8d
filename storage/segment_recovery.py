"""Finish segments that a dead process left open; never removes a byte that may be acknowledged."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import Corrupt
from holdfast.storage.durable import Files, write_whole
from holdfast.storage.segments import SegmentReader, Tail, end_mark


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of one unfinished segment."""

    segment: str
    cut_bytes: int = 0
    """Torn bytes that were removed behind the last whole record."""
    records: int = 0
    """Whole records; those that the catalogue does not know are orphans."""
    problem: Corrupt | None = None
    """Set when the segment was left exactly as it was."""


def recover_segment(
    files: Files, path: Path, archive_id: bytes, acknowledged_end: int
) -> Recovered | None:
    """Cut the torn tail of an unfinished segment and write its end mark, both durably.

    Args:
        files: How to write and sync.
        path: The segment file.
        archive_id: Of the archive it must belong to.
        acknowledged_end: Where the last record ends that the catalogue refers to, in bytes; 0 for
            none. Nothing before it is ever cut.

    Returns:
        None when there is nothing to do: the segment is complete, or a live process writes it.

    Raises:
        OSError: The disk refused; the segment is still unfinished.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        if not _is_abandoned(descriptor):
            return None
        with SegmentReader(path, archive_id) as segment:
            if segment.is_complete():
                return None
            try:
                return _finish(files, descriptor, path, _checked_tail(segment, acknowledged_end))
            except Corrupt as problem:
                return Recovered(path.stem, problem=problem)
    finally:
        os.close(descriptor)


def _is_abandoned(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _checked_tail(segment: SegmentReader, acknowledged_end: int) -> Tail:
    tail = segment.tail()
    if acknowledged_end > tail.offset:
        raise segment.damage("An acknowledged record is torn.", tail.offset)
    if tail.has_holes:
        raise segment.damage("A crash left holes between whole records.", tail.offset)
    return tail


def _finish(files: Files, descriptor: int, path: Path, tail: Tail) -> Recovered:
    if tail.offset == 0:  # not even its header was kept: the crash came while it was created
        path.unlink()
        files.fsync_folder(path.parent)
        return Recovered(path.stem, cut_bytes=tail.length)
    os.ftruncate(descriptor, tail.offset)
    files.fsync(descriptor)  # the end mark says that everything before it is on the medium
    os.lseek(descriptor, 0, os.SEEK_END)
    write_whole(files, descriptor, end_mark(tail.records, tail.offset))
    files.fsync(descriptor)
    return Recovered(path.stem, tail.length, tail.records)
