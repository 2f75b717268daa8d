"""`/ledger`: what each source offered, and how each item ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from holdfast.api.door import Archive, allowed
from holdfast.api.shapes.common import Shape
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.ledger import sums

router = APIRouter(tags=["ledger"])
Auditor = Annotated[Principal, Depends(allowed(Action.VERIFY))]


class LedgerShape(Shape):
    """The sums of one source: what it offered equals the sum of the ends."""

    source: str
    offered: int
    ends: dict[str, int]


@router.get("/ledger", operation_id="read_ledger")
def read_ledger(served: Archive, principal: Auditor) -> list[LedgerShape]:
    """Read the sums of all sources."""
    return [
        LedgerShape(source=source, offered=sum(ends.values()), ends=dict(ends))
        for source, ends in sums(served.store).items()
    ]
