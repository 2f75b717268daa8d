"""Rows that are few and committed to whole: sources, custodians, imports, merges, own domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from holdfast.core.identity import public_id
from holdfast.storage.audit import actor_event, canonical_digest
from holdfast.storage.catalogue.batches import BATCH, CUSTODIAN, SOURCE, Noted
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.merging import merge_digest
from holdfast.storage.catalogue.schema import audit_actors, batches, internal_domains, merges
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Events,
    Finding,
    Scope,
    Told,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_ADDED, _REMOVED = "internal_domain_added", "internal_domain_removed"


def check_records(scope: Scope) -> Iterator[Finding]:
    """Compare each row with the event that was written when it was made or changed."""
    kinds = (*(one.kind for one in (SOURCE, CUSTODIAN, BATCH)), "close", "undo")
    kinds += ("merge", "unmerge", "actor", _ADDED, _REMOVED)
    with reading(scope.store.engine) as connection:
        events = events_of(connection, kinds)
        for noted in (SOURCE, CUSTODIAN, BATCH):
            yield from _noted(connection, noted, events[noted.kind])
        yield from _ends(connection, events)
        yield from _merges(connection, events)
        yield from _actors(connection, events["actor"].get(_NONE, ()))
        yield from _own_domains(connection, events)


_NONE: Any = None
"""Row id of events that are about no row."""


def _noted(
    connection: Connection, noted: Noted, events: dict[int, list[Told]]
) -> Iterator[Finding]:
    rows = {row.id: row for row in connection.execute(select(noted.table))}
    for row_id in sorted(rows.keys() | events.keys()):
        told = events.get(row_id, ())
        if row_id not in rows:
            cause = GONE
        elif not told:
            cause = UNKNOWN
        else:
            cause = "" if told[0].commits_to(noted.digest(rows[row_id])) else DIFFERENT
        if cause:
            yield Finding(noted.kind, public_id(noted.prefix, row_id), cause)


def _ends(connection: Connection, events: Events) -> Iterator[Finding]:
    """Compare when imports ended and were taken back."""
    for row in connection.execute(select(batches)):
        closed = events["close"].get(row.id, ())
        undone = events["undo"].get(row.id, ())
        undone_ms = undone[0].leaf.t if undone else None
        is_closed = any(one.commits_to(canonical_digest([row.ended_ms])) for one in closed)
        if not closed:
            is_closed = row.ended_ms == undone_ms
        if not is_closed or row.undone_ms != undone_ms:
            cause = "Its end is not the one that the audit log knows."
            yield Finding("batch", public_id("bat", row.id), cause)


def _merges(connection: Connection, events: Events) -> Iterator[Finding]:
    rows = {row.id: row for row in connection.execute(select(merges))}
    for row_id in sorted(rows.keys() | events["merge"].keys()):
        row = rows.get(row_id)
        told = (events["merge"] if row is None or row.undone_ms is None else events["unmerge"]).get(
            row_id, ()
        )
        if row is None:
            cause = GONE
        elif not told or row_id not in events["merge"]:
            cause = UNKNOWN
        elif row.undone_ms is None and row_id in events["unmerge"]:
            cause = "It was undone."
        else:
            cause = "" if told[0].commits_to(merge_digest(row)) else DIFFERENT
        if cause:
            yield Finding("merge", public_id("mrg", row_id), cause)


def _actors(connection: Connection, events: Sequence[Told]) -> Iterator[Finding]:
    """Compare the names of those who acted; a name that was erased is no finding."""
    told = {one.leaf.actor: one for one in events}
    for row in connection.execute(select(audit_actors)):
        event = told.get(row.pid)
        if event is None:
            yield Finding("actor", row.pid, UNKNOWN)
        elif not event.commits_to(actor_event(row.pid, row.name, 0).context):
            yield Finding("actor", row.pid, DIFFERENT)


def _own_domains(connection: Connection, events: Events) -> Iterator[Finding]:
    added = events[_ADDED].get(_NONE, [])
    removed = events[_REMOVED].get(_NONE, [])
    rows = connection.execute(select(internal_domains)).all()
    for row in rows:
        digest = canonical_digest(row.domain)
        times = [one.leaf.t for one in added if one.commits_to(digest)]
        if row.added_ms not in times[-1:]:
            yield Finding("internal_domain", row.domain, UNKNOWN)
    if len(rows) != len(added) - len(removed):
        cause = f"{len(rows)} are declared, and {len(added) - len(removed)} by the audit log."
        yield Finding("internal_domain", "all", cause)
