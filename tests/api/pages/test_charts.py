"""Shapes of charts: none too high, no month left out, nothing that is there drawn white."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from holdfast.api.pages.charts import BAR_HEIGHT, LEVELS, MOST_MONTHS, bars, cells
from holdfast.api.portraits import Month

NOW = datetime(2024, 3, 15, tzinfo=UTC)


def test_months_without_messages_stand_between_those_with_some() -> None:
    drawn = bars([Month("2023-11", 4, 1, 2), Month("2024-02", 2, 2, 0)], NOW)
    names = ["2023-11", "2023-12", "2024-01", "2024-02", "2024-03"]
    assert [one.month.value for one in drawn] == names
    assert [(one.sent, one.received, one.other) for one in drawn[:4]] == [
        (50, 25, 25),
        (0, 0, 0),
        (0, 0, 0),
        (0, 50, 0),
    ]


def test_wrong_dates_push_no_month_out() -> None:
    months = [Month("0001-01", 9, 9, 0), Month("2024-03", 1, 0, 1), Month("9999-12", 5, 5, 0)]
    drawn = bars(months, NOW)
    assert len(drawn) == MOST_MONTHS
    assert (drawn[-1].month.value, drawn[-1].sent) == ("2024-03", BAR_HEIGHT)


def test_what_was_long_ago_is_drawn_where_nothing_came_since() -> None:
    drawn = bars([Month("2019-11", 4, 1, 2), Month("2020-01", 2, 2, 0)], NOW)
    assert [one.month.value for one in drawn] == ["2019-11", "2019-12", "2020-01"]


def test_nothing_is_drawn_of_nothing_or_of_what_is_still_to_come() -> None:
    assert bars([], NOW) == []
    assert bars([Month("2030-01", 1, 1, 0)], NOW) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10**6)), unique_by=lambda one: one[0]))
def test_bars_fill_their_height_and_no_more(counts: list[tuple[int, int]]) -> None:
    months = [
        Month(f"{2021 + at // 12}-{at % 12 + 1:02}", count, count // 3, count // 2)
        for at, count in counts
    ]
    drawn = bars(months, NOW)
    assert all(-0.05 <= one.top <= BAR_HEIGHT for one in drawn)
    if any(one.month.count for one in drawn):
        assert min(one.top for one in drawn) < 0.05


@given(st.lists(st.lists(st.integers(0, 1000), min_size=24, max_size=24), min_size=7, max_size=7))
def test_only_hours_without_messages_are_white(hours: list[list[int]]) -> None:
    for drawn, counted in zip(cells(hours), hours, strict=True):
        assert [one.count for one in drawn] == counted
        assert all(bool(one.level) == bool(one.count) for one in drawn)
        assert all(one.level <= LEVELS for one in drawn)
