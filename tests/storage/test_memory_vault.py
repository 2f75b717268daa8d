from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.vault import VAULT_CHECKS, VaultUnderTest
from holdfast.storage.memory_vault import MemoryVault


@pytest.mark.parametrize("check", VAULT_CHECKS, ids=lambda check: check.__name__)
def test_memory_vault_conforms(check: Callable[[VaultUnderTest], None], tmp_path: Path) -> None:
    check(VaultUnderTest(MemoryVault(), settle=lambda: None, spool=tmp_path))
