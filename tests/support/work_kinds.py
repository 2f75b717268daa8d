"""Kinds of job that do what tests need, and worker processes that do them.

Each run of a job leaves a line in a file, so that what happened in other processes can be counted.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive_kit import ACTOR
from holdfast.cli.commands.working import workshop, write_event
from holdfast.core.errors import Corrupt, Refused, Unavailable
from holdfast.core.identity import row_id
from holdfast.ingest.jobs.crew import (
    Bell,
    Crew,
    Ring,
    SilentBell,
    serve,
)
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.jobs.stopping import StopRequest
from holdfast.ingest.jobs.task import JobKind, Task, Workshop
from holdfast.ingest.tasks import CeleryBell, CeleryConfig
from holdfast.ingest.work import Runner
from holdfast.settings import Settings
from holdfast.storage.catalogue.job_lists import job_view
from holdfast.storage.catalogue.jobs import Claim, abandon, complete
from holdfast.storage.store import Store

PATIENCE_S = 600.0
"""Against hanging only."""


@dataclass(frozen=True, slots=True)
class Order:
    """Payload of every kind here."""

    folder: str
    name: str
    times: int = 0


def _leave_a_line(order: Order) -> int:
    """Append to the job's file; return how many lines it has."""
    path = Path(order.folder) / order.name
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return len(path.read_text().splitlines())


