"""Runs a source that is due on a worker, a while at a time, so that none keeps others waiting."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.jobs.importing import rising
from holdfast.ingest.recovery import SealedRange
from holdfast.ingest.source_kinds import SOURCES, source_of
from holdfast.ingest.sources.asking import reconcile_ask
from holdfast.ingest.sources.bench import SCHEDULE, Ask, Bench
from holdfast.ingest.sources.leasing import Taken
from holdfast.storage.catalogue.accounts import account_of
from holdfast.storage.catalogue.source_schedule import due_sources, woken_folders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.ingest.jobs.task import Task, Workshop
    from holdfast.storage.catalogue.accounts import KeptAccount

AHEAD_ITEMS = 2_000
"""What may be left to file when the time of a run is up: seconds, not more."""
SLICE_S = 30.0
"""A run ends after so long, and the source is due again behind the others that are."""
TRIES = 2
"""Connections that one run tries: waiting is for the schedule."""


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """Which source is to run."""

    source: int
    """Row id."""


def waiting(workshop: Workshop) -> dict[str, dict[str, object]]:
    """Return the sources that are to run now: key of the standing job → payload."""
    kinds = [one.kind for one in SOURCES if one.is_pulled]
    return {str(source): {"source": source} for source in due_sources(workshop.store, kinds)}


def run(task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Take what is new at a source; it is searchable when this returns, unless others index."""
    source_id = task.read(SyncOrder).source
    kept = account_of(workshop.store, source_id)
    if kept is None or kept.paused_ms is not None:
        return {}
    ask = _ask(kept, workshop)
    if ask is None:
        return {}
    try:
        done = source_of(kept.kind).sync(kept, _bench(task, workshop, source_id, ask), ask)
    except Taken as error:  # it is still due when that one has ended
        task.wait(1.0)
        return {"taken": error.cause}
    return {"batch": done.batch, "recovered": done.recovered, **asdict(done.counts)}


def _ask(kept: KeptAccount, workshop: Workshop) -> Ask | None:
    """Return what to look at; None when it is not due any more."""
    if kept.next_ms is None or kept.next_ms <= workshop.store.now_ms():
        is_time = _is_to_reconcile(kept, workshop.store.now_ms())
        return reconcile_ask() if is_time else Ask(why=SCHEDULE)
    news = frozenset(woken_folders(workshop.store, kept.source_id))
    return Ask(why="mail", news=news) if news and not kept.failures else None


def _is_to_reconcile(kept: KeptAccount, now_ms: int) -> bool:
    """Tell whether all is to be compared; a source that was never taken whole comes first."""
    every_s = source_of(kept.kind).reconciles_every_s(kept)
    last_ms = kept.reconciled_ms or kept.added_ms
    return bool(every_s) and kept.succeeded_ms is not None and now_ms - last_ms >= every_s * 1000


def _bench(task: Task, workshop: Workshop, source_id: int, ask: Ask) -> Bench:
    # What compares all cannot go on where it was cut: it would never come to its end.
    until = math.inf if ask.reconciles else time.monotonic() + SLICE_S
    return Bench(
        workshop.desk,
        workshop.pool,
        workshop.spool,
        pause=task.wait,
        on_progress=rising(task, lambda progress: progress.done, lambda _: {"source": source_id}),
        is_over=lambda: time.monotonic() >= until,
        tries=TRIES,
        recovers=SealedRange(sources=(source_id,)),
        ahead=AHEAD_ITEMS,
    )
