"""`/sources/{name}/backfill|reconcile`: runs that somebody asks for, as jobs of workers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends

from holdfast.api.door import Archive, allowed
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.served import Served
from holdfast.api.shapes.jobs import JobShape, job_shape
from holdfast.api.shapes.sources import Backfill
from holdfast.api.trail import note
from holdfast.core.rights import Action, Principal
from holdfast.ingest.jobs.backfilling import BackfillOrder
from holdfast.ingest.jobs.kinds import BACKFILL
from holdfast.ingest.source_kinds import refuse_unfit
from holdfast.ingest.sources.asking import Wanted, backfill_ask, reconcile_ask
from holdfast.ingest.sources.bench import Ask
from holdfast.ingest.work import keep_job
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.job_lists import job_view

router = APIRouter(tags=["sources"])
Operator = Annotated[Principal, Depends(allowed(Action.SOURCES))]


@router.post("/sources/{name}/backfill", operation_id="backfill_source", status_code=202)
def post_backfill(
    name: str, order: Backfill, served: Archive, principal: Operator, *, once_key: Once = ""
) -> JobShape:
    """Have a worker take days or folders that the rules leave out, or what failed once more.

    The rules stay as they are, and what is taken is taken once, as by any run. Follow the job; it
    tells counts alone.
    """
    wanted = Wanted(order.since, order.until, tuple(order.folders), order.failed)
    call = Call(served, principal, once_key, f"POST /sources/{name}/backfill", order.model_dump())
    return once(call, JobShape, lambda: _queued(served, principal, name, backfill_ask(wanted)))


@router.post("/sources/{name}/reconcile", operation_id="reconcile_source", status_code=202)
def post_reconcile(
    name: str, served: Archive, principal: Operator, *, once_key: Once = ""
) -> JobShape:
    """Have a worker compare all of a mailbox with what is kept of it, and fetch what differs."""
    call = Call(served, principal, once_key, f"POST /sources/{name}/reconcile", None)
    return once(call, JobShape, lambda: _queued(served, principal, name, reconcile_ask()))


def _queued(served: Served, principal: Principal, name: str, ask: Ask) -> JobShape:
    """Leave the run to a worker; what cannot be is refused now, to whoever reads it."""
    kept = find_account(served.store, name)
    refuse_unfit(kept, ask)
    payload = asdict(BackfillOrder.of(kept.source_id, ask))
    what = {"why": ask.why, **{key: payload[key] for key in payload if key != "source"}}
    note(served, principal, "account_run_asked", what, [("src", kept.source_id)])
    job = keep_job(served.store_of(principal), BACKFILL, payload, "")
    served.wake(BACKFILL.name)
    return job_shape(job_view(served.store, job), served.store.now_ms())
