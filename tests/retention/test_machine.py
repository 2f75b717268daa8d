"""Everything in any order, with crashes, against a model; the long run is a proof."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from governance_machine import Governance
from holdfast.core.rules import Kind
from holdfast.retention.decisions import Decision, decide
from holdfast.retention.disposal import Judge
from holdfast.retention.judging import facts_of
from holdfast.storage.governance.policies import rules_in_force

SHORT = settings(
    max_examples=6,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_nothing_goes_early_whatever_happens() -> None:
    run_state_machine_as_test(Governance, settings=SHORT)


def without(*, holds: bool = False, floors: bool = False) -> Judge:
    """Return a judge that forgets to look at one thing."""

    def judge(connection, store, one, at_ms) -> Decision | None:  # type: ignore[no-untyped-def]
        rules = [
            rule
            for rule in rules_in_force(connection, at_ms)
            if not (floors and rule.kind is Kind.FLOOR)
        ]
        facts = facts_of(connection, store, [one]).get(one)
        if facts is None:
            return None
        held = () if holds else facts.holds
        return decide(type(facts)(facts.record, facts.clock_ms, facts.clock_source, held),
                      rules, at_ms)  # fmt: skip

    return judge


class IgnoresHolds(Governance):
    """As if holds were checked before the transaction, when there was none."""

    judge: ClassVar[Judge] = staticmethod(without(holds=True))


class IgnoresFloors(Governance):
    """As if a floor could be overlooked."""

    judge: ClassVar[Judge] = staticmethod(without(floors=True))


@contextmanager
def approved(machine: Governance) -> Iterator[Governance]:
    """Bring it to where everything is approved and cools off."""
    machine.begin()
    machine.plan()
    machine.review_and_approve(does_own=False)
    yield machine
    machine.teardown()


def test_seeded_bug_that_ignores_a_hold_is_caught() -> None:
    with approved(IgnoresHolds()) as machine:
        machine.place_a_hold(about="alpha")
        machine.let_time_pass(hours=24)
        with pytest.raises(AssertionError, match="something went"):
            machine.execute(crash=0, keeps=False)


def test_seeded_bug_that_ignores_a_floor_is_caught() -> None:
    with approved(IgnoresFloors()) as machine:
        machine.propose(name="two", kind="floor", days=12, about="beta")
        machine.let_time_pass(hours=24)
        with pytest.raises(AssertionError, match="something went"):
            machine.execute(crash=0, keeps=False)


def test_the_same_without_a_bug_is_not_caught() -> None:
    with approved(Governance()) as machine:
        machine.place_a_hold(about="alpha")
        machine.propose(name="two", kind="floor", days=12, about="beta")
        machine.let_time_pass(hours=24)
        machine.execute(crash=2, keeps=True)
        machine.execute(crash=0, keeps=False)
