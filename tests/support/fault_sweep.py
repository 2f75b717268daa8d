"""Sweeps the points where an import changes the disk: killed there, or refused by the disk."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive_kit import settings_in
from fault_checks import acknowledged, settle
from fault_command import PLANTED
from fault_strace import SYNCING, Point, Rig, new_rig, synced_again

KILL = "signal=KILL"
EIO = "error=EIO"
UNAVAILABLE = 7


@dataclass(slots=True)
class SweepFigures:
    """What a sweep gave."""

    points: int = 0
    hit: int = 0
    """Runs in which the call was reached and failed; in the others it never came."""
    refused: int = 0
    """Runs that ended with status 7."""
    absorbed: int = 0
    """Runs that ended well: only the index was refused, and caught up later."""
    lost: int = 0
    doubled: int = 0
    bad: list[str] = field(default_factory=list)


def kill_sweep(folder: Path, sample: random.Random | None, *, begins_empty: bool) -> SweepFigures:
    """Kill an import at every point (or at one of each kind) and judge what is left."""
    rig = new_rig(folder, begins_empty=begins_empty)
    figures = SweepFigures()
    for point in _chosen(rig.points(), sample):
        settings, ended, _ = rig.failed_at(point, KILL)
        figures.hit += ended.status != 0
        _judge(figures, rig, point, settings.data)
    return figures


def eio_sweep(folder: Path, sample: random.Random | None) -> SweepFigures:
    """Fail every sync once (or some of each kind); nothing may be lost, and no sync be retried."""
    rig = new_rig(folder)
    figures = SweepFigures()
    for point in _chosen(rig.points(SYNCING), sample, of_each=3):
        settings, ended, trace = rig.failed_at(point, EIO)
        figures.hit += "INJECTED" in trace.read_text("utf-8", "replace")
        figures.refused += ended.status == UNAVAILABLE
        figures.absorbed += ended.status == 0
        if ended.status not in {0, UNAVAILABLE} or ended.has_traceback:
            figures.bad.append(f"{point}: ended with {ended.status}: {ended.err[-2000:]}")
        if again := synced_again(trace):
            figures.bad.append(f"{point}: synced again: {again}")
        _judge(figures, rig, point, settings.data)
    return figures


def caught(folder: Path, bug: str, call: str, how: str) -> str:
    """Fail one kind of call, point by point, under a seeded bug; return what was noticed first."""
    rig = replace(new_rig(folder), program=(*PLANTED, bug))
    for point in rig.points((call,)):
        figures = SweepFigures()
        settings, _, trace = rig.failed_at(point, how)
        _judge(figures, rig, point, settings.data)
        if noticed := [*figures.bad, *synced_again(trace)]:
            return noticed[0]
    return ""


def _judge(figures: SweepFigures, rig: Rig, point: Point, data: Path) -> None:
    figures.points += 1
    acked = acknowledged(data)
    _, verdict = settle(settings_in(data.parent), rig.offered, acked)
    figures.lost += verdict.lost
    figures.doubled += verdict.doubled
    if not verdict.is_good:
        figures.bad.append(f"{point}: {verdict}")


def _chosen(
    points: Sequence[Point], sample: random.Random | None, of_each: int = 1
) -> Sequence[Point]:
    """All points, or so many of each kind of call."""
    if sample is None:
        return points
    kinds = sorted({point.call for point in points})
    chosen = []
    for kind in kinds:
        own = [point for point in points if point.call == kind]
        chosen += sample.sample(own, min(of_each, len(own)))
    return chosen
