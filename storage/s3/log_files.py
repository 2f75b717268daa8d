"""Keep the files of a tlog-tiles log in a bucket, for several hosts at a time; knows no hashes.

A tile is written once. The checkpoint is replaced on condition that it is the one that was read, so
of two hosts that extend the log at the same time one is told to look again.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict, Unavailable
from holdfast.storage.s3.upload import put_new, replace
from holdfast.storage.tile_files import CHECKPOINT

if TYPE_CHECKING:
    from holdfast.core.ports import Clock
    from holdfast.storage.s3.bucket import Bucket

_FOLDER = "log"
_WRITTEN_AT_ONCE = 8
_STALE = timedelta(minutes=10)


class BucketFiles:
    """A log under the prefix of a bucket, as `tile_files.LogFiles`."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        self._bucket = bucket
        self._clock = clock

    @property
    def place(self) -> str:
        return f"s3://{self._bucket.config.bucket}/{self._key('')}"

    def begin(self, note: bytes) -> None:
        try:
            put_new(self._bucket, self._key(CHECKPOINT), note)
        except Conflict as error:
            raise Conflict("A log is there already.", folder=self.place) from error

    def read(self, name: str) -> bytes | None:
        found = self._bucket.read(self._key(name))
        return None if found is None else found.data

    def write(self, contents: Mapping[str, bytes]) -> None:
        with ThreadPoolExecutor(_WRITTEN_AT_ONCE) as writers:
            for _ in writers.map(self._write, contents, contents.values()):
                pass

    def publish(self, note: bytes, over: bytes) -> None:
        key = self._key(CHECKPOINT)
        found = self._bucket.read(key)
        if found is None or found.data != over:
            raise _extended()
        try:
            replace(self._bucket, key, note, found.etag)
        except Conflict as error:
            raise _extended() from error
        if found.version:  # or there would be one more each second
            with suppress(Unavailable):
                self._bucket.delete(key, version=found.version)

    def forget_partials(self, name: str) -> None:
        prefix = self._key(f"{name}.p/")
        with suppress(Unavailable):
            if self._bucket.is_versioned():
                for one in [*self._bucket.versions(prefix), *self._bucket.markers(prefix)]:
                    self._bucket.delete(one.key, version=one.version)
            else:
                for one in list(self._bucket.listed(prefix)):
                    self._bucket.delete(one.key)

    def _key(self, name: str) -> str:
        return self._bucket.config.key(_FOLDER, name)

    def _write(self, name: str, data: bytes) -> None:
        key = self._key(name)
        try:
            put_new(self._bucket, key, data)
        except Conflict as error:
            self._replace_stale(key, data, error)

    def _replace_stale(self, key: str, data: bytes, error: Conflict) -> None:
        """Write over what a dead writer left; a living one may be about to publish it."""
        head = self._bucket.head(key)
        if head is None or self._clock.now() - head.modified_at < _STALE:
            raise Unavailable(
                "Another host is extending the audit log with other entries.",
                next_step="It is tried again by itself.",
            ) from error
        replace(self._bucket, key, data, head.etag)


def _extended() -> Conflict:
    return Conflict("Another process has extended the audit log.", next_step="Try again.")
