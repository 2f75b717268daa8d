"""Children that work off many items side by side; must not lose, repeat or reorder blame.

A child that dies costs the one item it worked on; items that waited behind it go to another child.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from holdfast.core.errors import Unavailable
from holdfast.ingest.jail.channel import (
    FrameKind,
    FrameReader,
    Overlong,
    header_of,
)
from holdfast.ingest.jail.child import Function, become_server
from holdfast.ingest.jail.confinement import Limits
from holdfast.ingest.jail.nursery import Nursery
from holdfast.ingest.jail.once import outcome_of
from holdfast.ingest.jail.outcomes import Killed, Outcome, Reason, from_wait_status

TASKS_PER_CHILD = 2
"""One in work, one already sent, so that a child need not wait for its parent."""
MAX_IDLE_DEATHS = 3
"""So many children in a row that die without work mean that none can live here."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """How many children, what each item may cost, and how long a child serves."""

    size: int = 2
    limits: Limits = field(default_factory=Limits)
    recycle_after: int = 1000
    """Tasks after which a child is replaced, for native code that leaks."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What became of one task."""

    task_id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Task:
    id: int
    payload: bytes


@dataclass(slots=True)
class _Child:
    id: int
    end: socket.socket
    reader: FrameReader
    tasks: deque[_Task] = field(default_factory=deque)
    """The first is in work."""
    outgoing: deque[memoryview] = field(default_factory=deque)
    started: int = 0
    deadline: float = 0.0


