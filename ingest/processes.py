"""Names processes, and tells whether those of this machine live; it ends none."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

UNKNOWN = "-"
HOST_FILES = (Path("/proc/sys/kernel/random/boot_id"), Path("/etc/machine-id"))
"""What tells a host from others of its name: the first that can be read; units may hide one."""
_STATE, _THREADS, _START = 0, 17, 19
"""Fields of /proc/ID/stat behind the name of the program: 3, 20 and 22 of proc(5)."""


def is_alive(process_id: int) -> bool:
    """Tell whether a process of this number is there, whoever it belongs to."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def own_name() -> str:
    """Return the name of this process, which no other one ever has: in it are no slashes.

    Where the system tells less than Linux it is that of a number on a host.
    """
    own = os.getpid()
    return f"{_machine()}:{own}:{(_stat(own) or [UNKNOWN] * (_START + 1))[_START]}"


def is_gone(name: str) -> bool:
    """Tell whether it is known that the process of this name is dead.

    It is not known of processes of another machine, and mostly not of those before a restart of
    this one.
    """
    machine, _, rest = name.rpartition(":")[0].rpartition(":")
    if machine != _machine() or not rest.isdigit():
        return False
    if f":{UNKNOWN}:" in machine and sys.platform == "linux":  # where hosts share a catalogue
        return False
    if not is_alive(int(rest)):
        return True
    stat, start = _stat(int(rest)), name.rpartition(":")[2]
    if stat is None or start == UNKNOWN:
        return False
    return stat[_START] != start or (stat[_STATE] in "ZX" and int(stat[_THREADS]) <= 1)


def _machine() -> str:
    """Name the host, and what in it numbers processes: containers may share both names."""
    host = UNKNOWN
    for path in reversed(HOST_FILES):
        with suppress(OSError):
            host = path.read_text(encoding="ascii").strip() or host
    try:
        numbering = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - a link to no path
    except OSError:
        numbering = ""
    return f"{socket.gethostname()}:{host}:{''.join(filter(str.isdigit, numbering))}"


def _stat(process_id: int) -> list[str] | None:
    try:
        if os.readlink("/proc/self") != str(os.getpid()):  # noqa: PTH115 - it numbers others
            return None
        text = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
