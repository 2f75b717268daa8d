"""`/ingest/hooks`: where other systems send what happens there, verified by their rules."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from datetime import UTC, datetime

from fastapi import APIRouter, Response
from fastapi import Request as HttpRequest
from starlette.concurrency import run_in_threadpool

from holdfast.api.door import client_address, served_of
from holdfast.api.limits import Limiter
from holdfast.core.errors import Unavailable
from holdfast.ingest.webhooks.intake import LONGEST_S
from holdfast.ingest.webhooks.request import Reply, Request

router = APIRouter(tags=["ingest"])


@router.post("/ingest/hooks/{source}", operation_id="take_event")
async def take_event(source: str, request: HttpRequest) -> Response:
    """Take an event that another system sends; the answer is the one that this system expects.

    No API key is asked for: the request is verified by the rules of the system that the source was
    set up for. Success is answered only when the event is durable.
    """
    return await _answer(source, request)


@router.get("/ingest/hooks/{source}", operation_id="prove_hook")
async def prove_hook(source: str, request: HttpRequest) -> Response:
    """Answer a system that asks, before it sends anything, whether the address is ours."""
    return await _answer(source, request)


async def _answer(source: str, request: HttpRequest) -> Response:
    served = served_of(request)
    limiter: Limiter = request.app.state.limiter
    told = Request(
        method=request.method,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
        now=datetime.now(UTC),
    )
    hooks = served.hooks
    if hooks.is_quick(source, told):
        coming = hooks.take(source, told)
    else:
        coming = await run_in_threadpool(hooks.take, source, told)
    reply = await _durable(coming)
    if reply.status in (401, 403):  # only who fails is counted: events come as they come
        limiter.count(f"hook:{client_address(request)}")
    return Response(reply.body, reply.status, media_type=reply.content_type or None)


async def _durable(coming: Future[Reply]) -> Reply:
    """Wait for the answer, which comes when everything is durable."""
    if coming.done():
        return coming.result()
    try:
        return await asyncio.wait_for(asyncio.wrap_future(coming), LONGEST_S)
    except TimeoutError as error:
        raise Unavailable("It could not be kept in time.", next_step="Send it again.") from error
