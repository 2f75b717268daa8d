"""`/jobs`: queued work, how far it is, and another try for what failed.

Exports and disposals that are carried out are followed here too, by their own ids, by who may read
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from holdfast.api.door import Archive, Asker, allowed
from holdfast.api.names import number_of
from holdfast.api.routes.exports import export_of
from holdfast.api.served import Served
from holdfast.api.shapes.jobs import JobShape, job_shape
from holdfast.api.trail import note
from holdfast.api.work_views import disposal_job, export_job
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.identity import row_id
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.job_lists import SHOWN_STATES, JobView, job_view, list_jobs
from holdfast.storage.catalogue.jobs import put_back

router = APIRouter(tags=["jobs"])
Operator = Annotated[Principal, Depends(allowed(Action.JOBS))]
LOOK_S = 1.0
ENDED = ("done", "dead")
_BY_TIME_ALONE = {"rate", "eta_s"}
"""What changes though nothing was done."""
_ACTIONS = {"exp": Action.EXPORT, "dsp": Action.GOVERN_VIEW}
"""Beginning of an id → what is asked of who reads it; else `jobs`."""
_STATES = "^(" + "|".join(SHOWN_STATES) + ")?$"


@router.get("/jobs", operation_id="list_jobs")
def get_jobs(
    served: Archive,
    principal: Operator,
    state: Annotated[str, Query(pattern=_STATES)] = "",
    kind: Annotated[str, Query(max_length=50)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> list[JobShape]:
    """List jobs, newest first."""
    now_ms = served.store.now_ms()
    listed = list_jobs(served.store, state=state, kind=kind, limit=limit)
    return [job_shape(one, now_ms) for one in listed]


@router.get("/jobs/{job_id}", operation_id="read_job")
def get_job(job_id: str, request: Request, served: Archive, principal: Asker) -> JobShape:
    """Read one job; that of an export or a disposal has its id."""
    _require(request, principal, job_id)
    return _shown(served, principal, job_id)


@router.post("/jobs/{job_id}/retry", operation_id="retry_job")
def retry_job(job_id: str, served: Archive, principal: Operator) -> JobShape:
    """Put a dead job back, to be tried again as if it were new."""
    number = row_id("job", _found(served, job_id).id)
    note(served, principal, "job", {"retry": job_id})
    put_back(served.store_of(principal), number)
    found = _found(served, job_id)
    served.wake(found.kind)
    return job_shape(found, served.store.now_ms())


@router.get(
    "/jobs/{job_id}/events",
    operation_id="follow_job",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Its progress"}},
)
def follow_job(
    job_id: str, request: Request, served: Archive, principal: Asker
) -> StreamingResponse:
    """Follow one job: an event for each change, until it has ended."""
    _require(request, principal, job_id)
    first = _shown(served, principal, job_id)

    async def events() -> AsyncIterator[bytes]:
        told, job = None, first
        while not await request.is_disconnected():
            said = job.model_dump(exclude=_BY_TIME_ALONE)
            if said != told:
                told = said
                yield b"event: job\ndata: " + job.model_dump_json().encode() + b"\n\n"
            if job.state in ENDED:
                return
            await asyncio.sleep(LOOK_S)
            job = await run_in_threadpool(_shown, served, principal, job_id)

    return StreamingResponse(events(), media_type="text/event-stream")


def _require(request: Request, principal: Principal, job_id: str) -> None:
    """Refuse whose role may not read what the job is about; in the audit log first."""
    allowed(_ACTIONS.get(_kind(job_id), Action.JOBS))(request, principal)


def _kind(job_id: str) -> str:
    return job_id.partition("_")[0].lower()


def _shown(served: Served, principal: Principal, job_id: str) -> JobShape:
    if _kind(job_id) == "exp":
        return export_job(export_of(served, principal, job_id), served.store.now_ms())
    if _kind(job_id) == "dsp":
        return disposal_job(served, number_of("dsp", job_id))
    return job_shape(_found(served, job_id), served.store.now_ms())


def _found(served: Served, text: str) -> JobView:
    try:
        return job_view(served.store, row_id("job", text))
    except HoldfastError as error:
        raise NotFound(f"There is no job {text[:40]!r}.") from error
