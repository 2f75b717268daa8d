"""Read segments as they are kept, in a folder or in a bucket; knows no keys and writes nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.storage.segments import FileSource, Part, Record, SegmentReader, Source

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.core.ports import Placement
    from holdfast.storage.s3.bucket import Bucket

OpenSegment = Callable[[str], Source]
"""Opens a segment by name; raises NotFound when it is missing."""
_OPEN_AT_ONCE = 8


def in_folder(folder: Path) -> OpenSegment:
    """Return how segments of a local vault are opened."""
    return lambda name: FileSource(folder / f"{name}.seg")


def in_bucket(bucket: Bucket) -> OpenSegment:
    """Return how segments of an S3 vault are opened."""
    from holdfast.storage.s3.segment_objects import SegmentObjects
    from holdfast.storage.s3.source import WINDOW_BYTES, ObjectSource

    segments = SegmentObjects(bucket)

    def opened(name: str) -> Source:
        version = segments.version(name)
        return ObjectSource(bucket, segments.key(name), version=version).opened(0, WINDOW_BYTES)

    return opened


@dataclass(slots=True)
class Records:
    """Reads records of many segments in any order; close it at the end."""

    open_segment: OpenSegment
    archive_id: bytes
    _open: OrderedDict[str, SegmentReader] = field(default_factory=OrderedDict, init=False)

    def record(self, placement: Placement, content_id: bytes) -> tuple[SegmentReader, Record]:
        """Return the record, and the segment to read its frames from.

        Raises:
            NotFound: The segment is missing.
            Corrupt: Another record, or none, stands there.
        """
        segment = self._segment(placement.segment)
        record = segment.record_at(placement.offset)
        if record is None or record.part is not Part.ORIGINAL:
            raise segment.damage("The record's header is damaged.", placement.offset)
        if (record.content_id, record.length) != (content_id, placement.length):
            raise segment.damage("Another record stands in its place.", placement.offset)
        return segment, record

    def close(self) -> None:
        """Close all segments."""
        while self._open:
            self._open.popitem()[1].__exit__()

    def _segment(self, name: str) -> SegmentReader:
        if name not in self._open:
            if len(self._open) >= _OPEN_AT_ONCE:
                self._open.popitem(last=False)[1].__exit__()
            self._open[name] = SegmentReader(self.open_segment(name), self.archive_id)
        self._open.move_to_end(name)
        return self._open[name]
