"""Lets nothing be left, in the database's own files, of rows that are gone; removes no row."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pysqlite3
from sqlalchemy import text

from holdfast.core.errors import Unavailable
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import CLEANED, change_fact, fact
from holdfast.storage.catalogue.failures import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Engine

BUSY_S = 60.0
"""How long others may read on before clearing gives up; it can be repeated."""
_PAUSE_S = 0.1


def clean(engine: Engine, tables: Iterable[str]) -> dict[str, Any]:
    """Clear deleted rows out of the database's files, and say how.

    SQLite overwrites what it frees; what stands in its write-ahead log is cut off here. The first
    time the whole file is written again, for free space that older programs left. On PostgreSQL
    space is freed and used again; its own log and backups of it age out by its settings.

    Args:
        engine: The catalogue's.
        tables: Whose rows are gone.

    Raises:
        Unavailable: Another process reads for too long, or the disk refused.
    """
    if engine.dialect.name == "postgresql":
        _vacuum(engine, tables)
        return {"database": "postgresql", "vacuumed": True}
    with reading(engine) as connection:
        is_cleaned = fact(connection, CLEANED) is not None
    if not is_cleaned:
        _rewrite(engine)
        with writing(engine) as connection:
            change_fact(connection, CLEANED, "1")
    _cut_log(engine)
    return {"database": "sqlite", "rewritten": not is_cleaned, "log_cut": True}


def _vacuum(engine: Engine, tables: Iterable[str]) -> None:
    with translated(), engine.connect() as connection:
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        quote = own.dialect.identifier_preparer.quote
        for name in tables:
            own.execute(text(f"VACUUM {quote(name)}"))


def _rewrite(engine: Engine) -> None:
    _run(engine, "VACUUM")


def _cut_log(engine: Engine) -> None:
    until = time.monotonic() + BUSY_S
    while _run(engine, "PRAGMA wal_checkpoint(TRUNCATE)")[0]:
        if time.monotonic() >= until:
            raise Unavailable(
                "Another process reads the catalogue, so its log cannot be cut.",
                next_step="Execute the disposal again when that has ended; nothing else is left.",
            )
        time.sleep(_PAUSE_S)


def _run(engine: Engine, statement: str) -> Sequence[Any]:
    """Run what SQLite does outside of transactions only, and return its first row."""
    raw = engine.raw_connection()
    try:
        return raw.cursor().execute(statement).fetchone() or (0,)
    except pysqlite3.Error as error:
        raise Unavailable(
            f"The catalogue cannot be cleared now: {error}.",
            next_step="Execute the disposal again; nothing else is left.",
        ) from error
    finally:
        raw.close()
