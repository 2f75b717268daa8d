"""State the layout of a segment file and read it; never writes one and knows no keys.

A segment is a 48-byte file header, records, and an end mark once it is complete. Big-endian:

    file header   magic 8, version u16, length u16, reserved u32, archive id 16, check 16
    record        magic 8, version u16, length u16, kind u32, content id 32,
                  original size u64, body length u64, durable offset u64, check 16;
                  body; CRC-32 of the body u32
    end mark      a record without body, whose "original size" counts the records before it

A check is BLAKE2b-128 of the header bytes before it. The durable offset says how much of the file
had been synced when the record was written: a hole before it is damage, a hole behind the last one
is what a crash left of a batch that nobody was told about (a power cut may drop any page of it,
not only the last). So a reader without keys tells damage from a torn tail.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from holdfast.core.errors import Corrupt, NotFound

PIECE_BYTES = 1024 * 1024
"""Most bytes of a segment held in memory at once."""

_VERSION = 1
_FILE_MAGIC = b"\x89HFSEG\r\n"
_RECORD_MAGIC = b"\x89HFREC\r\n"
_FILE = struct.Struct(">8sHHI16s")
_RECORD = struct.Struct(">8sHHI32sQQQ")
_CRC = struct.Struct(">I")
_CHECK_BYTES = 16

FILE_HEADER_BYTES = _FILE.size + _CHECK_BYTES
RECORD_HEADER_BYTES = _RECORD.size + _CHECK_BYTES
TRAILER_BYTES = _CRC.size


class Part(IntEnum):
    """What a record is."""

    ORIGINAL = 1
    END = 2


@dataclass(frozen=True, slots=True)
class Record:
    """One record's header, and where it stands."""

    part: Part
    content_id: bytes
    size_bytes: int
    """Of the original; for the end mark the number of records before it."""
    body_bytes: int
    durable: int
    """The file was synced up to here when the record was written."""
    offset: int

    @property
    def length(self) -> int:
        """Of the whole record in the file, in bytes."""
        return RECORD_HEADER_BYTES + self.body_bytes + TRAILER_BYTES

    @property
    def end(self) -> int:
        """Offset of the byte behind the record."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows the last whole record of a segment."""

    offset: int
    """Where the last whole record ends."""
    length: int
    """Bytes behind it; 0 when nothing was cut short."""
    is_complete: bool
    """The end mark is there: nothing can be missing or torn."""
    records: int
    """Whole records of originals before it."""
    has_holes: bool = False
    """A crash dropped bytes between whole records of the last, unacknowledged batch."""


def file_header(archive_id: bytes) -> bytes:
    """Return the first bytes of a segment of this archive (`archive_id`: 16 bytes)."""
    return _checked(_FILE.pack(_FILE_MAGIC, _VERSION, FILE_HEADER_BYTES, 0, archive_id))


def record_header(content_id: bytes, size_bytes: int, body_bytes: int, durable: int) -> bytes:
    """Return the header that stands before the frames of one original."""
    return _packed(Part.ORIGINAL, content_id, size_bytes, body_bytes, durable)


def record_trailer(body_crc: int) -> bytes:
    """Return what stands behind the frames, whose CRC-32 is given."""
    return _CRC.pack(body_crc)


def end_mark(records: int, durable: int) -> bytes:
    """Return the record that completes a segment holding this many originals."""
    return _packed(Part.END, bytes(32), records, 0, durable) + _CRC.pack(0)


def _packed(part: Part, *fields: bytes | int) -> bytes:
    return _checked(_RECORD.pack(_RECORD_MAGIC, _VERSION, RECORD_HEADER_BYTES, part, *fields))


def _checked(header: bytes) -> bytes:
    return header + hashlib.blake2b(header, digest_size=_CHECK_BYTES).digest()


def _is_checked(header: bytes) -> bool:
    return _checked(header[:-_CHECK_BYTES]) == header


class Source(Protocol):
    """The bytes of one segment, wherever they are kept."""

    @property
    def name(self) -> str:
        """Name of the segment."""
        ...

    @property
    def length(self) -> int:
        """In bytes, when it was opened."""
        ...

    def read(self, length: int, offset: int) -> bytes:
        """Return `length` bytes from `offset`; fewer only where the segment ends."""
        ...

    def close(self) -> None:
        """Give back what was opened."""
        ...


