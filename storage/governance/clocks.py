"""Reads from when the days of interactions are counted, and keeps how far the clock has come.

Of the clock it knows one thing alone: whether it went back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from holdfast.core.errors import Conflict
from holdfast.storage.audit import record_events, told
from holdfast.storage.catalogue.chunks import by_value, upsert_rows
from holdfast.storage.catalogue.engine import transact
from holdfast.storage.catalogue.governance_tables import anchors, clock_marks
from holdfast.storage.catalogue.rights_tables import metadata_values
from holdfast.storage.catalogue.schema import batches, captures, interactions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from holdfast.storage.store import Store

HIGHEST = "highest"
"""Name of the mark that holds the latest instant that was seen and believed."""
STEP_MS = 86_400_000
"""A clock that is further ahead of the mark is believed only when somebody has looked at it."""


class Times(NamedTuple):
    """What is known of when an interaction came, in Unix milliseconds."""

    captured_ms: int
    """Of its earliest capture that was not taken back."""
    received_ms: int | None
    """What a trusted source said of that capture."""
    trusted_ms: int | None
    """Its own date, where the import of that capture trusts dates."""
    event_ms: int | None
    """Of an event that somebody noted."""


def times_of(connection: Connection, interaction_ids: Iterable[int]) -> dict[int, Times]:
    """Return the times of these interactions, without those that no capture stands behind."""
    query = (
        select(
            captures.c.interaction_id,
            captures.c.captured_ms,
            captures.c.received_ms,
            batches.c.trusts_dates,
            interactions.c.sent_ms,
            metadata_values.c.retain_from_ms,
        )
        .join(interactions, interactions.c.id == captures.c.interaction_id)
        .outerjoin(batches, batches.c.id == captures.c.batch_id)
        .outerjoin(metadata_values, metadata_values.c.interaction_id == captures.c.interaction_id)
        .where(captures.c.undone_ms.is_(None))
        .order_by(captures.c.captured_ms, captures.c.id)
    )
    found: dict[int, Times] = {}
    for row in by_value(connection, query, captures.c.interaction_id, interaction_ids):
        if row.interaction_id not in found:
            trusted_ms = row.sent_ms if row.trusts_dates else None
            found[row.interaction_id] = Times(
                row.captured_ms, row.received_ms, trusted_ms, row.retain_from_ms
            )
    return found


class Marks(NamedTuple):
    """What the clock can be held against."""

    highest_ms: int | None
    """The latest instant that was believed; None before the first."""
    stamped_ms: int | None
    """What the newest anchor outside says; None without anchors."""


def marks(connection: Connection) -> Marks:
    """Return what the clock can be held against."""
    highest = select(clock_marks.c.at_ms).where(clock_marks.c.name == HIGHEST)
    return Marks(
        connection.scalar(highest), connection.scalar(select(func.max(anchors.c.stamped_ms)))
    )


def advance(connection: Connection, now_ms: int) -> None:
    """Move the mark up to the present instant, unless the clock has jumped: see `STEP_MS`."""
    highest_ms = marks(connection).highest_ms
    if highest_ms is None or highest_ms < now_ms <= highest_ms + STEP_MS:
        believe(connection, now_ms)


def keep_up(store: Store) -> None:
    """Move the mark on while a process runs for longer than a day; see `advance`.

    Else every disposal would ask somebody to look at a clock that never jumped, until nobody does.
    """
    transact(store.engine, lambda connection: advance(connection, store.now_ms()))


def refuse_past(highest_ms: int | None, now_ms: int) -> None:
    """Refuse what counts from now on, where now is over: every delay would end too early.

    Raises:
        Conflict: The clock moved back.
    """
    if highest_ms is not None and now_ms < highest_ms:
        raise Conflict(
            "The clock is before an instant that was seen already.",
            next_step="Set the machine's clock right; nothing is approved or destroyed meanwhile.",
            now_ms=now_ms,
            seen_ms=highest_ms,
        )


def delay_begins(connection: Connection, store: Store) -> int:
    """Return the present instant, from which a delay of days is counted; see `refuse_past`."""
    now_ms = store.now_ms()
    refuse_past(marks(connection).highest_ms, now_ms)
    return now_ms


def believed_now(connection: Connection, store: Store) -> int:
    """Return the present instant; the latest that was believed where the clock jumped ahead of it.

    For what a wrong clock would take away for good, and what can wait until somebody has looked.
    """
    highest_ms, now_ms = marks(connection).highest_ms, store.now_ms()
    has_jumped = highest_ms is not None and now_ms > highest_ms + STEP_MS
    return highest_ms if has_jumped and highest_ms is not None else now_ms


def believe(connection: Connection, now_ms: int) -> None:
    """Move the mark to an instant that was held against what there is."""
    row = {"name": HIGHEST, "at_ms": now_ms}
    upsert_rows(connection, clock_marks, [row], "name", "at_ms")


def note_checked(
    connection: Connection, store: Store, now_ms: int, person_id: int, before: Marks
) -> None:
    """Record that a person has compared the clock with another one."""
    what: dict[str, Any] = {
        "highest_ms": before.highest_ms, "now_ms": now_ms, "person": person_id
    }  # fmt: skip
    event = told("clock_checked", ("", None), (store.actor, now_ms), what)
    record_events(connection, [event], store.ids)
