"""Tells which files lie complete in the folder; opens none for reading but to ask who writes it."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from collections import Counter
from dataclasses import dataclass, field

from holdfast.ingest.folder.names import left_by_name
from holdfast.ingest.folder.rooms import DONE, FAILED, Mark, away, mark_of, names_in

BEING_WRITTEN = "being_written"
_ROOMS = frozenset((DONE, FAILED))
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class Look:
    """What one look found."""

    ready: list[str] = field(default_factory=list)
    """Names of the files to take, in order."""
    unsettled: list[str] = field(default_factory=list)
    """Names of those that changed a moment ago."""
    left: Counter[str] = field(default_factory=Counter)
    """What is not taken: rule → how many."""
    again_s: float | None = None
    """When the next of the unsettled has lain long enough."""


@dataclass(slots=True)
class Outlook:
    """Remembers since when each file lies there unchanged."""

    answered: dict[str, Mark] = field(default_factory=dict)
    """Files that stay and have their result."""
    _since: dict[str, tuple[Mark, float]] = field(default_factory=dict)

    def look(self, root: int, settle_s: float, now_s: float) -> Look:
        """Look once.

        Args:
            root: Descriptor of the folder.
            settle_s: How long a file must have lain unchanged.
            now_s: By a clock that only goes forward.

        Raises:
            FolderAway: It cannot be listed.
        """
        found, since = Look(), {}
        for name, status in _entries(root):
            if stat.S_ISDIR(status.st_mode) and (name in _ROOMS or name.startswith(".")):
                continue
            rule = _rule(name, status)
            if rule:
                found.left[rule] += 1
                continue
            mark = mark_of(status)
            before = self._since.get(name)
            first_s = before[1] if before is not None and before[0] == mark else now_s
            since[name] = (mark, first_s)
            lain_s = now_s - first_s
            if lain_s < settle_s:
                found.unsettled.append(name)
                left_s = settle_s - lain_s
                found.again_s = min(found.again_s or left_s, left_s)
            else:
                found.ready.append(name)
        self._since = since
        return found


def _entries(root: int) -> list[tuple[str, os.stat_result]]:
    try:
        names = names_in(root)
    except OSError as error:
        raise away(error, "listing the watched folder") from error
    found = []
    for name in names:
        try:
            found.append((name, os.stat(name, dir_fd=root, follow_symlinks=False)))
        except FileNotFoundError:  # taken away since
            continue
        except OSError as error:
            raise away(error, "looking at a file of the watched folder") from error
    return found


def _rule(name: str, status: os.stat_result) -> str:
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    if stat.S_ISLNK(status.st_mode):
        return "link"
    if not stat.S_ISREG(status.st_mode):
        return "special_file"
    return left_by_name(name)


def is_being_written(room: int, name: str) -> bool:
    """Tell whether a process of this host has the file open for writing, where the system says so.

    Linux grants a lease for reading only while nobody has the file open for writing (fcntl(2),
    "Leases"); file systems that know none, and files of others, tell nothing.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(name, _OPEN, dir_fd=room)
    except OSError:
        return False  # whoever reads it will say why it cannot be read
    try:
        # Who opens it for writing meanwhile would end us by SIGIO; this signal is ignored.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return False