class FileSource:
    """A segment in a file."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise NotFound("The segment is missing.", segment=self.name) from error
        self.length = os.fstat(self._descriptor).st_size

    def read(self, length: int, offset: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        os.close(self._descriptor)


class SegmentReader:
    """Reads one segment; sees the length it had when it was opened."""

    def __init__(self, segment: Path | Source, archive_id: bytes) -> None:
        self._source = FileSource(segment) if isinstance(segment, Path) else segment
        self._archive_id = archive_id
        self.name = self._source.name
        self.length = self._source.length

    def __enter__(self) -> SegmentReader:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what was opened."""
        self._source.close()

    def record_at(self, offset: int) -> Record | None:
        """Return the record whose intact header starts at `offset`, or None."""
        return _parsed(self._source.read(RECORD_HEADER_BYTES, max(offset, 0)), offset)

    def body(self, record: Record) -> Iterator[bytes]:
        """Yield the record's frames in pieces; the last one only after its CRC was compared.

        Raises:
            Corrupt: A byte was altered, or the file ends before the record does.
        """
        crc = 0
        position = record.offset + RECORD_HEADER_BYTES
        remaining = record.body_bytes + TRAILER_BYTES
        while remaining > 0:
            wanted = min(remaining, PIECE_BYTES)
            if 0 < remaining - wanted < TRAILER_BYTES:
                wanted -= TRAILER_BYTES  # so that the trailer is never cut in two
            piece = self._source.read(wanted, position)
            if len(piece) != wanted:
                raise self.damage("The segment ends inside a record.", record.offset)
            position += wanted
            remaining -= wanted
            content = piece if remaining else piece[:-TRAILER_BYTES]
            crc = zlib.crc32(content, crc)
            if not remaining and _CRC.pack(crc) != piece[-TRAILER_BYTES:]:
                raise self.damage("A record's bytes do not match their checksum.", record.offset)
            yield content

    def records(self) -> Iterator[Record]:
        """Yield every whole record of an original in file order, its bytes compared.

        A tail cut short by a crash ends the iteration quietly; `tail` describes it.

        Raises:
            Corrupt: Damage that no crash explains: a whole record or the end mark follows it.
        """
        yield from self._walk([])

    def tail(self) -> Tail:
        """Read it through and return what follows the last whole record; Corrupt as above."""
        found: list[Tail] = []
        for _ in self._walk(found):
            pass
        return found[0]

    def is_complete(self) -> bool:
        """Tell whether an intact end mark stands at the end of the file; reads nothing else."""
        last = self.record_at(self.length - RECORD_HEADER_BYTES - TRAILER_BYTES)
        return last is not None and last.part is Part.END

    def damage(self, cause: str, offset: int) -> Corrupt:
        """Return the error that names this segment and the offset."""
        return Corrupt(
            cause,
            next_step="Restore the segment from a backup and run verify.",
            segment=self.name,
            offset=offset,
        )

    def _walk(self, tails: list[Tail]) -> Iterator[Record]:
        count = 0
        holes = False
        whole_end = offset = FILE_HEADER_BYTES if self._has_file_header() else 0
        while offset < self.length:
            record = self.record_at(offset)
            if record is None or not self._is_whole(record):
                offset = self._after_hole(offset)
                continue
            holes = holes or record.offset > whole_end
            whole_end = offset = record.end
            if record.part is Part.END:
                self._check_end(record, count)
                tails.append(Tail(whole_end, 0, is_complete=True, records=count))
                return
            yield record
            count += 1
        torn = self.length - whole_end
        tails.append(Tail(whole_end, torn, is_complete=False, records=count, has_holes=holes))

    def _has_file_header(self) -> bool:
        header = self._source.read(FILE_HEADER_BYTES, 0)
        if header == file_header(self._archive_id):
            return True
        if len(header) == FILE_HEADER_BYTES and _is_checked(header):
            raise self.damage("The segment belongs to another archive.", 0)
        return False

    def _is_whole(self, record: Record) -> bool:
        try:
            for _ in self.body(record):
                pass
        except Corrupt:
            return False
        return True

    def _check_end(self, record: Record, count: int) -> None:
        if record.size_bytes != count or record.end != self.length:
            raise self.damage("The segment does not agree with its end mark.", record.offset)

    def _after_hole(self, offset: int) -> int:
        """Return where the next whole record begins; Corrupt if the hole is damage."""
        first = self.length
        position = offset + 1
        while (record := self._next_record(position)) is not None:
            if record.durable > offset:
                raise self.damage("A record is damaged.", offset)
            first = min(first, record.offset)
            position = record.end
        return first

    def _next_record(self, start: int) -> Record | None:
        """Return the first intact header at or after `start`."""
        overlap = RECORD_HEADER_BYTES - 1
        position = start
        while position < self.length:
            window = self._source.read(PIECE_BYTES + overlap, position)
            at = window.find(_RECORD_MAGIC)
            while 0 <= at < PIECE_BYTES:
                record = _parsed(window[at : at + RECORD_HEADER_BYTES], position + at)
                if record is not None:
                    return record
                at = window.find(_RECORD_MAGIC, at + 1)
            position += PIECE_BYTES
        return None


def _parsed(header: bytes, offset: int) -> Record | None:
    if len(header) != RECORD_HEADER_BYTES or not _is_checked(header):
        return None
    fields = _RECORD.unpack(header[: _RECORD.size])
    magic, version, length, part, content_id, size_bytes, body_bytes, durable = fields
    if (magic, version, length) != (_RECORD_MAGIC, _VERSION, RECORD_HEADER_BYTES):
        return None
    return Record(Part(part), content_id, size_bytes, body_bytes, durable, offset)
