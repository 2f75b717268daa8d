"""F59: exports on disks that fail or are full: they say so, leave nothing half, and go on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from export_disk import (
    failing_disk_is_said,
    freezing_that_fails_leaves_nothing,
    full_disk_refuses_then_resumes,
)
from fault_disk import can_mount
from faulty_files import Deaf, FaultyFiles, Stubborn
from holdfast.discovery import exporting
from holdfast.discovery.export_work import Spool, WorkFolder
from holdfast.settings import Settings

Plant = pytest.MonkeyPatch
Need = Callable[[object, str], None]
OPERATIONS = ("create", "write", "fsync", "replace", "fsync_folder")
PLACES = ("package", "spool")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_f59_failing_disk_is_said_and_leaves_nothing_half(
    settings: Settings, out: Path, operation: str
) -> None:
    failing_disk_is_said(settings, out, operation, FaultyFiles())


def test_f59_freezing_on_a_failing_disk_leaves_nothing(settings: Settings, out: Path) -> None:
    freezing_that_fails_leaves_nothing(settings, out, FaultyFiles())


@pytest.mark.parametrize("place", PLACES)
def test_f59_full_disk_refuses_then_resumes(
    settings: Settings, out: Path, place: str, need: Need
) -> None:
    need(can_mount(), "this host does not let us mount")
    full_disk_refuses_then_resumes(settings, out, place)


# What is broken on purpose


@pytest.mark.parametrize(
    ("operation", "files"), [("write", Deaf), ("fsync", Stubborn)], ids=["deaf", "stubborn"]
)
def test_f59_failure_of_the_disk_that_is_not_heard_is_found_out(
    settings: Settings, out: Path, operation: str, files: Callable[[], FaultyFiles]
) -> None:
    with pytest.raises(AssertionError, match="nobody was told"):
        failing_disk_is_said(settings, out, operation, files())


def test_f59_full_disk_that_is_not_heard_is_found_out(
    settings: Settings, out: Path, need: Need
) -> None:
    need(can_mount(), "this host does not let us mount")
    with pytest.raises(AssertionError, match="nobody was told"):
        full_disk_refuses_then_resumes(settings, out, "package", Deaf())


def test_f59_full_spool_that_is_not_heard_is_found_out(
    settings: Settings, out: Path, need: Need, monkeypatch: Plant
) -> None:
    need(can_mount(), "this host does not let us mount")
    write, close = Spool.write, Spool.close

    def deaf_write(self: Spool, data: bytes) -> None:
        with suppress(OSError):
            write(self, data)

    def deaf_close(self: Spool) -> None:
        with suppress(OSError):
            close(self)

    monkeypatch.setattr(Spool, "write", deaf_write)
    monkeypatch.setattr(Spool, "close", deaf_close)
    with pytest.raises(AssertionError, match="nobody was told"):
        full_disk_refuses_then_resumes(settings, out, "spool")


def keep_the_part(plant: Plant) -> None:
    """What was written of the package stays beside its place."""
    unlink = Path.unlink

    def kept(self: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - as pathlib has it
        if self.suffix != ".part":
            unlink(self, missing_ok=missing_ok)

    plant.setattr(Path, "unlink", kept)


def forget_the_list(plant: Plant) -> None:
    """What could not be written is given up: the frozen list goes with it."""
    fail = exporting._Run._fail

    def failing(self: exporting._Run, cause: str) -> None:
        fail(self, cause)
        self.work.remove()

    plant.setattr(exporting._Run, "_fail", failing)


@pytest.mark.parametrize(
    ("bug", "words"),
    [(keep_the_part, "it left something"), (forget_the_list, "it does not go on")],
)
def test_f59_full_disk_that_costs_the_export_is_found_out(
    settings: Settings,
    out: Path,
    need: Need,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    words: str,
) -> None:
    need(can_mount(), "this host does not let us mount")
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        full_disk_refuses_then_resumes(settings, out, "package")


def test_f59_list_that_stays_half_written_is_found_out(
    settings: Settings, out: Path, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(WorkFolder, "remove", lambda self: None)
    with pytest.raises(AssertionError, match="it left something"):
        freezing_that_fails_leaves_nothing(settings, out, FaultyFiles())
