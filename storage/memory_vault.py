"""Keep originals in memory, as the reference for other vaults; nothing here is durable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.ports import LockState, Placement, Prepared, ReadOriginal
from holdfast.storage.frames import open_frames


class MemoryVault:
    """One segment for each batch; a record's offset is its number in the batch."""

    def __init__(self) -> None:
        self._segments: dict[str, list[tuple[bytes, bytes]]] = {}
        self._made = 0

    def append(self, batch: Sequence[Prepared]) -> list[Placement]:
        return self._keep([(prepared.content_id, _frames(prepared)) for prepared in batch])

    def read(self, placement: Placement, content_id: bytes, key: bytes) -> Iterator[bytes]:
        records = self._segments.get(placement.segment, [])
        if placement.offset >= len(records):
            raise NotFound("There is no such record.", segment=placement.segment)
        kept_id, frames = records[placement.offset]
        if (kept_id, len(frames)) != (content_id, placement.length):
            raise Corrupt("Another record stands in its place.", segment=placement.segment)
        yield from open_frames([frames], content_id, key)

    def reader(self) -> AbstractContextManager[ReadOriginal]:
        return nullcontext(self.read)

    def segment_names(self) -> list[str]:
        return sorted(self._segments)

    def scan_segment(self, name: str) -> Iterator[tuple[bytes, Placement]]:
        for number, (content_id, frames) in enumerate(self._segments.get(name, [])):
            yield content_id, Placement(name, number, len(frames))

    def compact(self, keep: Mapping[bytes, Placement]) -> dict[bytes, Placement]:
        moved: dict[bytes, Placement] = {}
        for name, records in list(self._segments.items()):
            kept = [
                (content_id, frames)
                for number, (content_id, frames) in enumerate(records)
                if keep.get(content_id) == Placement(name, number, len(frames))
            ]
            if 0 < len(kept) < len(records):
                ids = [content_id for content_id, _ in kept]
                moved.update(zip(ids, self._keep(kept), strict=True))
        return moved

    def drop(self, segments: Iterable[str]) -> int:
        gone = [self._segments.pop(name, []) for name in segments]
        return sum(len(frames) for records in gone for _, frames in records)

    def locked(self, segments: Iterable[str]) -> dict[str, LockState]:
        del segments  # memory locks nothing
        return {}

    def _keep(self, records: list[tuple[bytes, bytes]]) -> list[Placement]:
        self._made += 1
        name = f"{self._made:012x}"
        self._segments[name] = records
        return [Placement(name, number, len(frames)) for number, (_, frames) in enumerate(records)]


def _frames(prepared: Prepared) -> bytes:
    frames = prepared.frames
    return frames.read_bytes() if isinstance(frames, Path) else frames
