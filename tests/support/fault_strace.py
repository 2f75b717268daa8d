"""Fails one system call of one piece of work at a time: all that change the disk, enumerated."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from archive_kit import settings_in
from fault_command import Ended, import_words, start
from fault_fork import Watched, run_forked
from fault_mail import offering
from fault_works import Importing, Receiving, Syncing, Work
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive
from holdfast.wiring.places import CATALOGUE
from imap_kit import added, plain_account
from imap_script import Script, scripted

CHANGING = (
    "fsync", "fdatasync", "pwrite64", "write", "rename", "renameat", "renameat2", "unlink",
    "unlinkat", "mkdir", "mkdirat", "rmdir", "ftruncate", "fallocate", "link", "linkat", "openat",
)  # fmt: skip
"""Calls that change the disk; of `openat` only those that create a file count."""
SYNCING = ("fsync", "fdatasync")
_ENTERED = re.compile(r"^(\d+) +(\w+)\((.*)$")
_FAILED = re.compile(r"^(\d+) +(?:f|fdata)sync\((\d+)<[^>]*>\) += -1 EIO .*\(INJECTED\)")


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """The n-th call of its kind in the thread that comes there first.

    What another thread does later is hidden behind it: work whose threads write in turn is watched
    once from each turn on.
    """

    call: str
    nth: int


@dataclass(frozen=True, slots=True)
class Rig:
    """An archive, and work that takes mail into it."""

    folder: Path
    work: Work
    template: Path | None
    """Folder with an archive to begin with; None begins with nothing."""
    bug: str = "none"
    """Seeded in the work."""
    phase: str = "start"
    """Of the work, from which on calls count."""

    def fresh(self, name: str) -> Settings:
        """Return an archive to fail in; what an earlier one left is removed."""
        own = self.folder / name
        shutil.rmtree(own, ignore_errors=True)
        if self.template is not None:
            shutil.copytree(self.template, own)
        return settings_in(own)

    def traced(self, settings: Settings, calls: str, *expressions: str) -> tuple[Ended, Path]:
        """Do the work under strace, in a child; return how it ended, and the trace."""
        folder = settings.data.parent
        folder.mkdir(parents=True, exist_ok=True)
        trace = folder / "trace"
        strace = ["strace", "-f", "-qq", "-y", "-o", str(trace), "-e", f"trace={calls}"]
        strace += [word for one in expressions for word in ("-e", one)]
        work = partial(self.work.run, settings.data)
        beside = partial(self.work.beside, settings.data)
        return run_forked(Watched(work, beside, self.phase, self.bug), folder, strace), trace

    def points(self, calls: tuple[str, ...] = CHANGING) -> list[Point]:
        """Do the work whole, and return every point where it changes the archive."""
        settings = self.fresh("whole")
        known = ",".join(f"?{call}" for call in calls)
        ended, trace = self.traced(settings, known)
        assert ended.status == 0, ended.err
        return sorted(set(_changes(trace, settings.data.parent)))

    def failed_at(self, point: Point, how: str) -> tuple[Settings, Ended, Path]:
        """Do the work with this call failing (`how`: as in strace's `-e inject`)."""
        settings = self.fresh(f"failed-{os.getpid()}")
        inject = f"inject={point.call}:{how}:when={point.nth}"
        return settings, *self.traced(settings, point.call, inject)


def new_rig(folder: Path, *, begins_empty: bool = False) -> Rig:
    """Make a rig; unless it begins empty, its archive knows the mbox and not the single files."""
    offered = offering(folder / "offer", 3)
    if begins_empty:
        return Rig(folder, Importing(offered), None)
    part = folder / "part" / "offer"
    part.mkdir(parents=True)
    shutil.copy(offered.folder / "box.mbox", part)
    template = folder / "template"
    settings = settings_in(template)
    ended = start(import_words(settings.data, part), folder / "part").finish()
    assert ended.status == 0, ended.err
    return Rig(folder, Importing(offered), template)


@contextmanager
def waiting_rig(folder: Path, mail: Sequence[bytes]) -> Iterator[Rig]:
    """Make a rig that syncs from a running IMAP server, whose INBOX has this mail."""
    template = folder / "template"
    with scripted(Script(dict(enumerate(mail, 1)))) as script:
        added(settings_in(template), plain_account(script.port), "open-sesame-84")
        yield Rig(folder, Syncing({"INBOX": list(mail)}), template)


def session_rig(folder: Path, messages: Sequence[bytes]) -> Rig:
    """Make a rig in which these messages are delivered in one SMTP session."""
    template = folder / "template"
    create_archive(settings_in(template))
    return Rig(folder, Receiving(messages), template)


@cache
def can_inject() -> bool:
    """Tell whether strace can trace here."""
    if shutil.which("strace") is None:
        return False
    return (
        subprocess.run(["strace", "-qq", "true"], capture_output=True, check=False).returncode == 0
    )


def synced_again(trace: Path) -> list[str]:
    """Return what was synced through a descriptor whose sync had failed before.

    SQLite's own files are left out: it rolls the transaction back, and what it syncs once more when
    it closes is the frames of earlier ones, which were durable before.
    """
    failed: set[tuple[str, str]] = set()
    again = []
    for line in trace.read_text("utf-8", "replace").splitlines():
        entered = _ENTERED.match(line)
        if entered is None:
            continue
        process, call, rest = entered.groups()
        key = process, rest.partition("<")[0]
        if call in SYNCING and key in failed and CATALOGUE not in rest:
            again.append(line)
        if _FAILED.match(line):
            failed.add(key)
        elif call == "close":
            failed.discard((process, rest.partition("<")[0]))
    return again


def _changes(trace: Path, root: Path) -> Iterator[Point]:
    counts: Counter[tuple[str, str]] = Counter()
    for line in trace.read_text("utf-8", "replace").splitlines():
        entered = _ENTERED.match(line)
        if entered is None:
            continue
        process, call, rest = entered.groups()
        counts[process, call] += 1
        if str(root) in rest and (call != "openat" or "O_CREAT" in rest):
            yield Point(call, counts[process, call])
