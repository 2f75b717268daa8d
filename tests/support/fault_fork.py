"""Runs the import under strace in a child of a process that has loaded everything already.

Loading costs three times what the import of a few messages does. Must be called from a process that
has no threads and has opened nothing: the child inherits all of it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fault_bugs import BUGS
from fault_command import DEADLINE_S, Ended
from fault_import import main

_PR_SET_PTRACER = 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)
_GLANCE_S = 0.005
_SETTLED_S = 0.02
"""Between "has a tracer" and "is stopped by it"; the child waits for us all the while."""


def run_forked(
    words: Sequence[str], folder: Path, tracer: Sequence[str], bug: str = "none"
) -> Ended:
    """Import by these words, with a seeded bug, under `tracer`; return how it ended."""
    started = time.monotonic()
    err = folder / "err"
    waits, begins = os.pipe()
    told, tells = os.pipe()
    with err.open("wb") as errors:
        child = os.fork()
        if child == 0:
            os.close(begins)
            os.dup2(errors.fileno(), 2)
            BUGS[bug]()
            _import(words, tells, waits)
    os.close(waits)
    os.close(tells)
    os.read(told, 1)  # from here on the child makes no call that could be counted
    os.close(told)
    with subprocess.Popen([*tracer, "-p", str(child)], stderr=subprocess.DEVNULL) as attached:
        while not _has_tracer(child) and attached.poll() is None:
            time.sleep(_GLANCE_S)
        time.sleep(_SETTLED_S)
        os.close(begins)
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        attached.wait(DEADLINE_S)
    said = err.read_text("utf-8", "replace")
    return Ended(os.waitstatus_to_exitcode(status), "", said, time.monotonic() - started, 0)


def _import(words: Sequence[str], tells: int, waits: int) -> None:
    """Become the import when the parent lets go; never returns."""
    status = 70
    try:
        os.setsid()
        with suppress(AttributeError):  # only Linux's C library has it, and only Yama asks for it
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
        os.close(tells)
        os.read(waits, 1)
        status = main(list(words))
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        traceback.print_exc()
    finally:
        os._exit(status)


def _has_tracer(process: int) -> bool:
    status = Path(f"/proc/{process}/status").read_text("utf-8", "replace")
    return "\nTracerPid:\t0\n" not in status
