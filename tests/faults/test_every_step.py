"""F2 and F4: the system calls of one import, killed at or refused one at a time (a sample)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from fault_strace import can_inject
from fault_sweep import EIO, KILL, caught, eio_sweep, kill_sweep

pytestmark = pytest.mark.unmeasured


@pytest.fixture(autouse=True)
def _strace(need: Callable[[bool, str], None]) -> None:
    need(can_inject(), "strace cannot trace here")


@pytest.mark.parametrize("begins_empty", [False, True])
def test_f2_import_killed_at_one_call_of_each_kind(
    tmp_path: Path, seed: int, *, begins_empty: bool
) -> None:
    figures = kill_sweep(tmp_path, random.Random(seed), begins_empty=begins_empty)
    assert figures.bad == []
    assert figures.hit >= figures.points - 1


def test_f4_failed_fsync_is_never_retried_and_loses_nothing(tmp_path: Path, seed: int) -> None:
    figures = eio_sweep(tmp_path, random.Random(seed))
    assert figures.bad == []
    assert figures.refused > 0


def test_f2_kills_find_out_a_vault_that_acknowledges_before_it_writes(tmp_path: Path) -> None:
    assert "original" in caught(tmp_path, "acknowledge_before_writing", "rename", KILL)


def test_f4_finds_out_a_vault_that_retries_a_failed_fsync(tmp_path: Path) -> None:
    assert ".seg" in caught(tmp_path, "retry_fsync", "fsync", EIO)
