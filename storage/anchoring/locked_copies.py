"""Checkpoints as objects that nobody may delete before their date, not even their owner.

An object's key holds size and root, so that a listing alone tells what was kept. Only versions
count: a delete marker hides an object from people, not from this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from holdfast.core.errors import Corrupt, Unavailable
from holdfast.core.ports import LockMode
from holdfast.storage.checkpoint import Checkpoint
from holdfast.storage.object_lock import state_of
from holdfast.storage.s3.bucket import failing
from holdfast.storage.s3.canary import prove_worm
from holdfast.storage.s3.failures import FAILURES, failure_of
from holdfast.storage.s3.objects import Pin

if TYPE_CHECKING:
    from holdfast.core.ports import Clock
    from holdfast.storage.s3.bucket import Bucket

FOLDER = "anchors"
MOST_NOTE_BYTES = 64 * 1024
_NAME = re.compile(r"([0-9]{20})-([0-9a-f]{64})")
_THERE = {"PreconditionFailed", "412"}


@dataclass(frozen=True, slots=True)
class Copy:
    """One version of one object."""

    key: str
    version: str
    checkpoint: Checkpoint | None
    """What its key says; None where it is no key of ours."""


class LockedCopies:
    """The checkpoints of one log in one bucket."""

    def __init__(self, bucket: Bucket, clock: Clock, days: int) -> None:
        self._bucket = bucket
        self._clock = clock
        self._days = days

    @property
    def place(self) -> str:
        """Where they are, for people."""
        config = self._bucket.config
        return f"s3://{config.bucket}/{config.key(FOLDER)}"

    def add(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Keep a checkpoint under lock, after a proof that the store enforces locks.

        Raises:
            Refused: The store let a forbidden call succeed on a canary.
            Unavailable: It is not there, or nobody knows; repeating it is harmless.
        """
        prove_worm(self._bucket.config, LockMode.COMPLIANCE, self._clock)
        key = self._bucket.config.key(FOLDER, _name(checkpoint))
        until = (self._clock.now() + timedelta(days=self._days)).replace(microsecond=0)
        try:
            self._bucket.calls.put_object(
                Bucket=self._bucket.config.bucket,
                Key=key,
                Body=note,
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",
                ObjectLockMode=LockMode.COMPLIANCE.value.upper(),
                ObjectLockRetainUntilDate=until,
            )
        except FAILURES as error:
            failure = failure_of(error)
            if failure.code not in _THERE:  # kept before, by a run whose row was lost
                raise failure.refusal("keeping a checkpoint") from error
        self._check_kept(key, note)

    def kept(self, origin: str) -> Iterator[Copy]:
        """Yield every version of every object there, by its key, smallest size first.

        Raises:
            Unavailable: The store cannot be used.
        """
        prefix = self._bucket.config.key(FOLDER, "")
        for one in self._bucket.versions(prefix):
            yield Copy(one.key, one.version, _said(one.key.removeprefix(prefix), origin))

    def note_of(self, copy: Copy) -> bytes:
        """Return what one version holds.

        Raises:
            Corrupt: It is no checkpoint.
            Unavailable: The store cannot be used.
        """
        found = self._bucket.stretch(copy.key, 0, MOST_NOTE_BYTES, Pin(copy.version))
        if found is None or found.total > MOST_NOTE_BYTES:
            raise Corrupt("It is no checkpoint.", key=copy.key)
        return found.data

    def is_locked(self, copy: Copy) -> bool:
        """Tell whether the store says that nobody may delete this version now."""
        head = self._bucket.head(copy.key, version=copy.version)
        state = None if head is None else state_of(head)
        is_strict = state is not None and state.mode is LockMode.COMPLIANCE
        until = None if state is None else state.until
        return is_strict and until is not None and until > self._clock.now()

    def _check_kept(self, key: str, note: bytes) -> None:
        """Look at what is there: a store may take a lock and forget it."""
        with failing("looking at a kept checkpoint"):
            versions = list(self._bucket.versions(key))
        copies = [Copy(one.key, one.version, None) for one in versions if one.key == key]
        if not any(self.is_locked(one) and self.note_of(one) == note for one in copies):
            raise Unavailable(
                "The object store does not hold the checkpoint under lock.",
                next_step="Check that its bucket has Object Lock, and what the key may do there.",
            )


def _name(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.size:020d}-{checkpoint.root.hex()}"


def _said(name: str, origin: str) -> Checkpoint | None:
    found = _NAME.fullmatch(name)
    return found and Checkpoint(origin, int(found[1]), bytes.fromhex(found[2]))
