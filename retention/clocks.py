"""Judges whether the machine's clock can be believed before anything is destroyed by it (F56)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict
from holdfast.storage.governance.clocks import (
    STEP_MS,
    Marks,
    believe,
    marks,
    note_checked,
    refuse_past,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store

ANCHOR_MS = 5 * 60_000
"""Furthest that the clock may be from the newest anchor's."""


def judge_clock(now_ms: int, seen: Marks, *, is_checked: bool = False) -> None:
    """Refuse to dispose of anything by a clock that moved back, or jumped.

    Args:
        now_ms: What the clock says.
        seen: What it can be held against.
        is_checked: A person has compared it with another clock.

    Raises:
        Conflict: It cannot be believed.
    """
    highest_ms, stamped_ms = seen
    refuse_past(highest_ms, now_ms)
    if stamped_ms is not None and abs(now_ms - stamped_ms) > ANCHOR_MS:
        raise Conflict(
            "The clock is more than 5 minutes from the newest anchor's.",
            next_step="Anchor the log now, and look at the clock if that does not help.",
            now_ms=now_ms,
            stamped_ms=stamped_ms,
        )
    has_jumped = highest_ms is not None and now_ms > highest_ms + STEP_MS
    if has_jumped and stamped_ms is None and not is_checked:
        raise Conflict(
            "The clock is more than a day ahead of when it was last looked at.",
            next_step="Compare it with another clock, then repeat with --clock-checked"
            " (over HTTP: is_clock_checked).",
            now_ms=now_ms,
            seen_ms=highest_ms,
        )


def trust_clock(
    connection: Connection, store: Store, person_id: int, *, is_checked: bool = False
) -> int:
    """Return the present instant, once it is believed, and move the mark up to it.

    Raises:
        Conflict: As `judge_clock`.
    """
    now_ms, seen = store.now_ms(), marks(connection)
    judge_clock(now_ms, seen, is_checked=is_checked)
    if is_checked:
        note_checked(connection, store, now_ms, person_id, seen)
    believe(connection, now_ms)
    return now_ms
