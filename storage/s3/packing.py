"""Pack records into the bytes of one object, laid out as a complete segment; sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.core.ports import Placement
from holdfast.storage.segment_writer import Body, record_pieces
from holdfast.storage.segments import (
    FILE_HEADER_BYTES,
    RECORD_HEADER_BYTES,
    TRAILER_BYTES,
    end_mark,
    file_header,
)

END_BYTES = RECORD_HEADER_BYTES + TRAILER_BYTES
"""Length of the mark at the end of an object."""
_FRAME_BYTES = RECORD_HEADER_BYTES + TRAILER_BYTES  # around each record's body


@dataclass(frozen=True, slots=True)
class Pack:
    """What becomes one object."""

    name: str
    bodies: Sequence[Body]

    @property
    def length(self) -> int:
        """Of the object, in bytes."""
        records = sum(body.length + _FRAME_BYTES for body in self.bodies)
        return FILE_HEADER_BYTES + records + END_BYTES

    def placements(self) -> list[Placement]:
        """Return where each record stands, in order."""
        places = []
        offset = FILE_HEADER_BYTES
        for body in self.bodies:
            length = body.length + _FRAME_BYTES
            places.append(Placement(self.name, offset, length))
            offset += length
        return places

    def pieces(self, archive_id: bytes) -> Iterator[bytes]:
        """Yield the object's bytes in order; once only, as bodies may come from open files.

        An object appears whole or not at all, so every record states that all before it is
        durable: whatever is unreadable later is damage and never a torn tail.

        Raises:
            OSError: A spool file could not be read or changed meanwhile.
        """
        yield file_header(archive_id)
        offset = FILE_HEADER_BYTES
        for body in self.bodies:
            yield from record_pieces(body, offset)
            offset += body.length + _FRAME_BYTES
        yield end_mark(len(self.bodies), offset)


def grouped(bodies: Iterable[Body], most_bytes: int) -> Iterator[list[Body]]:
    """Cut the bodies, in order, into runs for one object each; a long one stands alone."""
    group: list[Body] = []
    total = 0
    for body in bodies:
        if group and total + body.length > most_bytes:
            yield group
            group, total = [], 0
        group.append(body)
        total += body.length
    if group:
        yield group
