"""Reads rooms of chat systems: what was said in one, in order, and who was in it when.

What was said of a message later — versions, recalls, reactions, files — stands with the message,
in whatever order it came. It must not decide who may see what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from holdfast.core.errors import NotFound, Refused
from holdfast.core.kinds import ASIDES, Kind, Role
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.filed_facts import instant
from holdfast.storage.catalogue.schema import conversations, identities, interactions, participants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from holdfast.storage.store import Store

MOST = 1_000
"""Messages of one page."""
LONGEST_FAMILY = 1_000
"""What was said of one message; the oldest of it is given, what is no reaction first."""
_OF_ROOMS = (Kind.CHAT_EVENT.value, Kind.CONVERSATION.value)
_LATER = tuple(sorted(one.value for one in ASIDES - {Kind.CHAT_EVENT, Kind.CONSENT}))
"""Kinds that stand with the message that they are about, or in no order of messages."""


@dataclass(frozen=True, slots=True)
class Room:
    """One room."""

    id: int
    channel: str
    key: str
    name: str
    messages: int
    """Messages in sight, each version counted."""
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a room, or one event of it."""

    id: int
    """The interaction that speaks for it: its first version."""
    versions: tuple[int, ...]
    """Its later versions, oldest first."""
    later: tuple[int, ...]
    """What was said of it: recalls, deletions, reactions, files."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A stretch of a room, oldest first."""

    lines: tuple[Line, ...]
    before: str
    """Cursor of the stretch before; empty at the beginning."""
    after: str
    """Cursor of the stretch after; empty at the end."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who was in a room."""

    identity_id: int
    contact_id: int
    name: str
    kind: str
    value: str
    since: datetime | None
    """None where it is only known that they were in it."""
    until: datetime | None


def room(store: Store, room_id: int) -> Room:
    """Return the room.

    Raises:
        NotFound: There is none.
    """
    with reading(store.engine) as connection:
        found = _rooms(connection, conversations.c.id == room_id, 1)
    if not found:
        raise NotFound("There is no such conversation.", next_step="Search for its messages.")
    return found[0]


def rooms(store: Store, text: str, limit: int = 20) -> list[Room]:
    """Return the rooms whose name or key holds the text, the latest alive first."""
    wanted = text.strip().casefold()
    named = or_(
        func.lower(conversations.c.name).contains(wanted, autoescape=True),
        conversations.c.key == text.strip(),
    )
    with reading(store.engine) as connection:
        return _rooms(connection, named, limit)


def _rooms(connection: Connection, which: ColumnElement[bool], limit: int) -> list[Room]:
    last = func.max(interactions.c.at_ms)
    query = (
        select(
            conversations,
            func.count(interactions.c.id).label("messages"),
            func.min(interactions.c.at_ms).label("first_ms"),
            last.label("last_ms"),
        )
        .outerjoin(
            interactions,
            and_(
                interactions.c.conversation_id == conversations.c.id,
                interactions.c.removed_ms.is_(None),
            ),
        )
        .where(which)
        .group_by(conversations.c.id)
        .order_by(func.coalesce(last, 0).desc(), conversations.c.id)
        .limit(limit)
    )
    return [
        Room(
            row.id,
            row.channel,
            row.key,
            row.name,
            row.messages,
            None if row.first_ms is None else instant(row.first_ms),
            None if row.last_ms is None else instant(row.last_ms),
        )
        for row in connection.execute(query)
    ]


def lines_around(store: Store, interaction_id: int, count: int = 10) -> Lines:
    """Return the line of an interaction with as many lines before and after it.

    Raises:
        NotFound: It is in no room.
    """
    query = select(interactions.c.conversation_id, interactions.c.at_ms, interactions.c.id)
    with reading(store.engine) as connection:
        row = connection.execute(query.where(interactions.c.id == interaction_id)).first()
        if row is None or row.conversation_id is None:
            raise NotFound("It is in no conversation.", next_step="Look at its thread.")
        before, has_before = _stretch(connection, row.conversation_id, (row.at_ms, row.id), -count)
        after, has_after = _stretch(
            connection, row.conversation_id, (row.at_ms, row.id - 1), count + 1
        )
        return _lines(connection, [*before, *after], has_before=has_before, has_after=has_after)


