"""A whole archive moves to real engines and back, killed on the way, and nothing of it is lost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from archive_kit import ACTOR, opened, settings_in
from holdfast.core.errors import Conflict, Corrupt, NotFound, Refused, Unavailable
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.schema import contacts, custodians, interactions, originals
from holdfast.storage.moving.marks import arrival, leaving
from holdfast.wiring.archive import open_archive
from holdfast.wiring.arrivals import catalogue
from holdfast.wiring.migrating import give_up, move_archive, plan
from holdfast.wiring.runs import rebuild_index
from moving_kit import (
    Answers,
    answers,
    back_up_to,
    fill,
    keys_of,
    killed_on_the_way,
    merge_two,
    move_to,
    moved_now_or_before,
    moving,
    on_engines,
    quiet,
    restore_from,
    restore_to,
)
from server_fixtures import postgres_server, shared_postgres, shared_s3
from server_fixtures import s3_server as shared_s3_server

__all__ = ["postgres_server", "shared_postgres", "shared_s3", "shared_s3_server"]


@dataclass(frozen=True, slots=True)
class Engines:
    """Makes settings with a fresh database and a fresh bucket."""

    postgres: Any
    s3: Any

    def fresh(self, folder: Path) -> Settings:
        return on_engines(folder, self.postgres, self.s3)


@pytest.fixture
def engines(postgres_server: Any, shared_s3_server: Any) -> Engines:
    return Engines(postgres_server, shared_s3_server)


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    """An archive of the test's own, whose contacts refer to each other."""
    settings = settings_in(tmp_path / "embedded")
    fill(settings, tmp_path / "in")
    merge_two(settings)
    return settings


def root(settings: Settings) -> tuple[int, bytes]:
    """Size and root of the audit log as it is signed."""
    with opened(settings) as services:
        return services.log.checkpoint.size, services.log.checkpoint.root


def test_archive_moves_to_the_engines_and_back_and_answers_the_same(
    filled: Settings, engines: Engines, tmp_path: Path
) -> None:
    there = engines.fresh(tmp_path / "engines")
    before = answers(filled)
    assert before.findings == ()
    moved = move_to(filled, there)
    assert answers(there) == before
    assert moved.tally.originals == len(before.originals)
    assert moved.tally.findings == 0
    fill(there, tmp_path / "in", range(100, 104))
    grown = answers(there)
    move_to(there, filled)
    assert answers(filled) == grown
    assert grown.originals[: len(before.originals)] == before.originals


@pytest.mark.unmeasured
def test_audit_log_keeps_its_entries_and_its_root(
    filled: Settings, engines: Engines, tmp_path: Path
) -> None:
    there = engines.fresh(tmp_path / "engines")
    moved = move_archive(moving(filled, there), quiet)
    with opened(there) as services:
        log = services.log
        assert log.size >= moved.log_size
        entries = list(log.entries())[: moved.log_size]
        assert log.verify() is None
    move_archive(moving(there, filled), quiet)
    with opened(filled) as services:
        assert list(services.log.entries())[: moved.log_size] == entries
        assert services.log.verify() is None


def test_rows_that_refer_to_later_rows_of_their_table_arrive(
    filled: Settings, tmp_path: Path
) -> None:
    there = settings_in(tmp_path / "there")
    move_archive(moving(filled, there), quiet)
    with catalogue(there) as engine, reading(engine) as connection:
        query = select(contacts.c.id, contacts.c.merged_into).where(
            contacts.c.merged_into.is_not(None)
        )
        assert [row for row in connection.execute(query) if row.merged_into > row.id]


@pytest.mark.unmeasured
def test_embedded_archive_moves_to_another_folder_when_killed_again_and_again(
    filled: Settings, tmp_path: Path
) -> None:
    there = settings_in(tmp_path / "there")
    _moved_with_kills(filled, there, first=60, more=120, least=3)


