"""Reads the audit log back for people: entries with names and details; it proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select

from holdfast.core.identity import public_id, row_id
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import audit_details
from holdfast.storage.catalogue.schema import audit_actors, audit_events

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries are wanted; empty means any."""

    kind: str = ""
    actor: str = ""
    """Name, as it acted; finds entries that have a detail."""
    subject: str = ""
    """Public id."""
    before: int = 0
    """Row id of the last entry of the page before; 0: from the newest."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry."""

    id: str
    seq: int | None
    at_ms: int
    kind: str
    actor: str
    """Name; the opaque id where the name was erased."""
    actor_pid: str
    subject: str
    detail: Any
    leaf: str


def audit_entries(store: Store, asked: Asked) -> tuple[list[AuditEntry], int]:
    """Return entries, newest first, and the `before` of the next page; 0 after the last.

    Raises:
        Refused: The subject is not an id.
    """
    with reading(store.engine) as connection:
        names = {
            row.pid: row.name
            for row in connection.execute(select(audit_actors.c.pid, audit_actors.c.name))
        }
        pids = [pid for pid, name in names.items() if name == asked.actor]
        rows = connection.execute(_query(asked, pids)).all()
    entries = [_entry(row, names) for row in rows[: asked.limit]]
    return entries, rows[asked.limit - 1].id if len(rows) > asked.limit else 0


def _query(asked: Asked, pids: list[str]) -> Select[Any]:
    columns = (audit_events.c.id, audit_events.c.seq, audit_events.c.kind, audit_events.c.leaf)
    query = select(*columns, audit_details.c.detail).outerjoin(
        audit_details, audit_details.c.event_id == audit_events.c.id
    )
    if asked.kind:
        query = query.where(audit_events.c.kind == asked.kind)
    if asked.subject:
        prefix = asked.subject.strip().lower().partition("_")[0]
        query = query.where(audit_events.c.subject_id == row_id(prefix, asked.subject))
    if asked.actor:
        query = query.where(audit_details.c.actor.in_(pids))
    if asked.before:
        query = query.where(audit_events.c.id < asked.before)
    return query.order_by(audit_events.c.id.desc()).limit(asked.limit + 1)


def _entry(row: Row[Any], names: dict[str, str]) -> AuditEntry:
    leaf = msgspec.json.decode(row.leaf)
    return AuditEntry(
        id=public_id("evt", row.id),
        seq=row.seq,
        at_ms=leaf["t"],
        kind=row.kind,
        actor=names.get(leaf["actor"], leaf["actor"]),
        actor_pid=leaf["actor"],
        subject=leaf["id"],
        detail=msgspec.json.decode(row.detail) if row.detail else None,
        leaf=row.leaf.decode(),
    )
