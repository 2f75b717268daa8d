from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_cases import CASES, DAY_MS, Case, Said, differs
from holdfast.core.errors import Corrupt
from holdfast.retention.decisions import (
    ClockSource,
    Verdict,
    clock_of,
    decide,
    read_decision,
    replay,
    write_decision,
)

FLOOR = Said("floor", 4, "all", "a", "a")
CEILING = Said("ceiling", 2, "all", "a", "a")


def verdict(*said: Said, days: float, holds: tuple[int, ...] = ()) -> Verdict:
    case = Case(frozenset(), 0, holds, said, int(days * DAY_MS))
    return decide(case.facts, case.rules, case.at_ms).verdict


@given(CASES)
def test_decisions_are_what_the_contract_says(case: Case) -> None:
    assert differs(case, decide(case.facts, case.rules, case.at_ms)) == ""


@given(CASES)
def test_a_decision_can_be_decided_again_from_what_was_kept(case: Case) -> None:
    decision = decide(case.facts, case.rules, case.at_ms)
    kept = read_decision(write_decision(decision))
    assert kept == decision
    assert replay(kept, case.facts, list(reversed(case.rules))) == decision
    assert write_decision(kept) == write_decision(decision)


def test_nothing_goes_that_no_rule_matches() -> None:
    assert verdict(days=10_000) is Verdict.KEPT


def test_a_ceiling_lets_go_at_its_instant_and_not_before() -> None:
    assert verdict(CEILING, days=2 - 1e-8) is Verdict.KEPT
    assert verdict(CEILING, days=2) is Verdict.DUE


def test_a_floor_beats_a_ceiling_and_the_conflict_is_named() -> None:
    assert verdict(CEILING, FLOOR, days=3) is Verdict.CONFLICT
    assert verdict(CEILING, FLOOR, days=4) is Verdict.DUE
    case = Case(frozenset(), 0, (), (CEILING, FLOOR), 3 * DAY_MS)
    decision = decide(case.facts, case.rules, case.at_ms)
    assert decision.has_conflict
    assert [one.kind for one in decision.kept_by] == ["floor"]
    assert not decision.is_due
    alone = decide(case.facts, case.rules[:1], case.at_ms)
    assert not alone.has_conflict
    assert alone.is_due


def test_the_longest_floor_counts() -> None:
    longer = Said("floor", 6, "all", "a", "a")
    assert verdict(FLOOR, longer, CEILING, days=5) is Verdict.CONFLICT
    assert verdict(FLOOR, days=3) is Verdict.RETAINED
    assert verdict(FLOOR, days=5) is Verdict.KEPT


def test_a_hold_beats_all() -> None:
    assert verdict(CEILING, days=3, holds=(1,)) is Verdict.HELD
    assert verdict(CEILING, FLOOR, days=3, holds=(1,)) is Verdict.HELD
    assert verdict(FLOOR, days=3, holds=(1,)) is Verdict.RETAINED


def test_what_is_no_decision_is_not_read() -> None:
    with pytest.raises(Corrupt):
        read_decision("{}")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((100, None, None, None), (100, ClockSource.CAPTURED)),
        ((100, 50, None, None), (50, ClockSource.RECEIVED)),
        ((100, 50, 20, None), (20, ClockSource.MESSAGE)),
        ((100, 50, 20, 70), (70, ClockSource.EVENT)),
        ((100, 50, None, 40), (50, ClockSource.RECEIVED)),
    ],
)
def test_the_clock_is_the_most_trusted_one(
    times: tuple[int, int | None, int | None, int | None], expected: tuple[int, ClockSource]
) -> None:
    assert clock_of(*times) == expected


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_a_noted_event_never_makes_anything_go_earlier(
    captured: int, received: int, event: int
) -> None:
    assert (
        clock_of(captured, received, None, event)[0] >= clock_of(captured, received, None, None)[0]
    )
