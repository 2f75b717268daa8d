"""Keeps what each run over a source came to, for a stated time; decides nothing by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.schema import source_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from holdfast.storage.store import Store

KEEP_RUNS = 200
"""Of each source the newest so many are kept, …"""
KEEP_MS = 30 * 24 * 3600 * 1000
"""… and all that began within 30 days."""
WHOLE, PARTIAL, FAILED = "whole", "partial", "failed"
STOPPED, KILLED = "stopped", "killed"
"""How a run ended: everything is kept or accounted for; some is not; early by an error; early
because the worker was asked to end; or its process died."""


@dataclass(frozen=True, slots=True)
class EndedRun:
    """What a run came to."""

    outcome: str
    counts: str = ""
    """JSON."""
    trouble: str = ""
    """Class of the error, of `ingest.sources.troubles`."""
    error: str = ""
    """Cause in one sentence, without secrets."""


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One run; instants are Unix milliseconds."""

    id: str
    why: str
    """`schedule`, `mail`, `command`, `backfill` or `reconcile`."""
    started_ms: int
    ended_ms: int | None
    outcome: str
    """Empty while it runs."""
    trouble: str
    error: str
    counts: str


def begin_run(store: Store, source_id: int, why: str, owner: str) -> int:
    """Note that a run begins; whoever began one before and did not end it was killed.

    Call it only under the lease of the source.
    """
    run_id, now_ms = store.ids.take(), store.now_ms()
    row = {"id": run_id, "source_id": source_id, "why": why, "owner": owner, "started_ms": now_ms}
    of_source = source_runs.c.source_id == source_id
    killed = update(source_runs).where(of_source, source_runs.c.ended_ms.is_(None))

    def act(connection: Connection) -> None:
        connection.execute(killed.values(ended_ms=now_ms, outcome=KILLED))
        if connection.scalar(select(source_runs.c.id).where(source_runs.c.id == run_id)) is None:
            connection.execute(source_runs.insert().values(row))
            _prune(connection, source_id, now_ms)
        else:  # the try before was kept, and we were not told
            connection.execute(
                update(source_runs)
                .where(source_runs.c.id == run_id)
                .values(ended_ms=None, outcome="")
            )

    transact(store.engine, act)
    return run_id


def end_run(store: Store, run_id: int, ended: EndedRun) -> None:
    """Note what a run came to."""
    values = {
        "ended_ms": store.now_ms(),
        "outcome": ended.outcome,
        "counts": ended.counts,
        "trouble": ended.trouble,
        "error": ended.error,
    }
    changed = update(source_runs).where(source_runs.c.id == run_id).values(values)

    def act(connection: Connection) -> None:
        connection.execute(changed)

    transact(store.engine, act)


def runs_of(store: Store, source_id: int, limit: int) -> list[SourceRun]:
    """Return the runs of a source, newest first."""
    names = SourceRun.__slots__
    query = (
        select(*(source_runs.c[name] for name in names))
        .where(source_runs.c.source_id == source_id)
        .order_by(source_runs.c.id.desc())
        .limit(limit)
    )
    with reading(store.engine) as connection:
        rows = connection.execute(query).all()
    return [_run(dict(zip(names, row, strict=True))) for row in rows]


def outcomes(connection: Connection) -> Sequence[tuple[int, str, str, int]]:
    """Count the kept runs that ended: source, outcome, trouble, runs."""
    columns = (source_runs.c.source_id, source_runs.c.outcome, source_runs.c.trouble)
    query = select(*columns, func.count()).where(source_runs.c.outcome != "").group_by(*columns)
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def _prune(connection: Connection, source_id: int, now_ms: int) -> None:
    of_source = source_runs.c.source_id == source_id
    newest = (
        select(source_runs.c.id)
        .where(of_source)
        .order_by(source_runs.c.id.desc())
        .limit(1)
        .offset(KEEP_RUNS - 1)
    )
    last = connection.scalar(newest)
    if last is not None:
        old = (source_runs.c.id < last, source_runs.c.started_ms < now_ms - KEEP_MS)
        connection.execute(delete(source_runs).where(of_source, *old))


def _run(values: dict[str, Any]) -> SourceRun:
    return SourceRun(**{**values, "id": public_id("run", values["id"])})
