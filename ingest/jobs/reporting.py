"""How much work waits, since when and why: for `doctor` and for metrics; it starts none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.core.identity import made_ms
from holdfast.ingest.recovery import oldest_sealed_ms
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.job_lists import (
    RUNNING,
    WAITING,
    JobCount,
    WakeFailures,
    job_counts,
    wake_failures,
)
from holdfast.storage.catalogue.jobs import DEAD, READY
from holdfast.storage.catalogue.schema import audit_events, batches, index_queue, sources

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store

LATE_S = 300.0
"""Work that waits longer than this is worth a person's look."""
RECENT_S = 3600.0


@dataclass(frozen=True, slots=True)
class WorkReport:
    """What waits in one archive, at one instant."""

    jobs: tuple[JobCount, ...]
    oldest_job_s: float
    """How long the job that is due longest has waited; 0 without one."""
    index_lag: int
    """Filed interactions that the index does not show as they are."""
    index_lag_s: float
    """Since when the longest of them waits."""
    unfiled_s: float
    """How long the oldest item has been sealed and not filed."""
    unsequenced_s: float
    """How long the oldest audit event has waited for its number."""
    wake_failures: WakeFailures
    wake_failure_s: float
    """How long ago the last of them was; 0 without one."""
    last_success_ms: Mapping[str, int]
    """Source → when a batch of its was last ended."""

    def jobs_in(self, *states: str) -> int:
        """Count the jobs in these states."""
        return sum(one.count for one in self.jobs if one.state in states)

    @property
    def retries(self) -> int:
        """Tries that failed, of jobs that are still to be done."""
        return sum(j.retries for j in self.jobs if j.state in {READY, WAITING, RUNNING})


@dataclass(frozen=True, slots=True)
class Delay:
    """One thing that is late or set aside."""

    seen: str
    next_step: str
    is_bad: bool
    """It does not end by itself."""


def work_report(store: Store) -> WorkReport:
    """Return what waits.

    Raises:
        Unavailable: The catalogue cannot be read.
    """
    now_ms = store.now_ms()
    unfiled = oldest_sealed_ms(store)
    with reading(store.engine) as connection:
        counted = tuple(job_counts(connection, now_ms))
        due = [one.oldest_ms for one in counted if one.state == READY]
        failures = wake_failures(connection)
        lag = connection.scalar(select(func.count()).select_from(index_queue)) or 0
        ticket = connection.scalar(select(func.min(index_queue.c.ticket)))
        waiting = select(func.min(audit_events.c.id)).where(audit_events.c.seq.is_(None))
        event = connection.scalar(waiting)
        last = _last_success(connection)
    return WorkReport(
        jobs=counted,
        oldest_job_s=_age_s(now_ms, min(due, default=None)),
        index_lag=lag,
        index_lag_s=_age_s(now_ms, None if ticket is None else made_ms(ticket)),
        unfiled_s=_age_s(now_ms, unfiled),
        unsequenced_s=_age_s(now_ms, None if event is None else made_ms(event)),
        wake_failures=failures,
        wake_failure_s=_age_s(now_ms, failures.last_ms or None),
        last_success_ms=last,
    )


def delays(report: WorkReport) -> Iterator[Delay]:
    """Yield what is late or set aside, for a person; nothing when all is well."""
    if dead := report.jobs_in(DEAD):
        step = "See 'holdfast jobs list --state dead', then 'holdfast jobs retry'."
        yield Delay(f"{dead:,} jobs were set aside", step, is_bad=True)
    if report.oldest_job_s > LATE_S:
        step = "Start 'holdfast worker', or more of it."
        yield Delay(f"a job waits for {report.oldest_job_s:,.0f} s", step, is_bad=False)
    if retried := report.retries:
        step = "See 'holdfast jobs list --state waiting' for the causes."
        yield Delay(f"{retried:,} tries of waiting jobs failed", step, is_bad=False)
    lags = (
        (f"{report.index_lag:,} messages are not indexed", report.index_lag_s),
        ("an item is sealed and not filed", report.unfiled_s),
        ("an audit event is not numbered", report.unsequenced_s),
    )
    for seen, waited_s in lags:
        if waited_s > LATE_S:
            step = "Start 'holdfast worker', or look at its log."
            yield Delay(f"{seen} for {waited_s:,.0f} s", step, is_bad=False)
    if report.wake_failures.count and report.wake_failure_s < RECENT_S:
        yield Delay(
            f"{report.wake_failures.count:,} wake-ups failed, the last "
            f"{report.wake_failure_s:,.0f} s ago: {report.wake_failures.cause}",
            "Look at the broker; workers find the jobs by themselves meanwhile.",
            is_bad=False,
        )


def _last_success(connection: Connection) -> dict[str, int]:
    query = (
        select(sources.c.name, func.max(batches.c.ended_ms))
        .join(batches, batches.c.source_id == sources.c.id)
        .where(batches.c.ended_ms.is_not(None))
        .group_by(sources.c.name)
    )
    return {name: int(ended) for name, ended in connection.execute(query)}


def _age_s(now_ms: int, since_ms: int | None) -> float:
    return 0.0 if since_ms is None else max(now_ms - since_ms, 0) / 1000
