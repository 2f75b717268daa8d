"""`/threads`: a conversation in order, as far as the scope goes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from holdfast.api.asking import visible
from holdfast.api.door import Archive, allowed
from holdfast.api.masks import mask_for
from holdfast.api.shapes.common import Shape
from holdfast.api.shapes.records import RecordShape, record_shape
from holdfast.api.trail import note
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.identity import row_id
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.reading import records, thread_members

router = APIRouter(tags=["threads"])
Reader = Annotated[Principal, Depends(allowed(Action.READ))]
MOST = 1000


class ThreadShape(Shape):
    """A conversation, oldest first."""

    id: str
    total: int
    """Messages of it in the scope, of which at most 1,000 are shown."""
    records: list[RecordShape]


@router.get("/threads/{thread_id}", operation_id="read_thread")
def read_thread(thread_id: str, served: Archive, principal: Reader) -> ThreadShape:
    """Read a conversation: its messages in order, those in the scope alone."""
    absent = NotFound(f"There is no thread {thread_id[:40]!r}.")
    try:
        number = row_id("thr", thread_id)
    except HoldfastError as error:
        raise absent from error
    members = visible(principal, records(served.store, thread_members(served.store, number)))
    if not members:
        raise absent
    note(served, principal, "read", {"how": "thread"}, [("thr", number)])
    mask = mask_for(principal)
    shown = [record_shape(mask.record(one)) for one in members[:MOST]]
    return ThreadShape(id=thread_id, total=len(members), records=shown)
