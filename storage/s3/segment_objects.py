"""Name the objects that are segments and pin each to its first version; knows no records.

Where a bucket has versions, a plain delete only hides an object and a plain write covers it. We
write a name once, so its first version is ours whatever has happened to the name since.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from holdfast.core.errors import NotFound

if TYPE_CHECKING:
    from holdfast.storage.s3.bucket import Bucket
    from holdfast.storage.s3.objects import Listed

_FOLDER = "segments"
_SUFFIX = ".seg"
_REMEMBERED = 65_536  # versions; about 150 bytes each


class SegmentObjects:
    """The segments under the prefix of one bucket; safe to share between threads."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = threading.Lock()
        self._versions: OrderedDict[str, str] = OrderedDict()

    @property
    def prefix(self) -> str:
        """Of all keys, with a slash at its end."""
        return self._bucket.config.key(_FOLDER, "")

    def key(self, name: str) -> str:
        """Return the key of a segment."""
        return self._bucket.config.key(_FOLDER, name + _SUFFIX)

    def listed(self) -> dict[str, Listed]:
        """Return what the bucket holds by name of segment, oldest first."""
        found: dict[str, Listed] = {}
        is_versioned = self._bucket.is_versioned()
        source = self._bucket.versions if is_versioned else self._bucket.listed
        for one in source(self.prefix):
            name = one.key.removeprefix(self.prefix)
            if name.endswith(_SUFFIX) and "/" not in name:
                found[name.removesuffix(_SUFFIX)] = one  # the last is the first version
        return dict(sorted(found.items()))

    def is_empty(self) -> bool:
        """Tell whether nothing is there at all; lists one page at most."""
        source = self._bucket.versions if self._bucket.is_versioned() else self._bucket.listed
        return next(source(self.prefix), None) is None

    def version(self, name: str) -> str:
        """Return the version that holds the segment; empty in a bucket without versions.

        Raises:
            NotFound: There is no such segment.
        """
        if not self._bucket.is_versioned():
            return ""
        with self._lock:
            known = self._versions.get(name)
        if known is not None:
            return known
        key = self.key(name)
        versions = [one.version for one in self._bucket.versions(key) if one.key == key]
        if not versions:
            raise NotFound("The segment is missing.", segment=name)
        self.remember(name, versions[-1])
        return versions[-1]

    def remember(self, name: str, version: str) -> None:
        """Keep in mind which version we wrote."""
        with self._lock:
            self._versions[name] = version
            if len(self._versions) > _REMEMBERED:
                self._versions.popitem(last=False)

    def remove(self, name: str) -> None:
        """Delete every version of the segment for good, the first one first.

        Raises:
            Unavailable: The store refused, as it does for a locked version; nothing we need is
                hidden by then.
        """
        key = self.key(name)
        if not self._bucket.is_versioned():
            self._bucket.delete(key)
            return
        versions = [one.version for one in self._bucket.versions(key) if one.key == key]
        markers = [one.version for one in self._bucket.markers(key) if one.key == key]
        for version in (*reversed(versions), *markers):
            self._bucket.delete(key, version=version)
        with self._lock:
            self._versions.pop(name, None)
