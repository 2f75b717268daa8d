"""`/audit`: the log of what happened; reading it is itself an entry."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse
from pydantic import Field

from holdfast.api.door import Archive, allowed
from holdfast.api.shapes.common import Instant, Shape, from_ms
from holdfast.api.trail import note
from holdfast.core.rights import Action, Principal
from holdfast.storage.audit_reading import Asked, AuditEntry, audit_entries

router = APIRouter(tags=["audit"])
Auditor = Annotated[Principal, Depends(allowed(Action.AUDIT))]


class EntriesOrder(Shape):
    """Which entries are wanted; empty means any."""

    kind: str = Field("", max_length=50, examples=["search"])
    actor: str = Field("", max_length=300)
    subject: str = Field("", max_length=60)
    cursor: str = Field("", pattern="^([0-9]{1,18})?$")
    limit: int = Field(100, ge=1, le=1000)


class EntryShape(Shape):
    """One entry of the log."""

    id: str
    seq: int | None
    """Its number in the signed log; null for a moment, until it has one."""
    at: Instant
    kind: str
    actor: str
    actor_id: str
    subject: str
    detail: Any
    """What it was about, in words; null where nothing is kept beside the log."""
    leaf: str
    """The very bytes that the log commits to, as text."""


class AuditAnswer(Shape):
    """One page of the log, newest first."""

    entries: list[EntryShape]
    next: str | None


@router.get("/audit/entries", operation_id="list_audit_entries")
def list_entries(
    served: Archive, principal: Auditor, wanted: Annotated[EntriesOrder, Query()]
) -> AuditAnswer:
    """List entries of the audit log, newest first: who did what, when, about which record."""
    note(served, principal, "audit_read", wanted.model_dump(exclude_defaults=True))
    before = int(wanted.cursor or 0)
    asked = Asked(wanted.kind, wanted.actor, wanted.subject, before, wanted.limit)
    entries, following = audit_entries(served.store, asked)
    return AuditAnswer(
        entries=[_entry(one) for one in entries], next=str(following) if following else None
    )


@router.get("/audit/checkpoint", operation_id="read_checkpoint", response_class=PlainTextResponse)
def read_checkpoint(served: Archive, principal: Auditor) -> PlainTextResponse:
    """Read the newest signed checkpoint (C2SP note), which an outsider can keep and compare."""
    served.sequencer.run()
    served.log.refresh()
    return PlainTextResponse(served.log.note.decode())


def _entry(one: AuditEntry) -> EntryShape:
    return EntryShape(
        id=one.id,
        seq=one.seq,
        at=from_ms(one.at_ms),
        kind=one.kind,
        actor=one.actor,
        actor_id=one.actor_pid,
        subject=one.subject,
        detail=one.detail,
        leaf=one.leaf,
    )