@pytest.mark.unmeasured
def test_archive_moves_to_the_engines_when_killed_again_and_again(
    filled: Settings, engines: Engines, tmp_path: Path
) -> None:
    _moved_with_kills(filled, engines.fresh(tmp_path / "engines"), first=80, more=250, least=2)


def _moved_with_kills(old: Settings, new: Settings, *, first: int, more: int, least: int) -> None:
    before = answers(old)
    deaths = 0
    for _ in killed_on_the_way(partial(moved_now_or_before, old, new), first, more):
        deaths += 1
        _neither_is_open_to_both(old, new)
    assert deaths >= least
    rebuild_index(new, ACTOR, lambda step, total: None)
    assert answers(new) == before
    with pytest.raises(Conflict, match="has moved"), open_archive(old, ACTOR):
        pass


def _neither_is_open_to_both(old: Settings, new: Settings) -> None:
    """At most one of the two can be written at any moment."""
    assert [_is_open(old), _is_open(new)] != [True, True]


def _is_open(settings: Settings) -> bool:
    try:
        with open_archive(settings, ACTOR):
            return True
    except (Conflict, NotFound, Unavailable):  # the last one: tables, and no archive in them yet
        return False


@pytest.mark.unmeasured
def test_restore_goes_on_when_killed_again_and_again(filled: Settings, tmp_path: Path) -> None:
    back_up_to(filled, tmp_path / "backups")
    there = settings_in(tmp_path / "there")
    deaths = 0
    act = partial(restore_from, there, tmp_path / "backups", filled.keys_folder)
    for _ in killed_on_the_way(act, 20, 90):
        deaths += 1
        if (there.data / "catalogue.sqlite3").exists():
            _is_refused_or_whole(there, answers(filled))
    assert deaths >= 3
    assert answers(there) == answers(filled)


def _is_refused_or_whole(settings: Settings, expected: Answers) -> None:
    try:
        with open_archive(settings, ACTOR):
            pass
    except (Conflict, NotFound):
        return
    assert answers(settings) == expected


@pytest.mark.parametrize("damage", ["row changed", "row removed", "original altered"])
def test_what_did_not_arrive_as_it_left_is_found(
    filled: Settings, tmp_path: Path, damage: str
) -> None:
    """The control: something that spoils the copy between two runs is noticed at the end."""
    there = settings_in(tmp_path / "there")
    spoiled = False

    class Stopped(Exception):
        """Ends the first run where everything is copied and nothing compared."""

    def stop(stage: str, _done: int, _total: int, _size: int) -> None:
        nonlocal spoiled
        if stage == "comparing" and not spoiled:
            spoiled = True
            raise Stopped

    with pytest.raises(Stopped):
        move_archive(moving(filled, there), stop)
    _spoil(there, damage)
    with pytest.raises(Corrupt):
        move_archive(moving(filled, there), quiet)
    with pytest.raises(Conflict, match="not whole"), open_archive(there, ACTOR):
        pass


def _spoil(settings: Settings, damage: str) -> None:
    if damage == "original altered":
        path = next((settings.data / "segments").iterdir())
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        return
    with catalogue(settings) as engine, writing(engine) as connection:
        if damage == "row changed":
            connection.execute(update(interactions).values(subject="another"))
        else:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            connection.execute(update(custodians).values(name="nobody"))


def test_writer_that_has_the_archive_open_is_held_off_from_the_beginning(
    filled: Settings, tmp_path: Path
) -> None:
    there = settings_in(tmp_path / "there")
    with opened(filled) as services:
        move_archive(moving(filled, there), quiet)
        with pytest.raises(Conflict, match="moved"), writing(services.store.engine) as connection:
            connection.execute(update(originals).values(sealed_ms=0))
    assert answers(there).findings == ()


