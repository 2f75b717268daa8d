"""Keeps counts, names and times of contact of identities; it makes none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Table,
    Text,
    and_,
    case,
    distinct,
    exists,
    func,
    select,
)

from holdfast.core.kinds import Role
from holdfast.storage.catalogue.chunks import by_value, each_given
from holdfast.storage.catalogue.homes import IS_VALID
from holdfast.storage.catalogue.locks import Hold, lock_rows, refuse_fewer
from holdfast.storage.catalogue.schema import identities, interactions, participants
from holdfast.storage.catalogue.sightings import HUMAN_KINDS, PERSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row, Select

    from holdfast.storage.catalogue.sightings import Tally


def count_seen(connection: Connection, tallies: dict[str, Tally], found: dict[str, int]) -> None:
    """Add the tallies to the identities that were found for their addresses.

    In order of id, so that two writers never wait for each other in a ring.

    Raises:
        Contended: One of them was forgotten at the same moment.
    """
    if connection.dialect.name == "postgresql":
        _count_and_name(connection, tallies, found)
    else:
        _count(connection, tallies, found)
        _name(connection, tallies, found)


# Written out, because building parameters costs SQLAlchemy more than the update costs the database.
_ADD = "UPDATE identities SET messages = messages + ? WHERE id = ?"
_ADD_HUMAN = """
UPDATE identities SET
  first_ms = CASE WHEN first_ms <= ? THEN first_ms ELSE ? END,
  last_ms = CASE WHEN last_ms >= ? THEN last_ms ELSE ? END,
  human_messages = human_messages + ?,
  messages = messages + ?
WHERE id = ?"""
_NAME = "UPDATE identities SET name = ? WHERE id = ? AND name = ''"
_SIDE = "UPDATE identities SET side = ? WHERE id = ? AND side = ''"
_OWN_NAME = "UPDATE identities SET name = ? WHERE id = ? AND name <> ?"


_SEEN = Table(
    "identities",
    MetaData(),
    Column("id", BigInteger),
    Column("first_ms", BigInteger),
    Column("last_ms", BigInteger),
    Column("human_messages", BigInteger),
    Column("messages", BigInteger),
    Column("name", Text),
    Column("own_name", Text),
    Column("side", Text),
)
"""What `_COUNT_AND_NAME` is given for each identity."""
_COUNT_AND_NAME = """
UPDATE {table} SET
  first_ms = LEAST(identities.first_ms, given.first_ms),
  last_ms = GREATEST(identities.last_ms, given.last_ms),
  human_messages = identities.human_messages + given.human_messages,
  messages = identities.messages + given.messages,
  name = COALESCE(NULLIF(given.own_name, ''), NULLIF(identities.name, ''), given.name),
  side = COALESCE(NULLIF(identities.side, ''), given.side)
