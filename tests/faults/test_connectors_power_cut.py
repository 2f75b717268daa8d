"""F3 over IMAP and SMTP: the power fails right after an acknowledgement (one round of each)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fault_disk import can_loop
from fault_power_mail import MailPower, session_power_rounds, sync_power_rounds

pytestmark = pytest.mark.unmeasured

WAYS = pytest.mark.parametrize("rounds_of", [sync_power_rounds, session_power_rounds])


@pytest.fixture(autouse=True)
def _loop(need: Callable[[bool, str], None]) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")


@WAYS
def test_f3_nothing_acknowledged_is_lost_with_the_power(
    tmp_path: Path, seed: int, rounds_of: Callable[..., MailPower]
) -> None:
    figures = rounds_of(tmp_path, "ext4", rounds=1, seed=seed)
    assert figures.bad == []
    assert figures.cut_between == 1


@WAYS
def test_f3_power_cuts_find_out_a_vault_that_does_not_wait_for_the_disk(
    tmp_path: Path, seed: int, rounds_of: Callable[..., MailPower]
) -> None:
    assert rounds_of(tmp_path, "ext4", rounds=4, seed=seed, bug="acknowledge_before_fsync").bad
