"""`/jobs`: queued work, how far it is, and another try for what failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from holdfast.api.door import Archive, allowed
from holdfast.api.served import Served
from holdfast.api.shapes.jobs import JobShape, job_shape
from holdfast.api.trail import note
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.identity import row_id
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.job_lists import SHOWN_STATES, JobView, job_view, list_jobs
from holdfast.storage.catalogue.jobs import put_back

router = APIRouter(tags=["jobs"])
Operator = Annotated[Principal, Depends(allowed(Action.JOBS))]
LOOK_S = 1.0
ENDED = ("done", "dead")
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
    return [job_shape(one) for one in list_jobs(served.store, state=state, kind=kind, limit=limit)]


@router.get("/jobs/{job_id}", operation_id="read_job")
def get_job(job_id: str, served: Archive, principal: Operator) -> JobShape:
    """Read one job."""
    return job_shape(_found(served, job_id))


@router.post("/jobs/{job_id}/retry", operation_id="retry_job")
def retry_job(job_id: str, served: Archive, principal: Operator) -> JobShape:
    """Put a dead job back, to be tried again as if it were new."""
    number = row_id("job", _found(served, job_id).id)
    note(served, principal, "job", {"retry": job_id})
    put_back(served.store_of(principal), number)
    found = _found(served, job_id)
    served.wake(found.kind)
    return job_shape(found)


@router.get(
    "/jobs/{job_id}/events",
    operation_id="follow_job",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Its progress"}},
)
def follow_job(
    job_id: str, request: Request, served: Archive, principal: Operator
) -> StreamingResponse:
    """Follow one job: an event for each change, until it has ended."""
    first = _found(served, job_id)

    async def events() -> AsyncIterator[bytes]:
        shown, view = b"", first
        while not await request.is_disconnected():
            body = job_shape(view).model_dump_json().encode()
            if body != shown:
                shown = body
                yield b"event: job\ndata: " + body + b"\n\n"
            if view.state in ENDED:
                return
            await asyncio.sleep(LOOK_S)
            view = await run_in_threadpool(_found, served, job_id)

    return StreamingResponse(events(), media_type="text/event-stream")


def _found(served: Served, text: str) -> JobView:
    try:
        return job_view(served.store, row_id("job", text))
    except HoldfastError as error:
        raise NotFound(f"There is no job {text[:40]!r}.") from error