FROM {given} WHERE identities.id = given.id AND identities.kind <> 'forgotten'"""


def _count_and_name(
    connection: Connection, tallies: dict[str, Tally], found: dict[str, int]
) -> None:
    """Do what `_count` and `_name` do, changing each row once."""
    rows = []
    for row_id, key in sorted((row_id, key) for key, row_id in found.items()):
        tally = tallies[key]
        row: dict[str, Any] = {"id": row_id, "first_ms": None, "last_ms": None}
        if tally.human_messages:
            row |= {"first_ms": tally.first_ms, "last_ms": tally.last_ms}
        row |= {"human_messages": tally.human_messages, "messages": tally.messages}
        own = tally.name if tally.is_own_name else ""
        rows.append(row | {"name": tally.name, "own_name": own, "side": tally.side})
    lock_rows(connection, identities.c.id, found.values(), Hold.CHANGING)
    if rows:
        refuse_fewer(each_given(connection, _COUNT_AND_NAME, _SEEN, rows), rows)


def _count(connection: Connection, tallies: dict[str, Tally], found: dict[str, int]) -> None:
    machine: list[tuple[object, ...]] = []
    human: list[tuple[object, ...]] = []
    for row_id, key in sorted((row_id, key) for key, row_id in found.items()):
        tally = tallies[key]
        if tally.human_messages:
            first, last = tally.first_ms, tally.last_ms
            human.append((first, first, last, last, tally.human_messages, tally.messages, row_id))
        else:
            machine.append((tally.messages, row_id))
    _run(connection, _ADD_HUMAN, human)
    _run(connection, _ADD, machine)


def _name(connection: Connection, tallies: dict[str, Tally], found: dict[str, int]) -> None:
    """Fill empty names and sides; a name that its owner uses replaces any other."""
    named = [(tallies[key], row_id) for key, row_id in found.items() if tallies[key].name]
    named.sort(key=lambda pair: pair[1])
    own = [(tally.name, row_id, tally.name) for tally, row_id in named if tally.is_own_name]
    other = [(tally.name, row_id) for tally, row_id in named if not tally.is_own_name]
    _run(connection, _OWN_NAME, own)
    _run(connection, _NAME, other)
    sided = sorted((i, tallies[key].side) for key, i in found.items() if tallies[key].side)
    _run(connection, _SIDE, [(side, row_id) for row_id, side in sided])


def _run(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        if connection.dialect.name == "postgresql":
            statement = statement.replace("?", "%s")
        connection.exec_driver_sql(statement, list(rows))


def recount(connection: Connection, interaction_ids: Iterable[int]) -> None:
    """Count again, from what is filed, everybody who takes part in these interactions.

    For interactions that were removed or came back; filing new ones counts by itself.
    """
    taking_part = by_value(
        connection,
        select(participants.c.identity_id.label("id"))
        .where(participants.c.identity_id.is_not(None))
        .distinct(),
        participants.c.interaction_id,
        interaction_ids,
    )
    recount_identities(connection, {row.id for row in taking_part})


def recount_identities(connection: Connection, identity_ids: Iterable[int]) -> None:
    """Count these identities again, from what is filed."""
    wanted = sorted(set(identity_ids))
    lock_rows(connection, identities.c.id, wanted, Hold.CHANGING)
    counted = {
        row.identity_id: row
        for row in by_value(connection, _filed_counts(), participants.c.identity_id, wanted)
    }
    rows: list[tuple[object, ...]] = []
    for row_id in wanted:
        row = counted.get(row_id)
        if row is None:
            rows.append((0, 0, None, None, row_id))
        else:
            rows.append((row.messages, row.human, row.first_ms, row.last_ms, row_id))
    _run(connection, _RECOUNT, rows)


_RECOUNT = """
UPDATE identities SET messages = ?, human_messages = ?, first_ms = ?, last_ms = ? WHERE id = ?"""


def counted_in_time(connection: Connection, identity_ids: Iterable[int]) -> list[Row[Any]]:
    """Count identities again, of each only the time that it belongs to its contact.

    Returns:
        Rows of `identity_id`, `messages`, `human`, `first_ms`, `last_ms`; none for no message.
    """
    query = _filed_counts().join(identities, identities.c.id == participants.c.identity_id)
    return by_value(connection, query.where(IS_VALID), participants.c.identity_id, identity_ids)


def _filed_counts() -> Select[Any]:
    """Return the sums that `sightings` and `Linker` keep up, as one query by identity."""
    writer, writing_identity = participants.alias("writer"), identities.alias("writing_identity")
    is_human = and_(
        interactions.c.is_bulk.is_(False),
        interactions.c.kind.in_(HUMAN_KINDS),
        exists().where(
            writer.c.interaction_id == interactions.c.id,
            writer.c.role == Role.FROM.value,
            writing_identity.c.id == writer.c.identity_id,
            writing_identity.c.nature == PERSON,
        ),
    )
    message = participants.c.interaction_id
    return (
        select(
            participants.c.identity_id,
            func.count(distinct(message)).label("messages"),
            func.count(distinct(case((is_human, message)))).label("human"),
            func.min(case((is_human, participants.c.at_ms))).label("first_ms"),
            func.max(case((is_human, participants.c.at_ms))).label("last_ms"),
        )
        .join(interactions, interactions.c.id == message)
        .where(interactions.c.removed_ms.is_(None))
        .group_by(participants.c.identity_id)
    )
