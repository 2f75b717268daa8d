"""What people see of the jobs: counts, delays, one by one; it changes none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import case, func, literal, select

from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import change_fact, fact
from holdfast.storage.catalogue.jobs import DEAD, DONE, PREFIX, READY
from holdfast.storage.catalogue.schema import archive_facts, jobs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

    from holdfast.storage.store import Store

WAITING, RUNNING = "waiting", "running"
SHOWN_STATES = (READY, WAITING, RUNNING, DONE, DEAD)
"""As people see them: a ready job may wait for its time, or be in somebody's hands."""
WAKE_FAILURES = "wake_failures"


@dataclass(frozen=True, slots=True)
class JobCount:
    """How many jobs of one kind are in one state."""

    kind: str
    state: str
    """One of `SHOWN_STATES`."""
    count: int
    oldest_ms: int
    """When the oldest of them was due."""
    retries: int
    """Tries of theirs that failed since they last got on."""
    seconds: float
    """How long the last claims of those that ended took, together."""


@dataclass(frozen=True, slots=True)
class JobView:
    """One job as people see it."""

    id: str
    """Public id."""
    kind: str
    state: str
    key: str
    payload: str
    attempts: int
    retries: int
    owner: str
    created_ms: int
    due_ms: int
    started_ms: int | None
    ended_ms: int | None
    last_error: str
    progress: str
    result: str


class WakeFailures(msgspec.Struct, frozen=True):
    """Wake-ups that no broker took; the jobs themselves were kept and are found by looking."""

    count: int = 0
    last_ms: int = 0
    cause: str = ""


def counts(store: Store) -> list[JobCount]:
    """Count all jobs by kind and state."""
    with reading(store.engine) as connection:
        return job_counts(connection, store.now_ms())


def job_counts(connection: Connection, now_ms: int) -> list[JobCount]:
    """Count all jobs by kind and state, on a connection that is open."""
    state = _shown(now_ms).label("shown")
    ended = jobs.c.ended_ms.is_not(None)
    took = case((ended, jobs.c.ended_ms - func.coalesce(jobs.c.started_ms, 0)), else_=0)
    query = (
        select(
            jobs.c.kind,
            state,
            func.count().label("jobs"),
            func.min(jobs.c.due_ms).label("oldest"),
            func.sum(jobs.c.retries).label("retries"),
            func.sum(took).label("took"),
        )
        .group_by(jobs.c.kind, state)
        .order_by(jobs.c.kind, state)
    )
    return [
        JobCount(r.kind, r.shown, r.jobs, r.oldest, int(r.retries), int(r.took) / 1000)
        for r in connection.execute(query)
    ]


def list_jobs(store: Store, *, state: str = "", kind: str = "", limit: int = 50) -> list[JobView]:
    """Return jobs, newest first; an empty state or kind means any."""
    now_ms = store.now_ms()
    query = select(jobs, _shown(now_ms).label("shown")).order_by(jobs.c.id.desc()).limit(limit)
    if state:
        query = query.where(_shown(now_ms) == state)
    if kind:
        query = query.where(jobs.c.kind == kind)
    with reading(store.engine) as connection:
        return [_view(row) for row in connection.execute(query)]


def job_view(store: Store, job_id: int) -> JobView:
    """Return one job.

    Raises:
        NotFound: There is none with this id.
    """
    query = select(jobs, _shown(store.now_ms()).label("shown")).where(jobs.c.id == job_id)
    with reading(store.engine) as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"There is no job {public_id(PREFIX, job_id)}.")
    return _view(row)


def dead_ids(store: Store, kind: str = "") -> list[int]:
    """Return the row ids of all dead jobs, oldest first."""
    query = select(jobs.c.id).where(jobs.c.state == DEAD).order_by(jobs.c.id)
    with reading(store.engine) as connection:
        return list(connection.scalars(query.where(jobs.c.kind == kind) if kind else query))


def note_wake_failure(store: Store, cause: str) -> None:
    """Count a wake-up that failed, for metrics and `doctor`."""
    with writing(store.engine) as connection:
        before = wake_failures(connection, is_changing=True)
        after = WakeFailures(before.count + 1, store.now_ms(), cause[:300])
        change_fact(connection, WAKE_FAILURES, msgspec.json.encode(after).decode())


def wake_failures(connection: Connection, *, is_changing: bool = False) -> WakeFailures:
    """Return what was counted; `is_changing` locks it for the caller's transaction."""
    if is_changing:
        row = select(archive_facts.c.value).where(archive_facts.c.name == WAKE_FAILURES)
        text = connection.scalar(row.with_for_update())
    else:
        text = fact(connection, WAKE_FAILURES)
    return msgspec.json.decode(text, type=WakeFailures) if text else WakeFailures()


def _shown(now_ms: int) -> ColumnElement[str]:
    is_running = jobs.c.lease_until_ms > now_ms
    return case(
        (jobs.c.state != READY, jobs.c.state),
        (is_running, literal(RUNNING)),
        (jobs.c.due_ms > now_ms, literal(WAITING)),
        else_=literal(READY),
    )


def _view(row: Row[Any]) -> JobView:
    return JobView(
        id=public_id(PREFIX, row.id),
        kind=row.kind,
        state=row.shown,
        key=row.job_key or "",
        payload=row.payload,
        attempts=row.attempts,
        retries=row.retries,
        owner=row.lease_owner.partition("/")[0],
        created_ms=row.created_ms,
        due_ms=row.due_ms,
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        last_error=row.last_error,
        progress=row.progress,
        result=row.result,
    )
