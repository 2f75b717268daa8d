"""Write one segment file; decides neither when a segment is full nor what becomes of a fault.

After any OSError the writer must be abandoned: what the file holds behind the last synced byte is
unknown then, and a second fsync could claim that lost bytes are safe.
"""

from __future__ import annotations

import errno
import fcntl
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.ports import Placement, Prepared
from holdfast.storage.durable import Files, write_whole
from holdfast.storage.segments import (
    FILE_HEADER_BYTES,
    PIECE_BYTES,
    end_mark,
    file_header,
    record_header,
    record_trailer,
)


@dataclass(frozen=True, slots=True)
class Body:
    """The frames of one original, from wherever they come."""

    content_id: bytes
    size_bytes: int
    length: int
    """Of all pieces together."""
    pieces: Iterable[bytes]


def body_of(prepared: Prepared) -> Body:
    """Return the frames of a prepared original; a spool file is opened when it is iterated."""
    frames = prepared.frames
    if isinstance(frames, Path):
        length, pieces = frames.stat().st_size, _file_pieces(frames)
        return Body(prepared.content_id, prepared.size_bytes, length, pieces)
    return Body(prepared.content_id, prepared.size_bytes, len(frames), (frames,))


class SegmentWriter:
    """One segment file being written, locked against every other process."""

    def __init__(self, files: Files, path: Path, archive_id: bytes) -> None:
        """Create the file; its header and its name are durable when this returns."""
        self.name = path.stem
        self.pid = os.getpid()
        self.length = FILE_HEADER_BYTES
        """Bytes that are durable."""
        self._records = 0
        self._files = files
        self._descriptor = files.create(path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            write_whole(files, self._descriptor, file_header(archive_id))
            files.fsync(self._descriptor)
            files.fsync_folder(path.parent)
        except OSError:
            self.abandon()
            raise

    def append(self, bodies: Iterable[Body]) -> list[Placement]:
        """Write the bodies as records and sync once; durable when this returns."""
        placements = []
        position = self.length
        waiting: list[bytes] = []
        waiting_bytes = 0
        for body in bodies:
            start = position
            for piece in record_pieces(body, self.length):
                waiting.append(piece)
                waiting_bytes += len(piece)
                position += len(piece)
                if waiting_bytes >= PIECE_BYTES:
                    write_whole(self._files, self._descriptor, b"".join(waiting))
                    waiting.clear()
                    waiting_bytes = 0
            placements.append(Placement(self.name, start, position - start))
        write_whole(self._files, self._descriptor, b"".join(waiting))
        self._files.fsync(self._descriptor)
        self.length = position
        self._records += len(placements)
        return placements

    def complete(self) -> None:
        """Write the end mark, sync, and let go of the file."""
        try:
            mark = end_mark(self._records, self.length)
            write_whole(self._files, self._descriptor, mark)
            self._files.fsync(self._descriptor)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it is, and of its lock; nothing is written or synced."""
        self._files.close(self._descriptor)


def record_pieces(body: Body, durable: int) -> Iterator[bytes]:
    """Yield a record's header, frames and trailer.

    Args:
        body: Its pieces are read once.
        durable: Everything before this offset is on the medium.

    Raises:
        OSError: The spool file could not be read, or is not as long as it was.
    """
    yield record_header(body.content_id, body.size_bytes, body.length, durable)
    crc = written = 0
    for piece in body.pieces:
        crc = zlib.crc32(piece, crc)
        written += len(piece)
        yield piece
    if written != body.length:
        raise OSError(errno.EIO, "the spool file changed while it was read")
    yield record_trailer(crc)


def _file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as spool:
        while piece := spool.read(PIECE_BYTES):
            yield piece
