"""Prove that a store enforces Object Lock, by trying on a canary what it must refuse.

What a store says of itself is no proof: some accept every lock and let the object be deleted. Left
behind are one small object for each start, which the next proof after its date removes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from holdfast.core.errors import Refused, Unavailable
from holdfast.core.ports import LockMode
from holdfast.storage.s3.bucket import Bucket, failing
from holdfast.storage.s3.failures import FAILURES, failure_of
from holdfast.storage.s3.upload import put_new

if TYPE_CHECKING:
    from holdfast.core.ports import Clock
    from holdfast.storage.s3.config import BucketConfig

_FOLDER = "canary"
_RETAINED = timedelta(minutes=5)
_SHORTER = timedelta(minutes=1)
_BYPASS = {"BypassGovernanceRetention": True}
_NEXT_STEP = "Use a store that enforces Object Lock, or set vault.worm to off."
_MAKE_BUCKET = "Create a bucket with Object Lock, which also switches versions on."


def prove_worm(config: BucketConfig, mode: LockMode, clock: Clock) -> None:
    """Return only if the store refused every forbidden call on a locked canary.

    Raises:
        Refused: The bucket has no Object Lock, or a forbidden call succeeded (fact `forbidden`):
            nothing may be promised for this store.
        Unavailable: The store could not be asked, or gave no clear answer.
    """
    bucket = Bucket(config)
    _check_bucket(bucket)
    _sweep(bucket, clock.now())
    canary = _Canary(bucket, config.key(_FOLDER, secrets.token_hex(12)), mode, clock.now())
    canary.put()
    for forbidden, call in canary.forbidden():
        _check_refused(forbidden, call, bucket)
    canary.check_alive()


def _check_bucket(bucket: Bucket) -> None:
    enabled = ""
    if bucket.is_versioned():
        try:
            answer = bucket.calls.get_object_lock_configuration(Bucket=bucket.config.bucket)
            enabled = answer["ObjectLockConfiguration"].get("ObjectLockEnabled", "")
        except FAILURES as error:
            failure = failure_of(error)
            if failure.code not in {"ObjectLockConfigurationNotFoundError", "404"}:
                raise failure.refusal("reading the lock of the bucket") from error
    if enabled != "Enabled":
        raise Refused("The bucket has no Object Lock.", next_step=_MAKE_BUCKET)


def _sweep(bucket: Bucket, now: datetime) -> None:
    """Remove the canaries of earlier proofs whose date has passed."""
    for one in list(bucket.versions(bucket.config.key(_FOLDER, ""))):
        if now - one.modified_at > 2 * _RETAINED:
            with suppress(Unavailable):  # a default of the bucket may retain it for longer
                bucket.delete(one.key, version=one.version)


def _check_refused(forbidden: str, call: Callable[[], object], bucket: Bucket) -> None:
    try:
        call()
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if 400 <= status < 500 and status not in {408, 429}:
            return
        raise failure_of(error).refusal("proving Object Lock") from error
    except FAILURES as error:
        raise failure_of(error).refusal("proving Object Lock") from error
    with suppress(*FAILURES):  # if it was this: do not leave the bucket worse than it was
        _set_versioning(bucket, "Enabled")
    raise Refused(
        f"The object store does not enforce Object Lock: it let us {forbidden}.",
        next_step=_NEXT_STEP,
        forbidden=forbidden,
    )


def _set_versioning(bucket: Bucket, status: str) -> None:
    bucket.calls.put_bucket_versioning(
        Bucket=bucket.config.bucket, VersioningConfiguration={"Status": status}
    )


@dataclass(slots=True)
class _Canary:
    """One small locked object."""

    bucket: Bucket
    key: str
    mode: LockMode
    now: datetime
    version: str = ""

    def put(self) -> None:
        """Write and lock it."""
        self.version = put_new(self.bucket, self.key, b"canary").version
        with failing("locking the canary"):
            self._retain(self.mode, _RETAINED)

    def forbidden(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Yield what must be refused; the words complete "it let us …"."""
        yield "delete a locked version", self._delete
        yield "shorten a lock", lambda: self._retain(self.mode, _SHORTER)
        yield "suspend versioning", lambda: _set_versioning(self.bucket, "Suspended")
        if self.mode is LockMode.COMPLIANCE:
            yield "delete a locked version by bypassing", lambda: self._delete(**_BYPASS)
            yield (
                "shorten a lock by bypassing",
                lambda: self._retain(self.mode, _SHORTER, **_BYPASS),
            )
            weaker = LockMode.GOVERNANCE
            yield "weaken a lock by bypassing", lambda: self._retain(weaker, _RETAINED, **_BYPASS)
        with failing("putting a legal hold on the canary"):
            self._hold("ON")
        yield "delete a version under legal hold", lambda: self._delete(**_BYPASS)
        with failing("lifting the legal hold of the canary"):
            self._hold("OFF")

    def check_alive(self) -> None:
        """Refuse if it is gone although every call was refused."""
        if self.bucket.head(self.key, version=self.version) is None:
            raise Refused(
                "The object store does not enforce Object Lock: the canary is gone.",
                next_step=_NEXT_STEP,
                forbidden="lose a locked version",
            )

    def _delete(self, **options: Any) -> None:
        self.bucket.calls.delete_object(**self._pinned(), **options)

    def _retain(self, mode: LockMode, period: timedelta, **options: Any) -> None:
        self.bucket.calls.put_object_retention(
            **self._pinned(),
            Retention={"Mode": mode.value.upper(), "RetainUntilDate": self.now + period},
            **options,
        )

    def _hold(self, status: str) -> None:
        self.bucket.calls.put_object_legal_hold(**self._pinned(), LegalHold={"Status": status})

    def _pinned(self) -> dict[str, str]:
        return {
            "Bucket": self.bucket.config.bucket,
            "Key": self.key,
            "VersionId": self.version,
        }
