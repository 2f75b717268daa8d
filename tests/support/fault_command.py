"""Runs the real command in a process group of its own, kills it, and measures what it took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import holdfast
from ready_programs import Program, start_ready

PROGRAM = (sys.executable, "-m", "holdfast")
PLANTED = (sys.executable, str(Path(__file__).with_name("fault_program.py")))
"""The same command with a seeded bug, named by its first argument."""
DEADLINE_S = 600.0
"""Against hanging only."""
_SAMPLE_S = 0.05
_GLANCE_S = 0.005


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    """Exit status; negative for the signal that killed it."""
    out: str
    err: str
    seconds: float
    peak_rss_bytes: int
    """Of its largest process; 0 where nobody looked."""

    @property
    def json(self) -> Any:
        """The last line that was printed, as JSON."""
        return json.loads(self.out.splitlines()[-1])

    @property
    def has_traceback(self) -> bool:
        """Whether a person would have been shown one."""
        return "Traceback" in self.err


@dataclass(slots=True)
class Running:
    """A command that runs; end it with `finish` or `kill`."""

    process: subprocess.Popen[bytes] | Program
    out: Path
    err: Path
    is_watched: bool = False
    """Its memory is looked at."""
    started: float = field(default_factory=time.monotonic)
    peak: int = 0
    _next_sample: float = 0.0

    def is_over_before(self, condition: Callable[[], bool]) -> bool:
        """Wait until the condition holds, or the command ends; tell whether the latter came.

        A condition that is costly to look at is looked at less often.
        """
        while True:
            began = time.monotonic()
            if condition():
                return self.process.poll() is not None
            now = time.monotonic()
            if self._await(now + max(_GLANCE_S, 10 * (now - began))):
                return True

    def is_past(self, instant: float) -> bool:
        """Tell whether the instant of the same clock as `started` is over."""
        return time.monotonic() >= instant

    def kill(self) -> Ended:
        """Kill the whole group at once, as the loss of the process would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.send_signal(signal.SIGKILL)  # it may not lead its group yet
        return self.finish()

    def finish(self, deadline_s: float = DEADLINE_S) -> Ended:
        """Wait for the end; kill what has not ended by the deadline and fail."""
        if not self._await(time.monotonic() + deadline_s):
            self.kill()
            raise AssertionError(f"still running after {deadline_s} s")
        seconds = time.monotonic() - self.started
        out, err = (path.read_text("utf-8", "replace") for path in (self.out, self.err))
        return Ended(self.process.wait(), out, err, seconds, self.peak)

    def _await(self, instant: float) -> bool:
        """Wait for the end until the instant, looking at the group's memory where it is asked."""
        while self.process.returncode is None:
            if self.is_watched and time.monotonic() >= self._next_sample:
                self._next_sample = time.monotonic() + _SAMPLE_S
                self.peak = max(self.peak, *map(_peak_rss, _group(self.process.pid)), 0)
            left = min(_SAMPLE_S, instant - time.monotonic())
            if left <= 0:
                return False
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(left)
        return True


def start(
    words: Sequence[object], folder: Path, *, before: Sequence[str] = (), is_watched: bool = False
) -> Running:
    """Start `words`; what it prints goes to files in `folder`.

    Args:
        words: The command with its arguments.
        folder: For its output.
        before: A command that runs the command, as strace does.
        is_watched: Look at its memory, which then is that of a fresh program.
    """
    folder.mkdir(parents=True, exist_ok=True)
    out, err = folder / "out", folder / "err"
    own = [*map(str, words)]
    if own[0] == sys.executable and not before and not is_watched:
        return Running(start_ready(own[1:], out, err, environment()), out, err)
    with out.open("wb") as out_file, err.open("wb") as err_file:
        process = subprocess.Popen(
            [*before, *own],
            stdin=subprocess.DEVNULL,
            stdout=out_file,
            stderr=err_file,
            env=environment(),
            start_new_session=True,
        )
    return Running(process, out, err, is_watched)


def environment() -> dict[str, str]:
    """Return the environment in which a started command uses the product that is under test.

    It is not measured for coverage: a killed process reports nothing, and would be slower.
    """
    source = str(Path(holdfast.__file__).resolve().parents[1])
    own = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**own, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC"}


def import_words(data: Path, *paths: Path, program: Sequence[str] = PROGRAM) -> list[str]:
    """Return the command that imports the paths as the source that all faults use."""
    words = ["--data", data, "import", "-j", 1, "--source", "offer", "--json", *paths]
    return [*program, *map(str, words)]


def run(words: Sequence[object], folder: Path, *, is_watched: bool = False) -> Ended:
    """Run a command to its end."""
    return start(words, folder, is_watched=is_watched).finish()


def verify_words(data: Path) -> list[str]:
    """Return the command that verifies everything and names what it finds as JSON lines."""
    return [*PROGRAM, "--data", str(data), "verify", "--json"]


def _group(leader: int) -> Iterator[int]:
    """Yield the processes of the group, its leader first."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, IndexError):
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                if int(fields[2]) == leader:
                    yield int(entry.name)


def _peak_rss(process: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text("utf-8", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
