"""The full round of F3 over IMAP and SMTP; `HOLDFAST_POWER_CUTS` says how many cuts."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from fault_disk import MAKE, can_loop
from fault_power_mail import MailPower, session_power_rounds, sync_power_rounds

ROUNDS = int(os.environ.get("HOLDFAST_POWER_CUTS", "10"))


@pytest.mark.parametrize("kind", sorted(MAKE))
@pytest.mark.parametrize("rounds_of", [sync_power_rounds, session_power_rounds])
def test_f3_nothing_acknowledged_is_lost_with_the_power(
    tmp_path: Path,
    kind: str,
    rounds_of: Callable[..., MailPower],
    proof_seed: int,
    need: Callable[[bool, str], None],
    report: Callable[..., None],
) -> None:
    need(can_loop(kind), f"no loop device, or no {kind}")
    figures = rounds_of(tmp_path, kind, rounds=ROUNDS, seed=proof_seed)
    report(**(asdict(figures) | {"bad": len(figures.bad)}))
    assert figures.bad == []
    assert (figures.rounds, figures.cut_between) == (ROUNDS, ROUNDS)
