"""The queue of interactions that the index does not show as they are now.

Each change gives the row a new ticket, and a row leaves only with the ticket that was indexed: a
change made meanwhile keeps it queued. It must not touch the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select

from holdfast.storage.catalogue.chunks import by_value, upsert_rows
from holdfast.storage.catalogue.schema import index_queue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from holdfast.core.identity import IdFactory


def enqueue(connection: Connection, interaction_ids: Iterable[int], ids: IdFactory) -> None:
    """Queue interactions for the index, in the transaction of the change that it must show."""
    rows = [{"interaction_id": i, "ticket": ids.take()} for i in dict.fromkeys(interaction_ids)]
    upsert_rows(connection, index_queue, rows, "interaction_id", "ticket")


def tickets(connection: Connection, interaction_ids: Iterable[int]) -> dict[int, int]:
    """Return the present tickets of those that are queued; read them before the records."""
    rows = by_value(connection, select(index_queue), index_queue.c.interaction_id, interaction_ids)
    return {row.interaction_id: row.ticket for row in rows}


def queued(connection: Connection, limit: int) -> dict[int, int]:
    """Return some that are queued, with their tickets, oldest change first."""
    query = select(index_queue).order_by(index_queue.c.ticket).limit(limit)
    return {row.interaction_id: row.ticket for row in connection.execute(query)}


def dequeue(connection: Connection, indexed: Mapping[int, int]) -> None:
    """Take off what was indexed with these tickets; what changed since stays."""
    if indexed:
        connection.execute(
            delete(index_queue).where(
                index_queue.c.interaction_id == bindparam("row"),
                index_queue.c.ticket == bindparam("held"),
            ),
            [{"row": row, "held": ticket} for row, ticket in indexed.items()],
        )


def pending(connection: Connection) -> int:
    """Count what the index does not show as it is."""
    return connection.scalar(select(func.count()).select_from(index_queue)) or 0
