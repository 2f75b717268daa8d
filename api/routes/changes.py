"""`/changes`: what changed since a cursor, in order, for programs that keep a copy of their own."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from holdfast.api.asking import visible
from holdfast.api.door import Archive, allowed
from holdfast.api.people import contacts_in_scope
from holdfast.api.problems import Unprocessable
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Shape, from_ms
from holdfast.api.trail import note
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.changed import Changed, changed_since, newest_change
from holdfast.storage.catalogue.reading import records

router = APIRouter(tags=["changes"])
Reader = Annotated[Principal, Depends(allowed(Action.CONTACTS))]
NOW = "now"
_MARK = b"holdfast changes 1 "


class ChangesQuery(Shape):
    """From where on changes are wanted."""

    since: str = Field("", max_length=100, examples=[NOW])
    """A cursor; empty: from the beginning; `now`: only a cursor for what comes."""
    limit: int = Field(200, ge=1, le=1000)


class ChangeShape(Shape):
    """One change."""

    type: str = Field(examples=["record", "contact"])
    what: str = Field(examples=["created", "changed", "removed"])
    reason: str = Field(examples=["file", "merge", "annotate"])
    id: str
    at: Instant


class ChangesAnswer(Shape):
    """Changes in the order of the audit log; ids come again when they change again."""

    changes: list[ChangeShape]
    next: str
    """Cursor for what comes after; there may be more at once where `has_more`."""
    has_more: bool


@router.get("/changes", operation_id="list_changes")
def list_changes(
    served: Archive, principal: Reader, asked: Annotated[ChangesQuery, Query()]
) -> ChangesAnswer:
    """List what changed since a cursor: records and contacts in the scope, in order."""
    note(served, principal, "read", {"how": "changes", "since": asked.since})
    end = newest_change(served.store)
    if asked.since == NOW:
        return ChangesAnswer(changes=[], next=_cursor(end), has_more=False)
    found, place = changed_since(served.store, _place(asked.since), asked.limit)
    shown = [_shape(one) for one in _in_scope(served, principal, found)]
    return ChangesAnswer(changes=shown, next=_cursor(place), has_more=place < end)


def _in_scope(served: Served, principal: Principal, found: list[Changed]) -> list[Changed]:
    if principal.scope.is_whole:
        return found
    ids = sorted({one.row_id for one in found if one.prefix == "msg"})
    seen = {r.id for r in visible(principal, records(served.store, ids, with_text=True))}
    people = {one.row_id for one in found if one.prefix == "con"}
    known = contacts_in_scope(served, principal, people)
    return [one for one in found if one.row_id in (seen if one.prefix == "msg" else known)]


def _shape(one: Changed) -> ChangeShape:
    return ChangeShape(
        type="record" if one.prefix == "msg" else "contact",
        what=one.what,
        reason=one.kind,
        id=public_id(one.prefix, one.row_id),
        at=from_ms(one.at_ms),
    )


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(_MARK + str(place).encode()).decode().rstrip("=")


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    digits = raw.removeprefix(_MARK)
    if not raw.startswith(_MARK) or not digits.isdigit() or len(digits) > 18:
        raise Unprocessable("The cursor is not one.", pointer="/query/since")
    return int(digits)