def lines_of(store: Store, room_id: int, cursor: str = "", limit: int = 50) -> Lines:
    """Return a stretch of a room: its newest lines, or what a cursor of another stretch says.

    Raises:
        Refused: The cursor or the limit is not one.
    """
    if not 0 < limit <= MOST:
        raise Refused(f"A page has 1 to {MOST} lines.", limit=limit)
    way, place = _place(cursor)
    with reading(store.engine) as connection:
        count = limit if way == "after" else -limit
        found, has_more = _stretch(connection, room_id, place, count)
        is_after = way == "after"
        return _lines(
            connection,
            found,
            has_before=is_after or has_more,
            has_after=has_more if is_after else bool(cursor),
        )


def _place(cursor: str) -> tuple[str, tuple[int, int]]:
    if not cursor:
        return "before", (1 << 62, 1 << 62)
    way, _, rest = cursor.partition("_")
    at, _, row = rest.partition("_")
    digits = at.removeprefix("-") + row
    if way not in ("before", "after") or not digits.isascii() or not digits.isdigit():
        raise Refused("The cursor is not one.", next_step="Begin with the first page.")
    return way, (int(at), int(row))


def _stretch(
    connection: Connection, room_id: int, place: tuple[int, int], count: int
) -> tuple[list[Row[Any]], bool]:
    """Return the next lines after a place, or with a negative count those before it; and if more.

    Later versions of a message stand with their first one, so they are no lines.
    """
    at, row = interactions.c.at_ms, interactions.c.id
    is_after = count > 0
    beyond = (
        or_(at > place[0], and_(at == place[0], row > place[1]))
        if is_after
        else or_(at < place[0], and_(at == place[0], row < place[1]))
    )
    order = (at, row) if is_after else (at.desc(), row.desc())
    query = _in_room(room_id).where(beyond).order_by(*order).limit(abs(count) + 1)
    found = list(connection.execute(query))
    has_more = len(found) > abs(count)
    found = found[: abs(count)]
    return (found if is_after else found[::-1]), has_more


def _in_room(room_id: int) -> Select[Any]:
    other = interactions.alias("other")
    is_later_version = (
        select(other.c.id)
        .where(
            other.c.message_key == interactions.c.message_key,
            other.c.kind == interactions.c.kind,
            other.c.removed_ms.is_(None),
            or_(
                other.c.version_ms < interactions.c.version_ms,
                and_(
                    other.c.version_ms == interactions.c.version_ms,
                    other.c.id < interactions.c.id,
                ),
            ),
        )
        .exists()
    )
    return select(
        interactions.c.id,
        interactions.c.at_ms,
        interactions.c.message_key,
        interactions.c.message_id,
        interactions.c.kind,
    ).where(
        interactions.c.conversation_id == room_id,
        interactions.c.removed_ms.is_(None),
        interactions.c.kind.not_in(_LATER),
        ~and_(interactions.c.message_id != "", is_later_version),
    )


def _lines(
    connection: Connection, rows: Sequence[Row[Any]], *, has_before: bool, has_after: bool
) -> Lines:
    families = _families(connection, rows)
    lines = []
    for row in rows:
        family = [one for one in families.get(row.message_key, ()) if one.id != row.id]
        versions = tuple(one.id for one in family if one.kind == row.kind)
        later = tuple(one.id for one in _some([one for one in family if one.kind != row.kind]))
        lines.append(Line(row.id, versions, later))
    first, last = (rows[0], rows[-1]) if rows else (None, None)
    return Lines(
        tuple(lines),
        f"before_{first.at_ms}_{first.id}" if first is not None and has_before else "",
        f"after_{last.at_ms}_{last.id}" if last is not None and has_after else "",
    )


def _some(later: list[Row[Any]]) -> list[Row[Any]]:
    """Return no more than may be given: very many who like it do not hide that it was deleted."""
    if len(later) > LONGEST_FAMILY:
        later.sort(key=lambda one: one.kind == Kind.REACTION.value)
    return later[:LONGEST_FAMILY]


