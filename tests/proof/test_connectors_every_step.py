"""The full rounds of F2 over IMAP and SMTP: each system call that changes the disk, enumerated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fault_strace import Rig, can_inject, session_rig, waiting_rig
from fault_sweep import Pace, kill_everywhere
from imap_kit import letter

MAIL = [letter(number) for number in range(3)]
LARGE = letter(3, body=("A line as long as few are.".ljust(990, ".") + "\n") * 1200)
"""It goes through the spool of the listener."""
PHASES = pytest.mark.parametrize("phase", ["start", "writing", "ending"])


@pytest.fixture(autouse=True)
def _strace(need: Callable[[bool, str], None]) -> None:
    need(can_inject(), "strace cannot trace here")


@pytest.fixture
def syncing(tmp_path: Path) -> Iterator[Rig]:
    """A rig with a server that has three messages."""
    with waiting_rig(tmp_path, MAIL) as rig:
        yield rig


@PHASES
def test_f2_imap_sync_killed_at_every_call(
    syncing: Rig, phase: str, report: Callable[..., None]
) -> None:
    _is_survived(replace(syncing, phase=phase), report)


@PHASES
def test_f2_smtp_session_killed_at_every_call(
    tmp_path: Path, phase: str, report: Callable[..., None]
) -> None:
    sent = [raw.removesuffix(b"\r\n") for raw in (*MAIL, LARGE)]
    _is_survived(replace(session_rig(tmp_path, sent), phase=phase), report)


def _is_survived(rig: Rig, report: Callable[..., None]) -> None:
    pace = Pace(2, lambda so_far: report(**so_far.shown()))
    figures = kill_everywhere(rig, None, pace=pace)
    assert figures.bad == []
    assert figures.points == figures.planned
    # A few calls of engine threads come in any order.
    assert figures.hit >= figures.points * 9 // 10
