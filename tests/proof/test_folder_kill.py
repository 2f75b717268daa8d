"""The full round for a watched folder: killed at every step that a run takes; and its controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from folder_kill import rounds


def test_run_over_a_folder_killed_at_every_step_loses_and_doubles_nothing(
    tmp_path: Path, report: Callable[..., None]
) -> None:
    figures = rounds(tmp_path, sample=None)
    report(**asdict(figures))
    assert figures.bad == []
    assert figures.rounds == figures.steps
    assert figures.killed >= figures.steps * 3 // 4


@pytest.mark.parametrize(
    ("bug", "within", "noticed"),
    [
        ("answer_before_keeping", (0.35, 0.65), "is answered and not kept"),
        ("forget_claims", (0.3, 0.5), "claims are left"),
        ("take_twice", (0.6, 0.9), "captured"),
    ],
)
def test_kills_find_out_a_run_that(
    tmp_path: Path, proof_seed: int, bug: str, within: tuple[float, float], noticed: str
) -> None:
    figures = rounds(tmp_path, sample=8, seed=proof_seed, bug=bug, within=within)
    assert noticed in " ".join(figures.bad)
