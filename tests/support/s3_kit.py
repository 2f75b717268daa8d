"""What tests of the vault in a bucket share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from holdfast.core.errors import HoldfastError, Locked
from holdfast.core.ports import LockMode, LockState, Placement, Prepared
from holdfast.storage.frames import prepare
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3_vault import S3Vault, S3VaultConfig, Worm
from vault_kit import ARCHIVE_ID, SetClock

SETTLE_S = 60


def bucket_vault(
    bucket: BucketConfig,
    clock: SetClock | None = None,
    worm: Worm | None = None,
    object_bytes: int = 16 * 1024 * 1024,
) -> S3Vault:
    """Open a vault in the bucket."""
    config = S3VaultConfig(bucket, ARCHIVE_ID, worm, object_bytes, SETTLE_S)
    return S3Vault(config, clock or SetClock())


def letters(*texts: bytes) -> list[Prepared]:
    """Prepare originals."""
    return [prepare(text, spool=None) for text in texts]


def read(vault: S3Vault, prepared: Prepared, place: Placement) -> bytes:
    """Return a whole original."""
    return b"".join(vault.read(place, prepared.content_id, prepared.key))


def key_of(bucket: BucketConfig, place: Placement) -> str:
    """Return the object's key."""
    return bucket.key("segments", f"{place.segment}.seg")


def texts(vault: S3Vault, kept: Sequence[tuple[Prepared, Placement]]) -> list[bytes]:
    """Read back what was kept."""
    return [read(vault, *pair) for pair in kept]


def in_days(days: float) -> datetime:
    """Return the instant so many days from now, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


def lock_only_moves_forward(vault: S3Vault, name: str, mode: LockMode) -> None:
    """F57: the date of a lock is never made earlier, and the refusal names the one that stands.

    Raises:
        AssertionError: It moved back, or nobody but the store refused.
    """
    first, last = in_days(10), in_days(20)
    for until in (first, last, last):
        vault.locks.retain_until(name, until, mode)
        assert vault.locks.state(name) == LockState(mode, until)
    for until in (first, last - timedelta(seconds=1), in_days(-1)):
        told = None
        try:
            vault.locks.retain_until(name, until, mode)
        except Locked as error:
            told = error.facts["until"]
        except HoldfastError:
            told = None
        assert told == last.isoformat(), "moved back, or refused by the store alone"
    assert vault.locks.state(name) == LockState(mode, last)
