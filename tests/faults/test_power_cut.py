"""F3: the power fails while an import runs, on real ext4 and XFS (one round of each kind)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fault_disk import MAKE, can_loop
from fault_power import power_rounds

pytestmark = pytest.mark.unmeasured

KINDS = pytest.mark.parametrize("kind", sorted(MAKE))


@KINDS
def test_f3_nothing_acknowledged_is_lost_with_the_power(
    tmp_path: Path, kind: str, seed: int, need: Callable[[bool, str], None]
) -> None:
    need(can_loop(kind), f"no loop device, or no {kind}")
    figures = power_rounds(tmp_path, kind, rounds=2, seed=seed)
    assert figures.bad == []
    assert figures.cut_between > 0


@KINDS
@pytest.mark.parametrize(
    "bug", ["acknowledge_before_fsync", "forget_folders", "commit_without_fsync"]
)
def test_f3_power_cuts_find_out_what_was_not_durable(
    tmp_path: Path, kind: str, bug: str, seed: int, need: Callable[[bool, str], None]
) -> None:
    need(can_loop(kind), f"no loop device, or no {kind}")
    # Whether a cut finds an unsynced name is up to the file system: XFS tells one time in two.
    figures = power_rounds(tmp_path, kind, rounds=12, seed=seed, bug=bug, until_bad=True)
    assert figures.bad
