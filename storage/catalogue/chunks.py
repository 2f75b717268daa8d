"""Statements over many values at once, within the limits of both databases; knows no table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select, Table

CHUNK = 500
"""Values in one IN list: few enough for every SQLite build, many enough to hide the round trip."""


def by_value(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[Any],
    values: Iterable[object],
) -> list[Row[Any]]:
    """Run the query for all rows whose column is one of the values, however many there are."""
    wanted = list(dict.fromkeys(values))
    rows: list[Row[Any]] = []
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        rows.extend(connection.execute(query.where(column.in_(chunk))).all())
    return rows


def insert_missing(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *unique: str
) -> None:
    """Insert the rows whose unique columns are not there yet; the others stay as they are."""
    if not rows:
        return
    is_sqlite = connection.dialect.name == "sqlite"
    insert = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    connection.execute(insert.on_conflict_do_nothing(index_elements=unique), list(rows))
