"""`/sources`: how what is pulled fares, its runs, and its rest; secrets are in no answer."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query

from holdfast.api.door import Archive, allowed
from holdfast.api.shapes.common import Instant, Shape, from_ms, maybe_ms
from holdfast.api.shapes.sources import SourceShape, source_shape
from holdfast.core.rights import Action, Principal
from holdfast.ingest.sources.health import health, health_of
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.source_runs import SourceRun, runs_of
from holdfast.storage.catalogue.source_schedule import pause, resume

router = APIRouter(tags=["sources"])
Operator = Annotated[Principal, Depends(allowed(Action.SOURCES))]


class RunShape(Shape):
    """One run of a source."""

    id: str
    why: str
    started_at: Instant
    ended_at: Instant | None
    outcome: str
    """`running` until it has ended."""
    trouble: str
    error: str
    counts: dict[str, Any]
    """Items by how they ended."""


@router.get("/sources", operation_id="list_sources")
def list_sources(served: Archive, principal: Operator) -> list[SourceShape]:
    """List the sources that are pulled or watched, with what is wrong with them."""
    return [source_shape(one) for one in health(served.store)]


@router.get("/sources/{name}/runs", operation_id="list_runs")
def list_runs(
    name: str,
    served: Archive,
    principal: Operator,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[RunShape]:
    """List the runs of a source, newest first: why, when, what came of them."""
    kept = find_account(served.store, name)
    return [_run(one) for one in runs_of(served.store, kept.source_id, limit)]


@router.post("/sources/{name}/pause", operation_id="pause_source")
def pause_source(name: str, served: Archive, principal: Operator) -> SourceShape:
    """Let a source rest until it is resumed; it stays paused over restarts."""
    kept = find_account(served.store, name)
    pause(served.store_of(principal), kept.source_id)
    return source_shape(health_of(served.store, find_account(served.store, name)))


@router.post("/sources/{name}/resume", operation_id="resume_source")
def resume_source(name: str, served: Archive, principal: Operator) -> SourceShape:
    """Let a source run again: the next look is due now, whatever failed before."""
    kept = find_account(served.store, name)
    resume(served.store_of(principal), kept.source_id)
    return source_shape(health_of(served.store, find_account(served.store, name)))


def _run(one: SourceRun) -> RunShape:
    return RunShape(
        id=one.id,
        why=one.why,
        started_at=from_ms(one.started_ms),
        ended_at=maybe_ms(one.ended_ms),
        outcome=one.outcome or "running",
        trouble=one.trouble,
        error=one.error,
        counts=msgspec.json.decode(one.counts, type=dict[str, Any]) if one.counts else {},
    )
