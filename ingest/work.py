"""Has jobs done: keeps them as rows, claims what is due, runs it, and ends it one way or another.

It must not know what a kind does. What carries wake-ups is told what it may lose: everything.
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError, Refused, Unavailable
from holdfast.core.identity import public_id
from holdfast.ingest.jobs.kinds import KINDS, known
from holdfast.ingest.jobs.task import LeaseLost, Stopped, Task, Workshop, encode
from holdfast.ingest.processes import is_gone, own_name
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.jobs import (
    PREFIX,
    Claim,
    Failure,
    NewJob,
    claim,
    complete,
    enqueue,
    fail,
    free_gone,
    release,
    rouse,
)

if TYPE_CHECKING:
    from holdfast.core.ports import Work
    from holdfast.ingest.jobs.task import JobKind
    from holdfast.storage.store import Store

Note = Callable[[Mapping[str, object]], None]
"""Takes an event for the operator: ids, kinds and causes, never content or secrets."""
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0


def delay_s(tries: int, longest_s: float = LONGEST_DELAY_S) -> float:
    """Return how long to wait after so many failures in a row: doubling, spread over a half.

    The spread keeps workers that failed together from coming back together.
    """
    whole = min(FIRST_DELAY_S * 2.0 ** min(tries, 20), longest_s)
    return whole * secrets.SystemRandom().uniform(0.5, 1.0)


def keep_job(store: Store, kind: JobKind, payload: Mapping[str, object], key: str) -> int:
    """Write a job durably on behalf of the store's actor; return its row id.

    Raises:
        Unavailable: It was not kept.
    """
    job = NewJob(kind.name, encode(payload).decode(), key or None, store.actor)
    with writing(store.engine) as connection:
        return enqueue(connection, job, store.ids, store.now_ms())


def _is_gone(owner: str) -> bool:
    return is_gone(owner.rpartition("/")[2])


@dataclass(slots=True)
class Runner:
    """Does what is due, one job after the other, in the thread that made the parsers."""

    workshop: Workshop
    kinds: Mapping[str, JobKind]
    owner: str
    """Of this process alone, without a slash."""
    note: Note = lambda event: None
    is_stopping: Callable[[], bool] = lambda: False
    _process: str = field(default_factory=own_name, init=False)
    """By which others of this machine can tell that it died."""
    _unsettled: list[Callable[[], bool]] = field(default_factory=list, init=False)
    """Ends that the catalogue could not take yet; a lease that ran out makes them void."""

    def run_due(self, kind: str = "") -> int:
        """Do everything that is due, or everything of one kind; return how many were begun.

        Raises:
            Unavailable: The catalogue cannot be used now.
        """
        kinds = {kind: self.kinds[kind]} if kind else self.kinds
        terms = {name: one.terms for name, one in kinds.items()}
        begun = 0
        while not self.is_stopping():
            self._settle_late()
            claims = claim(self.workshop.store, terms, f"{self.owner}/{self._process}")
            if not claims:
                break
            for one in claims:
                self._do(one)
                begun += 1
        return begun

    def look(self) -> None:
        """Rouse the standing jobs that have something to do, and free what dead workers hold.

        Raises:
            Unavailable: The catalogue cannot be used now.
        """
        if freed := free_gone(self.workshop.store, self.kinds, _is_gone):
            self.note({"event": "worker.found_dead", "freed": freed})
        for kind in self.kinds.values():
            if kind.is_waiting is not None and kind.is_waiting(self.workshop):
                rouse(self.workshop.store, kind.name)
            if kind.waiting is not None:
                for key, payload in kind.waiting(self.workshop).items():
                    rouse(self.workshop.store, kind.name, key, encode(payload).decode())

    def _do(self, claimed: Claim) -> None:
        kind = self.kinds[claimed.kind]
        store = self.workshop.store
        task = Task(claimed, store, kind.terms.lease_ms, self.is_stopping)
        try:
            with task.kept():
                if claimed.attempt > 1 and kind.got_on is not None:
                    kind.got_on(task, self.workshop)
                if claimed.attempt > kind.attempts and not task.has_headway:
                    raise _deadly(claimed)
                result = encode(kind.run(task, self.workshop)).decode()
        except Stopped:
            self._end("released", claimed, lambda: release(store, claimed))
        except LeaseLost:
            self._say("lost", claimed)
        except Unavailable as error:
            self._retry(task, str(error), counts=False)
        except HoldfastError as error:
            self._give_up(claimed, str(error))
        except Exception:  # noqa: BLE001 - a fault of ours must not end the worker, and is kept
            self._retry(task, traceback.format_exc(limit=-5), counts=True)
        else:
            self._end("done", claimed, lambda: complete(store, claimed, result))
        finally:
            self.workshop.desk.feed.let_go()

    def _retry(self, task: Task, error: str, *, counts: bool) -> None:
        claimed, store = task.claim, self.workshop.store
        kind = self.kinds[claimed.kind]
        attempt = 1 if task.has_headway else claimed.attempt
        if counts and attempt >= kind.attempts:
            self._give_up(claimed, error)
            return
        wait_s = delay_s(0 if task.has_headway else claimed.retries, kind.longest_delay_s)
        failure = Failure(error, store.now_ms() + int(wait_s * 1000), counts)
        self._end("retry", claimed, lambda: fail(store, claimed, failure), _last_line(error))

    def _give_up(self, claimed: Claim, error: str) -> None:
        failure = Failure(error, None, counts=True)
        ended = "dead", claimed, lambda: fail(self.workshop.store, claimed, failure)
        self._end(*ended, _last_line(error))

    def _end(self, how: str, claimed: Claim, write: Callable[[], bool], cause: str = "") -> None:
        self._say(how, claimed, cause)
        self._unsettled.append(write)
        try:
            self._settle_late()
        except Unavailable as error:
            self._say("unsettled", claimed, error.cause)

    def _settle_late(self) -> None:
        while self._unsettled:
            self._unsettled[0]()
            del self._unsettled[0]

    def _say(self, how: str, claimed: Claim, cause: str = "") -> None:
        about = {"event": f"job.{how}", "job": public_id(PREFIX, claimed.id), "kind": claimed.kind}
        self.note({**about, "attempt": claimed.attempt, **({"cause": cause} if cause else {})})


@dataclass(frozen=True, slots=True)
class InlineWork:
    """Does each job at once, in the process that asks for it: for tests and single commands."""

    runner: Runner

    def submit(self, kind: str, payload: Mapping[str, object], key: str) -> int:
        chosen = known(kind, self.runner.kinds)
        job = keep_job(self.runner.workshop.store, chosen, payload, key)
        self.wake(kind)
        return job

    def wake(self, kind: str) -> None:
        try:
            self.runner.run_due(kind)
        except Unavailable as error:
            self.runner.note({"event": "wake.failed", "kind": kind, "cause": error.cause})


@dataclass(frozen=True, slots=True)
class EmbeddedWork:
    """Leaves jobs to the worker processes of this machine, who look for them all the time."""

    store: Store
    kinds: Mapping[str, JobKind] = field(default_factory=lambda: KINDS)

    def submit(self, kind: str, payload: Mapping[str, object], key: str) -> int:
        return keep_job(self.store, known(kind, self.kinds), payload, key)

    def wake(self, kind: str) -> None:
        """Nobody needs to be told: looking costs them one read of the local catalogue."""


def _deadly(claimed: Claim) -> HoldfastError:
    return Refused(f"It ended its worker {claimed.attempt - 1} times without getting on.")


def _last_line(error: str) -> str:
    return error.strip().rpartition("\n")[2][:300]


if TYPE_CHECKING:
    _ports: tuple[type[Work], ...] = (InlineWork, EmbeddedWork)
