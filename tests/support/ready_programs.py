"""Starts programs of ours by fork from a process that has loaded them and done nothing yet.

Loading takes two seconds of a processor, more than the work of most programs that tests start. A
fresh one is needed where the start itself or its memory is looked at, or coverage is measured.
What a program registers with `atexit` is not run when it was forked.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

LOADED = (
    "pytest",  # what multiprocessing takes for the main program of a child
    "fault_sweep",
    "holdfast.cli.app",
    "holdfast.cli.commands.importing",
    "holdfast.ingest.jobs.crew",
    "holdfast.ingest.jobs.kinds",
    "holdfast.ingest.tasks",
    "holdfast.wiring.listener",
    "holdfast.wiring.runs",
    "holdfast.wiring.serving",
    "psycopg",
    "pypinyin",
    "tantivy",
)
MEASURED = "COVERAGE_PROCESS_CONFIG"


def processes() -> ForkServerContext | SpawnContext:
    """Return how to start a process that runs a function; a fresh one under coverage."""
    if MEASURED in os.environ:
        return multiprocessing.get_context("spawn")
    return _ready()


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was started by fork; what tests use of `subprocess.Popen`."""

    process: BaseProcess

    @property
    def pid(self) -> int:
        """Its number, as long as it lives."""
        assert self.process.pid is not None  # 0 would be this group to whoever kills it
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """Its status; negative for the signal that killed it, None while it runs."""
        return self.process.exitcode

    def poll(self) -> int | None:
        """Look whether it has ended."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutExpired: It runs still.
        """
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired(self.process.name, timeout or 0)
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def start_ready(words: Sequence[str], out: Path, err: Path, env: Mapping[str, str]) -> Program:
    """Start a Python program in a session of its own, without standard input.

    Args:
        words: What stands behind the interpreter's name: `-m MODULE WORD…` or `FILE WORD…`.
        out: File for its standard output.
        err: File for its standard error.
        env: Its environment.
    """
    for path in (out, err):
        path.write_bytes(b"")
    streams = (os.devnull, str(out), str(err))
    process = _ready().Process(target=_become, args=(tuple(words), streams, dict(env), Path.cwd()))
    process.start()
    return Program(process)


def _become(
    words: Sequence[str], streams: Sequence[str], env: Mapping[str, str], folder: Path
) -> None:
    os.setsid()
    for number, path in enumerate(streams):
        file = os.open(path, os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    if words[0] == "-m":
        sys.argv = list(words[1:])
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(words)
        runpy.run_path(words[0], run_name="__main__")


@cache
def _ready() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    kept = {name: os.environ.pop(name) for name in (MEASURED, "PYTHONPATH") if name in os.environ}
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        os.environ.update(kept)
    return context
