"""Reads what an export says of records besides themselves: originals, events, holds, anchors.

It must not write.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from holdfast.core.ports import Placement
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import anchors, held, holds
from holdfast.storage.catalogue.schema import (
    audit_events,
    index_queue,
    interactions,
    originals,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row, Select

    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class SourceOriginal:
    """What is needed to read an original and to prove it."""

    id: int
    content_id: bytes
    size_bytes: int
    wrapped_key: bytes | None
    """None: disposal destroyed it."""
    key_version: int
    salt: bytes | None
    placement: Placement


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the catalogue knows of some records besides themselves, by interaction id."""

    originals: dict[int, SourceOriginal]
    """By original id."""
    holds: dict[int, list[str]]
    """Names of the holds in force."""
    events: dict[int, list[Row[Any]]]
    """Numbered events about a record and its captures: `seq`, `kind`, `leaf`, `subject_id`."""


def evidence_of(store: Store, taken: Mapping[int, Sequence[Capture]], log_size: int) -> Evidence:
    """Read what an export says of these records.

    Args:
        store: The archive.
        taken: Interaction → its captures; a few hundred at a time.
        log_size: Events beyond this number are not under the checkpoint, and left out.
    """
    with reading(store.engine) as connection:
        return Evidence(
            originals=_originals(connection, taken),
            holds=_holds(connection, list(taken), store.now_ms()),
            events=_events(connection, taken, log_size),
        )


def _originals(
    connection: Connection, taken: Mapping[int, Sequence[Capture]]
) -> dict[int, SourceOriginal]:
    ids = [one.original_id for some in taken.values() for one in some]
    return {
        row.id: SourceOriginal(
            row.id, row.content_id, row.size_bytes, row.wrapped_key, row.key_version, row.salt,
            Placement(row.segment, row.offset, row.length),
        )
        for row in by_value(connection, select(originals), originals.c.id, ids)
    }  # fmt: skip


def _holds(connection: Connection, ids: Sequence[int], now_ms: int) -> dict[int, list[str]]:
    query = (
        select(held.c.interaction_id, holds.c.name)
        .join(holds, holds.c.id == held.c.hold_id)
        .where(or_(holds.c.ends_ms.is_(None), holds.c.ends_ms > now_ms))
        .order_by(holds.c.name)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for row in by_value(connection, query, held.c.interaction_id, ids):
        found[row.interaction_id].append(row.name)
    return found


def _events(
    connection: Connection, taken: Mapping[int, Sequence[Capture]], log_size: int
) -> dict[int, list[Row[Any]]]:
    record_of = {one: one for one in taken}
    record_of |= {capture.id: one for one, some in taken.items() for capture in some}
    query = select(
        audit_events.c.seq, audit_events.c.kind, audit_events.c.leaf, audit_events.c.subject_id
    ).where(audit_events.c.seq < log_size)
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in by_value(connection, query, audit_events.c.subject_id, record_of):
        found[record_of[row.subject_id]].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row.seq)
    return found


def export_events(store: Store, export_id: int, log_size: int) -> list[Row[Any]]:
    """Return the numbered events about the export itself, with their salts, oldest first."""
    query = (
        select(audit_events.c.seq, audit_events.c.kind, audit_events.c.leaf, audit_events.c.salt)
        .where(audit_events.c.subject_id == export_id, audit_events.c.seq < log_size)
        .order_by(audit_events.c.seq)
    )
    with reading(store.engine) as connection:
        return list(connection.execute(query))


def waiting_for_index(store: Store) -> int:
    """Count the records that no search finds yet."""
    with reading(store.engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(index_queue)) or 0)


def newest_token(store: Store, log_size: int) -> Row[Any] | None:
    """Return the newest time-stamped anchor of the log, as far as the checkpoint goes."""
    query: Select[Any] = (
        select(anchors.c.size, anchors.c.note, anchors.c.token, anchors.c.stamped_ms)
        .where(anchors.c.token.is_not(None), anchors.c.size <= log_size, anchors.c.size > 0)
        .order_by(anchors.c.size.desc(), anchors.c.id.desc())
        .limit(1)
    )
    with reading(store.engine) as connection:
        return connection.execute(query).first()


def sizes_of(store: Store, ids: Sequence[int]) -> int:
    """Return how many bytes these records' messages have in sum."""
    query = select(interactions.c.id, interactions.c.size_bytes)
    with reading(store.engine) as connection:
        rows = by_value(connection, query, interactions.c.id, ids)
    return sum(row.size_bytes for row in rows)
