"""Single values about the archive as a whole, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.storage.catalogue.chunks import insert_missing, upsert_rows
from holdfast.storage.catalogue.schema import archive_facts

if TYPE_CHECKING:
    from sqlalchemy import Connection

ARCHIVE_ID = "archive_id"
"""32 hex digits, made once; segments and the audit log carry it."""
CLEANED = "free_space_cleaned"
"""Set once all free space of the database was cleared that older programs had left content in."""
PEOPLE_FORGOTTEN = "people_forgotten"
"""Another value whenever identities were forgotten: what writers remember of them is void then."""
INDEX_GENERATION = "index_generation"
"""Folder of the index that searches use."""


def fact(connection: Connection, name: str) -> str | None:
    """Return the value, or None where there is none."""
    value: str | None = connection.scalar(
        select(archive_facts.c.value).where(archive_facts.c.name == name)
    )
    return value


def settle_fact(connection: Connection, name: str, value: str) -> None:
    """Set a value that must never change: the first one counts."""
    insert_missing(connection, archive_facts, [{"name": name, "value": value}], "name")


def change_fact(connection: Connection, name: str, value: str) -> None:
    """Set a value, whatever it was."""
    upsert_rows(connection, archive_facts, [{"name": name, "value": value}], "name", "value")
