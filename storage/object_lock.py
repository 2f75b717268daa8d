"""Drive Object Lock of an S3-compatible store, and prove that the store enforces it.

Never uses the right to bypass a lock, except to prove that it does not help.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from holdfast.core.errors import Locked, NotFound
from holdfast.core.ports import LockMode, LockState
from holdfast.storage.s3.bucket import failing
from holdfast.storage.s3.failures import FAILURES, failure_of

if TYPE_CHECKING:
    from holdfast.storage.s3.bucket import Bucket
    from holdfast.storage.s3.objects import Head
    from holdfast.storage.s3.segment_objects import SegmentObjects


class ObjectLocks:
    """Locks of the segments in one bucket, each on the version that holds it.

    One object is one group commit and holds many originals, so its date is that of its latest
    member. Disposal of one member before that date destroys its key; the object stays until then.
    """

    def __init__(self, bucket: Bucket, segments: SegmentObjects) -> None:
        self._bucket = bucket
        self._segments = segments

    def retain_until(self, name: str, until: datetime, mode: LockMode) -> None:
        self.retain(name, self.state(name), until, mode)

    def retain(self, name: str, state: LockState, until: datetime, mode: LockMode) -> None:
        """Retain as `retain_until` a segment whose present state is known."""
        until = _whole_second(until)
        if state.until is not None and until < state.until:
            raise locked("The lock of a segment only moves forward.", name, state)
        if (state.until, state.mode) == (until, mode):
            return
        try:
            self._bucket.calls.put_object_retention(
                **self._pinned(name),
                Retention={"Mode": mode.value.upper(), "RetainUntilDate": until},
            )
        except FAILURES as error:
            failure = failure_of(error)
            if failure.code == "AccessDenied" and state.mode not in {None, mode}:
                raise locked("The mode of a lock may not be changed.", name, state) from error
            raise failure.refusal("locking a segment") from error

    def set_hold(self, name: str, *, is_on: bool) -> None:
        with failing("switching a legal hold"):
            self._bucket.calls.put_object_legal_hold(
                **self._pinned(name), LegalHold={"Status": "ON" if is_on else "OFF"}
            )

    def state(self, name: str) -> LockState:
        key, version = self._segments.key(name), self._segments.version(name)
        head = self._bucket.head(key, version=version)
        if head is None:
            raise NotFound("The segment is missing.", segment=name)
        return state_of(head)

    def _pinned(self, name: str) -> dict[str, str]:
        return {
            "Bucket": self._bucket.config.bucket,
            "Key": self._segments.key(name),
            "VersionId": self._segments.version(name),
        }


def _whole_second(instant: datetime) -> datetime:
    """Return the instant or the next whole second: stores drop what is finer, and that is less."""
    return (instant + timedelta(microseconds=999_999)).replace(microsecond=0)


def state_of(head: Head) -> LockState:
    """Return the locks among the facts of an object."""
    mode = LockMode(head.lock_mode.lower()) if head.lock_mode else None
    return LockState(mode, head.retain_until, head.is_held)


def is_locked(state: LockState, now: datetime) -> bool:
    """Tell whether the store must refuse to delete it at this instant."""
    return state.is_on_hold or (state.until is not None and state.until > now)


def locked(cause: str, name: str, state: LockState) -> Locked:
    """Return the refusal that names the date, or the hold; more facts may be added to it."""
    until = state.until.isoformat() if state.until else ""
    reasons = [f"It is locked until {until}."] if until else []
    if state.is_on_hold:
        reasons.append("A legal hold is on it.")
    mode = state.mode.value if state.mode else ""
    text = " ".join([cause, *reasons])
    return Locked(text, segment=name, until=until, mode=mode, hold=state.is_on_hold)
