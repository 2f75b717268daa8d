"""Write objects so that a write counts only when the server says what it holds.

Asked are the length and the checksum that the server itself computed. The outcome of a write that
failed half way is looked up the same way and never guessed.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from holdfast.core.errors import Conflict, Unavailable
from holdfast.storage.s3.failures import FAILURES, Failure, failure_of

if TYPE_CHECKING:
    from obstore import PutMode

    from holdfast.storage.s3.bucket import Bucket
    from holdfast.storage.s3.objects import Head

PART_BYTES = 8 * 1024 * 1024
"""Of a multipart upload; it may have 10,000 parts, so 80 GiB."""
_PARTS_AT_ONCE = 2
_DOING = "keeping originals"


@dataclass(frozen=True, slots=True)
class _Expected:
    """What must be there after a write."""

    key: str
    size: int
    checksum: str
    digest: bytes
    """SHA-256 of the whole."""


def put_new(bucket: Bucket, key: str, data: bytes) -> Head:
    """Write an object that must not exist, and return what the server holds of it.

    Raises:
        Conflict: Another object has this key.
        Unavailable: It is not there, or nobody knows: then it is an orphan at most.
    """
    return _written(bucket, key, data, "create")


def replace(bucket: Bucket, key: str, data: bytes, etag: str) -> Head:
    """Write over the object that has this etag.

    Raises:
        Conflict: The object is another by now.
        Unavailable: The old object is still there, or the new one is.
    """
    return _written(bucket, key, data, {"e_tag": etag})


def put_long(bucket: Bucket, key: str, pieces: Iterable[bytes], size: int) -> Head:
    """Write a long object in parts, under a key that nobody else uses; memory stays bounded.

    It cannot be conditional everywhere, so the key must be new by chance.

    Raises:
        OSError: The pieces could not be read.
        Unavailable: As `put_new`; parts of it may wait to be swept.
    """
    tally = _Tally()
    failure: Failure | None = None
    try:
        obstore.put(
            bucket.patient,
            key,
            tally.counted(pieces),
            use_multipart=True,
            chunk_size=PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
        )
    except FAILURES as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the spool file is missing, not the object
        failure = failure_of(error)
    if tally.size == size:  # all was sent: only the answer to it may be missing
        head = bucket.head(key)
        if head is not None and _holds(bucket, head, tally.expected(key)):
            return head
    raise _lost(key) if failure is None else failure.refusal(_DOING)


class _Tally:
    """Sums up pieces as they pass, in parts and as a whole."""

    def __init__(self) -> None:
        self.size = 0
        self._whole = hashlib.sha256()
        self._part = hashlib.sha256()
        self._parts: list[bytes] = []

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the pieces on."""
        for piece in pieces:
            self._whole.update(piece)
            self._add(memoryview(piece))
            yield piece

    def expected(self, key: str) -> _Expected:
        """Return what an upload of these pieces must have made."""
        parts = [*self._parts, self._part.digest()] if self.size % PART_BYTES else self._parts
        checksum = f"{_base64(hashlib.sha256(b''.join(parts)).digest())}-{len(parts)}"
        return _Expected(key, self.size, checksum, self._whole.digest())

    def _add(self, rest: memoryview) -> None:
        while rest:
            room = PART_BYTES - self.size % PART_BYTES
            self._part.update(rest[:room])
            self.size += len(rest[:room])
            rest = rest[room:]
            if self.size % PART_BYTES == 0:
                self._parts.append(self._part.digest())
                self._part = hashlib.sha256()


def _written(bucket: Bucket, key: str, data: bytes, mode: PutMode) -> Head:
    """Send a write until it is known to have happened, or to be hopeless."""
    digest = hashlib.sha256(data).digest()
    expected = _Expected(key, len(data), _base64(digest), digest)
    attempt = 1
    while True:
        taken, failure = _sent(bucket, key, data, mode)
        if failure is not None and not failure.is_passing:
            raise failure.refusal(_DOING)
        head = bucket.head(key)
        if head is not None and _holds(bucket, head, expected):
            return head  # also when an earlier attempt had arrived, whose answer was lost
        if taken:
            raise Conflict("Another object has this key by now.", key=key)
        if failure is None:
            raise _lost(key)
        if attempt == bucket.config.attempts:
            raise failure.refusal(_DOING)
        _pause(bucket.config.pause_s, attempt)
        attempt += 1


def _sent(bucket: Bucket, key: str, data: bytes, mode: PutMode) -> tuple[bool, Failure | None]:
    """Return whether the condition failed, and how the request did."""
    try:
        obstore.put(bucket.once, key, data, mode=mode, use_multipart=False)
    except (AlreadyExistsError, PreconditionError) as error:
        failure = failure_of(error)  # or two writers met, of whom one shall come again
        return not failure.is_passing, failure if failure.is_passing else None
    except FAILURES as error:
        return False, failure_of(error)
    return False, None


def _holds(bucket: Bucket, head: Head, expected: _Expected) -> bool:
    if head.size != expected.size:
        return False
    if head.checksum and ("-" in head.checksum) == ("-" in expected.checksum):
        return head.checksum == expected.checksum
    digest = hashlib.sha256()  # the server keeps no checksum of this kind: read it back
    for piece in bucket.pieces(expected.key, PART_BYTES):
        digest.update(piece)
    return digest.digest() == expected.digest


def _lost(key: str) -> Unavailable:
    return Unavailable(
        "The object store does not hold what it acknowledged.",
        next_step="Check the object store's health before it is used again.",
        key=key,
    )


def _pause(first_s: float, attempt: int) -> None:
    chance = 1 + secrets.randbelow(1000) / 1000  # so that hosts do not come back together
    time.sleep(first_s * 2 ** (attempt - 1) * chance)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
