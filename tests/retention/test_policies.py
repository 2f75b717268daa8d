from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import Refused
from holdfast.core.query import EVERYTHING, NOTHING, And, Field, Node, Or, Phrase, Term
from holdfast.core.rules import Kind, Rule
from holdfast.retention.policies import MOST_DAYS, check_rule, retired, shortens

BUDGET, OFFER = Phrase("budget"), Phrase("offer")
MAIL = Term(Field.CHANNEL, "email")


def rule(kind: Kind, days: int, node: Node = BUDGET, version: int = 1) -> Rule:
    return Rule(1, version, "rule", kind, days, node)


def floor(days: int, node: Node = BUDGET) -> Rule:
    return rule(Kind.FLOOR, days, node)


def ceiling(days: int, node: Node = BUDGET) -> Rule:
    return rule(Kind.CEILING, days, node)


GONE_FLOOR, GONE_CEILING = retired(floor(30), 2), retired(ceiling(30), 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, ceiling(30)),
        (floor(30), floor(29)),
        (floor(30), floor(30, OFFER)),
        (floor(30), floor(30, And((BUDGET, MAIL)))),
        (floor(30), GONE_FLOOR),
        (floor(30), ceiling(30)),
        (ceiling(30), ceiling(29)),
        (ceiling(30), ceiling(30, OFFER)),
        (ceiling(30), ceiling(30, EVERYTHING)),
        (ceiling(30), ceiling(31, Or((BUDGET, MAIL)))),
        (GONE_CEILING, ceiling(30)),
        (GONE_FLOOR, ceiling(30)),
    ],
)
def test_what_may_let_something_go_earlier_shortens(before: Rule | None, after: Rule) -> None:
    assert shortens(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, floor(30)),
        (floor(30), floor(30)),
        (floor(30), floor(31)),
        (floor(30), floor(30, EVERYTHING)),
        (floor(30), floor(30, Or((MAIL, BUDGET)))),
        (floor(30, And((BUDGET, MAIL))), floor(30, MAIL)),
        (ceiling(30), ceiling(31)),
        (ceiling(30), ceiling(30, And((BUDGET, MAIL)))),
        (ceiling(30, EVERYTHING), ceiling(30)),
        (ceiling(30, Or((MAIL, BUDGET))), ceiling(30)),
        (ceiling(30), GONE_CEILING),
        (ceiling(30), floor(30)),
        (GONE_FLOOR, floor(1)),
        (GONE_CEILING, GONE_CEILING),
    ],
)
def test_what_can_only_keep_longer_does_not_shorten(before: Rule | None, after: Rule) -> None:
    assert not shortens(before, after)


SETS = {
    "a": Term(Field.TAG, "a"), "b": Term(Field.TAG, "b"), "all": EVERYTHING, "none": NOTHING,
    "a or b": Or((Term(Field.TAG, "a"), Term(Field.TAG, "b"))),
    "a and b": And((Term(Field.TAG, "a"), Term(Field.TAG, "b"))),
}  # fmt: skip
MEMBERS = {
    "a": {1, 3}, "b": {2, 3}, "all": {0, 1, 2, 3}, "none": set(), "a or b": {1, 2, 3},
    "a and b": {3},
}  # fmt: skip
RULES = st.tuples(st.sampled_from(Kind), st.integers(1, 3), st.sampled_from(sorted(SETS)))


def goes_on(day: int, one: int, said: tuple[Kind, int, str]) -> bool:
    """By this rule alone: kept by a floor, else let go by a ceiling."""
    kind, days, name = said
    return kind is Kind.CEILING and one in MEMBERS[name] and day >= days


def kept_on(day: int, one: int, said: tuple[Kind, int, str]) -> bool:
    kind, days, name = said
    return kind is Kind.FLOOR and one in MEMBERS[name] and day < days


@given(RULES, RULES)
def test_a_change_that_is_in_force_at_once_lets_nothing_go_earlier(
    before: tuple[Kind, int, str], after: tuple[Kind, int, str]
) -> None:
    old, new = (rule(kind, days, SETS[name]) for kind, days, name in (before, after))
    if shortens(old, new):
        return
    for day in range(5):
        for one in range(4):
            assert not kept_on(day, one, before) or kept_on(day, one, after)
            assert not goes_on(day, one, after) or goes_on(day, one, before)


def test_kind_and_days_are_checked() -> None:
    assert check_rule("floor", 1) is Kind.FLOOR
    assert check_rule("ceiling", MOST_DAYS) is Kind.CEILING
    for kind, days in (("cellar", 1), ("floor", 0), ("floor", MOST_DAYS + 1)):
        with pytest.raises(Refused):
            check_rule(kind, days)
