"""What tests of the vault share: clocks, small vaults, and tiny disks that really fill up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.storage.durable import Files
from holdfast.storage.local_vault import LocalVault, LocalVaultConfig

ARCHIVE_ID = bytes(range(16))


class SetClock:
    """Stands still until it is moved; begins at the system's present, as file times do."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Move forward."""
        self._now += timedelta(seconds=seconds)


def vault_config(folder: Path, *, segment_bytes: int = 1 << 28) -> LocalVaultConfig:
    """Return a configuration with short waits."""
    return LocalVaultConfig(folder, ARCHIVE_ID, segment_bytes=segment_bytes, settle_s=60)


def new_vault(
    folder: Path, files: Files | None = None, *, segment_bytes: int = 1 << 28
) -> LocalVault:
    """Create a vault in the folder and open it."""
    config = vault_config(folder, segment_bytes=segment_bytes)
    LocalVault.create(config)
    return LocalVault(config, SetClock(), files)


def not_run(reason: str) -> None:
    """Say that the host forbids this fault; a failure where everything is required."""
    if os.environ.get("HOLDFAST_REQUIRE") == "all":
        pytest.fail(f"not run ({reason})")
    pytest.skip(f"not run ({reason})")


@contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs of this size on the folder for the time of the block."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "holdfast-test", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        not_run("this host does not let us mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
