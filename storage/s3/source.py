"""Read an object as a segment, a window at a time; the object must stay the same meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.errors import NotFound
from holdfast.storage.s3.objects import Pin

if TYPE_CHECKING:
    from holdfast.storage.s3.bucket import Bucket

WINDOW_BYTES = 4 * 1024 * 1024
"""Most bytes of an object held in memory at once."""


class ObjectSource:
    """One version of one object, as `segments.Source`."""

    def __init__(self, bucket: Bucket, key: str, *, version: str = "") -> None:
        self.name = key.rpartition("/")[2].partition(".")[0]
        self.length = 0
        self._bucket = bucket
        self._key = key
        self._pin = Pin(version)
        self._window = b""
        self._start = 0

    def opened(self, start: int, length: int) -> ObjectSource:
        """Read the first window, and with it the object's length; returns itself.

        Raises:
            NotFound: There is no such object.
        """
        length = min(length, WINDOW_BYTES)
        found = self._bucket.stretch(self._key, start, length, self._pin)
        if found is None:
            raise NotFound("The segment is missing.", segment=self.name)
        self.length = found.total
        self._pin = Pin(self._pin.version, found.etag)
        self._window, self._start = found.data, start
        return self

    def read(self, length: int, offset: int) -> bytes:
        length = min(length, self.length - offset)
        if length <= 0:
            return b""
        if not self._start <= offset <= offset + length <= self._start + len(self._window):
            self.opened(offset, max(length, WINDOW_BYTES))
        start = offset - self._start
        return self._window[start : start + length]

    def close(self) -> None:
        self._window = b""
