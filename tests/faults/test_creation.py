"""An archive whose making was killed is made by the next try; a lost part is never made anew."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from archive_kit import bring_in, findings, message, settings_in, write_mbox
from holdfast.core.errors import Conflict, HoldfastError, Unavailable
from holdfast.settings import Settings
from holdfast.storage.keyring import signing_path
from holdfast.storage.tile_files import FolderFiles
from holdfast.storage.tlog_tiles import TileLog
from holdfast.wiring import founding
from holdfast.wiring.founding import create_archive
from holdfast.wiring.places import KEYRING

pytestmark = pytest.mark.unmeasured

FOUNDERS = 4
fork = multiprocessing.get_context("fork")


def left_signing_key_is_replaced(folder: Path) -> None:
    settings = settings_in(folder)
    settings.keys_folder.mkdir(mode=0o700)
    left = signing_path(settings.keys_folder / KEYRING)
    left.write_bytes(b"half")
    left.chmod(0o600)
    bring_in(settings, write_mbox(folder / "in.mbox", [message(1)]))
    assert findings(settings) == []


def left_checkpoint_is_no_log(folder: Path) -> None:
    settings = settings_in(folder)
    (settings.data / "log").mkdir(parents=True)
    (settings.data / "log" / ".checkpoint.0123456789abcdef").write_bytes(b"half")
    bring_in(settings, write_mbox(folder / "in.mbox", [message(1)]))
    assert findings(settings) == []


@pytest.mark.parametrize("harness", [left_signing_key_is_replaced, left_checkpoint_is_no_log])
def test_f2_what_a_killed_creation_left_does_not_stand_in_the_way(
    tmp_path: Path, harness: Callable[[Path], None]
) -> None:
    harness(tmp_path)


def keep_half_made_keys(plant: pytest.MonkeyPatch) -> None:
    """A seeded bug: a signing key that is there is taken for a whole one."""
    plant.setattr(founding, "_remove_half_made_keys", lambda settings: None)


def take_a_folder_for_a_log(plant: pytest.MonkeyPatch) -> None:
    """A seeded bug: a log is begun only where its folder is empty."""
    create = TileLog.create

    def if_empty(log: FolderFiles, *given: Any) -> None:
        if not Path(log.place).exists():
            create(log, *given)

    plant.setattr(TileLog, "create", if_empty)


@pytest.mark.parametrize(
    ("bug", "harness"),
    [
        (keep_half_made_keys, left_signing_key_is_replaced),
        (take_a_folder_for_a_log, left_checkpoint_is_no_log),
    ],
)
def test_f2_creation_that_stumbles_over_what_is_left_is_found_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[pytest.MonkeyPatch], None],
    harness: Callable[[Path], None],
) -> None:
    bug(monkeypatch)
    with pytest.raises(HoldfastError):
        harness(tmp_path)


def test_lost_keyring_beside_a_log_is_not_made_anew(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    keyring = settings.keys_folder / KEYRING
    keyring.unlink()
    signed = signing_path(keyring).read_bytes()
    with pytest.raises(Conflict):
        create_archive(settings)
    assert signing_path(keyring).read_bytes() == signed


def test_lock_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.data.mkdir()
    (settings.data / "founding.lock").symlink_to(tmp_path / "missing" / "file")
    with pytest.raises(Unavailable) as refusal:
        create_archive(settings)
    assert refusal.value.next_step


def test_f10_archive_is_made_once_by_commands_that_begin_at_the_same_moment(tmp_path: Path) -> None:
    for number in range(5):
        settings = settings_in(tmp_path / str(number))
        barrier = fork.Barrier(FOUNDERS)
        founders = [fork.Process(target=_found, args=(settings, barrier)) for _ in range(FOUNDERS)]
        for founder in founders:
            founder.start()
        for founder in founders:
            founder.join()
        assert [founder.exitcode for founder in founders] == [0] * FOUNDERS
        assert findings(settings) == []


def _found(settings: Settings, barrier: Barrier) -> None:
    barrier.wait()
    create_archive(settings)
