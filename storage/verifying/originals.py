"""Originals against their names, and the vault's segments against the originals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.errors import HoldfastError
from holdfast.core.identity import public_id
from holdfast.core.ports import Placement
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures, originals
from holdfast.storage.verifying.report import Finding, Scope, Told, events_about

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Row

    from holdfast.core.ports import ReadOriginal
    from holdfast.storage.store import Store


def check_originals(scope: Scope) -> Iterator[Finding]:
    """Read, decrypt and hash every original; what was destroyed must be destroyed on record."""
    for connection, rows in scope.pages(select(originals), originals.c.id, originals.c.sealed_ms):
        ids = [row.id for row in rows]
        query = select(captures.c.original_id, captures.c.captured_ms)
        taken = by_value(connection, query, captures.c.original_id, ids)
        moments = {(row.original_id, row.captured_ms) for row in taken}
        shredded = [row.id for row in rows if row.shredded_ms is not None]
        events = events_about(connection, ["shred"], shredded)["shred"]
        with scope.store.vault.reader() as read:
            for row in rows:
                if row.shredded_ms is not None:
                    cause = _shredded(row, events.get(row.id, ()))
                else:
                    scope.tally.originals += 1
                    scope.tally.bytes += row.size_bytes
                    cause = _unreadable(row, scope.store, read)
                if not cause and (row.id, row.sealed_ms) not in moments:
                    cause = "No capture brought it at the time that its row says."
                if cause:
                    name = f"{public_id('org', row.id)} sha256:{row.content_id.hex()}"
                    yield Finding("original", name, cause)


def _shredded(row: Row[Any], events: Sequence[Told]) -> str:
    if any(one.commits_to(canonical_digest(["shred", row.shredded_ms])) for one in events):
        return ""
    return "Its key is gone, and the audit log does not know of that."


def _unreadable(row: Row[Any], store: Store, read: ReadOriginal) -> str:
    try:
        key = store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)
        place = Placement(row.segment, row.offset, row.length)
        size = sum(map(len, read(place, row.content_id, key)))
    except HoldfastError as error:
        return f"{error.cause} (segment {row.segment}, offset {row.offset})"
    return "" if size == row.size_bytes else f"The catalogue says {row.size_bytes} bytes."


def check_segments(scope: Scope) -> Iterator[Finding]:
    """Walk what the vault holds beside the originals: damage, and records without a row."""
    with reading(scope.store.engine) as connection:
        query = select(originals.c.segment, originals.c.offset)
        known = {tuple(row) for row in connection.execute(query)}
    for name in scope.store.vault.segment_names():
        try:
            for _, place in scope.store.vault.scan_segment(name):
                scope.tally.orphans += (place.segment, place.offset) not in known
        except HoldfastError as error:
            yield Finding("segment", name, error.cause)
