"""The queue of interactions that the index does not show as they are now, and their versions.

Each change gives the row a new ticket, and a row leaves only with the ticket that was indexed: a
change made meanwhile keeps it queued. Tickets of one interaction rise in the order in which the
changes are committed, whoever makes them and whatever their clocks say; the last one is kept as the
version that the index must show. It must not touch the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select

from holdfast.storage.catalogue.chunks import by_value, insert_missing, update_rows, upsert_rows
from holdfast.storage.catalogue.schema import index_queue, index_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from holdfast.core.identity import IdFactory

NEVER_QUEUED = 1
"""Version of an interaction that has none: it has not changed since versions are kept."""


def enqueue(connection: Connection, interaction_ids: Iterable[int], ids: IdFactory) -> None:
    """Queue interactions for the index, in the transaction of the change that it must show."""
    chosen = sorted(set(interaction_ids))  # in one order everywhere: no two writers wait in a ring
    rows = [{"interaction_id": row, "version": ids.take()} for row in chosen]
    if insert_missing(connection, index_versions, rows, "interaction_id") != len(rows):
        rows = _raised(connection, rows)
    queue = [{"interaction_id": row["interaction_id"], "ticket": row["version"]} for row in rows]
    upsert_rows(connection, index_queue, queue, "interaction_id", "ticket")


def _raised(connection: Connection, rows: list[dict[str, int]]) -> list[dict[str, int]]:
    """Give rows that have a version a higher one; on return nobody else can change them."""
    query = select(index_versions).with_for_update()
    held = by_value(
        connection, query, index_versions.c.interaction_id, (row["interaction_id"] for row in rows)
    )
    before = {row.interaction_id: row.version for row in held}
    rows = [
        {**row, "version": max(row["version"], before[row["interaction_id"]] + 1)}
        if row["version"] != before[row["interaction_id"]]
        else row
        for row in rows
    ]
    update_rows(connection, index_versions, rows, "interaction_id")
    return rows


def tickets(connection: Connection, interaction_ids: Iterable[int]) -> dict[int, int]:
    """Return the present tickets of those that are queued; read them before the records."""
    rows = by_value(connection, select(index_queue), index_queue.c.interaction_id, interaction_ids)
    return {row.interaction_id: row.ticket for row in rows}


def queued(connection: Connection, limit: int, after: int = -1) -> dict[int, int]:
    """Return some that are queued, with their tickets, oldest change first.

    Args:
        connection: Of a transaction.
        limit: Most that are returned.
        after: Only later tickets than this one.
    """
    query = select(index_queue).where(index_queue.c.ticket > after)
    query = query.order_by(index_queue.c.ticket).limit(limit)
    return {row.interaction_id: row.ticket for row in connection.execute(query)}


def dequeue(connection: Connection, indexed: Mapping[int, int]) -> None:
    """Take off what was indexed with these tickets; what changed since stays."""
    if indexed:
        connection.execute(
            delete(index_queue).where(
                index_queue.c.interaction_id == bindparam("row"),
                index_queue.c.ticket == bindparam("held"),
            ),
            [{"row": row, "held": ticket} for row, ticket in sorted(indexed.items())],
        )


def pending(connection: Connection, until: int | None = None) -> int:
    """Count what the index does not show as it is.

    Args:
        connection: Of a transaction.
        until: Only what was queued up to this ticket.
    """
    query = select(func.count()).select_from(index_queue)
    if until is not None:
        query = query.where(index_queue.c.ticket <= until)
    return connection.scalar(query) or 0
