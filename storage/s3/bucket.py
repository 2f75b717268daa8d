"""Read, list and delete the objects of one bucket; gives every failure its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import PreconditionError

from holdfast.core.errors import Corrupt
from holdfast.storage.s3.clients import Opener
from holdfast.storage.s3.failures import FAILURES, failure_of
from holdfast.storage.s3.objects import Content, Head, Listed, Pin, Stretch, head_of

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import S3Store

    from holdfast.storage.s3.config import BucketConfig

_NO_RANGE = {"InvalidRange", "416"}
_LISTED_AT_ONCE = 1000


@contextmanager
def failing(doing: str) -> Iterator[None]:
    """Turn what the clients raise into Unavailable; `doing` completes "while …"."""
    try:
        yield
    except FAILURES as error:
        raise failure_of(error).refusal(doing) from error


class Bucket:
    """One bucket; safe to share between threads, not across fork."""

    def __init__(self, config: BucketConfig) -> None:
        self.config = config
        self._open = Opener(config)
        self._is_versioned: bool | None = None

    @property
    def calls(self) -> Any:
        """boto3's client, for what has no word here; use it within `failing`."""
        return self._open().calls

    @property
    def once(self) -> S3Store:
        """Sends each request once."""
        return self._open().once

    @property
    def patient(self) -> S3Store:
        """Repeats requests that do no harm twice."""
        return self._open().patient

    def is_versioned(self) -> bool:
        """Tell whether objects have versions; asked once.

        Raises:
            Unavailable: The store cannot be used; the cause is as exact as the server tells.
        """
        if self._is_versioned is None:
            with failing("looking at the bucket"):
                answer = self.calls.get_bucket_versioning(Bucket=self.config.bucket)
            self._is_versioned = answer.get("Status") == "Enabled"
        return self._is_versioned

    def read(self, key: str) -> Content | None:
        """Return a whole object; None if there is none."""
        try:
            got = obstore.get(self.patient, key)
            meta = got.meta
            return Content(bytes(got.bytes()), meta["e_tag"] or "", meta["version"] or "")
        except FAILURES as error:
            failure = failure_of(error)
            if failure.is_absent:
                return None
            raise failure.refusal("reading the object store") from error

    def stretch(self, key: str, start: int, length: int, pin: Pin) -> Stretch | None:
        """Return at most `length` bytes from `start`, none behind the end; None without object.

        Raises:
            Corrupt: The object is not that of `pin` any more.
        """
        options: GetOptions = {"range": (start, start + length)}
        if pin.version:
            options["version"] = pin.version
        if pin.etag:
            options["if_match"] = pin.etag
        try:
            got = obstore.get(self.patient, key, options=options)
            return Stretch(bytes(got.bytes()), got.meta["size"], got.meta["e_tag"] or "")
        except PreconditionError:
            raise Corrupt("The object was replaced while it was read.", key=key) from None
        except FAILURES as error:
            failure = failure_of(error)
            if failure.is_absent:
                return None
            if failure.code not in _NO_RANGE:
                raise failure.refusal("reading originals") from error
        head = self.head(key, version=pin.version)
        return None if head is None else Stretch(b"", head.size, head.etag)

    def pieces(self, key: str, most_bytes: int) -> Iterator[bytes]:
        """Yield a whole object in order; memory stays bounded."""
        with failing("reading an object back"):
            for piece in obstore.get(self.patient, key).stream(most_bytes):
                yield bytes(piece)

    def head(self, key: str, *, version: str = "") -> Head | None:
        """Return what the server says of an object; None if there is none."""
        pinned = {"VersionId": version} if version else {}
        try:
            answer = self.calls.head_object(
                Bucket=self.config.bucket, Key=key, ChecksumMode="ENABLED", **pinned
            )
        except FAILURES as error:
            failure = failure_of(error)
            if failure.is_absent:
                return None
            raise failure.refusal("looking at an object") from error
        return head_of(answer)

    def listed(self, prefix: str) -> Iterator[Listed]:
        """Yield the objects under the prefix, which ends with a slash, in order of their keys."""
        with failing("listing objects"):
            for page in obstore.list(self.patient, prefix, chunk_size=_LISTED_AT_ONCE):
                for meta in page:
                    yield Listed(meta["path"], meta["size"], meta["last_modified"])

    def versions(self, prefix: str) -> Iterator[Listed]:
        """Yield all versions under the prefix by key, of each key the newest first.

        Those that a delete marker hides are there too; the markers are not.
        """
        yield from self._versions(prefix, "Versions")

    def markers(self, prefix: str) -> Iterator[Listed]:
        """Yield the delete markers under the prefix."""
        yield from self._versions(prefix, "DeleteMarkers")

    def delete(self, key: str, *, version: str = "") -> None:
        """Delete an object, or one version of it for good; an absent one is no error."""
        pinned = {"VersionId": version} if version else {}
        with failing("deleting an object"):
            self.calls.delete_object(Bucket=self.config.bucket, Key=key, **pinned)

    def abort_uploads(self, prefix: str, before: datetime) -> int:
        """Give up multipart uploads that began before this instant; return how many."""
        bucket = self.config.bucket
        gone = 0
        with failing("sweeping unfinished uploads"):
            pages = self.calls.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for one in page.get("Uploads", ()):
                    if one["Initiated"] < before:
                        self.calls.abort_multipart_upload(
                            Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"]
                        )
                        gone += 1
        return gone

    def _versions(self, prefix: str, kind: str) -> Iterator[Listed]:
        with failing("listing objects"):
            pages = self.calls.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.config.bucket, Prefix=prefix):
                for one in page.get(kind, ()):
                    size = one.get("Size", 0)
                    yield Listed(one["Key"], size, one["LastModified"], one["VersionId"])
