"""Cuts the power of a real file system while an import runs, and judges what comes back."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from fault_checks import Verdict, settle
from fault_command import start
from fault_disk import LoopDisk, loop_disk
from fault_mail import Offering, offering
from holdfast.settings import Settings

PROGRAM = (sys.executable, str(Path(__file__).with_name("fault_acking.py")))
MESSAGES = 160


@dataclass(slots=True)
class PowerFigures:
    """What the rounds gave."""

    rounds: int = 0
    cut_between: int = 0
    """Cuts when something had been acknowledged, and not everything."""
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    bad: list[Verdict] = field(default_factory=list)


def power_rounds(
    folder: Path, kind: str, *, rounds: int, seed: int, bug: str = "none", until_bad: bool = False
) -> PowerFigures:
    """Import into an archive on a fresh disk, cut its power, start again, judge; so many times.

    Every other cut comes at any instant, the rest right after an acknowledgement, where what was
    not durable shows most often: the only ones while a bug is looked for. Every other pair of
    rounds keeps the keys on another disk.

    Args:
        folder: For everything.
        kind: Of file system.
        rounds: How often.
        seed: Of the instants.
        bug: Seeded in the runs whose power is cut.
        until_bad: Stop as soon as a round was bad.
    """
    chance = random.Random(seed)
    offered = offering(folder / "offer", MESSAGES)
    figures = PowerFigures()
    began = time.monotonic()
    for number in range(rounds):
        own = folder / f"round-{number}"
        with loop_disk(own, kind) as disk:
            keys = (own if number % 4 < 2 else disk.at) / "keys"
            settings = Settings.model_validate(
                {"data": disk.at / "a", "keys": {"path": keys}, "work": {"processes": 1}}
            )
            is_at_ack = until_bad or number % 2 == 0
            acked = _cut(disk, settings, offered, bug, chance, is_at_ack=is_at_ack)
            _, verdict = settle(settings, offered, acked)
        figures.rounds += 1
        figures.cut_between += 0 < len(acked) < len(offered.originals)
        figures.acknowledged += len(acked)
        figures.lost += verdict.lost
        figures.doubled += verdict.doubled
        if not verdict.is_good:
            figures.bad.append(verdict)
            if until_bad:
                break
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _cut(
    disk: LoopDisk,
    settings: Settings,
    offered: Offering,
    bug: str,
    chance: random.Random,
    *,
    is_at_ack: bool,
) -> frozenset[str]:
    """Import until the power fails; bring the disk back; return what was acknowledged."""
    acks = disk.image.with_name("acks")
    acks.touch()
    cut_at = chance.randint(1, 6) if is_at_ack else 0
    words = [*PROGRAM, bug, acks, cut_at, settings.data, settings.keys_folder, offered.folder]
    running = start(words, disk.image.with_name("output"))
    threshold = chance.random() * len(offered.originals) * 65
    running.is_over_before(lambda: not is_at_ack and acks.stat().st_size >= threshold)
    noted = acks.read_bytes()  # before the cut: what was said until then
    if not is_at_ack:
        disk.cut_power()
    ended = running.kill()
    assert is_at_ack or ended.status != 2, ended.err
    disk.unmount()
    disk.mount()
    return frozenset(noted.decode().split())
