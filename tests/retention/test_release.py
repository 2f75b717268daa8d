from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import Conflict, HoldfastError, Refused
from holdfast.core.holds import Release
from holdfast.core.rights import Forbidden
from holdfast.retention.release import (
    DAY_MS,
    LEAST_DELAY_DAYS,
    Needs,
    Step,
    approve,
    ask,
    still_needs,
    withdraw,
)

ANN, BEA = 1, 2
ASKED = ask(ANN, " settled ")(Release(), 1000)
APPROVED = approve(BEA)(ASKED, 2000)
END_MS = 2000 + LEAST_DELAY_DAYS * DAY_MS


def test_a_hold_ends_thirty_days_after_another_person_approved() -> None:
    assert Release("settled", ANN, 1000) == ASKED
    assert Release("settled", ANN, 1000, BEA, 2000, END_MS) == APPROVED
    assert still_needs(Release(), 0) is Needs.REQUEST
    assert still_needs(ASKED, 0) is Needs.APPROVAL
    assert still_needs(APPROVED, END_MS - 1) is Needs.DELAY
    assert still_needs(APPROVED, END_MS) is Needs.NOTHING


def test_who_asked_cannot_approve() -> None:
    with pytest.raises(Forbidden) as refused:
        approve(ANN)(ASKED, 2000)
    assert refused.value.exit_status == 5


def test_the_delay_can_be_longer_and_never_shorter() -> None:
    longer = approve(BEA, 90)(ASKED, 2000)
    assert longer.ends_ms == 2000 + 90 * DAY_MS
    with pytest.raises(Refused):
        approve(BEA, LEAST_DELAY_DAYS - 1)


def test_a_release_needs_a_reason() -> None:
    with pytest.raises(Refused):
        ask(ANN, " ")


@pytest.mark.parametrize("before", [ASKED, APPROVED])
def test_a_release_can_be_withdrawn_while_the_hold_lasts(before: Release) -> None:
    assert withdraw()(before, END_MS - 1) == Release()


@pytest.mark.parametrize(
    ("step", "before", "now_ms"),
    [
        (ask(BEA, "again"), ASKED, 0),
        (ask(BEA, "again"), APPROVED, 0),
        (ask(BEA, "again"), APPROVED, END_MS),
        (approve(BEA), Release(), 0),
        (approve(3), APPROVED, 0),
        (withdraw(), Release(), 0),
        (withdraw(), APPROVED, END_MS),
    ],
)
def test_steps_out_of_order_are_refused(step: Step, before: Release, now_ms: int) -> None:
    with pytest.raises(Conflict) as refused:
        step(before, now_ms)
    assert refused.value.next_step


STEPS = st.one_of(
    st.builds(lambda who: ("ask", who), st.integers(1, 3)),
    st.builds(lambda who: ("approve", who), st.integers(1, 3)),
    st.just(("withdraw", 0)),
)


@given(st.lists(st.tuples(STEPS, st.integers(0, 40)), max_size=12))
def test_whatever_is_tried_two_persons_and_thirty_days_stand_before_every_end(
    tries: list[tuple[tuple[str, int], int]],
) -> None:
    release, now_ms = Release(), 0
    for (name, who), days in tries:
        now_ms += days * DAY_MS
        make = {"ask": lambda: ask(who, "r"), "approve": lambda: approve(who)}  # noqa: B023
        step = make[name]() if name in make else withdraw()
        try:
            release = step(release, now_ms)
        except HoldfastError:
            continue
        if release.ends_ms is not None:
            assert release.asked_by != release.approved_by
            assert release.ends_ms >= now_ms + LEAST_DELAY_DAYS * DAY_MS
