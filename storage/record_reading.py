"""Read originals out of segments, wherever those lie; what the vaults made of segments share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.ports import Placement
from holdfast.storage.frames import open_frames
from holdfast.storage.segments import Part, SegmentReader


def original_in(
    segment: SegmentReader, placement: Placement, content_id: bytes, key: bytes
) -> Iterator[bytes]:
    """Yield an original in pieces, as `Vault.read` does; raises what that raises."""
    if placement.offset >= segment.length:
        raise NotFound("The segment ends before the record.", segment=segment.name)
    record = segment.record_at(placement.offset)
    if record is None or record.part is not Part.ORIGINAL:
        raise segment.damage("The record's header is damaged.", placement.offset)
    if (record.content_id, record.length) != (content_id, placement.length):
        raise segment.damage("Another record stands in its place.", placement.offset)
    try:
        yield from open_frames(segment.body(record), content_id, key)
    except Corrupt as error:
        error.facts.update(segment=segment.name, offset=placement.offset)
        raise


class OneOpen:
    """Reads one original after the other, and opens a segment again only after another one."""

    def __init__(self, opened: Callable[[str], SegmentReader]) -> None:
        self._opened = opened
        self._segment: SegmentReader | None = None

    def read(self, placement: Placement, content_id: bytes, key: bytes) -> Iterator[bytes]:
        """Yield as `Vault.read`; of a segment that grows, what it held when it was opened."""
        if self._segment is None or self._segment.name != placement.segment:
            self.close()
            self._segment = self._opened(placement.segment)
        return original_in(self._segment, placement, content_id, key)

    def close(self) -> None:
        """Give back what is open; it may be used again."""
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()
