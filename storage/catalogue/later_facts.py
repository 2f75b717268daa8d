"""Keeps what changed at a source after a message was captured; the capture stays as it was.

Rows are written once. Those of one note are committed to together, by one event of the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select

from holdfast.core.identity import public_id
from holdfast.core.records import CaptureFacts
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value, insert_rows
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.schema import captures, later_facts, source_items

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

NOTE_ROWS = 500
"""At most so many in one note."""
KIND, PREFIX = "later", "not"
_read_facts = msgspec.json.Decoder(CaptureFacts).decode
_read = msgspec.json.Decoder(tuple[str, ...]).decode
DIGESTED = ("id", "capture_id", "noted_ms", "flags")


@dataclass(frozen=True, slots=True)
class Known:
    """How a captured message stood when the source was last looked at."""

    capture_id: int
    flags: tuple[str, ...]
    """And labels, which may hold spaces."""
    is_deleted: bool = False


def known_now(store: Store, source_id: int, keys: Sequence[str]) -> dict[str, Known]:
    """Return how these items stand; those that were not captured are left out.

    So are those that were disposed of.
    """
    newest = (
        select(func.max(later_facts.c.id))
        .where(later_facts.c.capture_id == captures.c.id)
        .correlate(captures)
        .scalar_subquery()
    )
    query = (
        select(
            source_items.c.item_key,
            captures.c.id,
            captures.c.facts,
            later_facts.c.flags.label("later"),
            later_facts.c.is_deleted,
        )
        .join(captures, captures.c.item_id == source_items.c.id)
        .outerjoin(later_facts, later_facts.c.id == newest)
        .where(
            source_items.c.source_id == source_id,
            captures.c.undone_ms.is_(None),
            captures.c.facts != "",  # of what was disposed of nothing more is noted
        )
    )
    with reading(store.engine) as connection:
        rows = by_value(connection, query, source_items.c.item_key, keys)
    return {row.item_key: Known(row.id, _flags(row), bool(row.is_deleted)) for row in rows}


def _flags(row: Row[Any]) -> tuple[str, ...]:
    return _read_facts(row.facts).flags if row.later is None else _read(row.later)


def note_later(store: Store, source_id: int, changed: Sequence[Known]) -> None:
    """Keep what these captures' messages are like now."""
    for start in range(0, len(changed), NOTE_ROWS):
        _note(store, source_id, changed[start : start + NOTE_ROWS])


def _note(store: Store, source_id: int, changed: Sequence[Known]) -> None:
    now_ms, note_id = store.now_ms(), store.ids.take()
    rows: list[dict[str, Any]] = [
        {
            "id": store.ids.take(),
            "note_id": note_id,
            "capture_id": one.capture_id,
            "noted_ms": now_ms,
            "flags": msgspec.json.encode(one.flags).decode(),
            "is_deleted": one.is_deleted,
        }
        for one in changed
    ]

    def act(connection: Connection) -> None:
        kept = select(later_facts).where(later_facts.c.note_id == note_id)
        if connection.execute(kept.limit(1)).first() is not None:
            return  # the try before was kept, and we were not told
        insert_rows(connection, later_facts, rows)
        written = connection.execute(kept.order_by(later_facts.c.id)).all()
        name = public_id(PREFIX, note_id)
        event = Event(KIND, name, note_id, now_ms, store.actor, note_digest(written))
        record_events(connection, [event], store.ids)

    transact(store.engine, act)


def note_digest(rows: Sequence[Row[Any]]) -> bytes:
    """Digest what the audit log commits to for one note: its rows, in order of their ids."""
    return canonical_digest(
        [[*(getattr(row, name) for name in DIGESTED), bool(row.is_deleted)] for row in rows]
    )


@dataclass(frozen=True, slots=True)
class LaterFact:
    """One change, as it was noted."""

    noted_ms: int
    flags: tuple[str, ...]
    is_deleted: bool


def later_facts_of(store: Store, capture_ids: Sequence[int]) -> dict[int, list[LaterFact]]:
    """Return what changed since the captures, oldest first; those without changes are left out."""
    query = select(later_facts).order_by(later_facts.c.id)
    found: dict[int, list[LaterFact]] = {}
    with reading(store.engine) as connection:
        for row in by_value(connection, query, later_facts.c.capture_id, capture_ids):
            fact = LaterFact(row.noted_ms, _read(row.flags), bool(row.is_deleted))
            found.setdefault(row.capture_id, []).append(fact)
    return found
