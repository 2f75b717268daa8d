"""Runs work under strace in a child of a process that has loaded everything already.

Loading costs three times what the import of a few messages does. Must be called from a process that
has no threads and has opened nothing: the child inherits all of it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from fault_bugs import BUGS
from fault_command import DEADLINE_S, Ended

_PR_SET_PTRACER = 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)
_GLANCE_S = 0.005
_SETTLED_S = 0.02
"""Between "has a tracer" and "is stopped by it"; the child waits for us all the while."""


Begin = Callable[[str], None]
"""Is told each phase of the work as it begins; does not return from the first that is watched
before the tracer watches."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Work, and how it is watched."""

    work: Callable[[Begin], int]
    """Returns the exit status."""
    beside: Callable[[int], None]
    """What the other side does meanwhile; is told the number of the child."""
    phase: str = "start"
    """From which on the tracer watches."""
    bug: str = "none"
    """See `fault_bugs`."""


def run_forked(watched: Watched, folder: Path, tracer: Sequence[str]) -> Ended:
    """Do work in a child, `tracer` attached to it; return how it ended; it says so in `folder`."""
    started = time.monotonic()
    err = folder / "err"
    waits, begins = os.pipe()
    told, tells = os.pipe()
    with err.open("wb") as errors:
        child = os.fork()
        if child == 0:
            os.close(begins)
            os.dup2(errors.fileno(), 2)
            BUGS[watched.bug]()
            _become(watched, tells, waits)
    os.close(waits)
    os.close(tells)
    beside = threading.Thread(target=watched.beside, args=(child,))
    beside.start()
    has_begun = os.read(told, 1)  # from here on the child makes no call that could be counted
    os.close(told)
    with ExitStack() as tracing:
        if has_begun:
            words = [*tracer, "-p", str(child)]
            attached = tracing.enter_context(subprocess.Popen(words, stderr=subprocess.DEVNULL))
            while not _has_tracer(child) and attached.poll() is None:
                time.sleep(_GLANCE_S)
            time.sleep(_SETTLED_S)
        os.close(begins)
        beside.join(DEADLINE_S)
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    said = err.read_text("utf-8", "replace")
    return Ended(os.waitstatus_to_exitcode(status), "", said, time.monotonic() - started, 0)


def _become(watched: Watched, tells: int, waits: int) -> None:
    """Do the work; wait for the parent where it is to be watched; never returns."""
    status = 70

    def begin(phase: str) -> None:
        if phase == watched.phase:
            os.write(tells, b"1")
            os.read(waits, 1)

    try:
        os.setsid()
        with suppress(AttributeError):  # only Linux's C library has it, and only Yama asks for it
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
        begin("start")
        status = watched.work(begin)
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        traceback.print_exc()
    finally:
        os._exit(status)


def _has_tracer(process: int) -> bool:
    status = Path(f"/proc/{process}/status").read_text("utf-8", "replace")
    return "\nTracerPid:\t0\n" not in status