def note(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """Do it."""
    return {"runs": _leave_a_line(task.read(Order))}


def away(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """Do it once a service is back that is away the first times."""
    order = task.read(Order)
    if (runs := _leave_a_line(order)) <= order.times:
        raise Unavailable("The service is away.")
    return {"runs": runs}


def broken(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """Meet a fault of ours, always."""
    _leave_a_line(task.read(Order))
    raise ValueError("a fault of ours")


def refusing(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """Find out that it can never be done."""
    _leave_a_line(task.read(Order))
    raise Refused("It cannot be done.", next_step="Ask for something else.")


def corrupt(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """Find something altered."""
    _leave_a_line(task.read(Order))
    raise Corrupt("It was altered.")


def poison(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """Kill whoever does it."""
    _leave_a_line(task.read(Order))
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def patient(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """Work until a file says that it is enough."""
    order = task.read(Order)
    runs = _leave_a_line(order)
    while not (Path(order.folder) / f"{order.name}.enough").exists():
        task.check()
        time.sleep(0.02)
    return {"runs": runs}


def hasty_import(task: Task, _workshop: Workshop) -> Mapping[str, object]:
    """A seeded bug: say that the import is done before it is, and be killed then."""
    complete(task.store, task.claim, "{}")
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _kind(name: str, run: Callable[[Task, Workshop], Mapping[str, object]]) -> JobKind:
    return JobKind(name, run, lease_s=3.0)


TEST_KINDS: Mapping[str, JobKind] = {
    name: _kind(name, run)
    for name, run in {
        "note": note,
        "away": away,
        "broken": broken,
        "refusing": refusing,
        "corrupt": corrupt,
        "poison": poison,
        "patient": patient,
        "hasty_import": hasty_import,
    }.items()
}
HELD_KINDS: Mapping[str, JobKind] = {"held": JobKind("held", patient, lease_s=1800.0)}
"""Apart, for a lease this long is longer than brokers of tests keep a message."""


def runs(folder: Path) -> Counter[str]:
    """Count how often each job was run, by the name in its payload."""
    files = [path for path in folder.iterdir() if not path.suffix]
    return Counter({path.name: len(path.read_text().splitlines()) for path in files})


def until(condition: Callable[[], object], nudge: Callable[[], object] = lambda: None) -> None:
    """Wait until it holds; fail when it does not in a very long time.

    What costs much to look at is looked at more rarely: others need the processor to get there.
    """
    deadline = time.monotonic() + PATIENCE_S
    begun = time.thread_time()
    while not condition():
        assert time.monotonic() < deadline, "still not so"
        nudge()
        time.sleep(max(0.03, 3 * (time.thread_time() - begun)))
        begun = time.thread_time()


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """What a worker process of a test is told."""

    settings: Settings
    kinds: tuple[str, ...]
    """Of `TEST_KINDS`, else of the product."""
    broker: CeleryConfig | None = None
    look_every_s: float = 0.2
    patience_s: float = 0.5
    rings: str = ""
    """File that gets a line for each wake-up that came."""
    bug: str = ""
    """Seeded: `trusting` does only what a message asks for and never looks by itself; `careless`
    does the job that a message names without claiming it."""


def kinds_of(names: tuple[str, ...]) -> dict[str, JobKind]:
    """Return kinds of tests and of the product by name."""
    every = {**KINDS, **TEST_KINDS, **HELD_KINDS}
    return {name: every[name] for name in names}


@dataclass(frozen=True, slots=True)
class CountedBell:
    """Leaves a line for each wake-up."""

    bell: Bell
    rings: str

    def wait(self, timeout_s: float) -> Ring | None:
        ring = self.bell.wait(timeout_s)
        if ring is not None and self.rings:
            with Path(self.rings).open("a") as file:
                file.write(f"{ring.kind} {ring.hint}\n")
        return ring


def is_orphaned() -> bool:
    """Tell whether the process that started this one is gone."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def serve_child(owner: str, _place: int, plan: ChildPlan) -> None:
    """Be a worker process."""
    stop = StopRequest()
    kinds = kinds_of(plan.kinds)
    with ExitStack() as opened:
        opened.enter_context(stop.heeding(signal.SIGTERM))
        shop = opened.enter_context(workshop(plan.settings, ACTOR))
        shop = replace(shop, patience_s=plan.patience_s, orphaned_after_s=plan.patience_s)
        bell: Bell = SilentBell()
        if plan.broker is not None:
            celery = opened.enter_context(CeleryBell(plan.broker, kinds, write_event))
            bell = CountedBell(celery, plan.rings)
        is_stopping: Callable[[], bool] = lambda: stop.is_asked or is_orphaned()  # noqa: E731
        runner = Runner(shop, kinds, owner, write_event, is_stopping)
        if plan.bug:
            _serve_badly(runner, bell, plan.bug)
        else:
            serve(runner, bell, plan.look_every_s)


def _serve_badly(runner: Runner, bell: Bell, bug: str) -> None:
    while not runner.is_stopping():
        ring = bell.wait(0.2)
        if ring is None:
            continue
        if bug == "trusting":
            runner.run_due(ring.kind)
        elif ring.hint:
            store = runner.workshop.store
            view = job_view(store, row_id("job", ring.hint))
            held = Claim(0, ring.kind, view.payload, "", "nobody", 1, 0, "")
            runner.kinds[ring.kind].run(
                Task(held, store, 3000, runner.is_stopping), runner.workshop
            )
        ring.answer()


@dataclass(slots=True)
class RunningCrew:
    """A crew that works in a thread of the test, its children in processes of their own."""

    crew: Crew
    events: list[Mapping[str, object]] = field(default_factory=list)

    def kill_one(self, place: int = 0) -> bool:
        """Kill a child as the kernel would; tell whether there was one."""
        ids = self.crew.process_ids
        if place >= len(ids):
            return False
        os.kill(ids[place], signal.SIGKILL)
        return True


@contextmanager
def crew(store: Store, plan: ChildPlan, size: int = 1) -> Iterator[RunningCrew]:
    """Run worker processes for the length of the block, and end them in order."""
    context = multiprocessing.get_context("spawn")
    events: list[Mapping[str, object]] = []

    def start(owner: str, place: int) -> Any:
        process = context.Process(target=serve_child, args=(owner, place, plan))
        process.start()
        return process

    def free(owner: str, is_in_order: bool) -> int:  # noqa: FBT001 - the crew's own signature
        return abandon(store, owner, is_in_order=is_in_order)

    stop = StopRequest()
    made = Crew(size, start, free, events.append, grace_s=20.0)
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    try:
        yield RunningCrew(made, events)
    finally:
        stop.ask()
        thread.join()
