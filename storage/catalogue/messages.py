"""Reads what stands behind a chat message: its room, its versions, and what was said of it later.

Everything that has the name of a message is its family: the message as it was first written, later
versions, recalls, deletions, reactions, and the files that it carries. In whatever order they came,
the first version speaks for the message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.kinds import ASIDES, EMAIL, Kind
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.schema import conversations, interactions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_ASIDES = frozenset(kind.value for kind in ASIDES)
_FAMILY = (
    select(
        *(interactions.c[name] for name in ("id", "message_key", "kind", "version_ms", "channel"))
    )
    .where(interactions.c.removed_ms.is_(None), interactions.c.channel != EMAIL)
    .order_by(interactions.c.version_ms, interactions.c.id)
)


def rooms_in(connection: Connection, rows: Iterable[Row[Any]]) -> dict[int, str]:
    """Return the name of each room that the rows are in, by its id."""
    wanted = {row.conversation_id for row in rows if row.conversation_id is not None}
    query = select(conversations.c.id, conversations.c.name)
    return {row.id: row.name for row in by_value(connection, query, conversations.c.id, wanted)}


def families_in(connection: Connection, rows: Iterable[Row[Any]]) -> dict[bytes, list[Row[Any]]]:
    """Return the families of the chat messages among the rows by their key, first version first."""
    keys = {row.message_key for row in rows if row.channel != EMAIL and row.message_id}
    found: dict[bytes, list[Row[Any]]] = defaultdict(list)
    for row in by_value(connection, _FAMILY, interactions.c.message_key, keys):
        found[row.message_key].append(row)
    return found


def marks_in(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, tuple[str, ...]]:
    """Return the marks (see `records.Record`) of the chat messages among the rows."""
    families = families_in(connection, rows)
    return {
        row.id: marks_of(row, families.get(row.message_key, ()))
        for row in rows
        if row.channel != EMAIL
    }


def marks_of(row: Row[Any], family: Sequence[Row[Any]]) -> tuple[str, ...]:
    """Return the marks of one chat record, given its family in order of the versions."""
    if row.kind in _ASIDES:
        return ("aside",)
    versions = [one for one in family if one.kind == row.kind]
    kinds = {one.kind for one in family}
    marks = []
    if row.version_ms or (versions and versions[-1].version_ms):
        marks.append("edited")
    if Kind.RECALL.value in kinds:
        marks.append("recalled")
    if Kind.DELETION.value in kinds:
        marks.append("deleted")
    if versions and versions[0].id != row.id:
        marks.append("version")
    return tuple(marks)
