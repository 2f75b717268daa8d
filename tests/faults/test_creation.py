"""An archive whose making was killed is made by the next try; a lost part is never made anew."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from archive_kit import bring_in, findings, message, settings_in, write_mbox
from holdfast.core.errors import Conflict, Unavailable
from holdfast.settings import Settings
from holdfast.storage.keyring import signing_path
from holdfast.wiring.founding import create_archive
from holdfast.wiring.places import KEYRING

pytestmark = pytest.mark.unmeasured

FOUNDERS = 4
fork = multiprocessing.get_context("fork")


def test_f2_signing_key_left_by_a_killed_creation_is_replaced(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.keys_folder.mkdir(mode=0o700)
    left = signing_path(settings.keys_folder / KEYRING)
    left.write_bytes(b"half")
    left.chmod(0o600)
    bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(1)]))
    assert findings(settings) == []


def test_f2_checkpoint_left_by_a_killed_creation_does_not_stand_in_the_way(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.data / "log").mkdir(parents=True)
    (settings.data / "log" / ".checkpoint.0123456789abcdef").write_bytes(b"half")
    bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(1)]))
    assert findings(settings) == []


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
