"""A million changed items of each system are read into records, whatever they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_fuzz import SLOWEST_S, SYSTEMS, Round, fuzz, samples_of

FULL, PART = 1_000_000, 20_000


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_every_changed_item_becomes_a_record(
    system: str, proof_seed: int, report: Callable[..., None]
) -> None:
    samples = samples_of(*SYSTEMS[system])
    done = Round()
    while done.inputs < FULL and not done.problems:
        done.add(fuzz(samples, PART, proof_seed + done.inputs))
        report(
            system=system,
            samples=len(samples),
            inputs=done.inputs,
            unread=done.unread,
            slowest_ms=round(done.slowest_s * 1000),
            kinds=dict(done.kinds),
        )
    assert done.problems == []
    assert done.inputs == FULL
    assert done.slowest_s < SLOWEST_S
