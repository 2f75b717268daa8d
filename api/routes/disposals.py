"""`/disposals`: planned, reviewed, approved by another person, executed behind, and certified."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import Field

from holdfast.api.asking import everywhere
from holdfast.api.door import Archive, allowed, noting_absence, personally
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.names import number_of
from holdfast.api.shapes.common import Instant, Shape, from_ms, maybe_ms, person
from holdfast.api.trail import note
from holdfast.api.work_views import HAS_JOB
from holdfast.core.errors import Conflict
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Principal
from holdfast.retention.disposal import (
    Asked,
    Execution,
    approve,
    except_item,
    plan,
    review,
    withdraw,
)
from holdfast.storage.governance.disposals import (
    KeptDisposal,
    KeptItem,
    disposal_of,
    disposals_of,
    items_of,
    states_of,
)
from holdfast.storage.governance.remains import Remains, remains_of
from holdfast.storage.store import Store

router = APIRouter(tags=["disposals"])
Viewer = Annotated[Principal, Depends(allowed(Action.GOVERN_VIEW))]
Disposer = Annotated[Principal, Depends(allowed(Action.DISPOSE))]
Planner = Annotated[Principal, Depends(personally(Action.DISPOSE))]
Approver = Annotated[Principal, Depends(personally(Action.APPROVE))]


class StageOrder(Shape):
    """A step of a disposal."""

    note: str = Field("", max_length=10_000)
    is_clock_checked: bool = False
    """Somebody looked at the clock, which jumped, and found it right."""


class ApprovalOrder(StageOrder):
    """An approval: of this very manifest."""

    manifest: str = Field(pattern="^[0-9a-fA-F]{64}$")


class ExceptionOrder(Shape):
    """An item to be left out."""

    record_id: str
    reason: str = Field(min_length=1, max_length=10_000)


class RemainsShape(Shape):
    """What the vault still holds of destroyed originals: bytes that no key opens any more."""

    originals: int
    segments: int
    locked_segments: int
    """Of these: the store must not delete them before their date."""
    locked_until: Instant | None
    is_on_hold: bool
    """A legal hold of the store is on one."""


class DisposalShape(Shape):
    """A disposal as it stands."""

    id: str
    state: str
    note: str
    manifest: str
    items: int
    bytes: int
    counts: dict[str, int]
    planned_by: str
    planned_at: Instant
    reviewed_by: str | None
    reviewed_at: Instant | None
    approved_by: str | None
    approved_at: Instant | None
    executes_at: Instant | None
    executed_at: Instant | None
    remains: RemainsShape | None = None
    """Where one disposal is read: what could not go yet, also when it is executed."""
    job_id: str | None = None
    """By which `/jobs/{job_id}` and its events tell how far it is; null before it is carried
    out."""
    trouble: str = ""
    """Why its execution stopped the last time, as far as this process knows."""


class PlannedDisposal(Shape):
    """What was planned; null where nothing is due."""

    disposal: DisposalShape | None


class ItemShape(Shape):
    """One item of a manifest."""

    ordinal: int
    record_id: str
    state: str
    reason: str
    size_bytes: int
    decision: str
    """JSON: rules, versions, clock."""


class ItemsAnswer(Shape):
    """One page of a manifest."""

    items: list[ItemShape]
    next: str | None


@router.get("/disposals", operation_id="list_disposals")
def get_disposals(served: Archive, principal: Viewer) -> list[DisposalShape]:
    """List disposals, newest first."""
    note(served, principal, "govern_read", {"what": "disposals"})
    return [_disposal(served.store, one) for one in disposals_of(served.store)]


@router.post("/disposals", operation_id="plan_disposal", status_code=201)
def post_disposal(
    order: StageOrder, served: Archive, principal: Planner, *, once_key: Once = ""
) -> PlannedDisposal:
    """Freeze a manifest of all that is due now and held by nothing."""

    def act() -> PlannedDisposal:
        store = served.store_of(principal)
        kept = plan(store, everywhere(served), _asked(principal, order))
        return PlannedDisposal(disposal=None if kept is None else _disposal(store, kept))

    call = Call(served, principal, once_key, "POST /disposals", order.model_dump(mode="json"))
    return once(call, PlannedDisposal, act)


@router.get("/disposals/{disposal_id}", operation_id="read_disposal")
def get_disposal(disposal_id: str, served: Archive, principal: Viewer) -> DisposalShape:
    """Read a disposal, with what the vault still holds of what it destroyed."""
    number = number_of("dsp", disposal_id)
    shape = _disposal(served.store, disposal_of(served.store, number))
    note(served, principal, "govern_read", {"what": "disposal"}, [("dsp", number)])
    left = _remains(remains_of(served.store, number))
    trouble = served.troubles.get(number, "")
    return shape.model_copy(update={"remains": left, "trouble": trouble})


@router.get("/disposals/{disposal_id}/items", operation_id="list_disposal_items")
def get_items(
    disposal_id: str,
    served: Archive,
    principal: Viewer,
    *,
    cursor: Annotated[str, Query(pattern="^([0-9]{1,12})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ItemsAnswer:
    """Read the manifest, item by item."""
    number = disposal_of(served.store, number_of("dsp", disposal_id)).id
    note(served, principal, "govern_read", {"what": "disposal items"}, [("dsp", number)])
    after = int(cursor) if cursor else -1
    found = items_of(served.store, number, after=after, limit=limit)
    following = str(found[-1].ordinal) if len(found) == limit else None
    return ItemsAnswer(items=[_item(one) for one in found], next=following)


@router.post("/disposals/{disposal_id}/except", operation_id="except_item")
def post_except(
    disposal_id: str, order: ExceptionOrder, served: Archive, principal: Disposer
) -> DisposalShape:
    """Leave one item out, for good."""
    number, store = number_of("dsp", disposal_id), served.store_of(principal)
    except_item(store, number, number_of("msg", order.record_id), order.reason)
    return _disposal(store, disposal_of(store, number))


@router.post("/disposals/{disposal_id}/review", operation_id="review_disposal")
def post_review(
    disposal_id: str, order: StageOrder, served: Archive, principal: Planner
) -> DisposalShape:
    """Say that the manifest was looked at."""
    store = served.store_of(principal)
    kept = review(store, number_of("dsp", disposal_id), _asked(principal, order))
    return _disposal(store, kept)


@router.post("/disposals/{disposal_id}/approve", operation_id="approve_disposal")
def post_approve(
    disposal_id: str, order: ApprovalOrder, served: Archive, principal: Approver
) -> DisposalShape:
    """Approve, as another person than who planned it, the manifest whose digest is stated."""
    store, hours = served.store_of(principal), served.config.cooling_off_hours
    number = number_of("dsp", disposal_id)
    kept = approve(store, number, _asked(principal, order), order.manifest, hours)
    return _disposal(store, kept)


@router.post("/disposals/{disposal_id}/withdraw", operation_id="withdraw_disposal")
def post_withdraw(disposal_id: str, served: Archive, principal: Disposer) -> DisposalShape:
    """Give a disposal up before anything of it was destroyed."""
    store = served.store_of(principal)
    return _disposal(store, withdraw(store, number_of("dsp", disposal_id)))


@router.post("/disposals/{disposal_id}/execute", operation_id="execute_disposal", status_code=202)
def post_execute(
    disposal_id: str, order: StageOrder, request: Request, served: Archive, principal: Disposer
) -> DisposalShape:
    """Begin to destroy what is approved and has cooled off; it goes on behind.

    Sent again, it goes on with what was interrupted. Items that a hold keeps now are blocked.
    """
    store, number = served.store_of(principal), number_of("dsp", disposal_id)
    asked = _asked(principal, order)
    if order.is_clock_checked:  # somebody says that they have looked, and answers for it
        with noting_absence(request, principal):
            principal.require_in_person()
    kept = Execution(store, number).begin(asked)
    served.dispose(principal.login, number, asked)
    return _disposal(store, kept)


@router.get(
    "/disposals/{disposal_id}/certificate",
    operation_id="read_certificate",
    response_class=PlainTextResponse,
)
def get_certificate(disposal_id: str, served: Archive, principal: Viewer) -> PlainTextResponse:
    """Read the signed certificate of a disposal that has ended."""
    kept = disposal_of(served.store, number_of("dsp", disposal_id))
    if kept.certificate is None:
        raise Conflict(
            "The disposal has no certificate yet.",
            next_step="It gets one when all of its items are settled.",
        )
    note(served, principal, "govern_read", {"what": "certificate"}, [("dsp", kept.id)])
    return PlainTextResponse(kept.certificate.decode())


def _asked(principal: Principal, order: StageOrder) -> Asked:
    return Asked(principal.person_id, order.note, order.is_clock_checked)


def _disposal(store: Store, one: KeptDisposal) -> DisposalShape:
    return DisposalShape(
        id=public_id("dsp", one.id),
        state=one.state,
        note=one.note,
        manifest=one.manifest_digest.hex(),
        items=one.items,
        bytes=one.size_bytes,
        counts={state: count for state, (count, _) in states_of(store, one.id).items()},
        planned_by=public_id("per", one.planned_by),
        planned_at=from_ms(one.planned_ms),
        reviewed_by=person(one.reviewed_by),
        reviewed_at=maybe_ms(one.reviewed_ms),
        approved_by=person(one.approved_by),
        approved_at=maybe_ms(one.approved_ms),
        executes_at=maybe_ms(one.executes_ms),
        executed_at=maybe_ms(one.executed_ms),
        job_id=public_id("dsp", one.id) if one.state in HAS_JOB else None,
    )


def _remains(left: Remains) -> RemainsShape:
    return RemainsShape(
        originals=left.originals,
        segments=left.segments,
        locked_segments=left.locked,
        locked_until=left.until,
        is_on_hold=left.is_on_hold,
    )


def _item(one: KeptItem) -> ItemShape:
    return ItemShape(
        ordinal=one.ordinal,
        record_id=public_id("msg", one.interaction_id),
        state=one.state,
        reason=one.reason,
        size_bytes=one.size_bytes,
        decision=one.decision,
    )
