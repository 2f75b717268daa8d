"""Worker processes: one child does jobs until it is asked to end, one parent keeps them alive.

It must not know what wakes a child, nor how an archive is opened: both are given.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.ingest.jobs.stopping import StopRequest
from holdfast.ingest.work import Note, Runner, delay_s

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

GLANCE_S = 0.5
"""A signal is heeded within this time."""
SHORT_LIFE_S = 10.0
"""A child that ends sooner is not replaced at once."""
FORGET_EVERY_S = 3600.0


@dataclass(slots=True)
class Ring:
    """One wake-up and what became of it."""

    kind: str
    hint: str = ""
    """The job that it is about; whoever is woken does whatever is due."""
    is_done: bool = field(default=False, init=False)
    _answered: threading.Event = field(default_factory=threading.Event, init=False)

    def answer(self) -> None:
        """Say that what was due is done."""
        self.is_done = True
        self._answered.set()

    def refuse(self) -> None:
        """Say that somebody else must do it."""
        self._answered.set()

    def is_answered(self, timeout_s: float) -> bool:
        """Wait for the answer, at most so long."""
        return self._answered.wait(timeout_s)


class Bell(Protocol):
    """Wakes a worker before it would look by itself."""

    def wait(self, timeout_s: float) -> Ring | None:
        """Return a wake-up, or None when none came in time."""
        ...


class SilentBell:
    """Nobody rings: the worker looks by itself, which is cheap on its own machine."""

    def wait(self, timeout_s: float) -> Ring | None:
        time.sleep(timeout_s)
        return None


def serve(runner: Runner, bell: Bell, look_every_s: float) -> None:
    """Do what is due until the runner is asked to end, looking at least every so often."""
    failures, wait_s = 0, 0.0
    while not runner.is_stopping():
        ring = _await(runner, bell, wait_s)
        if runner.is_stopping():
            break
        try:
            runner.look()
            runner.run_due()
        except Unavailable as error:
            wait_s = delay_s(failures)
            failures += 1
            runner.note({"event": "catalogue.unavailable", "cause": error.cause})
            continue
        failures, wait_s = 0, look_every_s
        if ring is not None and not runner.is_stopping():
            ring.answer()


def _await(runner: Runner, bell: Bell, longest_s: float) -> Ring | None:
    until = time.monotonic() + longest_s
    while not runner.is_stopping() and (left := until - time.monotonic()) > 0:
        if ring := bell.wait(min(left, GLANCE_S)):
            return ring
    return None


@dataclass(slots=True)
class _Member:
    owner: str
    process: BaseProcess
    started: float
    restarts: int


@dataclass(slots=True)
class Crew:
    """Keeps so many children alive, frees what a dead one held, and ends them in order."""

    size: int
    start: Callable[[str, int], Any]
    """Starts a child for an owner's name and a place, and returns its process."""
    abandon: Callable[[str, bool], int]
    """Frees what an owner held; the flag says that it was ended by us."""
    note: Note
    grace_s: float = 25.0
    """A child that has not ended by then is killed; its job goes to another."""
    tend: Callable[[], None] = lambda: None
    """Housekeeping, done once an hour."""
    _members: dict[int, _Member] = field(default_factory=dict, init=False)
    _due: dict[int, tuple[float, int]] = field(default_factory=dict, init=False)
    """Place → when its next child is started, after how many short lives."""
    _tended_at: float = field(default=float("-inf"), init=False)

    @property
    def process_ids(self) -> list[int]:
        """The children that live now."""
        return [one.process.pid for one in self._members.values() if one.process.pid is not None]

    def process_of(self, owner: str) -> int | None:
        """Return the child that works under this owner's name; None when it is gone."""
        members = list(self._members.values())
        return next((one.process.pid for one in members if one.owner == owner), None)

    def run(self, stop: StopRequest) -> None:
        """Work until asked to end; then end all children, in order where they do."""
        self._due = dict.fromkeys(range(self.size), (0.0, 0))
        try:
            while not stop.is_asked:
                self._start_due()
                self._tend()
                connection.wait([m.process.sentinel for m in self._members.values()], GLANCE_S)
                self._bury_dead()
        finally:
            self._end_all()

    def _start_due(self) -> None:
        now = time.monotonic()
        for place, (at, restarts) in list(self._due.items()):
            if at <= now:
                del self._due[place]
                owner = f"{socket.gethostname()}:{place}:{secrets.token_hex(6)}"
                process = self.start(owner, place)
                self._members[place] = _Member(owner, process, now, restarts)
                self.note({"event": "worker.started", "process": process.pid, "place": place})

    def _bury_dead(self) -> None:
        now = time.monotonic()
        for place, member in list(self._members.items()):
            if member.process.exitcode is None:
                continue
            restarts = member.restarts + 1 if now - member.started < SHORT_LIFE_S else 0
            pause_s = delay_s(restarts - 2) if restarts > 1 else 0.0
            self._due[place] = (now + pause_s, restarts)
            self._bury(place, is_in_order=member.process.exitcode == 0)

    def _bury(self, place: int, *, is_in_order: bool) -> None:
        member = self._members.pop(place)
        ended = {"process": member.process.pid, "status": member.process.exitcode}
        freed = 0
        try:
            freed = self.abandon(member.owner, is_in_order)
        except HoldfastError as error:  # the leases run out by themselves
            self.note({"event": "worker.unfreed", "cause": error.cause, **ended})
        self.note({"event": "worker.ended", **ended, "freed": freed})

    def _tend(self) -> None:
        if time.monotonic() - self._tended_at >= FORGET_EVERY_S:
            self._tended_at = time.monotonic()
            try:
                self.tend()
            except HoldfastError as error:
                self.note({"event": "tending.failed", "cause": error.cause})

    def _end_all(self) -> None:
        for member in self._members.values():
            member.process.terminate()
        until = time.monotonic() + self.grace_s
        for member in self._members.values():
            member.process.join(max(0.0, until - time.monotonic()))
            if member.process.exitcode is None:
                member.process.kill()
                member.process.join()
        for place in list(self._members):
            self._bury(place, is_in_order=True)
