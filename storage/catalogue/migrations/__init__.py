"""Brings a catalogue's tables to the version this program needs; one step a file in `versions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from holdfast.core.errors import Unavailable
from holdfast.storage.catalogue.engine import reading

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0002"
"""The version that this program reads and writes."""


def upgrade(engine: Engine) -> None:
    """Create or bring up the tables; nothing happens when they are current.

    Raises:
        Unavailable: The catalogue was written by a newer program.
    """
    found = current(engine)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise Unavailable(
            f"The catalogue has version {found}, this program knows {HEAD}.",
            next_step="Use the newer program that wrote it.",
        )
    from alembic import command  # costs a fifth of a command's start, and is rarely needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def current(engine: Engine) -> str | None:
    """Return the version of the tables; None for an empty database."""
    with reading(engine) as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)
