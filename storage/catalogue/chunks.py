"""Statements over many values at once, within the limits of both databases; knows no table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, any_, bindparam

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select, Table

CHUNK = 500
"""Values in one IN list: few enough for every SQLite build, many enough to hide the round trip."""
POSTGRES_CHUNK = 10_000


def by_value(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[Any],
    values: Iterable[object],
) -> list[Row[Any]]:
    """Run the query for all rows whose column is one of the values, however many there are."""
    wanted = list(dict.fromkeys(values))
    rows: list[Row[Any]] = []
    if connection.dialect.name == "postgresql":  # one array, one statement whatever their number
        size, chosen = POSTGRES_CHUNK, query.where(column == any_(_array("chosen", column)))
    else:  # one parameter that is expanded late: a list makes an object of each value
        size, chosen = CHUNK, query.where(column.in_(bindparam("chosen", expanding=True)))
    for start in range(0, len(wanted), size):
        chunk = wanted[start : start + size]
        rows.extend(connection.execute(chosen, {"chosen": chunk}).all())
    return rows


def _array(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return bindparam(name, type_=ARRAY(column.type))


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows, which all name the same columns in the same order.

    Goes past SQLAlchemy's handling of single values, which costs more than the database does:
    values must be what the driver takes (numbers, text, bytes, None).
    """
    _insert(connection, table, rows, "")


def insert_missing(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *unique: str
) -> None:
    """Insert the rows whose unique columns are not there yet; the others stay as they are."""
    columns = ", ".join(_quoted(connection, unique))
    _insert(connection, table, rows, f" ON CONFLICT ({columns}) DO NOTHING")


def upsert_rows(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], key: str, changed: str
) -> None:
    """Insert the rows, or give those whose key is there the new value of `changed`."""
    key, changed = _quoted(connection, (key, changed))
    clause = f" ON CONFLICT ({key}) DO UPDATE SET {changed} = excluded.{changed}"
    _insert(connection, table, rows, clause)


def update_rows(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *keys: str
) -> None:
    """Set the other columns of each row where its key columns match; as fast as `insert_rows`."""
    if not rows:
        return
    names = [name for name in rows[0] if name not in keys]
    sets = ", ".join(f"{name} = {_mark(connection)}" for name in _quoted(connection, names))
    where = " AND ".join(f"{name} = {_mark(connection)}" for name in _quoted(connection, keys))
    values = [tuple(row[name] for name in (*names, *keys)) for row in rows]
    connection.exec_driver_sql(
        f"UPDATE {_quoted(connection, [table.name])[0]} SET {sets} WHERE {where}",  # noqa: S608 - ours
        values,
    )


def _insert(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], clause: str
) -> None:
    if not rows:
        return
    columns = ", ".join(_quoted(connection, rows[0]))
    marks = ", ".join([_mark(connection)] * len(rows[0]))
    name = _quoted(connection, [table.name])[0]
    connection.exec_driver_sql(
        f"INSERT INTO {name} ({columns}) VALUES ({marks}){clause}",  # noqa: S608 - our own names
        [tuple(row.values()) for row in rows],
    )


def _quoted(connection: Connection, names: Iterable[str]) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote
    return [quote(name) for name in names]


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"
