from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import server_s3
from conformance.vault import VAULT_CHECKS, VaultUnderTest
from holdfast.storage.s3_vault import S3Vault, S3VaultConfig
from vault_kit import ARCHIVE_ID, SetClock


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server_s3.S3Server]:
    with server_s3.running(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.mark.parametrize("is_versioned", [False, True], ids=["plain", "versioned"])
@pytest.mark.parametrize("check", VAULT_CHECKS, ids=lambda check: check.__name__)
def test_s3_vault_conforms(
    check: Callable[[VaultUnderTest], None],
    is_versioned: bool,  # noqa: FBT001
    s3_server: server_s3.S3Server,
    tmp_path: Path,
) -> None:
    clock = SetClock()
    bucket = s3_server.new_bucket(is_locking=is_versioned)
    vault = S3Vault(S3VaultConfig(bucket, ARCHIVE_ID, settle_s=60), clock)
    check(VaultUnderTest(vault, lambda: clock.pass_time(120), spool=tmp_path))
