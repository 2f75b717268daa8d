"""Makes of the settings where checkpoints are anchored; it opens no place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.ingest.anchoring import Anchoring
from holdfast.settings import secret
from holdfast.storage.anchoring.places import Places
from holdfast.storage.anchoring.witness import Witness
from holdfast.wiring.engines import bucket_config, need_client

if TYPE_CHECKING:
    from holdfast.core.ports import Clock
    from holdfast.ingest.outbound.stamping import Authority
    from holdfast.settings import Settings
    from holdfast.storage.anchoring.locked_copies import LockedCopies
    from holdfast.storage.s3.config import BucketConfig


def anchoring(settings: Settings, clock: Clock) -> Anchoring:
    """Return where the checkpoints of this archive go."""
    chosen = settings.anchors
    witness = None if chosen.witness_file is None else Witness(chosen.witness_file.absolute())
    places = Places(
        chosen.tsa_ca_file,
        witness,
        (lambda: _copies(settings, clock)) if chosen.lock else None,
    )
    return Anchoring(places, _authority(settings), chosen.every_minutes)


def _authority(settings: Settings) -> Authority | None:
    chosen = settings.anchors
    if not chosen.tsa_url:
        return None
    from holdfast.ingest.outbound.stamping import Authority

    return Authority(chosen.tsa_url, chosen.tsa_private_allowed, chosen.tsa_tls_ca_file)


def _copies(settings: Settings, clock: Clock) -> LockedCopies:
    need_client("obstore", "S3")
    from holdfast.storage.anchoring.locked_copies import LockedCopies
    from holdfast.storage.s3.bucket import Bucket

    return LockedCopies(Bucket(_bucket(settings)), clock, settings.anchors.lock_days)


def _bucket(settings: Settings) -> BucketConfig:
    """Return the bucket of the locked copies; what is not said is as the vault has it."""
    chosen = settings.anchors
    config = bucket_config(settings, chosen.lock_url)
    return replace(
        config,
        endpoint=chosen.lock_endpoint or config.endpoint,
        region=chosen.lock_region or config.region,
        access_key=chosen.lock_access_key or config.access_key,
        secret_key=secret(chosen, "lock_secret_key") or config.secret_key,
    )
