"""The full rounds of F2 and F4: each system call that changes the disk, enumerated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fault_strace import can_inject
from fault_sweep import Pace, eio_sweep, kill_sweep

PROCESSES = 2


@pytest.fixture(autouse=True)
def _strace(need: Callable[[bool, str], None]) -> None:
    need(can_inject(), "strace cannot trace here")


@pytest.mark.parametrize("begins_empty", [False, True])
def test_f2_import_killed_at_every_call(
    tmp_path: Path, report: Callable[..., None], *, begins_empty: bool
) -> None:
    pace = Pace(PROCESSES, lambda so_far: report(**so_far.shown()))
    figures = kill_sweep(tmp_path, None, begins_empty=begins_empty, pace=pace)
    assert figures.bad == []
    assert figures.points == figures.planned
    # A few calls of engine threads come in any order.
    assert figures.hit >= figures.points * 9 // 10


def test_f4_every_sync_of_an_import_fails_once(tmp_path: Path, report: Callable[..., None]) -> None:
    figures = eio_sweep(tmp_path, None, Pace(PROCESSES, lambda so_far: report(**so_far.shown())))
    assert figures.bad == []
    assert figures.points == figures.planned
    assert figures.hit >= figures.points * 9 // 10
