"""What a child gives up before it reads hostile bytes; must not run in any other process."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import resource
import signal
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.ingest.jail.seccomp import deny_system_calls

MIB = 1024 * 1024
_PR_SET_PDEATHSIG = 1
_FIRST_FREE_FD = 3
_MAX_OPEN_FILES = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may cost."""

    memory_bytes: int = 512 * MIB
    """Address space on top of what the process has mapped when the child starts."""
    cpu_s: float = 10.0
    wall_s: float = 20.0
    max_result_bytes: int = 64 * MIB
    may_fork: bool = False
    """The function itself calls `run_once`: new processes and signals to them stay allowed."""


def detach(keep: Collection[int]) -> None:  # pragma: no cover - in children alone
    """Let go of everything of the parent: open files, terminal, signal handlers, garbage.

    Args:
        keep: File descriptors that stay open.
    """
    faulthandler.disable()  # its descriptor may be one of ours later
    gc.disable()
    gc.freeze()  # an object of the parent that is collected here would close our descriptor
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    with suppress(PermissionError):  # refused inside another jail, where this was done before
        null = os.open(os.devnull, os.O_RDWR)
        for standard in range(_FIRST_FREE_FD):
            os.dup2(null, standard)
    start = _FIRST_FREE_FD
    for kept in sorted(keep):
        os.closerange(start, kept)
        start = kept + 1
    os.closerange(start, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def die_with(parent_id: int) -> None:  # pragma: no cover - in children alone
    """Have the kernel end this process when its parent ends; end at once if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_id:
        os._exit(0)


def confine(limits: Limits) -> None:  # pragma: no cover - in children alone
    """Apply every limit that this host can hold; what it cannot is told by `held_limits`."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    if not limits.may_fork:
        _lower(resource.RLIMIT_NPROC, 0)
    if mapped := _mapped_bytes():
        _lower(resource.RLIMIT_AS, mapped + limits.memory_bytes)
    deny_system_calls(may_fork=limits.may_fork)
    gc.enable()


def start_cpu_limit(cpu_s: float) -> None:
    """Have the kernel end this process after so much more CPU time; 0 takes the limit away."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


def _lower(kind: int, value: int) -> None:  # pragma: no cover - in children alone
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _mapped_bytes() -> int:  # pragma: no cover - in children alone
    """Return the address space in use; 0 where the kernel does not say."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
