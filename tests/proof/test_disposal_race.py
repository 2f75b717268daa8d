"""Two disposers and a hold at once, 500 times on PostgreSQL: the hold wins what it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from catalogue_kit import Homes
from disposal_race import raced
from home_fixtures import databases, homes, shared_postgres

__all__ = ["databases", "homes", "shared_postgres"]
RUNS = 500


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_what_a_hold_found_is_there_and_all_else_goes_once(
    homes: Homes, proof_seed: int, report: Callable[..., None]
) -> None:
    ended: Counter[str] = Counter()
    for number in range(RUNS):
        ends, wrong = raced(homes, proof_seed + number)
        assert wrong == [], number
        ended.update(ends)
        report(runs=number + 1, **ended)
    assert min(ended["destroyed"], ended["blocked"]) > RUNS // 2
