"""Reads which holds in force are on interactions, as the index shows them; it judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from holdfast.core.records import HeldBy
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.governance_tables import held, holds, matters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, FromClause


def in_force(now_ms: int, table: FromClause = holds) -> ColumnElement[bool]:
    """Return what is true of a hold that has not ended; one whose release waits has not."""
    return or_(table.c.ends_ms.is_(None), table.c.ends_ms > now_ms)


def held_by_in(
    connection: Connection, interaction_ids: Iterable[int], now_ms: int
) -> dict[int, tuple[HeldBy, ...]]:
    """Return the holds in force on each interaction that has some, oldest first."""
    query = (
        select(
            held.c.interaction_id,
            held.c.hold_id,
            holds.c.name.label("hold"),
            holds.c.matter_id,
            matters.c.name.label("matter"),
        )
        .join(holds, holds.c.id == held.c.hold_id)
        .join(matters, matters.c.id == holds.c.matter_id)
        .where(in_force(now_ms))
        .order_by(held.c.interaction_id, held.c.hold_id)
    )
    found: dict[int, tuple[HeldBy, ...]] = {}
    for row in by_value(connection, query, held.c.interaction_id, interaction_ids):
        one = HeldBy(row.hold_id, row.hold, row.matter_id, row.matter)
        found[row.interaction_id] = (*found.get(row.interaction_id, ()), one)
    return found
