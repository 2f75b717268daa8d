"""Kills workers while they import, and looks at what became of the jobs and the mail."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import func, select

from archive_kit import ACTOR
from fault_checks import Verdict, judge
from fault_mail import SOURCE, Offering
from holdfast.ingest.imports import ImportOptions
from holdfast.ingest.jobs.importing import ImportOrder
from holdfast.ingest.jobs.reporting import work_report
from holdfast.ingest.work import EmbeddedWork
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.job_lists import JobView, job_view
from holdfast.storage.catalogue.schema import source_items
from holdfast.storage.store import Store
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from work_kinds import ChildPlan, RunningCrew, crew, kinds_of, until

PRODUCT_KINDS = ("sequence", "index", "process", "import")


@dataclass(frozen=True, slots=True)
class KilledImport:
    """What became of an import whose workers were killed."""

    kills: int
    """Of workers that held the import."""
    deaths_between: int
    """Of those, while some items were in the ledger and some were not."""
    job: JobView
    verdict: Verdict


def import_under_kills(
    settings: Settings,
    offered: Offering,
    kills: int,
    seed: int,
    *,
    workers: int = 1,
    kind: str = "import",
) -> KilledImport:
    """Queue an import, kill the worker that does it so many times, and judge the archive."""
    create_archive(settings)
    chance = random.Random(seed)
    kinds = tuple(dict.fromkeys((*PRODUCT_KINDS, kind)))
    order = ImportOrder.of(ImportOptions((offered.folder,), source=SOURCE))
    payload: Mapping[str, object] = {name: getattr(order, name) for name in order.__slots__}
    with open_archive(settings, ACTOR) as services:
        store = services.store
        job = EmbeddedWork(store, kinds_of(kinds)).submit(kind, payload, "one import")
        done = between = 0
        with crew(store, ChildPlan(settings, kinds), size=workers) as running:
            for number in range(kills):
                threshold = offered.items * (number + chance.random()) / (kills + 1)
                killed_at = _kill(running, store, job, threshold if number else 0)
                if killed_at is None:
                    break
                done += 1
                between += 0 < killed_at < offered.items
            until(lambda: job_view(store, job).state in {"done", "dead"})
            until(lambda: _is_settled(store))
        view = job_view(store, job)
    return KilledImport(done, between, view, judge(settings, offered, frozenset()))


def _kill(running: RunningCrew, store: Store, job: int, threshold: float) -> int | None:
    """Kill who holds the job once enough items are in the ledger; None when it ended before."""
    killed: list[int] = []

    def is_over() -> bool:
        view = job_view(store, job)
        if view.state == "running" and (items := in_ledger(store)) >= threshold:
            pid = running.crew.process_of(view.owner)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(items)
                until(lambda: running.crew.process_of(view.owner) is None)
                return True
        return view.state in {"done", "dead"}

    until(is_over)
    return killed[0] if killed else None


def in_ledger(store: Store) -> int:
    """Count the items that the ledger knows."""
    with reading(store.engine) as connection:
        return connection.scalar(select(func.count()).select_from(source_items)) or 0


def _is_settled(store: Store) -> bool:
    report = work_report(store)
    return not (report.index_lag or report.unfiled_s or report.unsequenced_s)
