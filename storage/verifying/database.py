"""The database itself: its pages, its indexes, what its columns may hold, and its references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table

from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import metadata
from holdfast.storage.verifying.report import Finding, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 20
"""Most rows that are named of one table whose values are of a wrong kind."""


def check_database(scope: Scope) -> Iterator[Finding]:
    """Check SQLite's structure; PostgreSQL has checksums and types of its own."""
    if not scope.is_whole or scope.store.engine.dialect.name != "sqlite":
        return
    with reading(scope.store.engine) as connection:
        for cause in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
            if cause != "ok":
                yield Finding("catalogue", "database", str(cause))
        for table in metadata.sorted_tables:
            keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
            query = f'SELECT {keys} FROM "{table.name}" WHERE {_odd(table)} LIMIT {_SHOWN}'  # noqa: S608
            for row in connection.exec_driver_sql(query):
                name = f"{table.name} {', '.join(map(str, row))}"
                yield Finding("catalogue", name, "A value is not of its column's kind.")
        for table_name, key, target, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            cause = f"It refers to a row of {target} that is not there."
            yield Finding("catalogue", f"{table_name} {key}", cause)


def _odd(table: Table) -> str:
    return " OR ".join(_odd_value(column) for column in table.columns)


def _odd_value(column: Column[object]) -> str:
    """Return the condition of a value that SQLite would keep and the column is not meant for."""
    name = f'"{column.name}"'
    missing = f"{name} IS NOT NULL AND " if column.nullable else ""
    kind = column.type
    if isinstance(kind, Boolean):
        return f"({missing}{name} NOT IN (0, 1))"
    if isinstance(kind, BigInteger | Integer):
        return f"({missing}typeof({name}) <> 'integer')"
    if isinstance(kind, LargeBinary):
        odd = f"typeof({name}) <> 'blob'"
        return (
            f"({missing}({odd} OR length({name}) <> {kind.length}))"
            if kind.length
            else f"({missing}{odd})"
        )
    assert isinstance(kind, String)  # noqa: S101 - the schema has no other kinds
    return f"({missing}typeof({name}) <> 'text')"
