from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, inspect, text

from holdfast.core.errors import Unavailable
from holdfast.storage.catalogue.engine import open_sqlite, reading, writing
from holdfast.storage.catalogue.migrations import HEAD, current, upgrade
from holdfast.storage.catalogue.schema import metadata

Opener = Callable[[], Engine]
STRIDE = 7 if os.environ.get("HOLDFAST_PROOF") else 29
"""Statements of an upgrade between two at which it dies."""


def tables(engine: Engine) -> set[str]:
    """What the database was told, with the order of constraints left out."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {"".join(sorted("".join(row[0].split()))) for row in rows}


def test_migrations_give_exactly_the_tables_of_a_new_catalogue(tmp_path: Path) -> None:
    migrated, created = open_sqlite(tmp_path / "a.sqlite3"), open_sqlite(tmp_path / "b.sqlite3")
    upgrade(migrated, "0001")
    upgrade(migrated)
    upgrade(created)
    assert current(migrated) == current(created) == HEAD
    assert tables(migrated) == tables(created)


def differences(connection: Connection) -> list[Any]:
    def is_ours(_object: object, name: str | None, *_: object) -> bool:
        return connection.dialect.name == "postgresql" or name != "ix_audit_events_waiting"

    context = MigrationContext.configure(connection, opts={"include_object": is_ours})
    return list(compare_metadata(context, metadata))


def test_migrations_differ_in_nothing_from_the_declaration(opener: Opener) -> None:
    engine = opener()
    upgrade(engine)
    with reading(engine) as connection:
        assert differences(connection) == []


def test_repeated_upgrade_changes_nothing(opener: Opener) -> None:
    engine = opener()
    upgrade(engine)
    upgrade(engine)
    assert current(engine) == HEAD


def test_catalogue_of_a_newer_program_is_refused(opener: Opener) -> None:
    engine = opener()
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="9999"):
        upgrade(engine)


def test_processes_that_upgrade_at_once_do_it_once(opener: Opener) -> None:
    engines = [opener() for _ in range(4)]
    failures: list[BaseException] = []

    def bring_up(engine: Engine) -> None:
        try:
            upgrade(engine)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=bring_up, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {current(engine) for engine in engines} == {HEAD}


def test_text_is_compared_byte_by_byte(opener: Opener) -> None:
    engine = opener()
    upgrade(engine)
    with writing(engine) as connection:
        for name in ("b", "B", "a", "é", "Z"):
            insert = text("INSERT INTO archive_facts (name, value) VALUES (:name, '')")
            connection.execute(insert, {"name": name})
    with reading(engine) as connection:
        found = connection.execute(text("SELECT name FROM archive_facts ORDER BY name"))
        assert "".join(found.scalars()) == "BZabé"


def _die_at(make: Opener, step: int, is_careless: bool) -> None:  # noqa: FBT001
    """Upgrade and end the process, as `kill -9` does, before the n-th statement."""
    engine = make()
    steps = iter(range(step))

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection: object, cursor: Any, *_: object) -> None:
        if next(steps, None) is None:
            os._exit(9)
        if is_careless and cursor.connection is not None:
            cursor.connection.commit()

    upgrade(engine)
    os._exit(0)


def killed_everywhere(make: Opener, *, is_careless: bool = False) -> Iterator[int]:
    """Yield after each death, until the upgrade is through."""
    spawn = multiprocessing.get_context("fork")
    step = 1
    while True:
        child = spawn.Process(target=_die_at, args=(make, step, is_careless))
        child.start()
        child.join()
        if child.exitcode == 0:
            return
        yield step
        step += STRIDE


def test_upgrade_killed_at_any_step_is_begun_again(opener: Opener) -> None:
    for _ in killed_everywhere(opener):
        engine = opener()
        assert current(engine) is None
        with reading(engine) as connection:
            assert inspect(connection).get_table_names() == []
        engine.dispose()
    assert current(opener()) == HEAD


def test_harness_finds_an_upgrade_that_commits_half_way(opener: Opener) -> None:
    left = set()
    for _ in killed_everywhere(opener, is_careless=True):
        engine = opener()
        with reading(engine) as connection:
            left.add(len(inspect(connection).get_table_names()))
        engine.dispose()
        if len(left) > 1:
            return
    pytest.fail("No half of an upgrade was seen.")
