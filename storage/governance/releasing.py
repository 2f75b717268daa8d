"""Take a hold's release a step further, and say what it would set free; it decides no step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select, update

from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.governance_tables import held, holds
from holdfast.storage.catalogue.held_facts import in_force
from holdfast.storage.governance.clocks import delay_begins
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.governance.holds import Hold, hold_in
from holdfast.storage.governance.noting import HOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from holdfast.core.holds import Release
    from holdfast.storage.store import Store


APPROVE = "approve"
"""The act by which the delay begins."""


@dataclass(frozen=True, slots=True)
class Freed:
    """What becomes deletable when a hold ends, if retention lets it."""

    held: int
    """By this hold."""
    free: int
    """Of these by no other hold in force."""


def change_release(
    store: Store, hold_id: int, act: str, step: Callable[[Release, int], Release]
) -> Hold:
    """Take the step, alone with the hold; audited. The hold holds all until the end it is given.

    Args:
        store: The archive.
        hold_id: Of the hold.
        act: `ask`, `APPROVE` or `withdraw`, for the audit log.
        step: One of `retention.release`; what it raises leaves everything as it was.

    Raises:
        NotFound: There is no such hold.
        Conflict: The clock moved back, so that the delay after an approval would be too short.
    """
    made: list[Release] = []

    def changed(connection: Connection) -> Hold:
        lock_holds(connection, is_shared=False)
        found = hold_in(connection, store, hold_id)
        if found.release in made:
            return found  # the try before was kept, and we were not told
        is_approval = act == APPROVE
        now_ms = delay_begins(connection, store) if is_approval else store.now_ms()
        release = step(found.release, now_ms)
        made.append(release)
        values = {
            "release_reason": release.reason,
            "release_asked_by": release.asked_by,
            "release_asked_ms": release.asked_ms,
            "release_approved_by": release.approved_by,
            "release_approved_ms": release.approved_ms,
            "ends_ms": release.ends_ms,
            "version": found.version + 1,
        }
        connection.execute(update(holds).where(holds.c.id == hold_id).values(**values))
        HOLD.note(connection, store, act, hold_id)
        return hold_in(connection, store, hold_id)

    return transact(store.engine, changed)


def freed_by(store: Store, hold_id: int) -> Freed:
    """Count what the hold holds, and what of it no other hold does."""
    other, other_hold = held.alias("other"), holds.alias("other_hold")
    is_held_otherwise = exists().where(
        other.c.interaction_id == held.c.interaction_id,
        other.c.hold_id != hold_id,
        other_hold.c.id == other.c.hold_id,
        in_force(store.now_ms(), other_hold),
    )
    mine = select(func.count()).where(held.c.hold_id == hold_id)
    with reading(store.engine) as connection:
        return Freed(
            connection.scalar(mine) or 0,
            connection.scalar(mine.where(~is_held_otherwise)) or 0,
        )
