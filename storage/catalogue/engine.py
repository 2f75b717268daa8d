"""Opens the catalogue's database and gives its transactions; knows no table.

SQLite is the bundled one of pysqlite3: versions 3.7.0 to 3.51.2 can corrupt a database in WAL mode
when two connections write and checkpoint (https://sqlite.org/wal.html, "WAL-reset bug").
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pysqlite3
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from holdfast.core.errors import Corrupt, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

SQLITE_FLOOR = (3, 51, 3)
BUSY_TIMEOUT_MS = 60_000
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",
    "PRAGMA wal_autocheckpoint=8000",
    "PRAGMA journal_size_limit=67108864",
)
_HINTS = (
    ("locked", "Wait for the other writer, then repeat."),
    ("full", "Free space on its disk, then repeat."),
    ("readonly", "Make its disk and folder writable, then repeat."),
    ("unable to open", "Make its disk and folder readable and writable, then repeat."),
    ("", "Check its disk, then repeat."),
)


def open_sqlite(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Open (or create) a SQLite catalogue in WAL mode with durable commits.

    Raises:
        Unavailable: The SQLite library is below the floor, or the file cannot be opened.
    """
    if pysqlite3.sqlite_version_info < SQLITE_FLOOR:
        raise Unavailable(
            f"SQLite {pysqlite3.sqlite_version} can corrupt the catalogue.",
            next_step="Install pysqlite3 with SQLite 3.51.3 or newer.",
        )
    engine = create_engine(
        f"sqlite:///{path}",
        module=pysqlite3.dbapi2,
        connect_args={"timeout": busy_timeout_ms / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are ours: the driver must not begin its own
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_immediate(connection: Connection) -> None:
    reading = connection.get_execution_options().get("holdfast_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Run one write transaction: committed durably at the end, rolled back on any error.

    Raises:
        Unavailable: The database is locked, full or cannot be written; nothing was committed.
        Corrupt: The database file is damaged.
    """
    with translated(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Run statements on one consistent snapshot; never blocks a writer."""
    with translated(), engine.connect() as connection:
        snapshot = connection.execution_options(holdfast_reading=True)
        with snapshot.begin():
            yield snapshot


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's failures into ours."""
    try:
        yield
    except OperationalError as error:
        cause = str(error.orig)
        hint = next((hint for words, hint in _HINTS if words in cause), _HINTS[-1][1])
        raise Unavailable(f"The catalogue cannot be used now: {cause}.", next_step=hint) from error
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise Corrupt(
                f"The catalogue's database is damaged: {error.orig}.",
                next_step="Restore it from a backup; originals are in the vault.",
            ) from error
        raise
