"""F5, F6, F7: disks that are full, that lie about it, and that become read-only."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from archive_kit import found, settings_in
from fault_checks import acknowledged, judge, settle
from fault_command import PLANTED, Ended, import_words, run, start, verify_words
from fault_disk import can_loop, can_mount, grow, loop_disk, memory_disk
from fault_mail import offering, one_large
from fault_power import PROGRAM as ACKING
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive

pytestmark = pytest.mark.unmeasured

UNAVAILABLE = 7


@pytest.fixture
def disks(need: Callable[[bool, str], None]) -> Iterator[ExitStack]:
    """A stack for mounts; everything is unmounted when the test ends."""
    need(can_mount(), "this host does not let us mount")
    with ExitStack() as stack:
        yield stack


def unmount(folder: Path) -> None:
    """Take a bind mount away."""
    subprocess.run(["umount", "-l", folder], check=True)


def is_clear(ended: Ended, words: str) -> bool:
    """Tell whether the command refused with status 7, in words for people."""
    is_refused = ended.status == UNAVAILABLE and not ended.has_traceback
    return is_refused and words in ended.err and "Error:" in ended.err


def test_f6_full_vault_refuses_loses_nothing_and_goes_on(tmp_path: Path, disks: ExitStack) -> None:
    offered = offering(tmp_path / "offer", 450, body_bytes=2000)
    settings = settings_in(tmp_path)
    create_archive(settings)
    small = disks.enter_context(memory_disk(settings.data / "segments", "480k"))
    words = import_words(settings.data, offered.folder)
    for attempt in ("first", "second"):
        ended = run(words, tmp_path / attempt)
        assert is_clear(ended, "The disk is full"), ended.err
    acked = acknowledged(settings.data)
    assert run(verify_words(settings.data), tmp_path / "verify").status == 0
    grow(small, "64m")
    again = run(words, tmp_path / "again")
    assert again.status == 0, again.err
    _, verdict = settle(settings, offered, acked)
    assert verdict.is_good, verdict


def test_f6_finds_out_a_vault_that_does_not_hear_the_disk(tmp_path: Path, disks: ExitStack) -> None:
    offered = offering(tmp_path / "offer", 450, body_bytes=2000)
    settings = settings_in(tmp_path)
    create_archive(settings)
    small = disks.enter_context(memory_disk(settings.data / "segments", "480k"))
    words = import_words(settings.data, offered.folder, program=(*PLANTED, "ignore_the_disk"))
    assert run(words, tmp_path / "full").status == 0
    grow(small, "64m")
    assert judge(settings, offered, acknowledged(settings.data)).lost > 0


def test_f6_full_spool_refuses_loses_nothing_and_goes_on(tmp_path: Path, disks: ExitStack) -> None:
    offered = one_large(tmp_path / "offer", 10)
    settings = settings_in(tmp_path)
    create_archive(settings)
    small = disks.enter_context(memory_disk(settings.data / "spool", "1m"))
    words = import_words(settings.data, offered.folder)
    ended = run(words, tmp_path / "full")
    assert is_clear(ended, "The disk is full"), ended.err
    acked = acknowledged(settings.data)
    grow(small, "64m")
    again = run(words, tmp_path / "again")
    assert again.status == 0, again.err
    _, verdict = settle(settings, offered, acked)
    assert verdict.is_good, verdict
    assert list((settings.data / "spool").iterdir()) == []


def test_f6_full_catalogue_refuses_loses_nothing_and_goes_on(
    tmp_path: Path, disks: ExitStack
) -> None:
    offered = offering(tmp_path / "offer", 450)
    settings = settings_in(tmp_path)
    small = disks.enter_context(memory_disk(settings.data, "64m"))
    create_archive(settings)
    for part in ("segments", "index", "log", "spool"):
        elsewhere = tmp_path / "roomy" / part
        (settings.data / part).mkdir(exist_ok=True)
        shutil.copytree(settings.data / part, elsewhere)
        elsewhere.chmod(0o700)
        subprocess.run(["mount", "--bind", elsewhere, settings.data / part], check=True)
        disks.callback(unmount, settings.data / part)
    grow(small, "1200k")
    words = import_words(settings.data, offered.folder)
    for attempt in ("first", "second"):
        ended = run(words, tmp_path / attempt)
        assert is_clear(ended, "full"), ended.err
    acked = acknowledged(settings.data)
    grow(small, "64m")
    again = run(words, tmp_path / "again")
    assert again.status == 0, again.err
    _, verdict = settle(settings, offered, acked)
    assert verdict.is_good, verdict


def test_f6_full_index_refuses_nothing_and_catches_up(tmp_path: Path, disks: ExitStack) -> None:
    offered = offering(tmp_path / "offer", 450, body_bytes=2000)
    settings = settings_in(tmp_path)
    create_archive(settings)
    small = disks.enter_context(memory_disk(settings.data / "index", "256k"))
    words = import_words(settings.data, offered.folder)
    ended = run(words, tmp_path / "full")
    assert ended.status == 0, ended.err
    assert ended.json["new"] == offered.ends["filed"]
    assert ended.json["not_indexed"] == offered.ends["filed"]
    assert not ended.has_traceback
    assert run(verify_words(settings.data), tmp_path / "verify").status == 0
    grow(small, "64m")
    again = run(words, tmp_path / "again")
    assert (again.status, again.json["not_indexed"]) == (0, 0), again.err
    verdict = judge(settings, offered, frozenset())
    assert verdict.is_good, verdict
    assert found(settings, "from:sender1@example.com") > 0


def test_f5_disk_that_is_full_at_write_back_loses_nothing_acknowledged(
    tmp_path: Path, disks: ExitStack, need: Callable[[bool, str], None]
) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")
    offered = offering(tmp_path / "offer", 250, body_bytes=40_000)
    backing = disks.enter_context(memory_disk(tmp_path / "backing", "16m"))
    disk = disks.enter_context(loop_disk(tmp_path / "loop", "ext4", on=backing, size="128M"))
    settings = Settings.model_validate(
        {"data": disk.at / "a", "keys": {"path": tmp_path / "keys"}, "work": {"processes": 1}}
    )
    acks = tmp_path / "acks"
    words = [*ACKING, "none", acks, 0, settings.data, settings.keys_folder, offered.folder]
    ended = start(words, tmp_path / "run").finish()
    assert (ended.status, ended.has_traceback) == (UNAVAILABLE, False), ended.err
    acked = frozenset(acks.read_text().split())
    assert acked
    disk.unmount()
    grow(backing, "160m")
    disk.mount()  # nothing comes from the page cache now
    _, verdict = settle(settings, offered, acked)
    assert verdict.is_good, verdict


def test_f7_read_only_disk_refuses_once_and_clearly(
    tmp_path: Path, disks: ExitStack, need: Callable[[bool, str], None]
) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")
    offered = offering(tmp_path / "offer", 20)
    disk = disks.enter_context(loop_disk(tmp_path / "loop", "ext4"))
    settings = Settings.model_validate({"data": disk.at / "a", "keys": {"path": tmp_path / "keys"}})
    create_archive(settings)
    subprocess.run(["mount", "-o", "remount,ro", disk.at], check=True)
    words = import_words(settings.data, offered.folder)
    words += ["--set", f"keys.path={settings.keys_folder}"]
    ended = run(words, tmp_path / "refused")
    assert is_clear(ended, "writable"), ended.err
    assert ended.err.count("Error:") == 1
    subprocess.run(["mount", "-o", "remount,rw", disk.at], check=True)
    assert run(words, tmp_path / "again").status == 0
    _, verdict = settle(settings, offered, frozenset())
    assert verdict.is_good, verdict


def test_f7_disk_that_becomes_read_only_keeps_what_was_acknowledged(
    tmp_path: Path, disks: ExitStack, need: Callable[[bool, str], None]
) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")
    offered = offering(tmp_path / "offer", 200)
    disk = disks.enter_context(loop_disk(tmp_path / "loop", "ext4"))
    settings = Settings.model_validate(
        {"data": disk.at / "a", "keys": {"path": tmp_path / "keys"}, "work": {"processes": 1}}
    )
    acks = tmp_path / "acks"
    words = [*ACKING, "none", acks, 0, settings.data, settings.keys_folder, offered.folder]
    running = start(words, tmp_path / "run")
    is_over = running.is_over_before(lambda: acks.exists() and acks.stat().st_size > 0)
    subprocess.run(["mount", "-o", "remount,abort,errors=remount-ro", disk.at], check=False)
    ended = running.finish()
    assert not is_over
    assert (ended.status, ended.has_traceback) == (UNAVAILABLE, False), ended.err
    acked = frozenset(acks.read_text().split())
    disk.unmount()
    subprocess.run(["e2fsck", "-p", disk.image], capture_output=True, check=False)
    disk.mount()
    _, verdict = settle(settings, offered, acked)
    assert verdict.is_good, verdict
