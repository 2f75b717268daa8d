"""Keep the index of what each hold holds, in the transaction of the change that it follows.

It only adds: what a hold once held it holds until it ends. It must not decide when that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value, insert_missing
from holdfast.storage.catalogue.governance_tables import held
from holdfast.storage.catalogue.locks import refuse_fewer
from holdfast.storage.governance.holding import active_holds, judged, lock_holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.storage.governance.holding import ActiveHold
    from holdfast.storage.store import Store

HELD = "held"
"""Kind of the audit event of one interaction that a hold begins to hold."""


def standing_holds(connection: Connection, store: Store) -> list[ActiveHold]:
    """Return the holds in force; none is placed or ends until the transaction does.

    Call it before any other lock is taken.
    """
    lock_holds(connection, is_shared=True)
    return active_holds(connection, store.now_ms())


def hold_matching(
    connection: Connection,
    store: Store,
    interaction_ids: Iterable[int],
    active: Sequence[ActiveHold],
) -> set[int]:
    """Hold those of the interactions that match a hold, as this transaction leaves them.

    To be called by everything that files or changes what a query can ask for, at its end and before
    it queues them for the index.

    Args:
        connection: Of the transaction that made the change.
        store: The archive.
        interaction_ids: New and changed ones.
        active: As `standing_holds` gave them to this transaction.

    Returns:
        Those that a hold holds from now on and did not before; they are to be queued for the index.

    Raises:
        Contended: Another transaction held one of them at the same moment; begin again.
    """
    if not active:
        return set()
    wanted = sorted(set(interaction_ids))
    pairs = [
        (one.id, record.id)
        for record, by in judged(connection, store, wanted, active)
        for one in by
    ]
    return add_held(connection, store, pairs)


def add_held(connection: Connection, store: Store, pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Write which hold holds which interaction; audited; returns the interactions that are new."""
    known = {
        (row.hold_id, row.interaction_id)
        for row in by_value(
            connection, select(held), held.c.interaction_id, {one for _, one in pairs}
        )
    }
    since_ms = store.now_ms()
    rows = [
        {"hold_id": hold_id, "interaction_id": one, "since_ms": since_ms}
        for hold_id, one in sorted(set(pairs) - known, key=lambda pair: (pair[1], pair[0]))
    ]
    refuse_fewer(insert_missing(connection, held, rows, "hold_id", "interaction_id"), rows)
    events = [
        Event(
            HELD,
            public_id("msg", row["interaction_id"]),
            row["interaction_id"],
            since_ms,
            store.actor,
            held_digest(row["hold_id"], since_ms),
        )
        for row in rows
    ]
    record_events(connection, events, store.ids)
    return {row["interaction_id"] for row in rows}


def held_digest(hold_id: int, since_ms: int) -> bytes:
    """Digest what the audit log commits to when an interaction is held."""
    return canonical_digest([hold_id, since_ms])
