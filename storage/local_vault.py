"""Keep originals in append-only segment files on a local disk; holds no keys and no catalogue.

Each process that writes has one open segment, named by time and chance and held by `flock`. One
batch is one fsync. After any fault the segment is abandoned, never synced again, and the next batch
begins a new one.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import Corrupt, Unavailable
from holdfast.core.ports import Clock, LockState, Placement, Prepared, ReadOriginal
from holdfast.storage.durable import Files, SystemFiles, make_folder, unavailable
from holdfast.storage.record_reading import OneOpen, original_in
from holdfast.storage.segment_recovery import Recovered, recover_segment
from holdfast.storage.segment_writer import Body, SegmentWriter, body_of
from holdfast.storage.segments import Record, SegmentReader

_SUFFIX = ".seg"
_COPIED_AT_ONCE = 256  # records in one group commit, so that writers wait briefly


@dataclass(frozen=True, slots=True)
class LocalVaultConfig:
    """Where the segments are and when they are closed."""

    folder: Path
    """The data folder; segments stand in `segments/` beneath it."""
    archive_id: bytes
    """16 bytes; a segment of another archive is refused."""
    segment_bytes: int = 256 * 1024 * 1024
    """A segment that has reached this length is completed before the next batch."""
    settle_s: int = 3600
    """Compaction leaves a segment alone until it has been unchanged this long, because a batch may
    be kept here before the catalogue knows it."""

    @property
    def segments(self) -> Path:
        """Folder of the segment files."""
        return self.folder / "segments"


@dataclass(frozen=True, slots=True)
class VaultStats:
    """What the vault holds on disk."""

    segments: int
    size_bytes: int
    """Of all segment files."""
    failed_batches: int
    """Batches that this process refused since it started."""


class LocalVault:
    """The embedded vault; safe to share between threads, and across fork."""

    def __init__(self, config: LocalVaultConfig, clock: Clock, files: Files | None = None) -> None:
        if not config.segments.is_dir():
            raise Unavailable(
                "The folder of the segments is missing.",
                next_step="Mount the disk that holds it, or create the archive first.",
                folder=str(config.segments),
            )
        self._config = config
        self._folder = config.segments
        self._clock = clock
        self._files: Files = files or SystemFiles()
        self._lock = threading.Lock()
        self._open: SegmentWriter | None = None
        self._failed_batches = 0

    @staticmethod
    def create(config: LocalVaultConfig) -> None:
        """Make the folder of a new vault, durably; repeating it is harmless."""
        try:
            make_folder(SystemFiles(), config.segments)
        except OSError as error:
            raise unavailable(error, "creating the vault") from error

    def append(self, batch: Sequence[Prepared]) -> list[Placement]:
        return self._append(map(body_of, batch)) if batch else []

    def read(self, placement: Placement, content_id: bytes, key: bytes) -> Iterator[bytes]:
        with self._reader(placement.segment) as segment:
            yield from original_in(segment, placement, content_id, key)

    @contextmanager
    def reader(self) -> Iterator[ReadOriginal]:
        with closing(OneOpen(self._reader)) as one:
            yield one.read

    def scan(self) -> Iterator[tuple[bytes, Placement]]:
        for name in self.segment_names():
            yield from self.scan_segment(name)

    def scan_segment(self, name: str) -> Iterator[tuple[bytes, Placement]]:
        """Yield as `scan` for one segment, so that verify can go on behind a damaged one."""
        with self._reader(name) as segment:
            for record in segment.records():
                yield record.content_id, Placement(name, record.offset, record.length)

    def compact(self, keep: Mapping[bytes, Placement]) -> dict[bytes, Placement]:
        """Leaves out segments that are unfinished or changed within `settle_s`; see the config."""
        moved: dict[bytes, Placement] = {}
        for name in self.segment_names():
            if not self._is_settled(name):
                continue
            with self._reader(name) as segment:
                records = list(segment.records())
                kept = [record for record in records if _is_kept(record, name, keep)]
                if len(kept) < len(records):
                    moved.update(self._copied(segment, kept))
        return moved

    def drop(self, segments: Iterable[str]) -> int:
        """Leaves out segments as `compact` does; unknown names are ignored.

        Raises:
            Unavailable: The disk refused; some may be gone.
        """
        freed = 0
        try:
            for name in set(segments).intersection(self.segment_names()):
                if self._is_settled(name):
                    freed += self._path(name).stat().st_size
                    self._path(name).unlink()
            self._files.fsync_folder(self._config.segments)
        except OSError as error:
            raise unavailable(error, "removing segments") from error
        return freed

    def locked(self, segments: Iterable[str]) -> dict[str, LockState]:
        del segments  # files are not locked
        return {}

    def recover(self, acknowledged: Mapping[str, int]) -> list[Recovered]:
        """Finish every segment that a dead process left open; safe beside live writers.

        Args:
            acknowledged: Segment → where its last record ends that the catalogue refers to.

        Returns:
            One report for each segment that was unfinished; what has a problem was not touched.

        Raises:
            Unavailable: The disk refused; the rest may be done later.
        """
        done = []
        try:
            for name in self.segment_names():
                path, end = self._path(name), acknowledged.get(name, 0)
                done.append(recover_segment(self._files, path, self._config.archive_id, end))
        except OSError as error:
            raise unavailable(error, "finishing segments") from error
        return [report for report in done if report is not None]

    def segment_names(self) -> list[str]:
        """Return the names of all segments, oldest first."""
        return sorted(path.stem for path in self._config.segments.glob(f"*{_SUFFIX}"))

    def stats(self) -> VaultStats:
        """Return the present figures; cheap, nothing is read through."""
        sizes = [path.stat().st_size for path in self._config.segments.glob(f"*{_SUFFIX}")]
        return VaultStats(len(sizes), sum(sizes), self._failed_batches)

    def close(self) -> None:
        """Complete the open segment; the vault may be used again and begins a new one.

        Raises:
            Unavailable: The disk refused; the segment stays as after a crash, whole up to its end.
        """
        with self._lock:
            try:
                self._complete()
            except OSError as error:
                raise unavailable(error, "completing a segment") from error

    def _reader(self, name: str) -> SegmentReader:
        return SegmentReader(self._path(name), self._config.archive_id)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _append(self, bodies: Iterable[Body]) -> list[Placement]:
        with self._lock:
            try:
                return self._writable().append(bodies)
            except (OSError, Corrupt) as error:
                self._failed_batches += 1
                self._abandon()
                if isinstance(error, Corrupt):  # a record went bad while it was being moved
                    raise
                raise unavailable(error, "keeping originals") from error

    def _copied(
        self, segment: SegmentReader, records: Sequence[Record]
    ) -> Iterator[tuple[bytes, Placement]]:
        for start in range(0, len(records), _COPIED_AT_ONCE):
            some = records[start : start + _COPIED_AT_ONCE]
            bodies = (
                Body(record.content_id, record.size_bytes, record.body_bytes, segment.body(record))
                for record in some
            )
            ids = [record.content_id for record in some]
            yield from zip(ids, self._append(bodies), strict=True)

    def _is_settled(self, name: str) -> bool:
        path = self._path(name)
        if self._clock.now().timestamp() - path.stat().st_mtime < self._config.settle_s:
            return False
        with SegmentReader(path, self._config.archive_id) as segment:
            return segment.is_complete()

    def _writable(self) -> SegmentWriter:
        """Return the segment to write; the lock must be held."""
        if self._open is not None and self._open.pid != os.getpid():
            self._abandon()  # inherited through fork: its end belongs to the parent
        if self._open is not None and self._open.length >= self._config.segment_bytes:
            self._complete()
        if self._open is None:
            self._open = SegmentWriter(self._files, self._new_path(), self._config.archive_id)
        return self._open

    def _new_path(self) -> Path:
        stamp = int(self._clock.now().timestamp() * 1000)
        return self._path(f"{stamp:012x}-{secrets.token_hex(6)}")

    def _abandon(self) -> None:
        segment, self._open = self._open, None
        if segment is not None:
            segment.abandon()

    def _complete(self) -> None:
        segment, self._open = self._open, None
        if segment is not None:
            segment.complete()


def _is_kept(record: Record, name: str, keep: Mapping[bytes, Placement]) -> bool:
    return keep.get(record.content_id) == Placement(name, record.offset, record.length)
