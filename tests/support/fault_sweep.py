"""Sweeps the points where work changes the disk: killed there, or refused by the disk."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from fault_strace import CHANGING, SYNCING, Point, Rig, new_rig, synced_again
from ready_programs import processes

KILL = "signal=KILL"
EIO = "error=EIO"
UNAVAILABLE = 7


@dataclass(slots=True)
class SweepFigures:
    """What a sweep gave."""

    planned: int = 0
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

    def add(self, other: SweepFigures) -> None:
        """Add what another point gave."""
        for name in ("points", "hit", "refused", "absorbed", "lost", "doubled"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.bad += other.bad

    def shown(self) -> dict[str, Any]:
        """Return what a report says of them."""
        return {**asdict(self), "bad": self.bad[:5], "bads": len(self.bad)}


@dataclass(frozen=True, slots=True)
class Pace:
    """How a sweep goes about it."""

    processes: int = 1
    """Points that are tried at a time."""
    note: Callable[[SweepFigures], None] = lambda figures: None
    """Told after each point how far the sweep is."""


ALONE = Pace()


def kill_sweep(
    folder: Path, sample: random.Random | None, *, begins_empty: bool, pace: Pace = ALONE
) -> SweepFigures:
    """Kill an import at every point (or at one of each kind) and judge what is left."""
    return kill_everywhere(new_rig(folder, begins_empty=begins_empty), sample, pace=pace)


def kill_everywhere(
    rig: Rig,
    sample: random.Random | None,
    calls: tuple[str, ...] = CHANGING,
    *,
    pace: Pace = ALONE,
) -> SweepFigures:
    """Kill work at every point where it makes such calls, or at one of each; judge what is left."""
    with _trying(pace) as each:
        (found,) = each(partial(Rig.points, calls=calls), [rig])
        points = _chosen(found, sample)
        return _sum_up(each(partial(_killed_at, rig), points), len(points), pace)


def eio_sweep(folder: Path, sample: random.Random | None, pace: Pace = ALONE) -> SweepFigures:
    """Fail every sync once (or some of each kind); nothing may be lost, and no sync be retried."""
    rig = new_rig(folder)
    with _trying(pace) as each:
        (found,) = each(partial(Rig.points, calls=SYNCING), [rig])
        points = _chosen(found, sample, of_each=3)
        return _sum_up(each(partial(_refused_at, rig), points), len(points), pace)


@contextmanager
def _trying(pace: Pace) -> Iterator[Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]]:
    """Yield a `map` that gives each call a process that has loaded all and done nothing."""
    with processes().Pool(pace.processes, maxtasksperchild=1) as pool:
        yield partial(pool.imap, chunksize=1)


def _sum_up(each: Iterable[SweepFigures], planned: int, pace: Pace) -> SweepFigures:
    total = SweepFigures(planned=planned)
    for figures in each:
        total.add(figures)
        pace.note(total)
    return total


def _killed_at(rig: Rig, point: Point) -> SweepFigures:
    figures = SweepFigures()
    settings, ended, _ = rig.failed_at(point, KILL)
    figures.hit += ended.status != 0
    _judge(figures, rig, point, settings.data)
    return figures


def _refused_at(rig: Rig, point: Point) -> SweepFigures:
    figures = SweepFigures()
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
    """Fail one kind of call of an import under a seeded bug; return what was noticed first."""
    return caught_in(replace(new_rig(folder), bug=bug), call, how)


def caught_in(rig: Rig, call: str, how: str) -> str:
    """Fail one kind of call, point by point; return what was noticed first."""
    with _trying(ALONE) as each:
        (points,) = each(partial(Rig.points, calls=(call,)), [rig])
        for point in points:
            noticed: list[str] = next(iter(each(partial(_noticed_at, rig, how), [point])))
            if noticed:
                return noticed[0]
    return ""


def _noticed_at(rig: Rig, how: str, point: Point) -> list[str]:
    figures = SweepFigures()
    settings, _, trace = rig.failed_at(point, how)
    _judge(figures, rig, point, settings.data)
    return [*figures.bad, *synced_again(trace)]


def _judge(figures: SweepFigures, rig: Rig, point: Point, data: Path) -> None:
    figures.points += 1
    verdict = rig.work.judge(data)
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
