"""The full round of F1 for the SMTP service: a thousand kills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from fault_smtp import kill_smtp_rounds

KILLS = 1000


def test_f1_a_thousand_kills_lose_nothing_that_was_answered(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    figures = kill_smtp_rounds(tmp_path, kills=KILLS, seed=proof_seed)
    report(**asdict(figures))
    assert figures.is_good, figures