def _families(connection: Connection, rows: Iterable[Row[Any]]) -> dict[bytes, list[Row[Any]]]:
    keys = {row.message_key for row in rows if row.message_id}
    query = (
        select(interactions.c.id, interactions.c.message_key, interactions.c.kind)
        .where(interactions.c.removed_ms.is_(None), interactions.c.kind.not_in(_OF_ROOMS))
        .order_by(interactions.c.version_ms, interactions.c.at_ms, interactions.c.id)
    )
    found: dict[bytes, list[Row[Any]]] = {}
    for row in by_value(connection, query, interactions.c.message_key, keys):
        found.setdefault(row.message_key, []).append(row)
    return found


def room_lines(store: Store, interaction_ids: Iterable[int]) -> dict[int, list[int]]:
    """Return the rooms of these interactions, each with all its lines in order.

    Events of the room and later versions are lines too: they stand where they were said.
    """
    with reading(store.engine) as connection:
        wanted = by_value(
            connection,
            select(interactions.c.conversation_id)
            .where(interactions.c.conversation_id.is_not(None))
            .distinct(),
            interactions.c.id,
            interaction_ids,
        )
        rows = by_value(
            connection,
            select(interactions.c.conversation_id, interactions.c.at_ms, interactions.c.id).where(
                interactions.c.removed_ms.is_(None), interactions.c.kind.not_in(_LATER)
            ),
            interactions.c.conversation_id,
            {row.conversation_id for row in wanted},
        )
    found: dict[int, list[int]] = {}
    for row in sorted(rows, key=lambda one: (one.at_ms, one.id)):
        found.setdefault(row.conversation_id, []).append(row.id)
    return found


def member_events(store: Store, room_id: int) -> list[int]:
    """Return the interactions that say who is in a room."""
    query = select(interactions.c.id).where(
        interactions.c.conversation_id == room_id,
        interactions.c.removed_ms.is_(None),
        interactions.c.kind.in_(_OF_ROOMS),
    )
    with reading(store.engine) as connection:
        return list(connection.scalars(query))


def members_at(
    store: Store,
    room_id: int,
    at: datetime | None = None,
    among: Collection[int] | None = None,
) -> list[Member]:
    """Return who was in a room at an instant, by all that is known; now, without one.

    An export lists members; events tell who came and went. Who came and did not leave before the
    instant was in it; who is only listed was in it from the beginning, unless they left.

    Args:
        store: Of the archive.
        room_id: The room.
        at: The instant.
        among: Of `member_events` those that count; all, without it.
    """
    at_ms = (1 << 62) if at is None else int(at.timestamp() * 1000)
    query = (
        select(
            participants.c.interaction_id,
            participants.c.role,
            participants.c.at_ms,
            participants.c.name.label("said"),
            identities.c.id,
            identities.c.contact_id,
            identities.c.kind,
            identities.c.value,
            identities.c.name,
        )
        .join(interactions, interactions.c.id == participants.c.interaction_id)
        .join(identities, identities.c.id == participants.c.identity_id)
        .where(
            interactions.c.conversation_id == room_id,
            interactions.c.removed_ms.is_(None),
            interactions.c.kind.in_(_OF_ROOMS),
            participants.c.role.in_([Role.MEMBER.value, Role.JOINED.value, Role.LEFT.value]),
        )
        .order_by(participants.c.at_ms, participants.c.interaction_id)
    )
    with reading(store.engine) as connection:
        rows: Sequence[Any] = connection.execute(query).all()
    known: dict[int, list[Any]] = {}
    for row in rows:
        if among is None or row.interaction_id in among:
            known.setdefault(row.id, []).append(row)
    found = [_member(seen, at_ms) for seen in known.values()]
    return [one for one in found if one is not None]


def _member(seen: Sequence[Row[Any]], at_ms: int) -> Member | None:
    """Return somebody's stay in a room at an instant; None where they were not in it."""
    moves = [row for row in seen if row.role != Role.MEMBER.value]
    before = [row for row in moves if row.at_ms <= at_ms]
    after = [row for row in moves if row.at_ms > at_ms]
    is_listed = len(moves) < len(seen)
    if before:
        is_in = before[-1].role == Role.JOINED.value
        since = instant(before[-1].at_ms) if is_in else None
    else:
        is_in = after[0].role == Role.LEFT.value if after else is_listed
        since = None
    if not is_in:
        return None
    until = instant(after[0].at_ms) if after and after[0].role == Role.LEFT.value else None
    one = seen[-1]
    return Member(
        one.id, one.contact_id or 0, one.name or one.said, one.kind, one.value, since, until
    )
