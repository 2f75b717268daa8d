from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from holdfast.core.errors import Unavailable
from holdfast.storage.catalogue.engine import open_sqlite, writing
from holdfast.storage.catalogue.migrations import HEAD, current, upgrade
from holdfast.storage.catalogue.schema import metadata


def tables(engine: Engine) -> set[str]:
    """What the database was told, with the order of constraints left out."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {
            "".join(sorted("".join(row[0].split())))
            for row in rows
            if "alembic_version" not in row[0]
        }


def test_migrations_give_exactly_the_declared_tables(tmp_path: Path) -> None:
    migrated, declared = open_sqlite(tmp_path / "a.sqlite3"), open_sqlite(tmp_path / "b.sqlite3")
    upgrade(migrated)
    metadata.create_all(declared)
    assert tables(migrated) == tables(declared)
    with migrated.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_repeated_upgrade_changes_nothing(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "a.sqlite3")
    upgrade(engine)
    upgrade(engine)
    assert current(engine) == HEAD


def test_catalogue_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "a.sqlite3")
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="9999"):
        upgrade(engine)
