"""Find what a message came after in its thread; whose answer it is, is for the caller to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.core.kinds import ASIDES
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import interactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.storage.store import Store


def messages_before(store: Store, interaction_ids: Sequence[int]) -> dict[int, int]:
    """Return the message that stands before each in its thread, by time; those with none left out.

    Later versions, recalls, reactions and other asides do not count.

    Args:
        store: The archive.
        interaction_ids: A page of a few hundred at most.
    """
    message = interactions.c
    threads = select(message.thread_id).where(message.id.in_(interaction_ids))
    order = (message.at_ms, message.id)
    before = func.lag(message.id).over(partition_by=message.thread_id, order_by=order)
    rows = (
        select(message.id, before.label("before"))
        .where(message.thread_id.in_(threads))
        .where(message.kind.not_in([kind.value for kind in ASIDES]))
        .where(message.version_ms == 0, message.removed_ms.is_(None))
        .subquery()
    )
    wanted = select(rows).where(rows.c.id.in_(interaction_ids), rows.c.before.is_not(None))
    with reading(store.engine) as connection:
        return {row.id: row.before for row in connection.execute(wanted)}
