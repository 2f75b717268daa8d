"""Keep originals as objects in an S3-compatible store; holds no keys and asks no catalogue.

One group commit is one object, laid out as a complete segment, so that what reads and moves
segment files reads and moves these. An object is written under a new name on condition that the
name is free, and counts when the store has told its length and checksum. A long original is an
object of its own, uploaded in parts.

What a dead process leaves is whole objects that no catalogue refers to, which compaction drops once
they are `settle_s` old, and unfinished uploads, which `recover` gives up.

A locked object holds many originals until the date of the last of them. An original that must go
earlier goes by its key: what stays in the object is noise to everybody.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from holdfast.core.errors import Conflict, Unavailable
from holdfast.core.ports import Clock, LockMode, LockState, Placement, Prepared, ReadOriginal
from holdfast.storage.durable import unavailable
from holdfast.storage.object_lock import ObjectLocks, is_locked, locked, state_of
from holdfast.storage.record_reading import original_in
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3.objects import Listed
from holdfast.storage.s3.packing import END_BYTES, Pack, grouped
from holdfast.storage.s3.segment_objects import SegmentObjects
from holdfast.storage.s3.source import WINDOW_BYTES, ObjectSource
from holdfast.storage.s3.upload import put_long, put_new
from holdfast.storage.segment_recovery import Recovered
from holdfast.storage.segment_writer import Body, body_of
from holdfast.storage.segments import Part, Record, SegmentReader

_STRICTNESS = (LockMode.GOVERNANCE, LockMode.COMPLIANCE)


@dataclass(frozen=True, slots=True)
class Worm:
    """Lock every object that is written."""

    mode: LockMode
    retain_days: int
    """From the commit on; retention rules may move the date forward, never back."""


@dataclass(frozen=True, slots=True)
class S3VaultConfig:
    """Which bucket holds the segments, and how they are written."""

    bucket: BucketConfig
    archive_id: bytes
    """16 bytes; a segment of another archive is refused."""
    worm: Worm | None = None
    """None leaves objects without locks."""
    object_bytes: int = 16 * 1024 * 1024
    """A batch with more is cut into several objects; it is in memory once. A longer original is
    uploaded in parts."""
    settle_s: int = 3600
    """Compaction leaves an object alone until it is this old, because a batch may be kept here
    before the catalogue knows it."""
    join_below_bytes: int = 4 * 1024 * 1024
    """Compaction joins objects shorter than this to larger ones; 0 never."""


@dataclass(frozen=True, slots=True)
class VaultStats:
    """What the bucket holds."""

    segments: int
    size_bytes: int
    """Of all segments."""
    failed_batches: int
    """Batches that this process refused since it started."""


class S3Vault:
    """The vault of many hosts; safe to share between threads, opened after any fork."""

    def __init__(self, config: S3VaultConfig, clock: Clock, bucket: Bucket | None = None) -> None:
        """Send nothing yet; `check` does."""
        self._config = config
        self._clock = clock
        self._bucket = bucket or Bucket(config.bucket)
        self._segments = SegmentObjects(self._bucket)
        self._failed_batches = 0
        self.locks = ObjectLocks(self._bucket, self._segments)

    def check(self) -> None:
        """Ask the store for something small.

        Raises:
            Unavailable: It cannot be used; cause and next step are as exact as the server tells.
        """
        self._bucket.is_versioned()

    def is_empty(self) -> bool:
        """Tell whether there is no segment at all; cheap in a bucket of any size.

        A vault that is empty beside a catalogue that knows originals is the wrong bucket or prefix.
        """
        return self._segments.is_empty()

    def append(self, batch: Sequence[Prepared]) -> list[Placement]:
        try:
            return self._append(map(body_of, batch))
        except Conflict as error:
            self._failed_batches += 1
            cause = "Another object has the name that was made up for this one."
            raise Unavailable(cause, next_step="It is tried again by itself.") from error
        except (Unavailable, OSError) as error:
            self._failed_batches += 1
            if isinstance(error, OSError):  # a spool file
                raise unavailable(error, "keeping originals") from error
            raise

    def read(self, placement: Placement, content_id: bytes, key: bytes) -> Iterator[bytes]:
        with self._reader(placement.segment, placement.offset, placement.length) as segment:
            yield from original_in(segment, placement, content_id, key)

    def reader(self) -> AbstractContextManager[ReadOriginal]:
        """Save nothing: an object is asked for exactly the bytes of each record."""
        return nullcontext(self.read)

    def segment_names(self) -> list[str]:
        return list(self._segments.listed())

    def scan(self) -> Iterator[tuple[bytes, Placement]]:
        """Yield (content id, placement) of every record, oldest segment first."""
        for name in self.segment_names():
            yield from self.scan_segment(name)

    def scan_segment(self, name: str) -> Iterator[tuple[bytes, Placement]]:
        """Raises Corrupt also for a segment without its end: an object has no torn tail."""
        with self._reader(name, 0, WINDOW_BYTES) as segment:
            for record in segment.records():
                yield record.content_id, Placement(name, record.offset, record.length)
            if not segment.is_complete():
                raise segment.damage("The segment has no end.", segment.length)

    def compact(self, keep: Mapping[bytes, Placement]) -> dict[bytes, Placement]:
        """Also joins small objects to larger ones; only what moves is read through.

        Leaves out objects younger than `settle_s`, and locked ones, which would stay anyway.
        """
        wanted = Counter(place.segment for place in keep.values())
        moved: dict[bytes, Placement] = {}
        small: list[str] = []
        for name, one in self._segments.listed().items():
            if not wanted[name] or not self._is_settled(one):
                continue
            if wanted[name] < self._record_count(name, one.size):
                if not self._is_locked(name):
                    moved.update(self._copied([name], keep))
            elif one.size < self._config.join_below_bytes and not self._is_locked(name):
                small.append(name)
        if len(small) > 1:
            moved.update(self._copied(small, keep))
        return moved

    def drop(self, segments: Iterable[str]) -> int:
        """Leaves out objects younger than `settle_s`; unknown names are ignored.

        Raises:
            Locked: Objects are locked; every other one is gone. Facts: `until`, the earliest date;
                `segments`, all that stay; `freed_bytes`.
            Unavailable: The store refused; some may be gone.
        """
        listed = self._segments.listed()
        wanted = [name for name in dict.fromkeys(segments) if name in listed]
        freed = 0
        staying: list[tuple[str, LockState]] = []
        for name in wanted:
            if not self._is_settled(listed[name]):
                continue
            state = self.locks.state(name)
            if is_locked(state, self._clock.now()):
                staying.append((name, state))
                continue
            self._segments.remove(name)
            freed += listed[name].size
        if staying:
            staying.sort(key=lambda one: (one[1].is_on_hold, one[1].until))
            name, state = staying[0]
            names = [name for name, _ in staying]
            refusal = locked("Segments cannot be removed yet.", name, state)
            refusal.facts.update(segments=names, freed_bytes=freed)
            raise refusal
        return freed

    def locked(self, segments: Iterable[str]) -> dict[str, LockState]:
        states = {name: self.locks.state(name) for name in segments}
        now = self._clock.now()
        return {name: state for name, state in states.items() if is_locked(state, now)}

    def recover(self, acknowledged: Mapping[str, int]) -> list[Recovered]:
        """Give up uploads that a dead process left unfinished; objects are always finished."""
        del acknowledged  # nothing of an object can be torn
        before = self._clock.now() - timedelta(seconds=self._config.settle_s)
        self._bucket.abort_uploads(self._segments.prefix, before)
        return []

    def stats(self) -> VaultStats:
        """Return the present figures; lists the whole bucket."""
        sizes = [one.size for one in self._segments.listed().values()]
        return VaultStats(len(sizes), sum(sizes), self._failed_batches)

    def close(self) -> None:
        """Nothing is left open; the vault may be used again."""

    def _append(self, bodies: Iterable[Body]) -> list[Placement]:
        places: list[Placement] = []
        for group in grouped(bodies, self._config.object_bytes):
            pack = Pack(self._new_name(), group)
            self._put(pack)
            places += pack.placements()
        return places

    def _put(self, pack: Pack) -> None:
        key = self._segments.key(pack.name)
        pieces = pack.pieces(self._config.archive_id)
        is_versioned = self._bucket.is_versioned()
        if len(pack.bodies) == 1 and pack.length > self._config.object_bytes:
            head = put_long(self._bucket, key, pieces, pack.length)
        else:
            head = put_new(self._bucket, key, b"".join(pieces))
        if is_versioned:
            self._segments.remember(pack.name, head.version)
        worm = self._config.worm
        if worm is not None:
            state = state_of(head)  # a default of the bucket may have locked it for longer already
            until = self._clock.now() + timedelta(days=worm.retain_days)
            if state.until is None or state.until < until:
                mode = max(worm.mode, state.mode or worm.mode, key=_STRICTNESS.index)
                self.locks.retain(pack.name, state, until, mode)

    def _reader(self, name: str, start: int, length: int) -> SegmentReader:
        key, version = self._segments.key(name), self._segments.version(name)
        source = ObjectSource(self._bucket, key, version=version).opened(start, length)
        return SegmentReader(source, self._config.archive_id)

    def _record_count(self, name: str, size: int) -> int:
        """Read it from the object's end."""
        with self._reader(name, max(size - END_BYTES, 0), END_BYTES) as segment:
            end = segment.record_at(segment.length - END_BYTES)
            if end is None or end.part is not Part.END:
                raise segment.damage("The segment has no end.", segment.length)
            return end.size_bytes

    def _copied(
        self, names: Sequence[str], keep: Mapping[bytes, Placement]
    ) -> dict[bytes, Placement]:
        """Write what is kept of these segments into new objects; errors as `append`."""
        ids: list[bytes] = []
        places = self._append(self._kept_bodies(names, keep, ids))
        return dict(zip(ids, places, strict=True))

    def _kept_bodies(
        self, names: Sequence[str], keep: Mapping[bytes, Placement], ids: list[bytes]
    ) -> Iterator[Body]:
        for name in names:
            with self._reader(name, 0, WINDOW_BYTES) as segment:
                for record in segment.records():
                    if _is_kept(record, name, keep):
                        ids.append(record.content_id)
                        pieces = segment.body(record)  # read later, again window by window
                        yield Body(record.content_id, record.size_bytes, record.body_bytes, pieces)

    def _is_settled(self, one: Listed) -> bool:
        return self._clock.now() - one.modified_at >= timedelta(seconds=self._config.settle_s)

    def _is_locked(self, name: str) -> bool:
        return is_locked(self.locks.state(name), self._clock.now())

    def _new_name(self) -> str:
        stamp = int(self._clock.now().timestamp() * 1000)
        return f"{stamp:012x}-{secrets.token_hex(6)}"


def _is_kept(record: Record, name: str, keep: Mapping[bytes, Placement]) -> bool:
    return keep.get(record.content_id) == Placement(name, record.offset, record.length)
