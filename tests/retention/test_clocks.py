from __future__ import annotations

import pytest

from holdfast.core.errors import Conflict
from holdfast.retention.clocks import ANCHOR_MS, judge_clock
from holdfast.storage.governance.clocks import STEP_MS, Marks

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("seen", "is_checked"),
    [
        (Marks(None, None), False),
        (Marks(NOW, None), False),
        (Marks(NOW - STEP_MS, None), False),
        (Marks(NOW - 400 * STEP_MS, None), True),
        (Marks(NOW - 400 * STEP_MS, NOW - ANCHOR_MS), False),
        (Marks(NOW, NOW + ANCHOR_MS), False),
    ],
)
def test_a_clock_that_agrees_is_believed(seen: Marks, is_checked: bool) -> None:  # noqa: FBT001
    judge_clock(NOW, seen, is_checked=is_checked)


@pytest.mark.parametrize(
    ("seen", "is_checked"),
    [
        (Marks(NOW + 1, None), False),
        (Marks(NOW + 365 * STEP_MS, None), True),
        (Marks(NOW - STEP_MS - 1, None), False),
        (Marks(NOW - 50 * 365 * STEP_MS, None), False),
        (Marks(NOW, NOW - ANCHOR_MS - 1), True),
        (Marks(NOW, NOW + ANCHOR_MS + 1), True),
    ],
)
def test_f56_a_clock_that_moved_back_or_jumped_stops_disposal(
    seen: Marks,
    is_checked: bool,  # noqa: FBT001
) -> None:
    with pytest.raises(Conflict):
        judge_clock(NOW, seen, is_checked=is_checked)
