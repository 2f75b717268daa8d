"""What tests of the vault in a bucket share."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.core.ports import Placement, Prepared
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
