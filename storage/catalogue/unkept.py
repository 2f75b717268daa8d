"""Writes and removes ledger rows of items that have no original; each is committed to whole.

It must not touch rows that captures refer to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.custody import End
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import CHUNK, by_value, insert_missing
from holdfast.storage.catalogue.engine import transact
from holdfast.storage.catalogue.schema import source_items

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection, Row

    from holdfast.core.custody import Intake, Unkept
    from holdfast.storage.store import Store


RULE = "rule: "
"""Begins the reason of every item that a rule of its source left out."""


def note_unkept(items: Sequence[Unkept], intake: Intake, store: Store) -> None:
    """Write the ends of items that have no original.

    Another end than the one that is there, or one with another code before the colon of its reason,
    takes its place, and so does a later success. What comes to the same again stays as it is, and
    what has an original stays whatever becomes of a further try.
    """
    if not items:
        return
    ordered = sorted(items, key=lambda item: item.key)
    transact(store.engine, lambda connection: _write_unkept(connection, ordered, intake, store))


def _write_unkept(
    connection: Connection, items: Sequence[Unkept], intake: Intake, store: Store
) -> None:
    now_ms = store.now_ms()
    rows = [
        {
            "id": store.ids.take(),
            "source_id": intake.source_id,
            "item_key": item.key,
            "state": item.end.value,
            "reason": item.reason,
            "is_retryable": item.is_retryable,
            "batch_id": intake.batch_id,
            "original_id": None,
            "content_id": None,
            "seen_ms": now_ms,
            "ended_ms": now_ms,
            "offered": item.offered,
        }
        for item in items
    ]
    forget_unkept(connection, store, _outdated(connection, items, intake))
    insert_missing(connection, source_items, rows, "source_id", "item_key")
    written = by_value(
        connection, select(source_items), source_items.c.id, [row["id"] for row in rows]
    )
    events = [_unkept_event(store, "unkept", row.id, unkept_digest(row)) for row in written]
    record_events(connection, events, store.ids)


def _outdated(connection: Connection, items: Sequence[Unkept], intake: Intake) -> list[int]:
    """Return the rows that say something else of these items than is known now."""
    table = source_items.c
    query = select(table.id, table.item_key, table.state, table.reason, table.is_retryable).where(
        table.source_id == intake.source_id, table.original_id.is_(None)
    )
    now = {item.key: item for item in items}
    found = by_value(connection, query, table.item_key, list(now))
    return [row.id for row in found if _gist(row.state, row) != _gist_of(now[row.item_key])]


def _gist_of(item: Unkept) -> tuple[str, str, bool]:
    return _gist(item.end.value, item)


def _gist(end: str, told: Unkept | Row[Any]) -> tuple[str, str, bool]:
    """Return what makes it worth another row: a server words its trouble anew each time."""
    return end, told.reason.partition(":")[0], bool(told.is_retryable)


def forget_lifted(store: Store, source_id: int, rules: Sequence[str]) -> int:
    """Forget the items that a rule left out which holds no more: the next run takes them.

    Args:
        store: The archive.
        source_id: The source.
        rules: Reasons that still hold.
    """
    of_source = (source_items.c.source_id == source_id, source_items.c.original_id.is_(None))
    is_skipped = source_items.c.state == End.SKIPPED.value
    by_rule = (source_items.c.reason.startswith(RULE), source_items.c.reason.not_in(rules))
    query = select(source_items.c.id).where(*of_source, is_skipped, *by_rule)

    def act(connection: Connection) -> int:
        found = list(connection.scalars(query))
        forget_unkept(connection, store, found)
        return len(found)

    return transact(store.engine, act)


UNKEPT_DIGESTED = (
    "source_id",
    "item_key",
    "state",
    "reason",
    "batch_id",
    "seen_ms",
    "ended_ms",
    "offered",
)


def unkept_digest(item: Row[Any]) -> bytes:
    """Digest what the audit log commits to for an item without an original: its whole row."""
    values = [getattr(item, name) for name in UNKEPT_DIGESTED]
    return canonical_digest([*values, bool(item.is_retryable)])


def forget_unkept(connection: Connection, store: Store, rows: Sequence[int]) -> None:
    """Remove ledger rows of items without an original: they have one now, or are offered again."""
    for start in range(0, len(rows), CHUNK):
        some = source_items.c.id.in_(rows[start : start + CHUNK])
        connection.execute(source_items.delete().where(some))
    events = [_unkept_event(store, "forget", row_id, canonical_digest(row_id)) for row_id in rows]
    record_events(connection, events, store.ids)


def _unkept_event(store: Store, kind: str, row_id: int, context: bytes) -> Event:
    subject = public_id("itm", row_id)
    return Event(kind, subject, row_id, store.now_ms(), store.actor, context)
