"""Backups of an embedded archive: whole, incremental, beside writers; refused when they are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import ACTOR, message, opened, settings_in, write_mbox
from faulty_files import Crash, FaultyFiles
from holdfast.core.errors import Conflict, Corrupt, NotFound, Refused, Unavailable
from holdfast.ingest.imports import ImportOptions
from holdfast.ingest.progress import Progress
from holdfast.settings import Settings
from holdfast.storage.backup.lists import read_list
from holdfast.storage.backup.making import Backing, back_up
from holdfast.storage.backup.manifest import Backup, backups, find, read_manifest
from holdfast.storage.backup.parts import Parts
from holdfast.storage.backup.stored import check
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import originals
from holdfast.storage.checkpoint import open_checkpoint
from holdfast.storage.keyring import Keyring
from holdfast.storage.segments import Source
from holdfast.wiring.arrivals import catalogue, segments_of
from holdfast.wiring.engines import archive_id, log_place
from holdfast.wiring.places import CHECKPOINT, KEYRING
from holdfast.wiring.runs import import_paths
from moving_kit import (
    PASSPHRASE,
    answers,
    back_up_to,
    fill,
    keys_of,
    merge_two,
    restore_to,
    sealed_in,
)

STRIDE = 1 if os.environ.get("HOLDFAST_PROOF") else 4
"""Steps between two at which a backup dies; those that publish it are all tried."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An archive that tests only look at."""
    folder = tmp_path_factory.mktemp("filled")
    settings = settings_in(folder)
    fill(settings, folder)
    merge_two(settings)
    return settings


