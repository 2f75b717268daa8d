"""Statements over many values at once, within the limits of both databases; knows no table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ARRAY, String, any_, bindparam, func, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select, Table

CHUNK = 500
"""Values in one IN list: few enough for every SQLite build, many enough to hide the round trip."""
ARRAY_CHUNK = 10_000
"""Values in one array."""
Values = tuple[Any, ...]
"""Of one row, in the order of the columns that are named beside it."""
PORTION_BYTES = 32 * 1024 * 1024


def by_value(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[Any],
    values: Iterable[object],
) -> list[Row[Any]]:
    """Run the query for all rows whose column is one of the values, however many there are."""
    wanted = list(dict.fromkeys(values))
    rows: list[Row[Any]] = []
    if connection.dialect.name == "postgresql":
        chosen, given = query.where(column == any_(_array("chosen", column))), _as_it_is
    elif wanted and isinstance(wanted[0], bytes):
        chosen, given = query.where(column.in_(_BYTES)), _json_of_bytes
    else:
        chosen, given = query.where(column.in_(_VALUES)), _json
    for start in range(0, len(wanted), ARRAY_CHUNK):
        chunk = wanted[start : start + ARRAY_CHUNK]
        rows.extend(connection.execute(chosen, {"chosen": given(chunk)}).all())
    return rows


# One array is one parameter, and one statement whatever its length: SQLAlchemy takes longer to
# write a list of parameters than SQLite to look all of them up.
_GIVEN = func.json_each(bindparam("chosen", type_=String)).table_valued("value").c.value
_VALUES = select(_GIVEN)
_BYTES = select(func.unhex(_GIVEN))


def _as_it_is(values: list[object]) -> object:
    return values


def _json(values: list[object]) -> str:
    return msgspec.json.encode(values).decode()


def _json_of_bytes(values: list[Any]) -> str:
    return _json([value.hex() for value in values])


def _array(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return bindparam(name, type_=ARRAY(column.type))


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows, which all name the same columns in the same order.

    Goes past SQLAlchemy's handling of single values, which costs more than the database does:
    values must be what the driver takes (numbers, text, bytes, None).
    """
    _insert(connection, table, rows, "")


def insert_values(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Values]
) -> None:
    """Insert as `insert_rows` does, for tables with many rows to a message: a dict costs more."""
    _insert_values(connection, table, columns, rows, "")


def insert_missing(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *unique: str
) -> int:
    """Insert the rows whose unique columns are not there yet; the others stay as they are.

    Returns:
        How many were inserted. Beside other writers fewer than were missing a moment ago: it waits
        for a writer that is inserting the same, and leaves out what that one has committed.
    """
    columns = ", ".join(_quoted(connection, unique))
    return _insert(connection, table, rows, f" ON CONFLICT ({columns}) DO NOTHING")


def upsert_rows(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], key: str, changed: str
) -> None:
    """Insert the rows, or give those whose key is there the new value of `changed`.

    Each key may be in the rows once.
    """
    key, changed = _quoted(connection, (key, changed))
    clause = f" ON CONFLICT ({key}) DO UPDATE SET {changed} = excluded.{changed}"
    _insert(connection, table, rows, clause)


def update_rows(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *keys: str
) -> None:
    """Set the other columns of each row where its key columns match; as fast as `insert_rows`.

    Each key may be in the rows once.
    """
    if not rows:
        return
    names = [name for name in rows[0] if name not in keys]
    name = _quoted(connection, [table.name])[0]
    if connection.dialect.name == "postgresql":
        sets = ", ".join(f"{one} = given.{one}" for one in _quoted(connection, names))
        where = " AND ".join(f"{name}.{one} = given.{one}" for one in _quoted(connection, keys))
        statement = f"UPDATE {{table}} SET {sets} FROM {{given}} WHERE {where}"  # noqa: S608 - ours
        each_given(connection, statement, table, rows)
        return
    sets = ", ".join(f"{one} = ?" for one in _quoted(connection, names))
    where = " AND ".join(f"{one} = ?" for one in _quoted(connection, keys))
    values = [tuple(row[one] for one in (*names, *keys)) for row in rows]
    statement = f"UPDATE {name} SET {sets} WHERE {where}"  # noqa: S608 - our own names
    connection.exec_driver_sql(statement, values)


def _insert(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], clause: str
) -> int:
    if not rows:
        return 0
    values = [tuple(row.values()) for row in rows]
    return _insert_values(connection, table, tuple(rows[0]), values, clause)


def _insert_values(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Values],
    clause: str,
) -> int:
    if not rows:
        return 0
    columns = ", ".join(_quoted(connection, names))
    if connection.dialect.name == "postgresql":
        statement = f"INSERT INTO {{table}} ({columns}) SELECT {columns} FROM {{given}}{clause}"  # noqa: S608
        return _each_given(connection, statement, table, names, rows)
    marks = ", ".join("?" * len(names))
    name = _quoted(connection, [table.name])[0]
    done = connection.exec_driver_sql(
        f"INSERT INTO {name} ({columns}) VALUES ({marks}){clause}",  # noqa: S608 - our own names
        rows,
    )
    return done.rowcount


def each_given(
    connection: Connection, statement: str, table: Table, rows: Sequence[dict[str, Any]]
) -> int:
    """Run a statement of PostgreSQL over rows that travel as one array for each column.

    One statement for thousands of rows: neither the planner nor the network is asked for each.

    Args:
        connection: In a transaction.
        statement: With `{table}`, and `{given}` where the rows are read, as `given`, in order.
        table: Gives the columns their types.
        rows: All name the same columns in the same order.

    Returns:
        How many rows it changed.
    """
    values = [tuple(row.values()) for row in rows]
    return _each_given(connection, statement, table, tuple(rows[0]), values)


def _each_given(
    connection: Connection,
    statement: str,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Values],
) -> int:
    types = [_type_of(connection, table.c[name]) for name in names]
    arrays = ", ".join(f"%b::{kind}[]" for kind in types)
    given = f"unnest({arrays}) AS given ({', '.join(_quoted(connection, names))})"
    sql = statement.format(table=_quoted(connection, [table.name])[0], given=given)
    changed = 0
    for some in _portions(rows):
        columns = tuple(map(list, zip(*some, strict=True)))
        changed += connection.exec_driver_sql(sql, columns).rowcount
    return changed


def _type_of(connection: Connection, column: ColumnElement[Any]) -> str:
    return column.type.compile(connection.dialect)


def _portions(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    """Cut where the arrays would grow large: one value of PostgreSQL ends at 1 GiB."""
    start = size = 0
    for at, row in enumerate(rows):
        size += sum([len(value) for value in row if isinstance(value, (str, bytes))])
        if size > PORTION_BYTES or at - start >= ARRAY_CHUNK:
            yield rows[start : at + 1]
            start, size = at + 1, 0
    if start < len(rows):
        yield rows[start:]


def _quoted(connection: Connection, names: Iterable[str]) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote
    return [quote(name) for name in names]
