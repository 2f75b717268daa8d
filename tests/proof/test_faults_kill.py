"""The full round of F1: at least fifty imports killed, each run again to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fault_kill import kill_rounds

ROUNDS = 50


def test_f1_fifty_killed_imports_lose_nothing_and_double_nothing(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    figures = kill_rounds(tmp_path, rounds=ROUNDS, seed=proof_seed)
    report(
        rounds=figures.rounds,
        killed_alive=figures.killed_alive,
        killed_between=figures.killed_between,
        acknowledged=figures.acknowledged,
        recovered=figures.recovered,
        orphans=figures.orphans,
        lost=sum(verdict.lost for verdict in figures.bad),
        doubled=sum(verdict.doubled for verdict in figures.bad),
        bad=len(figures.bad),
    )
    assert figures.bad == []
    assert figures.killed_alive >= ROUNDS * 3 // 4