@pytest.fixture(scope="module")
def backed_up(filled: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one backup, and sealed keys in `keys` beside it; not to be changed."""
    folder = tmp_path_factory.mktemp("backed-up")
    back_up_to(filled, folder / "data", sealed_in(folder / "keys"))
    return folder / "data"


def copied(backed_up: Path, folder: Path) -> Backup:
    """The backup in a folder of the test's own, its parts linked."""
    for path in backed_up.rglob("*"):
        target = folder / path.relative_to(backed_up)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            os.link(path, target)
    return find(folder)


def test_restored_archive_answers_as_the_one_that_was_backed_up(
    filled: Settings, backed_up: Path, tmp_path: Path
) -> None:
    restored = settings_in(tmp_path)
    done = restore_to(restored, backed_up, sealed_in(backed_up.with_name("keys")))
    before, after = answers(filled), answers(restored)
    assert after == before
    assert after.findings == ()
    assert any(after.found)
    assert done.entries_after == 0


def test_restored_log_extends_the_one_that_was_backed_up(
    filled: Settings, backed_up: Path, tmp_path: Path
) -> None:
    restored = settings_in(tmp_path)
    restore_to(restored, backed_up, keys_of(filled))
    log = find(backed_up).manifest.log
    public = Keyring.open(filled.keys_folder / KEYRING).signing_key().public_key()
    with opened(restored) as services:
        services.log.check_extends(open_checkpoint(log.note.encode(), public, log.origin))
        assert services.log.size >= log.size


def test_restore_says_how_many_log_entries_are_newer_than_the_backup(tmp_path: Path) -> None:
    settings, restored = settings_in(tmp_path / "one"), settings_in(tmp_path / "two")
    fill(settings, tmp_path / "in", range(3))
    back_up_to(settings, tmp_path / "backups")
    fill(settings, tmp_path / "in", range(10, 14))
    with opened(settings) as services:
        services.desk.sequencer.run()
        newer = services.log.size
    done = restore_to(restored, tmp_path / "backups", keys_of(settings))
    assert done.entries_after == newer - done.backup.manifest.log.size > 0
    assert (restored.keys_folder / f"{CHECKPOINT}.before-restore").exists()
    assert answers(restored).findings == ()


def test_second_backup_keeps_only_what_is_new_and_the_first_stays_restorable(
    tmp_path: Path,
) -> None:
    settings, folder = settings_in(tmp_path / "one"), tmp_path / "backups"
    fill(settings, tmp_path / "in", range(30))
    first = back_up_to(settings, folder).made
    then = answers(settings)
    fill(settings, tmp_path / "in", range(30, 33))
    second = back_up_to(settings, folder).made
    now = answers(settings)
    held, added = (_pieces(folder, one.backup) for one in (first, second))
    assert held < added
    assert sum(length for _, length in added - held) < sum(length for _, length in held)
    for name, made, expected in (("old", first, then), ("new", second, now)):
        restored = settings_in(tmp_path / name)
        restore_to(restored, made.backup, keys_of(settings))
        assert answers(restored) == expected


def _pieces(folder: Path, backup: Backup) -> set[tuple[str, int]]:
    """The parts that the segments of a backup are in."""
    listed = read_list(Parts(folder), backup.manifest.segments)
    return {(piece[0], piece[1]) for row in listed for piece in row[2]}


def test_nothing_in_the_folder_is_changed_by_a_later_backup(
    filled: Settings, backed_up: Path, tmp_path: Path
) -> None:
    copied(backed_up, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    back_up_to(filled, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(backups(tmp_path)) == 2


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_backup_with_any_file_missing_or_cut_is_refused_by_its_name(
    backed_up: Path, tmp_path: Path, damage: str
) -> None:
    backup = copied(backed_up, tmp_path)
    check(backup, is_read=True)  # the control: whole, it passes
    tried = 0
    for path in sorted((tmp_path / "parts").rglob("*")):
        if not path.is_file():
            continue
        whole = path.read_bytes()
        path.unlink()
        if damage == "cut":
            path.write_bytes(whole[:-1])
        for is_read in (False, True):
            with pytest.raises(Corrupt, match=path.name):
                check(backup, is_read=is_read)
        path.write_bytes(whole)
        tried += 1
    assert tried > 20
    check(backup, is_read=True)


def test_flipped_bit_anywhere_in_a_backup_is_found(backed_up: Path, tmp_path: Path) -> None:
    backup = copied(backed_up, tmp_path)
    for path in sorted(p for p in (tmp_path / "parts").rglob("*") if p.is_file()):
        whole = path.read_bytes()
        path.unlink()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            flipped = bytearray(whole)
            flipped[at] ^= 1 << at % 8
            path.write_bytes(flipped)
            with pytest.raises(Corrupt, match=path.name):
                check(backup, is_read=True)
        path.write_bytes(whole)


def test_manifest_that_was_altered_anywhere_is_refused(backed_up: Path, tmp_path: Path) -> None:
    backup = copied(backed_up, tmp_path)
    whole = backup.path.read_bytes()
    backup.path.unlink()
    for at in [*range(0, len(whole), 97), len(whole) - 1]:
        flipped = bytearray(whole)
        flipped[at] ^= 1
        backup.path.write_bytes(flipped)
        with pytest.raises((Corrupt, Refused)):
            read_manifest(backup.path)
        backup.path.write_bytes(whole[:at])
        with pytest.raises((Corrupt, Refused)):
            read_manifest(backup.path)
    backup.path.write_bytes(whole)
    assert read_manifest(backup.path) == backup


def test_half_a_backup_is_refused_before_anything_is_written(
    filled: Settings, backed_up: Path, tmp_path: Path
) -> None:
    backup = copied(backed_up, tmp_path / "backups")
    path = max((tmp_path / "backups/parts").rglob("*"), key=lambda path: path.stat().st_size)
    path.unlink()
    restored = settings_in(tmp_path / "new")
    with pytest.raises(Corrupt, match=path.name):
        restore_to(restored, backup, keys_of(filled))
    assert not restored.data.exists()


@pytest.mark.parametrize(
    ("keys", "error", "cause"),
    [
        ("none", NotFound, "no sealed keys"),
        ("wrong passphrase", Refused, "passphrase is wrong"),
        ("another archive", Refused, "do not open this backup"),
        ("another archive, sealed", Refused, "another archive"),
    ],
)
def test_restore_without_the_right_keys_is_refused_and_writes_nothing(
    backed_up: Path, tmp_path: Path, keys: str, error: type[Exception], cause: str
) -> None:
    other = settings_in(tmp_path / "other")
    place = {
        "none": sealed_in(tmp_path),
        "wrong passphrase": sealed_in(backed_up.with_name("keys"), "another passphrase"),
        "another archive": keys_of(other),
        "another archive, sealed": sealed_in(tmp_path / "sealed"),
    }[keys]
    if keys.startswith("another"):
        fill(other, tmp_path / "in", range(1))
        back_up_to(other, tmp_path / "others", sealed_in(tmp_path / "sealed"))
    restored = settings_in(tmp_path / "new")
    with pytest.raises(error, match=cause):
        restore_to(restored, backed_up, place)
    assert not restored.data.exists()
    assert not restored.keys_folder.exists()


def test_restore_over_anything_is_refused(
    filled: Settings, backed_up: Path, tmp_path: Path
) -> None:
    restored = settings_in(tmp_path)
    restored.data.mkdir()
    (restored.data / "something").touch()
    with pytest.raises(Conflict, match="already"):
        restore_to(restored, backed_up, keys_of(filled))
    with pytest.raises(Conflict, match="already"):
        restore_to(filled, backed_up, keys_of(filled))


def test_backup_of_a_newer_program_is_refused(
    filled: Settings, backed_up: Path, tmp_path: Path
) -> None:
    backup = find(backed_up)
    newer = Backup(backup.path, _with_version(backup, "9999"))
    with pytest.raises(Unavailable, match="9999"):
        restore_to(settings_in(tmp_path), newer, keys_of(filled))


def _with_version(backup: Backup, version: str):  # type: ignore[no-untyped-def]
    from msgspec.structs import replace

    return replace(backup.manifest, catalogue_version=version)


def test_folder_of_another_archive_is_refused(backed_up: Path, tmp_path: Path) -> None:
    other = settings_in(tmp_path)
    fill(other, tmp_path / "in", range(1))
    folder = copied(backed_up, tmp_path / "backups").folder
    with pytest.raises(Refused, match="another archive"):
        back_up_to(other, folder)


@pytest.mark.unmeasured
def test_backup_during_an_import_holds_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    settings, folder = settings_in(tmp_path / "one"), tmp_path / "backups"
    fill(settings, tmp_path / "in", range(2))
    texts = [
        message(number, body=f"more {number}") for number in range(5000, 6600)
    ]  # in four batches
    mbox = write_mbox(tmp_path / "in/many.mbox", texts)
    acknowledged: list[set[bytes]] = []

    def between(_progress: Progress) -> None:
        """An import is under way here, with a batch being written by another thread."""
        held = _content_ids(settings)
        if len(held) > 100 and not acknowledged:
            acknowledged.append(held)
            back_up_to(settings, folder)

    import_paths(settings, ACTOR, ImportOptions((mbox,)), between)
    whole = _content_ids(settings)
    assert acknowledged
    assert len(acknowledged[0]) < len(whole)
    restored = settings_in(tmp_path / "two")
    restore_to(restored, folder, keys_of(settings))
    assert acknowledged[0] <= _content_ids(restored) <= whole
    assert answers(restored).findings == ()


def _content_ids(settings: Settings) -> set[bytes]:
    with catalogue(settings) as engine, reading(engine) as connection:
        return set(connection.scalars(select(originals.c.content_id)))


@pytest.mark.unmeasured
def test_backup_killed_at_any_step_leaves_older_ones_whole(tmp_path: Path) -> None:
    settings, folder = settings_in(tmp_path / "one"), tmp_path / "backups"
    fill(settings, tmp_path / "in", range(3))
    first = back_up_to(settings, folder).made.backup
    fill(settings, tmp_path / "in", range(10, 13))
    steps = 0
    for stride in (STRIDE, 1):  # the second time all parts are there, and what publishes is left
        for _ in _killed_backups(settings, folder, stride):
            steps += 1
            left = [read_manifest(path) for path in backups(folder)]
            assert left[0] == first
            for backup in left:  # a second one only when all of it was there before its name
                check(backup, is_read=True)
    assert steps > 10
    assert len(backups(folder)) >= 2
    check(find(folder), is_read=True)
    restored = settings_in(tmp_path / "two")
    restore_to(restored, folder, keys_of(settings))
    assert answers(restored) == answers(settings)


def _killed_backups(settings: Settings, folder: Path, stride: int) -> Iterator[None]:
    """Back up again and again, each time some steps further; yield after each death."""
    for step in count(1, stride):
        files = FaultyFiles()
        files.crash_at(step)
        try:
            _back_up(settings, folder, files)
        except Crash:
            yield
        else:
            return


def test_check_finds_a_backup_that_was_published_before_its_parts_were_written(
    tmp_path: Path,
) -> None:
    """The control of the kills: what they would leave if the order were wrong is noticed."""
    settings, folder = settings_in(tmp_path / "one"), tmp_path / "backups"
    fill(settings, tmp_path / "in", range(3))
    made = back_up_to(settings, folder).made.backup
    newest = max((folder / "parts").rglob("*"), key=lambda path: path.stat().st_mtime_ns)
    newest.rename(newest.with_name(".unfinished-0"))
    with pytest.raises(Corrupt):
        check(made, is_read=False)


def _back_up(settings: Settings, folder: Path, files: FaultyFiles) -> None:
    with opened(settings) as services:
        backing = Backing(
            store=services.store,
            archive_id=archive_id(services.store.engine),
            open_segment=segments_of(settings, services.store.engine),
            log=services.log,
            log_files=log_place(settings),
            program="0",
            settings={},
            files=files,
        )
        back_up(backing, folder)


def test_backup_begins_again_when_compaction_took_a_segment(tmp_path: Path) -> None:
    settings, folder = settings_in(tmp_path / "one"), tmp_path / "backups"
    fill(settings, tmp_path / "in", range(3))
    failures = iter([True])
    with opened(settings) as services:
        found = segments_of(settings, services.store.engine)

        def open_segment(name: str) -> Source:
            if next(failures, False):
                raise NotFound("The segment is missing.", segment=name)
            return found(name)

        log = log_place(settings)
        backing = Backing(
            services.store,
            archive_id(services.store.engine),
            open_segment,
            services.log,
            log,
            "0",
            {},
        )
        check(back_up(backing, folder).backup, is_read=True)


def test_secrets_of_the_settings_are_not_in_a_backup(tmp_path: Path) -> None:
    secret = {"user": "elastic", "password": "hunter2hunter2"}
    settings = settings_in(tmp_path, index=secret, archive={"name": "seen"})
    fill(settings, tmp_path / "in", range(1))
    made = back_up_to(settings, tmp_path / "backups").made.backup
    assert made.manifest.settings["archive.name"] == "seen"
    assert made.manifest.settings["index.user"] == "elastic"
    assert b"hunter2" not in made.path.read_bytes()


def test_keys_are_in_no_file_of_a_backup(filled: Settings, backed_up: Path) -> None:
    keyring = (filled.keys_folder / KEYRING).read_text("utf-8")
    keys = [line.split('"')[3] for line in keyring.splitlines() if line.count('"') == 4]
    sealed = [*backed_up.with_name("keys").iterdir()]
    files = [path for path in [*backed_up.rglob("*"), *sealed] if path.is_file()]
    assert keys
    assert sealed
    for path in files:
        content = path.read_bytes()
        assert not any(key.encode() in content for key in keys)
        assert PASSPHRASE.encode() not in content
