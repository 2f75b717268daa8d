"""The full round of F41: ten thousand flipped bits, each verified for itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fault_tamper import FlipFigures, findings_of, flip_bits, new_victim
from holdfast.wiring.places import CATALOGUE

SHARES = {"segments": 2500, "log": 2000, CATALOGUE: 4000, "index": 1500}


@pytest.mark.parametrize("part", sorted(SHARES))
def test_f41_ten_thousand_flipped_bits_are_named_or_harmless(
    tmp_path: Path, part: str, proof_seed: int, report: Callable[..., None]
) -> None:
    victim = new_victim(tmp_path)
    figures = FlipFigures()
    flip_bits(victim, part, SHARES[part], proof_seed, figures)
    report(
        flips=figures.flips[part],
        named=figures.named[part],
        harmless=figures.harmless[part],
        missed=len(figures.missed),
        crashed=len(figures.crashed),
    )
    assert (figures.missed, figures.crashed) == ([], [])
    assert figures.named[part] + figures.harmless[part] == SHARES[part]
    assert findings_of(victim.settings) == []
