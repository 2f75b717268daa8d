"""Full round: 200 events a second for a minute while workers and service are killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from hook_storm import Storm, raise_storm

EVENTS = 12_000
PER_S = 200
KILLS = 24


def test_f35_each_acknowledged_event_is_in_the_archive_exactly_once(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    figures = raise_storm(tmp_path, Storm(EVENTS, PER_S, KILLS, proof_seed))
    report(**asdict(figures), per_second=round(figures.acknowledged / figures.seconds, 1))
    assert figures.is_good, figures
    assert (figures.acknowledged, figures.kills) == (EVENTS, KILLS)
