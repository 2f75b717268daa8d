"""Holds beat disposals that run at the same time, whoever of two disposers is at it (F52)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from catalogue_kit import Homes
from disposal_race import raced
from holdfast.retention.decisions import Decision
from holdfast.retention.disposal import judge_now
from holdfast.storage.store import Store
from home_fixtures import databases, homes, shared_postgres

__all__ = ["databases", "homes", "shared_postgres"]
pytestmark = pytest.mark.unmeasured


@pytest.mark.parametrize("seed", range(4))
def test_f52_what_a_hold_found_is_there_and_all_else_goes_once(homes: Homes, seed: int) -> None:
    ends, wrong = raced(homes, seed)
    assert wrong == []
    assert set(ends) <= {"destroyed", "blocked"}


def test_f52_control_a_judgement_from_before_the_race_destroys_what_is_held(homes: Homes) -> None:
    early: dict[int, Decision] = {}

    def hasty(connection: Connection, store: Store, one: int, now_ms: int) -> Any:
        decision = judge_now(connection, store, one, now_ms)
        if decision is not None and decision.is_due:
            early.setdefault(0, decision)
        return early.get(0, decision)

    found = [wrong for seed in range(8) for wrong in raced(homes, seed, hasty)[1]]
    assert any("under a hold" in one for one in found)
