"""Gives chat messages their rooms, which it makes where they are new; it reads no message.

A room is known by its channel and the system's own key. Its name is the last one by the clock of
the system, whatever order the messages come in.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, or_, select, update

from holdfast.storage.catalogue.chunks import by_value, insert_missing
from holdfast.storage.catalogue.locks import Hold, lock_rows, refuse_fewer
from holdfast.storage.catalogue.schema import conversations, interactions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from holdfast.core.custody import Draft
    from holdfast.core.identity import IdFactory

Place = tuple[str, str]
"""Channel, and the key of the room in it."""


def rooms_of(
    connection: Connection, drafts: Mapping[int, tuple[Draft, int]], ids: IdFactory
) -> dict[int, int]:
    """Return the room of each interaction that has one.

    Args:
        connection: Of the filing transaction.
        drafts: New interaction → its draft, and when it was, in Unix milliseconds.
        ids: For rooms that are made.
    """
    places = {
        row: (d.channel, d.conversation.key) for row, (d, _) in drafts.items() if d.conversation
    }
    if not places:
        return {}
    names = _names(drafts, places)
    rows = [
        {"id": ids.take(), "channel": place[0], "key": place[1], "name": "", "named_ms": None}
        for place in sorted(names)
    ]
    insert_missing(connection, conversations, rows, "channel", "key")
    known = _known(connection, names)
    if connection.dialect.name == "postgresql":  # nobody may forget a room that gains a message
        ids_known = [row.id for row in known.values()]
        lock_rows(connection, conversations.c.id, ids_known, Hold.REFERRED)
        known = _known(connection, names)
    refuse_fewer(len(known), names)
    _rename(connection, known, names)
    return {row: known[place].id for row, place in places.items()}


def _names(
    drafts: Mapping[int, tuple[Draft, int]], places: Mapping[int, Place]
) -> dict[Place, tuple[int, str]]:
    """Return the newest name of each room, with its time; no name where none is said."""
    names: dict[Place, tuple[int, str]] = {}
    for row, place in places.items():
        draft, at_ms = drafts[row]
        said = (at_ms, draft.conversation.name) if draft.conversation else (at_ms, "")
        best = names.setdefault(place, (0, ""))
        if said[1] and (not best[1] or said > best):
            names[place] = said
    return names


def _known(connection: Connection, names: Mapping[Place, object]) -> dict[Place, Any]:
    rows = by_value(
        connection, select(conversations), conversations.c.key, {key for _, key in names}
    )
    return {(row.channel, row.key): row for row in rows if (row.channel, row.key) in names}


def _rename(
    connection: Connection, known: Mapping[Place, Any], names: Mapping[Place, tuple[int, str]]
) -> None:
    """Give rooms their newest names; a name that was said again counts from its last time."""
    newer = []
    for place, (at_ms, name) in names.items():
        row = known[place]
        if name and (row.named_ms is None or (row.named_ms, row.name) < (at_ms, name)):
            newer.append({"room": row.id, "said": name, "when": at_ms})
    if newer:  # each waits for a writer that renames the same room, and looks again
        connection.execute(_RENAME, sorted(newer, key=itemgetter("room")))


_RENAME = (
    update(conversations)
    .where(
        conversations.c.id == bindparam("room"),
        or_(
            conversations.c.named_ms.is_(None),
            conversations.c.named_ms < bindparam("when"),
            and_(
                conversations.c.named_ms == bindparam("when"),
                conversations.c.name < bindparam("said"),
            ),
        ),
    )
    .values(name=bindparam("said"), named_ms=bindparam("when"))
)


def forget_room(connection: Connection, room_id: int | None) -> None:
    """Remove a room of which nothing is left: its name says what was talked about."""
    if room_id is None:
        return
    is_needed = exists().where(interactions.c.conversation_id == room_id)
    connection.execute(delete(conversations).where(conversations.c.id == room_id, ~is_needed))
