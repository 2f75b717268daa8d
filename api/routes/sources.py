"""`/sources`: how what is pulled fares; secrets are never among the answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from holdfast.api.door import Archive, allowed
from holdfast.api.shapes.common import Instant, Shape, maybe_ms
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Principal
from holdfast.ingest.sources.health import Health, health

router = APIRouter(tags=["sources"])
Operator = Annotated[Principal, Depends(allowed(Action.SOURCES))]


class SourceShape(Shape):
    """A source and its state."""

    id: str
    name: str
    kind: str
    state: str
    custodian: str
    lag_s: float
    is_late: bool
    is_watched: bool
    succeeded_at: Instant | None
    next_at: Instant | None
    trouble: str
    next_step: str


@router.get("/sources", operation_id="list_sources")
def list_sources(served: Archive, principal: Operator) -> list[SourceShape]:
    """List the sources that are pulled or watched, with what is wrong with them."""
    return [_source(one) for one in health(served.store)]


def _source(one: Health) -> SourceShape:
    kept = one.kept
    return SourceShape(
        id=public_id("src", kept.source_id),
        name=kept.name,
        kind=kept.kind,
        state=one.state,
        custodian=kept.custodian,
        lag_s=one.lag_s,
        is_late=one.is_late,
        is_watched=one.is_watched,
        succeeded_at=maybe_ms(kept.succeeded_ms),
        next_at=maybe_ms(kept.next_ms),
        trouble=kept.last_error,
        next_step=kept.next_step,
    )
