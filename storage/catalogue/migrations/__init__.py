"""Brings a catalogue's tables to the version this program needs; one step a file in `versions`."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_mock_engine, inspect, text

from holdfast.core.errors import Unavailable
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.schema import metadata
from holdfast.storage.catalogue.turns import wait_for_turn

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0016"
"""The version that this program reads and writes."""

_VERSIONS = text(
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)  # as Alembic makes it


def upgrade(engine: Engine, version: str = HEAD) -> None:
    """Create or bring up the tables; nothing happens when they are of this version.

    Args:
        engine: The catalogue's.
        version: An earlier one than the newest to load rows that were written then.

    Raises:
        Unavailable: The catalogue, or what is asked for, is of a newer program.
    """
    found = current(engine)
    if found == version:
        return
    _refuse_newer(found)
    _refuse_newer(version)
    if found is None and version == HEAD and engine.dialect.name == "sqlite":
        _create(engine)
        return
    from alembic import command  # costs a fifth of a command's start, and is rarely needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with writing(engine) as connection:  # all steps or none: a killed upgrade is begun again
        if engine.dialect.name == "postgresql":
            wait_for_turn(connection, "upgrade")
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        if engine.dialect.name == "postgresql":
            _order_by_bytes(connection)


def _create(engine: Engine) -> None:
    """Make every table as declared, which the steps give too, without loading Alembic."""
    with writing(engine) as connection:
        if _version(connection) is None:  # else another process was faster
            for statement in _declared():
                connection.exec_driver_sql(statement)
            connection.execute(_VERSIONS)
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


@cache
def _declared() -> tuple[str, ...]:
    """What SQLite is told of every table; a program that makes many catalogues compiles it once."""
    told: list[str] = []

    def tell(statement: Any, *_: object, **__: object) -> None:
        told.append(str(statement.compile(dialect=listener.dialect)))

    listener = create_mock_engine("sqlite://", tell)
    metadata.create_all(listener, checkfirst=False)
    return tuple(told)


def _order_by_bytes(connection: Connection) -> None:
    """Compare text byte by byte, as SQLite does.

    An index in a language's order is silently wrong from the day that the host's C library orders
    that language anew (https://wiki.postgresql.org/wiki/Locale_data_changes), and then no
    constraint on it holds.
    """
    found = connection.execute(
        text(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND data_type = 'text'"
            " AND collation_name IS NULL ORDER BY table_name, column_name"
        )
    ).all()
    for table, columns in groupby(found, key=lambda row: str(row.table_name)):
        changes = ", ".join(
            f'ALTER COLUMN "{row.column_name}" TYPE text COLLATE "C"' for row in columns
        )
        connection.exec_driver_sql(f'ALTER TABLE "{table}" {changes}')


def _refuse_newer(found: str | None) -> None:
    if found is not None and found > HEAD:
        raise Unavailable(
            f"The catalogue has version {found}, this program knows {HEAD}.",
            next_step="Use the newer program that wrote it.",
        )


def current(engine: Engine) -> str | None:
    """Return the version of the tables; None for an empty database."""
    with reading(engine) as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)
