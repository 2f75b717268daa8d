"""Reads the tags of interactions, for records and for lists of tags; it changes none."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.rights_tables import metadata_values
from holdfast.storage.catalogue.schema import interactions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from holdfast.storage.store import Store

_strings = msgspec.json.Decoder(tuple[str, ...]).decode
_TAGGED = select(metadata_values.c.interaction_id, metadata_values.c.tags).where(
    metadata_values.c.tags != ""
)


def tags_in(connection: Connection, interaction_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return the tags of each interaction that has some, in the order in which they were added."""
    rows = by_value(connection, _TAGGED, metadata_values.c.interaction_id, interaction_ids)
    return {row.interaction_id: _strings(row.tags) for row in rows}


def tags_counted(store: Store) -> list[tuple[str, int]]:
    """Return every tag with the number of messages in sight that have it, most frequent first."""
    query = _TAGGED.join(interactions, interactions.c.id == metadata_values.c.interaction_id).where(
        interactions.c.removed_ms.is_(None)
    )
    counts: Counter[str] = Counter()
    with reading(store.engine) as connection:
        for row in connection.execute(query).yield_per(1000):
            counts.update(_strings(row.tags))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
