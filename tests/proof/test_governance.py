"""Governance in full: 100,000 steps against a model, 100,000 decisions against an oracle."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from archive_kit import opened
from decision_cases import CASES, Case, differs
from disposal_kill import Killed, assert_done, halves, killed_at, prepared
from disposal_kit import in_hands
from governance_machine import Governance
from holdfast.retention.decisions import decide, read_decision, replay, write_decision
from holdfast.retention.disposal import Asked
from holdfast.wiring.disposing import execute

STEPS = 100_000
STEPS_EACH = 50
DECISIONS = 100_000


def test_nothing_goes_early_in_a_hundred_thousand_steps(report: Callable[..., None]) -> None:
    """F52, F54 to F58, F60: filing, holds, rules, clocks, disposals and crashes in any order."""
    Governance.steps = runs = 0
    while Governance.steps < STEPS:  # an example may end before its last step
        left = (STEPS - Governance.steps) // STEPS_EACH + 1
        run_state_machine_as_test(
            Governance,
            settings=settings(
                max_examples=min(left, 500),
                stateful_step_count=STEPS_EACH,
                deadline=None,
                database=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            ),
        )
        runs += 1
    report(steps=Governance.steps, runs=runs)


def test_decisions_are_right_and_can_be_decided_again(report: Callable[..., None]) -> None:
    seen = {"cases": 0}

    @settings(
        max_examples=DECISIONS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(CASES)
    def decided(case: Case) -> None:
        seen["cases"] += 1
        decision = decide(case.facts, case.rules, case.at_ms)
        assert differs(case, decision) == ""
        kept = read_decision(write_decision(decision))
        assert replay(kept, case.facts, case.rules) == decision

    decided()
    report(cases=seen["cases"])
    assert seen["cases"] >= DECISIONS


@pytest.mark.parametrize("keeps", [False, True], ids=["before", "after"])
def test_f54_every_commit_of_a_disposal_can_be_its_last(
    tmp_path: Path,
    keeps: bool,  # noqa: FBT001
    report: Callable[..., None],
) -> None:
    """Each time from a fresh archive, until one run meets no more commits."""
    for at in count(1):
        settings, hands, approved, ann, ids = prepared(tmp_path / str(at))
        try:
            with (
                in_hands(settings, hands) as services,
                killed_at(services.store.engine, at, keeps=keeps),
            ):
                execute(services, approved.id, Asked(ann), lambda state: None)
        except Killed:
            with opened(settings) as services:
                assert halves(services, ids) == []
        else:
            break
        with in_hands(settings, hands) as services:
            done = execute(services, approved.id, Asked(ann), lambda state: None)
        assert_done(settings, done, ids)
        report(kills=at)
