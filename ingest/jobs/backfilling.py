"""Runs a source once, to its end, for somebody who asked: a backfill, or a comparison of all of it.

It must not hold back who waits for the source longer than that run takes, nor go at a server that
asked to be left alone.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import NotFound, Unavailable
from holdfast.ingest.jobs.importing import reporting
from holdfast.ingest.jobs.syncing import SLICE_S
from holdfast.ingest.recovery import SealedRange
from holdfast.ingest.source_kinds import refuse_unfit, source_of
from holdfast.ingest.sources.asking import Wanted, backfill_ask, reconcile_ask
from holdfast.ingest.sources.bench import Bench
from holdfast.ingest.sources.leasing import Taken
from holdfast.storage.catalogue.accounts import account_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.ingest.jobs.task import Task, Workshop
    from holdfast.ingest.source_kinds import Synced
    from holdfast.ingest.sources.bench import Ask
    from holdfast.storage.catalogue.accounts import KeptAccount

PATIENCE_S = SLICE_S + 10.0
"""A run by schedule has ended by then; whoever runs the source longer is waited for elsewhere."""
KNOCK_S = 0.2
"""Between two runs by schedule the source is free for about a second."""


@dataclass(frozen=True, slots=True)
class BackfillOrder:
    """Which source is to run, and for what, as the job's payload."""

    source: int
    """Row id."""
    since: str = ""
    until: str = ""
    folders: tuple[str, ...] = ()
    only_failed: bool = False
    reconciles: bool = False
    """Compare all of it, and nothing of the above."""

    @classmethod
    def of(cls, source: int, ask: Ask) -> BackfillOrder:
        """Return the order for what somebody asked for."""
        days = ("", "") if ask.backfill is None else (ask.backfill.since, ask.backfill.until)
        return cls(source, *days, ask.folders, ask.only_failed, ask.reconciles)

    def ask(self) -> Ask:
        """Return what the run is to look at.

        Raises:
            Refused: It is nothing.
        """
        if self.reconciles:
            return reconcile_ask()
        return backfill_ask(Wanted(self.since, self.until, self.folders, self.only_failed))


def run(task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Run the source; a repeat takes in only what an earlier run did not.

    Raises:
        NotFound: The source was removed.
        Conflict: It is paused.
        Refused: Its kind has nothing of what is asked for, or the server does not let us in.
        Unavailable: Another process runs it, or it cannot be reached: the job waits.
    """
    order = task.read(BackfillOrder)
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return _facts(_synced(task, workshop, order))
        except Taken as error:
            if time.monotonic() >= until:
                raise Unavailable(error.cause, next_step=error.next_step) from error
        task.wait(KNOCK_S)


def _synced(task: Task, workshop: Workshop, order: BackfillOrder) -> Synced:
    kept = account_of(workshop.store, order.source)
    if kept is None:
        raise NotFound("The source was removed.", next_step="Add it again.")
    ask = order.ask()
    refuse_unfit(kept, ask)
    _leave_alone(task, kept)
    bench = Bench(
        workshop.desk_for(task.claim.actor),
        workshop.pool,
        workshop.spool,
        pause=task.wait,
        on_progress=reporting(task),
        recovers=SealedRange(sources=(kept.source_id,)),
    )
    return source_of(kept.kind).sync(kept, bench, ask)


def _leave_alone(task: Task, kept: KeptAccount) -> None:
    """Do not try again before the schedule does: it knows how long each kind of trouble is to last.

    The first try is made at once, as a command makes it.
    """
    is_early = kept.next_ms is not None and kept.next_ms > task.store.now_ms()
    if task.claim.retries and kept.failures and is_early:
        raise Unavailable(kept.last_error, next_step=kept.next_step)


def _facts(done: Synced) -> Mapping[str, object]:
    """Return what anybody who looks after jobs may know: counts alone."""
    if done.error is not None:
        raise done.error
    return {
        **asdict(done.counts),
        "recovered": done.recovered,
        "not_indexed": done.not_indexed,
        "folders_lacking": done.folders_lacking,
        "is_whole": done.is_whole and not done.folders_lacking,
    }
