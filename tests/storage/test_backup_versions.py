"""Catalogues of earlier programs: restored into this one, and brought up when killed on the way."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import Engine, text

from archive_kit import settings_in
from holdfast.settings import Settings
from holdfast.storage.backup.lists import ListWriter, read_list
from holdfast.storage.backup.manifest import Backup, Manifest, TableCopy, publish, read_manifest
from holdfast.storage.backup.parts import Parts
from holdfast.storage.catalogue import migrations
from holdfast.storage.catalogue.engine import open_sqlite, reading, writing
from holdfast.storage.catalogue.migrations import HEAD, current, upgrade
from holdfast.storage.durable import SystemFiles
from holdfast.storage.moving.tables import columns, moving_tables, tables_of
from moving_kit import answers, back_up_to, bring_up, fill, keys_of, killed_on_the_way, restore_to

pytestmark = pytest.mark.unmeasured

FIRST = "0001"
FACTS = "INSERT INTO archive_facts (name, value) VALUES ('archive_id', 'aa')"


def earlier() -> list[str]:
    """Every version before the newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    found = [str(one.revision) for one in ScriptDirectory.from_config(config).walk_revisions()]
    return sorted(found)[:-1]


def as_of(backup: Backup, version: str, folder: Path) -> Backup:
    """The backup as a program of that version would have made it: fewer tables and columns."""
    engine = open_sqlite(folder / f"{version}.sqlite3")
    upgrade(engine, version)
    known = {table.name: columns(table) for table in moving_tables(tables_of(engine))}
    engine.dispose()
    parts = Parts(backup.folder)
    tables = {}
    for name, kept in known.items():
        copy = backup.manifest.tables[name]
        at = [copy.columns.index(column) for column in kept]
        writer = ListWriter(parts)
        for row in read_list(parts, copy.rows):
            writer.add([row[place] for place in at])
        tables[name] = TableCopy(kept, writer.finish())
    made: Manifest = replace(
        backup.manifest,
        tables=tables,
        catalogue_version=version,
        made_at=f"2020-01-01T00:00:{int(version):02}Z",
    )
    return read_manifest(publish(SystemFiles(), backup.folder, made))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Backup]:
    folder = tmp_path_factory.mktemp("filled")
    settings = settings_in(folder)
    fill(settings, folder / "in")
    return settings, back_up_to(settings, folder / "backups").made.backup


VERSIONS = earlier() if os.environ.get("HOLDFAST_PROOF") else [earlier()[0], earlier()[-1]]
"""All in a full proof, else the oldest and the newest."""


@pytest.mark.parametrize("version", VERSIONS)
def test_backup_of_an_earlier_program_is_restored_and_brought_up(
    filled: tuple[Settings, Backup], tmp_path: Path, version: str
) -> None:
    settings, backup = filled
    restored = settings_in(tmp_path)
    restore_to(restored, as_of(backup, version, tmp_path), keys_of(settings))
    found = answers(restored)
    assert found.findings == ()
    assert found.originals == answers(settings).originals
    assert found.found == answers(settings).found


def test_upgrade_of_an_archive_killed_on_the_way_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    engine = _with_rows(path, FIRST)
    deaths = 0
    for _ in killed_on_the_way(partial(bring_up, path), 8, 7):
        deaths += 1
        assert current(engine) == FIRST
        assert _rows(engine) == ["aa"]
    assert deaths >= 1
    assert current(engine) == HEAD
    assert _rows(engine) == ["aa"]


def _with_rows(path: Path, version: str) -> Engine:
    engine = open_sqlite(path)
    upgrade(engine, version)
    with writing(engine) as connection:
        connection.execute(text(FACTS))
    return engine


def _rows(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(text("SELECT value FROM archive_facts")))
