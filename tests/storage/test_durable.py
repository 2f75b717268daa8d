from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from faulty_files import Crash, FaultyFiles
from holdfast.storage.durable import SystemFiles, make_folder, replace_file, unavailable, write_new


def test_replaced_file_is_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    replace_file(SystemFiles(), path, b"one")
    replace_file(SystemFiles(), path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("operation", ["create", "write", "fsync", "replace"])
def test_failed_replacement_leaves_the_old_content_and_nothing_beside_it(
    tmp_path: Path, operation: str
) -> None:
    path = tmp_path / "ring"
    replace_file(SystemFiles(), path, b"old content")
    files = FaultyFiles()
    files.fail(operation, 1, errno.ENOSPC)
    with pytest.raises(OSError, match=r"."):
        replace_file(files, path, b"new content")
    assert path.read_bytes() == b"old content"
    assert list(tmp_path.iterdir()) == [path]
    assert not files.synced_again


def test_replacement_reports_a_name_that_may_not_last(tmp_path: Path) -> None:
    files = FaultyFiles()
    files.fail("fsync_folder", 1, errno.EIO)
    with pytest.raises(OSError, match=r"."):
        replace_file(files, tmp_path / "ring", b"new")


def test_death_at_any_step_of_a_replacement_leaves_old_or_new(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    outcomes = []
    for step in range(1, 7):
        replace_file(SystemFiles(), path, b"old")
        files = FaultyFiles()
        files.crash_at(step)
        try:
            replace_file(files, path, b"new")
        except Crash:
            outcomes.append(path.read_bytes())
    assert outcomes == [b"old"] * 4 + [b"new"]


def test_failed_fsync_is_not_repeated(tmp_path: Path) -> None:
    files = FaultyFiles()
    files.fail("fsync", 1, errno.EIO)
    with pytest.raises(OSError, match=r"."):
        write_new(files, tmp_path / "new", b"bytes")
    assert files.steps == 3
    assert not files.synced_again


def test_folders_are_made_private_and_each_name_is_synced(tmp_path: Path) -> None:
    files = FaultyFiles()
    make_folder(files, tmp_path / "a" / "b" / "c")
    assert files.steps == 3
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    make_folder(files, tmp_path / "a" / "b" / "c")
    assert files.steps == 3


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "disk reported an error"),
        (errno.EMFILE, "Too many open files"),
        (None, "odd"),
    ],
)
def test_refusal_says_cause_and_next_step(number: int | None, words: str) -> None:
    error = OSError(number, "Too many open files") if number else OSError("odd")
    refusal = unavailable(error, "keeping originals")
    assert words in refusal.cause
    assert "keeping originals" in refusal.cause
    assert refusal.next_step
