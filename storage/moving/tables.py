"""Say which rows of a catalogue move, in which order, and what they come to; writes none.

The order and the digest are the same on both databases, so that the two can be compared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import MetaData, Text, func, select, tuple_

from holdfast.storage.catalogue.facts import INDEX_GENERATION
from holdfast.storage.catalogue.migrations import HEAD, current
from holdfast.storage.catalogue.schema import metadata
from holdfast.storage.moving.marks import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine, Select, Table

STAYING = frozenset({"leases", "index_queue"})
"""Tables of the moment: who holds which lease, and what the index of here still lacks."""
VERSION_TABLE = "alembic_version"
STAYING_FACTS = (INDEX_GENERATION, *MARKS)
PLACES = frozenset({"segment", "offset", "length"})
"""Columns of `originals` that change when a record gets a new place."""
_PAGE = 1000
pack = msgspec.msgpack.Encoder().encode

Values = tuple[Any, ...]


def moving_tables(known: MetaData = metadata) -> list[Table]:
    """Return the tables whose rows move, each after those it refers to."""
    return [
        table
        for table in known.sorted_tables
        if table.name not in STAYING and table.name != VERSION_TABLE
    ]


def tables_of(engine: Engine) -> MetaData:
    """Return the tables as they are in this database, which may be of an earlier version."""
    if current(engine) == HEAD:
        return metadata
    found = MetaData()
    found.reflect(engine)
    return found


def key_columns(table: Table) -> tuple[str, ...]:
    """Name the columns that the rows are ordered by."""
    return tuple(str(column.name) for column in table.primary_key)


def columns(table: Table) -> tuple[str, ...]:
    """Name all columns in the order of the values of a row: those of its key first."""
    keys = key_columns(table)
    return (*keys, *(str(column.name) for column in table.columns if column.name not in keys))


def rows(connection: Connection, table: Table, after: Values = ()) -> Iterator[Values]:
    """Yield the rows in order, from behind the key `after`; needs little memory."""
    ordered = _ordered(connection, table)
    query = select(*(table.c[name] for name in columns(table))).order_by(*ordered)
    if after:
        query = query.where(tuple_(*ordered) > after)
    for row in connection.execute(_only_moving(query, table)).yield_per(_PAGE):
        yield tuple(row)


def count(connection: Connection, table: Table) -> int:
    """Return how many rows move."""
    query = _only_moving(select(func.count()).select_from(table), table)
    return connection.scalar(query) or 0


def self_references(table: Table) -> tuple[str, ...]:
    """Name the columns that refer to rows of the same table, which may come later."""
    return tuple(
        column.name
        for column in table.columns
        if any(key.column.table is table for key in column.foreign_keys)
    )


@dataclass(slots=True)
class Digest:
    """SHA-256 over rows in order, each packed as one MessagePack array."""

    rows: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, packed: bytes) -> None:
        """Take the next row."""
        self.rows += 1
        self._hash.update(packed)

    def hexadecimal(self) -> str:
        """Return the digest so far."""
        return str(self._hash.hexdigest())


def kept_columns(table: str, names: Sequence[str]) -> list[int]:
    """Return which values of a row stay the same when it moves."""
    places = PLACES if table == "originals" else frozenset()
    return [at for at, name in enumerate(names) if name not in places]


def digest(connection: Connection, table: Table) -> Digest:
    """Return count and digest of what moves, without the places of originals."""
    result = Digest()
    kept = kept_columns(table.name, columns(table))
    for row in rows(connection, table):
        result.add(pack([row[at] for at in kept]))
    return result


def _ordered(connection: Connection, table: Table) -> Sequence[ColumnElement[Any]]:
    """Text in the order of its bytes, which is SQLite's own and every PostgreSQL's "C"."""
    if connection.dialect.name != "postgresql":
        return list(table.primary_key)
    return [
        column.collate("C") if isinstance(column.type, Text) else column
        for column in table.primary_key
    ]


def _only_moving(query: Select[Any], table: Table) -> Select[Any]:
    if table.name == "archive_facts":
        return query.where(table.c.name.not_in(STAYING_FACTS))
    return query
