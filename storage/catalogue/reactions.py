"""Reads when what was said of a message stood so: by its own time, and by the exports that show it.

What follows from it is decided in `core.reactions`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.reactions import Stood
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.filed_facts import captures_in, instant
from holdfast.storage.catalogue.schema import interactions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from holdfast.storage.store import Store


def stood_at(store: Store, interaction_ids: Sequence[int]) -> dict[int, Stood]:
    """Return when these records stood; captures of imports that were undone tell nothing."""
    query = select(interactions.c.id, interactions.c.sent_ms, interactions.c.at_ms)
    with reading(store.engine) as connection:
        rows = by_value(connection, query, interactions.c.id, interaction_ids)
        taken = captures_in(connection, interaction_ids)
    shown: dict[int, set[datetime]] = defaultdict(set)
    for interaction_id, captures in taken.items():
        for one in captures:
            if one.facts.as_of is not None:
                # Whatever time it states: what came in then was not of later.
                shown[interaction_id].add(min(one.facts.as_of, one.captured_at))
    return {
        row.id: Stood(None if row.sent_ms is None else instant(row.at_ms), frozenset(shown[row.id]))
        for row in rows
    }