@pytest.mark.unmeasured
def test_writer_on_postgresql_is_held_off_from_the_beginning(
    filled: Settings, engines: Engines, tmp_path: Path
) -> None:
    there, back = engines.fresh(tmp_path / "engines"), settings_in(tmp_path / "back")
    move_archive(moving(filled, there), quiet)
    with opened(there) as services:
        move_archive(moving(there, back), quiet)
        with pytest.raises(Conflict, match="moved"), writing(services.store.engine) as connection:
            connection.execute(update(originals).values(sealed_ms=0))


def test_moved_archive_names_where_it_is(filled: Settings, tmp_path: Path) -> None:
    there = settings_in(tmp_path / "there")
    move_archive(moving(filled, there), quiet)
    with pytest.raises(Conflict) as caught, open_archive(filled, ACTOR):
        pass
    assert str(there.data) in caught.value.cause
    assert "--config" in caught.value.next_step
    with pytest.raises(Conflict, match="already"):
        move_archive(moving(filled, there), quiet)


def test_move_that_was_given_up_leaves_the_archive_as_it_was(
    filled: Settings, tmp_path: Path
) -> None:
    there, elsewhere = settings_in(tmp_path / "there"), settings_in(tmp_path / "elsewhere")
    before = answers(filled)

    def fail(stage: str, _done: int, _total: int, _size: int) -> None:
        if stage == "comparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move_archive(moving(filled, there), fail)
    with pytest.raises(Conflict, match="being moved"), open_archive(filled, ACTOR):
        pass
    with pytest.raises(Conflict, match="on its way"):
        move_archive(moving(filled, elsewhere), quiet)
    give_up(moving(filled, there))
    assert answers(filled) == before
    with pytest.raises(Conflict):  # what it had copied is no longer what is here
        move_archive(moving(filled, there), quiet)
    move_to(filled, elsewhere)
    assert answers(elsewhere) == before


def test_places_that_are_not_empty_are_refused_and_nothing_is_held(
    filled: Settings, tmp_path: Path
) -> None:
    taken = settings_in(tmp_path / "taken")
    fill(taken, tmp_path / "in", range(1))
    with pytest.raises(Conflict, match="already"):
        move_archive(moving(filled, taken), quiet)
    with pytest.raises(Refused, match="same catalogue"):
        move_archive(moving(filled, filled), quiet)
    with pytest.raises(NotFound):
        move_archive(moving(settings_in(tmp_path / "none"), taken), quiet)
    assert answers(filled).findings == ()


def test_plan_changes_nothing(filled: Settings, engines: Engines, tmp_path: Path) -> None:
    there = engines.fresh(tmp_path / "engines")
    found = plan(moving(filled, there))
    assert found.rows["originals"] == len(answers(filled).originals)
    assert found.originals_bytes > 0
    with catalogue(filled) as engine, reading(engine) as connection:
        assert leaving(connection) is None
        assert arrival(connection) is None
    assert not there.data.exists()


def test_vault_that_both_settings_name_is_left_where_it_is(
    filled: Settings, engines: Engines, tmp_path: Path
) -> None:
    before = answers(filled)
    there = engines.fresh(tmp_path)
    database_only = filled.model_copy(update={"catalogue": there.catalogue})
    segments = {path: path.stat().st_mtime_ns for path in (filled.data / "segments").iterdir()}
    move_to(filled, database_only)
    assert answers(database_only) == before
    assert {path: path.stat().st_mtime_ns for path in segments} == segments


def test_backup_of_the_engines_restores_to_a_folder_and_of_a_folder_to_the_engines(
    filled: Settings, engines: Engines, tmp_path: Path
) -> None:
    before = answers(filled)
    there = engines.fresh(tmp_path / "engines")
    back_up_to(filled, tmp_path / "of-folder")
    restore_to(there, tmp_path / "of-folder", keys_of(filled))
    assert answers(there) == before
    back_up_to(there, tmp_path / "of-engines")
    again = settings_in(tmp_path / "again")
    restore_to(again, tmp_path / "of-engines", keys_of(there))
    assert answers(again) == before
