"""F5, F6, F7: disks that are full, that lie about it, and that become read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fault_bad_disk import (
    becoming_read_only_loses_nothing,
    full_at_write_back_loses_nothing,
    full_catalogue_loses_nothing,
    full_index_catches_up,
    full_spool_loses_nothing,
    full_vault_loses_nothing,
    read_only_is_refused_clearly,
)
from fault_disk import can_loop, can_mount

pytestmark = pytest.mark.unmeasured

Need = Callable[[bool, str], None]
Harness = Callable[[Path, ExitStack, str], None]


@pytest.fixture
def disks(need: Need) -> Iterator[ExitStack]:
    """A stack for mounts; everything is unmounted when the test ends."""
    need(can_mount(), "this host does not let us mount")
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def loops(disks: ExitStack, need: Need) -> ExitStack:
    """The same, where file systems in a file can be mounted too."""
    need(can_loop("ext4"), "no loop device, or no ext4")
    return disks


def test_f6_full_vault_refuses_loses_nothing_and_goes_on(tmp_path: Path, disks: ExitStack) -> None:
    full_vault_loses_nothing(tmp_path, disks)


def test_f6_full_spool_refuses_loses_nothing_and_goes_on(tmp_path: Path, disks: ExitStack) -> None:
    full_spool_loses_nothing(tmp_path, disks)


def test_f6_full_catalogue_refuses_loses_nothing_and_goes_on(
    tmp_path: Path, disks: ExitStack
) -> None:
    full_catalogue_loses_nothing(tmp_path, disks)


def test_f6_full_index_refuses_nothing_and_catches_up(tmp_path: Path, disks: ExitStack) -> None:
    full_index_catches_up(tmp_path, disks)


def test_f5_disk_that_is_full_at_write_back_loses_nothing_acknowledged(
    tmp_path: Path, loops: ExitStack
) -> None:
    full_at_write_back_loses_nothing(tmp_path, loops)


def test_f7_read_only_disk_refuses_once_and_clearly(tmp_path: Path, loops: ExitStack) -> None:
    read_only_is_refused_clearly(tmp_path, loops)


def test_f7_disk_that_becomes_read_only_keeps_what_was_acknowledged(
    tmp_path: Path, loops: ExitStack
) -> None:
    becoming_read_only_loses_nothing(tmp_path, loops)


# What is broken on purpose


@pytest.mark.parametrize(
    ("harness", "bug", "words"),
    [(full_vault_loses_nothing, "ignore_the_disk", "nobody was told"),
     (full_spool_loses_nothing, "ignore_the_spool", "nobody was told"),
     (full_catalogue_loses_nothing, "believe_commits", "nobody was told"),
     (full_index_catches_up, "refuse_without_index", "it was refused")],
)  # fmt: skip
def test_f6_full_disk_that_is_not_heard_is_found_out(
    tmp_path: Path, disks: ExitStack, harness: Harness, bug: str, words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        harness(tmp_path, disks, bug)


@pytest.mark.parametrize(
    ("harness", "bug", "words"),
    [(full_at_write_back_loses_nothing, "trust_the_cache", "nobody was told"),
     (read_only_is_refused_clearly, "show_the_library", "nobody was told"),
     (becoming_read_only_loses_nothing, "acknowledge_before_writing", "not all is there")],
)  # fmt: skip
def test_f5_f7_disk_that_is_not_heard_is_found_out(
    tmp_path: Path, loops: ExitStack, harness: Harness, bug: str, words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        harness(tmp_path, loops, bug)
