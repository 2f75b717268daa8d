"""Imports paths on a worker, as the command does in the foreground."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select

from holdfast.ingest.imports import ImportOptions, ImportSummary, run_import
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import source_items, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.ingest.jobs.task import Task, Workshop
    from holdfast.ingest.progress import Progress

IN_LEDGER = "in_ledger"
"""Items of the source that the ledger knew when a run began."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, as the job's payload."""

    paths: tuple[str, ...]
    """Absolute, as the workers see them."""
    source: str = ""
    custodian: str = ""
    trusts_dates: bool = False
    mbox_variant: str = "auto"
    retries: bool = False
    trusts_reports: bool = False

    @classmethod
    def of(cls, options: ImportOptions) -> ImportOrder:
        """Return the order for what was asked of the command."""
        return cls(
            tuple(str(path.absolute()) for path in options.paths),
            options.source,
            options.custodian,
            options.trusts_dates,
            options.mbox_variant,
            options.retries,
            options.trusts_reports,
        )

    def options(self) -> ImportOptions:
        """Return what the import takes."""
        return ImportOptions(
            tuple(map(Path, self.paths)),
            self.source,
            self.custodian,
            self.trusts_dates,
            mbox_variant=self.mbox_variant,
            retries=self.retries,
            trusts_reports=self.trusts_reports,
        )


def run(task: Task, workshop: Workshop) -> dict[str, object]:
    """Import; a repeat takes in only what an earlier run did not."""
    order = task.read(ImportOrder)
    desk = workshop.desk_for(task.claim.actor)
    summary = run_import(order.options(), desk, workshop.pool, workshop.spool, reporting(task))
    return summary_facts(summary)


def got_on(task: Task, _workshop: Workshop) -> None:
    """Forgive earlier crashes when the ledger shows that the run before took something in.

    A run that is killed cannot report its last batches itself.
    """
    source = task.read(ImportOrder).options().source_name
    known = (
        select(func.count())
        .select_from(source_items.join(sources, sources.c.id == source_items.c.source_id))
        .where(sources.c.name == source)
    )
    with reading(task.store.engine) as connection:
        in_ledger = connection.scalar(known) or 0
    before = msgspec.json.decode(task.claim.progress or "{}", type=dict[str, object])
    if before.get(IN_LEDGER, 0) != in_ledger:
        task.headway({**before, IN_LEDGER: in_ledger})


def summary_facts(summary: ImportSummary) -> dict[str, object]:
    """Return the summary as the command prints it."""
    return {
        "batch": summary.batch,
        "source": summary.source,
        **asdict(summary.counts),
        "recovered": summary.recovered,
        "not_indexed": summary.not_indexed,
    }


def reporting(task: Task) -> Callable[[Progress], None]:
    """Report each batch that was filed; the pipeline calls it where nothing is half done."""
    # Without the ledger's count: the next run takes it anew.
    return rising(task, lambda progress: progress.new + progress.duplicates, asdict)


def rising(
    task: Task,
    measure: Callable[[Progress], int],
    told: Callable[[Progress], Mapping[str, object]],
) -> Callable[[Progress], None]:
    """Return what reports headway only when there is more than before, and else asks to go on.

    Args:
        task: Whose headway it is.
        measure: What of a run no crash undoes.
        told: What the job then says of it.
    """
    reached = 0

    def show(progress: Progress) -> None:
        nonlocal reached
        before, reached = reached, measure(progress)
        if reached > before:
            task.headway(told(progress))
        else:
            task.check()

    return show
