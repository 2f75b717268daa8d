"""Times ingest beside notmuch and mu on one Maildir, interleaved: peer, peer, ours, three rounds.

The peers only index. Holdfast also keeps every original encrypted and durable, writes ledger,
catalogue, contacts, threads and audit log. Prints a table, writes JSON with `--json FILE`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HOLDFAST = Path(sys.executable).with_name("holdfast")


@dataclass(frozen=True)
class Timing:
    """One run of one program."""

    wall_s: float
    cpu_s: float


def timed(run: Callable[[], None]) -> Timing:
    """Run and measure the clock and the processor time of all children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    run()
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(wall, cpu)


class Crashed(Exception):
    """A program ended by itself with an error."""


MOST_CRASHES = 3
"""Of one program in one round; mu 1.8 sometimes dies of a fault in its own memory."""


def quietly(command: list[str], **environment: str) -> None:
    """Run to the end; its output matters only when it fails."""
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Crashed(f"{command[0]} failed: {done.stderr[-2000:]}")


def run_notmuch(maildir: Path, scratch: Path) -> None:
    """Index with notmuch into a database outside the Maildir."""
    config = scratch / "notmuch-config"
    config.write_text(
        f"[database]\nmail_root={maildir}\npath={scratch / 'notmuch'}\n"
        "[new]\ntags=new\n[user]\nname=bench\nprimary_email=bench@example.com\n"
    )
    (scratch / "notmuch").mkdir()
    quietly(["notmuch", "new", "--quiet"], NOTMUCH_CONFIG=str(config))


def run_mu(maildir: Path, scratch: Path) -> None:
    """Index with mu."""
    home = f"--muhome={scratch / 'mu'}"
    quietly(["mu", "init", home, f"--maildir={maildir}", "--quiet"])
    quietly(["mu", "index", home, "--quiet"])


def run_holdfast(maildir: Path, scratch: Path) -> None:
    """Import with everything on."""
    quietly([str(HOLDFAST), "--data", str(scratch / "archive"), "import", str(maildir)])


PROGRAMS = {"notmuch": run_notmuch, "mu": run_mu, "holdfast": run_holdfast}


@dataclass(slots=True)
class Measured:
    """What all rounds gave."""

    timings: dict[str, list[Timing]] = field(
        default_factory=lambda: {name: [] for name in PROGRAMS}
    )
    crashes: dict[str, int] = field(default_factory=dict)
    """Runs that a program did not survive; they were done again and are not timed."""


def measure(maildir: Path, rounds: int, scratch: Path) -> Measured:
    """Run every program once a round, in turn, each from nothing."""
    measured = Measured()
    for number in range(rounds):
        for name in PROGRAMS:
            timing = whole_run(name, maildir, scratch / f"{name}-{number}", measured)
            measured.timings[name].append(timing)
            print(f"round {number + 1}, {name}: {timing}", file=sys.stderr)
    return measured


def whole_run(name: str, maildir: Path, place: Path, measured: Measured) -> Timing:
    """Run one program from nothing, and again where it crashed."""
    for tried in range(MOST_CRASHES + 1):
        place.mkdir()
        try:
            return timed(lambda: PROGRAMS[name](maildir, place))
        except Crashed as error:
            print(error, file=sys.stderr)
            if tried == MOST_CRASHES or name == "holdfast":
                raise SystemExit(1) from error
            measured.crashes[name] = measured.crashes.get(name, 0) + 1
        finally:
            shutil.rmtree(place)
    raise AssertionError("unreachable")


def summary(measured: Measured, messages: int) -> dict[str, object]:
    """Medians, rates, and the ratios that the bars are stated in."""
    timings = measured.timings
    wall = {name: statistics.median(t.wall_s for t in runs) for name, runs in timings.items()}
    cpu = {name: statistics.median(t.cpu_s for t in runs) for name, runs in timings.items()}
    return {
        "messages": messages,
        "rounds": len(timings["holdfast"]),
        "crashes": measured.crashes,
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "wall_s": {name: round(value, 2) for name, value in wall.items()},
        "cpu_s": {name: round(value, 2) for name, value in cpu.items()},
        "messages_per_s": {name: round(messages / value) for name, value in wall.items()},
        "wall_ratio": {p: round(wall[p] / wall["holdfast"], 2) for p in ("notmuch", "mu")},
        "cpu_ratio": {p: round(cpu[p] / cpu["holdfast"], 2) for p in ("notmuch", "mu")},
        "bars": {"wall_ratio": {"notmuch": 3.0, "mu": 1.5}, "cpu_ratio": {"mu": 1.0}},
    }


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("maildir", type=Path, help="made by bench/corpus.py --maildir")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    maildir = options.maildir.absolute()
    messages = sum(1 for path in maildir.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as scratch:
        result = summary(measure(maildir, options.rounds, Path(scratch)), messages)
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
