"""The full round of F41: ten thousand flipped bits, each verified for itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fault_tamper import FlipFigures, findings_of, flip_bits, new_victim
from holdfast.wiring import CATALOGUE

SHARES = {"segments": 4000, "log": 2000, CATALOGUE: 4000}


@pytest.mark.parametrize("part", sorted(SHARES))
def test_f41_ten_thousand_flipped_bits_are_named(
    tmp_path: Path, part: str, proof_seed: int, report: Callable[..., None]
) -> None:
    victim = new_victim(tmp_path, messages=20)
    figures = FlipFigures()
    flip_bits(victim, part, SHARES[part], proof_seed, figures)
    report(
        flips=figures.flips[part],
        named=figures.named[part],
        harmless=figures.harmless[part],
        unsigned=dict(figures.unsigned),
        missed=len(figures.missed),
        crashed=len(figures.crashed),
    )
    assert (figures.missed, figures.crashed) == ([], [])
    assert findings_of(victim.settings) == []
