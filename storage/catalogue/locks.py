"""Locks that give PostgreSQL's many writers what SQLite's single writer gives by itself.

Without effect on SQLite, where a write transaction is alone. All locks end with the transaction,
and those of one call are taken in one order, so that two writers never wait in a ring.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.failures import Contended

if TYPE_CHECKING:
    from collections.abc import Iterable, Sized

    from sqlalchemy import Column, Connection

BUCKETS = 256
"""Different locks that one class of names has at most: the server's table of locks is finite."""


class Hold(Enum):
    """What others may still do with a locked row, beside reading it."""

    ALONE = "FOR UPDATE"
    """Nothing."""
    CHANGING = "FOR NO KEY UPDATE"
    """Refer to it with new rows."""
    STEADY = "FOR SHARE"
    """Hold it steady too, but not change it."""
    REFERRED = "FOR KEY SHARE"
    """Change it, but not delete it, nor hold it alone."""


def lock_rows(
    connection: Connection, column: Column[Any], values: Iterable[Any], how: Hold
) -> None:
    """Lock the rows of a table whose unique column is one of the values, those that there are."""
    if connection.dialect.name != "postgresql":
        return
    share = how in {Hold.STEADY, Hold.REFERRED}
    key = how in {Hold.CHANGING, Hold.REFERRED}
    query = select(column).order_by(column).with_for_update(read=share, key_share=key)
    by_value(connection, query, column, sorted(set(values)))


def lock_names(connection: Connection, kind: str, names: Iterable[str]) -> None:
    """Let no other writer hold one of these names of the kind; some other names are hit as well."""
    if connection.dialect.name != "postgresql":
        return
    space = _number(kind)
    for bucket in sorted({_number(name) % BUCKETS for name in names}):
        connection.execute(select(func.pg_advisory_xact_lock(space, bucket)))


def lock_kind(connection: Connection, kind: str, *, is_shared: bool) -> None:
    """Lock a whole class: shared by all that rely on it, or alone by who changes it."""
    if connection.dialect.name != "postgresql":
        return
    lock = func.pg_advisory_xact_lock_shared if is_shared else func.pg_advisory_xact_lock
    connection.execute(select(lock(_number(kind), BUCKETS)))


def refuse_fewer(inserted: int, wanted: Sized) -> None:
    """Let the transaction begin again where another writer inserted some of the rows first.

    Raises:
        Contended: Fewer were inserted than were missing a moment ago.
    """
    if inserted < len(wanted):
        raise Contended("Another writer filed the same at the same moment.", next_step="Repeat.")


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], signed=True)
