"""Find what a message came after in its thread or room; whose answer it is, the caller says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select

from holdfast.core.kinds import ASIDES, Role
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import interactions, participants
from holdfast.storage.catalogue.sightings import HUMAN_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, FromClause, Select

    from holdfast.storage.store import Store


def messages_before(store: Store, interaction_ids: Sequence[int]) -> dict[int, int]:
    """Return the message that stands before each in its thread, by time; those with none left out.

    In chat people answer without saying what: before a message to somebody that has none in a
    thread stands the one before it in its room. Later versions, recalls, reactions and other asides
    do not count.

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
        .where(_is_first_words(interactions))
        .subquery()
    )
    wanted = select(rows).where(rows.c.id.in_(interaction_ids), rows.c.before.is_not(None))
    with reading(store.engine) as connection:
        found = {row.id: row.before for row in connection.execute(wanted)}
        alone = [one for one in interaction_ids if one not in found]
        in_rooms = by_value(connection, _IN_ROOM, message.id, alone)
    return found | {row.id: row.before for row in in_rooms if row.before is not None}


def rooms_of(store: Store, interaction_ids: Sequence[int]) -> dict[int, int]:
    """Return the room of each message that was said in one."""
    query = select(interactions.c.id, interactions.c.conversation_id).where(
        interactions.c.conversation_id.is_not(None)
    )
    with reading(store.engine) as connection:
        rows = by_value(connection, query, interactions.c.id, interaction_ids)
    return {row.id: row.conversation_id for row in rows}


def _is_first_words(one: FromClause) -> ColumnElement[bool]:
    """It is no aside, and no later version of what was said."""
    is_aside = one.c.kind.in_([kind.value for kind in ASIDES])
    return and_(~is_aside, one.c.version_ms == 0, one.c.removed_ms.is_(None))


_earlier = interactions.alias("earlier")
_IN_ROOM = select(
    interactions.c.id,
    select(_earlier.c.id)
    .where(
        _earlier.c.conversation_id == interactions.c.conversation_id,
        or_(
            _earlier.c.at_ms < interactions.c.at_ms,
            and_(_earlier.c.at_ms == interactions.c.at_ms, _earlier.c.id < interactions.c.id),
        ),
        _is_first_words(_earlier),
    )
    .order_by(_earlier.c.at_ms.desc(), _earlier.c.id.desc())
    .limit(1)
    .correlate(interactions)
    .scalar_subquery()
    .label("before"),
).where(
    interactions.c.conversation_id.is_not(None),
    exists().where(
        participants.c.interaction_id == interactions.c.id, participants.c.role == Role.TO.value
    ),
)


def last_words(since_ms: int, until_ms: int) -> Select[Any]:
    """Return the query for messages by people after which their thread, or room, did not go on.

    Args:
        since_ms: Unix milliseconds; later than this instant.
        until_ms: At this instant or earlier.
    """
    message, mate, next_one = interactions.c, interactions.alias("mate"), interactions.alias("next")
    in_thread = and_(mate.c.thread_id == message.thread_id, _is_said(mate))
    in_room = and_(next_one.c.conversation_id == message.conversation_id, _is_said(next_one))
    goes_on = exists().where(in_thread, mate.c.at_ms > message.at_ms)
    is_of_thread = exists().where(in_thread, mate.c.id != message.id)
    room_goes_on = exists().where(in_room, next_one.c.at_ms > message.at_ms)
    return (
        select(message.id)
        .where(message.at_ms > since_ms, message.at_ms <= until_ms)
        .where(_is_said(interactions), ~goes_on, or_(is_of_thread, ~room_goes_on))
        .order_by(message.at_ms, message.id)
    )


def _is_said(one: FromClause) -> ColumnElement[bool]:
    """A person said it, and it is no later version of what was said."""
    return and_(
        one.c.kind.in_(HUMAN_KINDS),
        one.c.is_bulk.is_(False),
        one.c.version_ms == 0,
        one.c.removed_ms.is_(None),
    )
