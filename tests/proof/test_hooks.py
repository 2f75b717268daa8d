"""A million damaged requests or contents for each decoder of webhooks, or `HOLDFAST_DAMAGED`."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from hook_fuzz import targets

TARGETS = targets()
FULL = 1_000_000


@pytest.mark.parametrize("name", TARGETS)
def test_damage_breaks_no_promise(name: str, proof_seed: int, report: Callable[..., None]) -> None:
    count = int(os.environ.get("HOLDFAST_DAMAGED") or FULL)
    chance = random.Random(f"{name} {proof_seed}")
    target, begun = TARGETS[name], time.monotonic()
    found = Counter(target(chance) for _ in range(count))
    problems = {problem: n for problem, n in found.items() if problem}
    report(inputs=count, seconds=round(time.monotonic() - begun, 1), problems=problems)
    assert problems == {}
    assert found[""] == count
