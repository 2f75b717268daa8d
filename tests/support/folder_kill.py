"""Kills runs over a watched folder step by step and judges what is left; for short and full."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from archive_kit import message, settings_in, write_mbox
from fault_command import Ended, run
from folder_kit import SOURCE, Dropping, dropping

PROGRAM = (sys.executable, str(Path(__file__).with_name("folder_program.py")))
KILLED = -9


@dataclass(slots=True)
class KilledRuns:
    """What the rounds gave."""

    steps: int = 0
    """Steps of a run that is not killed."""
    rounds: int = 0
    killed: int = 0
    """Runs that were killed before they ended by themselves."""
    results_before: int = 0
    """Results that killed runs had left, over all rounds."""
    bad: list[str] = field(default_factory=list)


def rounds(
    folder: Path,
    *,
    sample: int | None,
    seed: int = 0,
    bug: str = "none",
    within: tuple[float, float] = (0.0, 1.0),
) -> KilledRuns:
    """Drop files, kill the run that takes them at a step, run to the end and judge.

    Args:
        folder: For everything.
        sample: How many steps, one in each part of the run; None: every step there is.
        seed: Of the choice.
        bug: Of `folder_program`, in the killed run and in the one behind it; then the first bad
            round is the last.
        within: The share of the run that a sample is taken from.
    """
    figures = KilledRuns()
    whole = _offered(folder / "whole")
    assert _run(whole, 0, bug).status in {0, 3}
    figures.steps = int((folder / "whole" / "steps").read_text())
    for step in _chosen(figures.steps, sample, within, random.Random(seed)):
        own = folder / f"step-{step}"
        drop = _offered(own)
        ended = _run(drop, step, bug)
        figures.rounds += 1
        figures.killed += ended.status == KILLED
        figures.results_before += len(drop.results())
        wrong = [*_half_done(drop), *_settled(drop, bug)]
        figures.bad += [f"step {step}: {one}" for one in wrong]
        if wrong and bug != "none":
            break
        shutil.rmtree(own)
    return figures


def _chosen(
    steps: int, sample: int | None, within: tuple[float, float], chance: random.Random
) -> Iterable[int]:
    if sample is None:
        return range(1, steps + 1)
    first, last = (int(share * steps) for share in within)
    parts = [(part + chance.random()) / sample for part in range(sample)]
    return [1 + first + int((last - first) * part) for part in parts]


FILES = {"1.eml": message(1), "box.mbox": b"", "3.eml": message(3), "noise.bin": bytes(range(256))}


def _offered(own: Path) -> Dropping:
    drop = dropping(settings_in(own), own / "drop")
    for name, raw in FILES.items():
        if name == "box.mbox":
            raw = write_mbox(own / "box", [message(4), message(5), message(5)]).read_bytes()
        drop.put(name, raw)
    return drop


def _run(drop: Dropping, step: int, bug: str) -> Ended:
    own = drop.folder.parent
    words = ["--data", drop.settings.data, "source", "sync", SOURCE, "-j", 1, "--json"]
    return run([*PROGRAM, step, bug, own / "steps", *words], own / "run")


def _half_done(drop: Dropping) -> list[str]:
    """What must hold at any instant: no file is nowhere, and no result speaks too early."""
    wrong = []
    there = [path for path in drop.folder.rglob("*") if path.is_file() and _is_mail(path)]
    names = Counter(path.name for path in there)
    if names != Counter(list(FILES)):
        wrong.append(f"files are {dict(names)}")
    kept = {hashlib.sha256(raw).hexdigest() for raw in drop.kept()}
    for result in drop.results():
        file = drop.folder / result["moved_to"]
        if not file.is_file():
            wrong.append(f"a result, and no file {result['moved_to']}")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != result["sha256"]:
            wrong.append(f"the result of another {result['moved_to']}")
        if result["file"].endswith(".eml") and result["sha256"] not in kept:
            wrong.append(f"{result['file']} is answered and not kept")
    return wrong


def _is_mail(path: Path) -> bool:
    return not path.name.startswith(".") and not path.name.endswith(".result.json")


def _settled(drop: Dropping, bug: str) -> list[str]:
    """Run to the end, once more for nothing, and compare everything with what was dropped."""
    wrong = []
    # In this process, which has loaded all of it; a bug can be planted in another one alone.
    ended = [drop.take().status if bug == "none" else _run(drop, 0, bug).status for _ in range(2)]
    if ended[0] not in {0, 1, 3} or ended[1] != 0:
        wrong.append(f"the runs behind it ended with {ended}")
    said = {one["file"]: (one["state"], one["moved_to"], one["counts"]) for one in drop.results()}
    expected = {
        "1.eml": ("done", "done/1.eml", {"filed": 1}),
        "3.eml": ("done", "done/3.eml", {"filed": 1}),
        "noise.bin": ("failed", "failed/noise.bin", {"quarantined": 1}),
        "box.mbox": ("done", "done/box.mbox", {"filed": 2, "duplicate": 1}),
    }
    if said != expected:
        wrong.append(f"results are {json.dumps(said)}")
    if drop.names() or drop.names("done") | drop.names("failed") != set(FILES):
        wrong.append(f"files lie in {drop.names()}, {drop.names('done')}, {drop.names('failed')}")
    if any((drop.folder / ".holdfast").iterdir()):
        wrong.append("claims are left")
    if sorted(drop.kept()) != sorted(message(number) for number in (1, 3, 4, 5)):
        wrong.append("other originals are kept than were dropped")
    if sorted(drop.captured().values()) != [1, 1, 1, 2]:
        wrong.append(f"captured {sorted(drop.captured().values())}")
    return [*wrong, *map(str, drop.findings())]
