"""F59: what must hold of exports on disks that fail or are full."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from errno import EIO, ENOSPC
from pathlib import Path

from export_kit import exporting, key_of, order_for, verdict
from fault_disk import grow, memory_disk
from faulty_files import FaultyFiles
from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.discovery.export_order import Archive
from holdfast.discovery.exporting import ask_export, create_export, run_export
from holdfast.settings import Settings
from holdfast.storage.governance.exports import get_export, list_exports


def with_files(archive: Archive, files: FaultyFiles) -> Archive:
    """Return the archive, writing its packages through these operations."""
    return replace(archive, files=files)


def left_over(settings: Settings, out: Path) -> list[str]:
    """Names of all that an export leaves besides its package."""
    work = settings.data / "exports"
    found = [one.name for one in work.iterdir()] if work.is_dir() else []
    return found + [one.name for one in out.parent.iterdir() if one != out]


def failing_disk_is_said(settings: Settings, out: Path, operation: str, files: FaultyFiles) -> None:
    """F59: let the first of these operations of a package fail, then go on.

    Raises:
        AssertionError: Nobody was told, something is left, or the package is not whole.
    """
    with exporting(settings) as (archive, asker):
        faulty = with_files(archive, files)
        export_id = ask_export(faulty, order_for("", out), asker)
        files.fail(operation, 1, ENOSPC if operation == "write" else EIO)
        told = _refusal(lambda: run_export(faulty, export_id))
        assert any(words in told for words in ("disk is full", "reported an error")), told
        left = [one.name for one in out.parent.iterdir() if one != out]
        assert left == [], f"it left something: {left}"
        row = get_export(archive.store, export_id)
        assert (row.state, bool(row.error)) == ("failed", True)
        assert not files.synced_again, "synced again what had failed"
        _goes_on(archive, export_id)
    _is_whole(settings, out)


def full_disk_refuses_then_resumes(
    settings: Settings, out: Path, place: str, files: FaultyFiles | None = None
) -> None:
    """F59: export to a disk that is too small, or with spools on one; then give it room.

    Args:
        settings: Of an archive that nobody exports from otherwise.
        out: The package.
        place: `package` or `spool`: what is on the small disk.
        files: Operations by which it is written; the system's by default.

    Raises:
        AssertionError: Nobody was told, something is left, or it does not go on to its end.
    """
    with ExitStack() as stack, exporting(settings) as (archive, asker):
        folder = out.parent if place == "package" else settings.data / "exports"
        small = stack.enter_context(memory_disk(folder, "16k"))
        full = archive if files is None else with_files(archive, files)
        told = _refusal(lambda: create_export(full, order_for("", out), asker))
        assert "disk is full" in told, told
        left = [one.name for one in out.parent.iterdir()]
        assert left == [], f"it left something: {left}"
        (row,) = list_exports(archive.store)
        grow(small, "16m")
        _goes_on(archive, row.id)
        _is_whole(settings, out)


def freezing_that_fails_leaves_nothing(settings: Settings, out: Path, files: FaultyFiles) -> None:
    """F59: let the list of what is to be exported find no room.

    Raises:
        AssertionError: Nobody was told, or something is left.
    """
    files.fail("write", 1, ENOSPC)
    with exporting(settings) as (archive, asker):
        faulty = with_files(archive, files)
        told = _refusal(lambda: ask_export(faulty, order_for("", out), asker))
        assert "disk is full" in told, told
        assert list_exports(archive.store) == [], "it was written down"
    left = left_over(settings, out)
    assert left == [], f"it left something: {left}"


def _refusal(act: Callable[[], object]) -> str:
    try:
        act()
    except Unavailable as error:
        return error.cause
    raise AssertionError("nobody was told")


def _goes_on(archive: Archive, export_id: int) -> None:
    try:
        export = run_export(archive, export_id)
    except HoldfastError as error:
        raise AssertionError(f"it does not go on: {error}") from error
    assert export.state == "complete", export.state


def _is_whole(settings: Settings, out: Path) -> None:
    said = verdict(out, key_of(settings))
    assert said.status == 0, f"not whole: {said.out}"
    left = left_over(settings, out)
    assert left == [], f"it left something: {left}"