class Pool:
    """Persistent children behind one function; for one thread, the one that makes the pool.

    Make it before the process starts threads, opens databases or reads keys: what the process
    holds then is what children can see, now and whenever one is replaced. Children end when the
    making thread ends. They ignore SIGINT, so that an interrupted parent can end in order.

    Only time in which the parent waits for results counts against `wall_s`; the CPU limit counts
    always. Call `submit`, `poll` or iterate often enough to keep the children in work.
    """

    def __init__(self, worker: Function, config: PoolConfig) -> None:
        self._config = config
        self._nursery = Nursery(partial(become_server, function=worker, limits=config.limits))
        self._selector = selectors.DefaultSelector()
        self._children: list[_Child] = []
        self._waiting: deque[_Task] = deque()
        self._ready: deque[TaskResult] = deque()
        self._next_id = 1
        self._wanted_from = 1
        self._idle_deaths = 0
        self._watched_until = time.monotonic()
        for _ in range(config.size):
            self._add_child()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def in_flight(self) -> int:
        """Tasks without a result yet."""
        return len(self._waiting) + sum(len(child.tasks) for child in self._children)

    @property
    def has_room(self) -> bool:
        """Whether `submit` would return at once."""
        return self.in_flight < self._config.size * TASKS_PER_CHILD

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The children that live now."""
        return tuple(child.id for child in self._children)

    def submit(self, payload: bytes) -> int:
        """Hand in a task and return its id; waits while every child has enough to do.

        Raises:
            Unavailable: No child can be started.
        """
        while not self.has_room:
            self._pump(None)
        task = _Task(self._next_id, payload)
        self._next_id += 1
        self._waiting.append(task)
        self._assign()
        self._pump(0)
        return task.id

    def poll(self, timeout_s: float = 0.0) -> list[TaskResult]:
        """Return the results that are there, after at most so long when there are none."""
        deadline = time.monotonic() + timeout_s
        self._pump(0)
        while not self._ready and self.in_flight and (left := deadline - time.monotonic()) > 0:
            self._pump(left)
        found = list(self._ready)
        self._ready.clear()
        return found

    def results(self) -> Iterator[TaskResult]:
        """Yield results as they come until every task that was handed in has one."""
        while self._ready or self.in_flight:
            if self._ready:
                yield self._ready.popleft()
            else:
                self._pump(None)

    def run(self, payloads: Iterable[bytes]) -> Iterator[TaskResult]:
        """Yield results in the order of completion; takes payloads only as children want them.

        Task ids count up by one from payload to payload. What was handed in before is forgotten.
        """
        self.forget()
        for payload in payloads:
            self.submit(payload)
            while self._ready:
                yield self._ready.popleft()
        yield from self.results()

    def forget(self) -> None:
        """Give up what was handed in: what children still work on has no result any more.

        For whoever begins anew after a run that ended half way.
        """
        self._waiting.clear()
        self._ready.clear()
        self._wanted_from = self._next_id

    def close(self) -> None:
        """Kill the children and give up unfinished tasks; may be repeated."""
        for child in tuple(self._children):
            with suppress(Unavailable):  # without its nursery a child is dead already
                self._bury(child)
        self._waiting.clear()
        self._selector.close()
        self._nursery.close()

    def _add_child(self) -> None:
        child_id, end = self._nursery.start_child()
        child = _Child(child_id, end, FrameReader(self._config.limits.max_result_bytes))
        self._children.append(child)
        self._selector.register(end, selectors.EVENT_READ, child)

    def _bury(self, child: _Child) -> int:
        self._children.remove(child)
        with suppress(KeyError):  # an interrupt may come before it was registered
            self._selector.unregister(child.end)
        child.end.close()
        return self._nursery.end_child(child.id)

    def _condemn(self, child: _Child, verdict: Killed | None) -> None:
        """Replace a child that is dead or must die; blame the task in work."""
        status = self._bury(child)
        if child.tasks:
            blamed = child.tasks.popleft()
            self._report(blamed, verdict or from_wait_status(status))
        else:
            self._idle_deaths += 1
        if self._idle_deaths >= MAX_IDLE_DEATHS:
            raise Unavailable(
                "Parser processes end before they get work.",
                next_step="Look into the system log for killed processes.",
                status=status,
            )
        self._succeed(child)

    def _report(self, task: _Task, outcome: Outcome) -> None:
        if task.id >= self._wanted_from:
            self._ready.append(TaskResult(task.id, outcome))

    def _renew(self, child: _Child) -> None:
        """Replace a child in good order."""
        self._bury(child)
        self._succeed(child)

    def _succeed(self, child: _Child) -> None:
        again = (task for task in reversed(child.tasks) if task.id >= self._wanted_from)
        self._waiting.extendleft(again)
        self._add_child()

    def _assign(self) -> None:
        for depth in range(TASKS_PER_CHILD):
            for child in self._children:
                if not self._waiting:
                    return
                if len(child.tasks) == depth and child.started < self._config.recycle_after:
                    self._give(child, self._waiting.popleft())

    def _give(self, child: _Child, task: _Task) -> None:
        if not child.tasks:
            child.deadline = time.monotonic() + self._config.limits.wall_s
        child.tasks.append(task)
        child.started += 1
        child.outgoing.append(memoryview(header_of(FrameKind.TASK, task.payload)))
        child.outgoing.append(memoryview(task.payload))
        self._selector.modify(child.end, selectors.EVENT_READ | selectors.EVENT_WRITE, child)

    def _pump(self, timeout_s: float | None) -> None:
        """Move bytes, wait at most so long for some, judge deadlines, give out work."""
        now = time.monotonic()
        for child in self._children:
            child.deadline += now - self._watched_until
        for key, events in self._selector.select(self._patience(timeout_s, now)):
            self._serve(key.data, events)
        now = self._watched_until = time.monotonic()
        for child in [c for c in self._children if c.tasks and c.deadline <= now]:
            self._condemn(child, Killed(Reason.WALL))
        self._assign()

    def _patience(self, timeout_s: float | None, now: float) -> float | None:
        left = [max(0.0, child.deadline - now) for child in self._children if child.tasks]
        if timeout_s is not None:
            left.append(timeout_s)
        return min(left, default=0.0)

    def _serve(self, child: _Child, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._write(child)
        if not events & selectors.EVENT_READ:
            return
        try:
            while not self._read(child):
                pass
        except BlockingIOError:
            return
        except Overlong:
            self._condemn(child, Killed(Reason.OUTPUT))
        except (EOFError, ConnectionError):
            self._condemn(child, None)
        else:
            self._renew(child)

    def _write(self, child: _Child) -> None:
        # A dead child is noticed by reading, after the answers that it still gave.
        with suppress(BlockingIOError, ConnectionError):
            while child.outgoing:
                sent = child.end.sendmsg(child.outgoing)
                while child.outgoing and sent >= len(child.outgoing[0]):
                    sent -= len(child.outgoing.popleft())
                if sent:
                    child.outgoing[0] = child.outgoing[0][sent:]
            self._selector.modify(child.end, selectors.EVENT_READ, child)

    def _read(self, child: _Child) -> bool:
        """Take in a piece of an answer; return whether the child has served its time."""
        frame = child.reader.step(child.end)
        if frame is None:
            return False
        if not child.tasks:
            raise Overlong  # an answer that nobody asked for
        self._idle_deaths = 0
        done = child.tasks.popleft()
        self._report(done, outcome_of(frame))
        child.deadline = time.monotonic() + self._config.limits.wall_s
        is_worn = child.started >= self._config.recycle_after and not child.tasks
        return frame.kind is FrameKind.MEMORY or is_worn
