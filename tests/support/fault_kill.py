"""Kills imports at random instants and judges what is left; the same for short and full rounds."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from archive_kit import settings_in
from fault_checks import Verdict, acknowledged, settle
from fault_command import PLANTED, PROGRAM, import_words, start
from fault_mail import offering

MESSAGES = 500
"""Enough for two group commits, each in several transactions."""


@dataclass(slots=True)
class KillFigures:
    """What the rounds gave."""

    rounds: int = 0
    killed_alive: int = 0
    """Runs that were killed before they ended by themselves."""
    killed_between: int = 0
    """Those of them that had acknowledged something, and not everything."""
    acknowledged: int = 0
    orphans: int = 0
    recovered: int = 0
    """Sealed items that the next run filed first."""
    bad: list[Verdict] = field(default_factory=list)


def kill_rounds(
    folder: Path, *, rounds: int, seed: int, bug: str = "none", until_bad: bool = False
) -> KillFigures:
    """Import into a fresh archive, kill, import to the end and judge; so many times.

    Args:
        folder: For everything.
        rounds: How often.
        seed: Of the instants.
        bug: Seeded in the runs that are killed, and in those that end a round.
        until_bad: Stop as soon as a round was bad.
    """
    chance = random.Random(seed)
    offered = offering(folder / "offer", MESSAGES)
    program = PROGRAM if bug == "none" else (*PLANTED, bug)
    total = _grown(import_words(folder / "whole" / "archive", offered.folder), folder / "whole")
    figures, parts = KillFigures(), min(rounds, 6)
    for number in range(rounds):
        own = folder / f"round-{number}"
        settings = settings_in(own)
        running = start(import_words(settings.data, offered.folder, program=program), own)
        # One instant in each part of the work, however fast this machine is at the moment.
        threshold = total * (number % parts + chance.random()) / parts
        is_over = running.is_over_before(partial(_has_grown, own, threshold))
        running.kill()
        acked = acknowledged(settings.data)
        again, verdict = settle(settings, offered, acked)
        figures.rounds += 1
        figures.killed_alive += not is_over
        figures.killed_between += 0 < len(acked) < len(offered.originals)
        figures.acknowledged += len(acked)
        figures.orphans += verdict.orphans
        figures.recovered += again.recovered if again is not None else 0
        if not verdict.is_good:
            figures.bad.append(verdict)
            if until_bad:
                break
        shutil.rmtree(own)
    return figures


def _grown(words: Sequence[str], folder: Path) -> int:
    """Run a whole import; return how much its folder held before it tidied up."""
    running = start(words, folder)
    largest = 0

    def looked() -> bool:
        nonlocal largest
        largest = max(largest, bytes_in(folder))
        return False

    running.is_over_before(looked)
    assert running.finish().status == 0
    return largest


def _has_grown(folder: Path, threshold: float) -> bool:
    return bytes_in(folder) >= threshold


def bytes_in(folder: Path) -> int:
    """Bytes of all files below: a clock that runs as fast as the import does."""
    total = 0
    waiting = [os.fspath(folder)]
    while waiting:
        with suppress(FileNotFoundError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    total += entry.stat().st_size
    return total
