"""Imports onto disks that are full, that lie about it, and that become read-only; with bugs too."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from archive_kit import found, settings_in
from fault_checks import acknowledged, judge, settle
from fault_command import PLANTED, Ended, import_words, run, start, verify_words
from fault_disk import grow, loop_disk, memory_disk
from fault_mail import Offering, offering, one_large
from fault_power import PROGRAM as ACKING
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive

UNAVAILABLE = 7
NOBODY = "nobody was told"
LOST = "not all is there"


def refusal_is_clear(ended: Ended, words: str) -> None:
    """A command refuses with status 7, once and in words for people.

    Raises:
        AssertionError: It does not.
    """
    is_refused = ended.status == UNAVAILABLE and not ended.has_traceback
    is_clear = words in ended.err and ended.err.count("Error:") == 1
    assert is_refused and is_clear, f"{NOBODY}: {ended.status} {ended.err[-600:]}"  # noqa: PT018 - one fact


def takes_all_when_there_is_room(
    settings: Settings, offered: Offering, small: Path, words: str, bug: str
) -> None:
    """Import twice where there is no room, then once where there is.

    Raises:
        AssertionError: It was not refused, or something is lost or doubled.
    """
    for attempt in ("first", "second"):
        ended = run(planted(settings, offered, bug), _own(settings, attempt))
        refusal_is_clear(ended, words)
    acked = acknowledged(settings.data)
    assert run(verify_words(settings.data), _own(settings, "verify")).status == 0
    grow(small, "64m")
    again = run(import_words(settings.data, offered.folder), _own(settings, "again"))
    assert again.status == 0, again.err
    all_is_there(settings, offered, acked)


def planted(settings: Settings, offered: Offering, bug: str) -> list[str]:
    """Words of an import with this bug in it."""
    return import_words(settings.data, offered.folder, program=(*PLANTED, bug))


def all_is_there(settings: Settings, offered: Offering, acked: frozenset[str]) -> None:
    """Repeat the import to its end; what was acknowledged, and what was offered, is there once."""
    _, verdict = settle(settings, offered, acked)
    assert verdict.is_good, f"{LOST}: {verdict}"


def full_vault_loses_nothing(folder: Path, disks: ExitStack, bug: str = "none") -> None:
    """F6: the disk of the segments is full; see `takes_all_when_there_is_room`."""
    offered = offering(folder / "offer", 450, body_bytes=2000)
    settings = settings_in(folder)
    create_archive(settings)
    small = disks.enter_context(memory_disk(settings.data / "segments", "480k"))
    takes_all_when_there_is_room(settings, offered, small, "The disk is full", bug)


def full_spool_loses_nothing(folder: Path, disks: ExitStack, bug: str = "none") -> None:
    """F6: the disk on which a large message waits is full."""
    offered = one_large(folder / "offer", 10)
    settings = settings_in(folder)
    create_archive(settings)
    small = disks.enter_context(memory_disk(settings.data / "spool", "1m"))
    takes_all_when_there_is_room(settings, offered, small, "The disk is full", bug)
    left = list((settings.data / "spool").iterdir())
    assert left == [], f"it left something: {left}"


def full_catalogue_loses_nothing(folder: Path, disks: ExitStack, bug: str = "none") -> None:
    """F6: the disk of the catalogue is full; all else has room."""
    offered = offering(folder / "offer", 450)
    settings = settings_in(folder)
    small = disks.enter_context(memory_disk(settings.data, "64m"))
    create_archive(settings)
    for part in ("segments", "index", "log", "spool"):
        elsewhere = folder / "roomy" / part
        (settings.data / part).mkdir(exist_ok=True)
        shutil.copytree(settings.data / part, elsewhere)
        elsewhere.chmod(0o700)
        subprocess.run(["mount", "--bind", elsewhere, settings.data / part], check=True)
        disks.callback(_unmount, settings.data / part)
    grow(small, "1200k")
    takes_all_when_there_is_room(settings, offered, small, "full", bug)


def full_index_catches_up(folder: Path, disks: ExitStack, bug: str = "none") -> None:
    """F6: the disk of the index is full; all is kept, and is found when there is room.

    Raises:
        AssertionError: It was refused for that, or is not found later.
    """
    offered = offering(folder / "offer", 450, body_bytes=2000)
    settings = settings_in(folder)
    create_archive(settings)
    small = disks.enter_context(memory_disk(settings.data / "index", "256k"))
    ended = run(planted(settings, offered, bug), folder / "full")
    assert (ended.status, ended.has_traceback) == (0, False), f"it was refused: {ended.err}"
    told = (ended.json["new"], ended.json["not_indexed"])
    assert told == (offered.ends["filed"],) * 2, f"another sum: {told}"
    assert run(verify_words(settings.data), folder / "verify").status == 0
    grow(small, "64m")
    again = run(import_words(settings.data, offered.folder), folder / "again")
    assert (again.status, again.json["not_indexed"]) == (0, 0), again.err
    verdict = judge(settings, offered, frozenset())
    assert verdict.is_good, f"{LOST}: {verdict}"
    assert found(settings, "from:sender1@example.com") > 0, "it is not found"


def full_at_write_back_loses_nothing(folder: Path, disks: ExitStack, bug: str = "none") -> None:
    """F5: the disk takes what it has no room for, and says so when it is asked to keep it.

    Raises:
        AssertionError: It was not refused, or something that was acknowledged is lost.
    """
    offered = offering(folder / "offer", 250, body_bytes=40_000)
    backing = disks.enter_context(memory_disk(folder / "backing", "16m"))
    disk = disks.enter_context(loop_disk(folder / "loop", "ext4", on=backing, size="128M"))
    settings = _on_disk(disk.at, folder)
    acks = folder / "acks"
    ended = start(_acking(settings, offered, acks, bug), folder / "run").finish()
    assert (ended.status, ended.has_traceback) == (UNAVAILABLE, False), f"{NOBODY}: {ended.err}"
    acked = frozenset(acks.read_text().split())
    assert acked
    disk.unmount()
    grow(backing, "160m")
    disk.mount()  # nothing comes from the page cache now
    all_is_there(settings, offered, acked)


def read_only_is_refused_clearly(folder: Path, disks: ExitStack, bug: str = "none") -> None:
    """F7: the disk was read-only before the import began.

    Raises:
        AssertionError: The refusal is not clear, or not all is there when it may write again.
    """
    offered = offering(folder / "offer", 20)
    disk = disks.enter_context(loop_disk(folder / "loop", "ext4"))
    settings = Settings.model_validate({"data": disk.at / "a", "keys": {"path": folder / "keys"}})
    create_archive(settings)
    subprocess.run(["mount", "-o", "remount,ro", disk.at], check=True)
    keys = ["--set", f"keys.path={settings.keys_folder}"]
    ended = run([*planted(settings, offered, bug), *keys], folder / "refused")
    refusal_is_clear(ended, "writable")
    subprocess.run(["mount", "-o", "remount,rw", disk.at], check=True)
    words = import_words(settings.data, offered.folder)
    assert run([*words, *keys], folder / "again").status == 0
    all_is_there(settings, offered, frozenset())


def becoming_read_only_loses_nothing(folder: Path, disks: ExitStack, bug: str = "none") -> None:
    """F7: the disk becomes read-only when something was acknowledged already.

    Raises:
        AssertionError: It ended otherwise, or something that was acknowledged is lost.
    """
    offered = offering(folder / "offer", 200)
    disk = disks.enter_context(loop_disk(folder / "loop", "ext4"))
    settings = _on_disk(disk.at, folder)
    acks = folder / "acks"
    running = start(_acking(settings, offered, acks, bug), folder / "run")
    is_over = running.is_over_before(lambda: acks.exists() and acks.stat().st_size > 0)
    subprocess.run(["mount", "-o", "remount,abort,errors=remount-ro", disk.at], check=False)
    ended = running.finish()
    assert not is_over
    assert (ended.status, ended.has_traceback) == (UNAVAILABLE, False), f"{NOBODY}: {ended.err}"
    acked = frozenset(acks.read_text().split())
    disk.unmount()
    subprocess.run(["e2fsck", "-p", disk.image], capture_output=True, check=False)
    disk.mount()
    all_is_there(settings, offered, acked)


def _on_disk(disk: Path, folder: Path) -> Settings:
    return Settings.model_validate(
        {"data": disk / "a", "keys": {"path": folder / "keys"}, "work": {"processes": 1}}
    )


def _acking(settings: Settings, offered: Offering, acks: Path, bug: str) -> Sequence[object]:
    return [*ACKING, bug, acks, 0, settings.data, settings.keys_folder, offered.folder]


def _own(settings: Settings, name: str) -> Path:
    return settings.data.with_name(f"run-{name}")


def _unmount(folder: Path) -> None:
    """Take a bind mount away."""
    subprocess.run(["umount", "-l", folder], check=True)
