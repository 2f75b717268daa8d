"""An archive in WORM mode: proved at the start, refused where the store does not lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive_kit import bring_in, kept, message, opened, settings_in, write_mbox
from holdfast.core.errors import Refused, Unavailable
from holdfast.core.ports import LockMode
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.facts import fact
from holdfast.storage.s3_vault import S3Vault
from holdfast.wiring.engines import WORM_PROOF
from holdfast.wiring.founding import create_archive
from server_s3 import vault_in


def settings_of(bucket: Any, folder: Path, **changes: Any) -> Settings:
    vault = {**vault_in(bucket), "worm": "governance", "retain_days": 1}
    return settings_in(folder, vault=vault | changes)


def test_originals_are_locked_and_the_proof_is_not_repeated_at_once(
    s3_server: Any, tmp_path: Path
) -> None:
    settings = settings_of(s3_server.new_bucket(is_locking=True), tmp_path)
    raw = [message(number) for number in range(3)]
    bring_in(settings, write_mbox(tmp_path / "box.mbox", raw))
    assert kept(settings) == raw
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            proved = fact(connection, WORM_PROOF)
        (segment,) = services.vault.segment_names()
        assert isinstance(services.vault, S3Vault)
        assert services.vault.locks.state(segment).mode is LockMode.GOVERNANCE
    with opened(settings) as services, reading(services.store.engine) as connection:
        assert fact(connection, WORM_PROOF) == proved


def test_bucket_without_object_lock_is_refused(s3_server: Any, tmp_path: Path) -> None:
    settings = settings_of(s3_server.new_bucket(), tmp_path)
    with pytest.raises(Refused, match="Object Lock"):
        create_archive(settings)


def test_empty_bucket_beside_a_catalogue_that_knows_originals_is_refused(
    s3_server: Any, tmp_path: Path
) -> None:
    settings = settings_of(s3_server.new_bucket(), tmp_path, worm="off")
    bring_in(settings, write_mbox(tmp_path / "box.mbox", [message(1)]))
    moved = settings.vault.model_copy(update={"url": settings.vault.url + "-gone"})
    elsewhere = settings.model_copy(update={"vault": moved})
    with pytest.raises(Unavailable, match="is empty"), opened(elsewhere):
        pass
