"""Files what was sealed and not filed: after a crash, or where two writers met."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, literal_column, select

from holdfast.core.custody import End
from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.ports import Placement
from holdfast.core.records import NO_FACTS, CaptureFacts, Sealed
from holdfast.ingest.drafting import Care
from holdfast.ingest.forwarding import Forward, is_drop, keep_carried
from holdfast.ingest.jail import Failed, Killed, read_result
from holdfast.ingest.orders import Made, Order, encode, reports_decoder
from holdfast.ingest.pipeline import process
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import captures, originals, source_items, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Row

    from holdfast.ingest.jail import Pool, TaskResult
    from holdfast.ingest.pipeline import Desk
    from holdfast.storage.catalogue.filing import FiledDraft
    from holdfast.storage.store import Store

BATCH_ITEMS = 128


_facts = msgspec.json.Decoder(CaptureFacts).decode


@dataclass(frozen=True, slots=True)
class SealedRange:
    """Which sealed items to file; all of them by default."""

    first: int | None = None
    """Row id of the first ledger item."""
    last: int | None = None
    """Row id of the last one."""
    batch: int | None = None
    before_ms: int | None = None
    """Only what was seen before, in Unix milliseconds."""
    sources: tuple[int, ...] = ()
    """Only what these brought; empty: whoever did."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row must be."""
        found: list[ColumnElement[bool]] = []
        if self.first is not None:
            found.append(source_items.c.id >= self.first)
        if self.last is not None:
            found.append(source_items.c.id <= self.last)
        if self.batch is not None:
            found.append(source_items.c.batch_id == self.batch)
        if self.before_ms is not None:
            found.append(source_items.c.seen_ms < self.before_ms)
        if self.sources:
            found.append(source_items.c.source_id.in_(self.sources))
        return found


EVERYTHING = SealedRange()
# Written out, so that the database can use the index of sealed items alone.
_IS_SEALED = source_items.c.state == literal_column(f"'{End.SEALED.value}'")


def file_sealed(
    desk: Desk,
    pool: Pool,
    within: SealedRange = EVERYTHING,
    on_batch: Callable[[int], None] | None = None,
    on_filed: Callable[[FiledDraft], None] | None = None,
) -> int:
    """File every sealed item of the archive, or of a part; return how many were filed.

    Args:
        desk: Of the archive.
        pool: Jailed parsers.
        within: Which items.
        on_batch: Is told how many of each batch were filed; may end it by raising.
        on_filed: Is told what became of each.

    Raises:
        Corrupt: An original does not match its hash.
    """
    filed = 0
    while rows := _sealed_rows(desk, within):
        items = _drafted(rows, desk, pool)
        _keep_carried(rows, items, desk)
        done = process(items, desk)
        filed += len(done)
        if on_filed is not None:
            for one in done:
                on_filed(one)
        if on_batch is not None:
            on_batch(len(items))
    return filed


def oldest_sealed_ms(store: Store) -> int | None:
    """Return when the oldest item was seen that is sealed and not filed; None without any."""
    oldest = select(source_items.c.seen_ms).where(_IS_SEALED).order_by(source_items.c.id).limit(1)
    with reading(store.engine) as connection:
        found: int | None = connection.scalar(oldest)
    return found


def sealed_sources(store: Store, kind: str) -> list[int]:
    """Return the sources of a kind that have items which are sealed and not filed."""
    query = (
        select(source_items.c.source_id)
        .join(sources, sources.c.id == source_items.c.source_id)
        .where(_IS_SEALED, sources.c.kind == kind)
        .distinct()
    )
    with reading(store.engine) as connection:
        return list(connection.scalars(query))


def count_sealed(store: Store) -> int:
    """Count the items that are sealed and not filed."""
    with reading(store.engine) as connection:
        return connection.scalar(select(func.count()).where(_IS_SEALED)) or 0


def _sealed_rows(desk: Desk, within: SealedRange) -> Any:
    query = (
        select(
            source_items.c.id.label("item_id"),
            captures.c.id.label("capture_id"),
            originals.c.id.label("original_id"),
            captures.c.facts,
            source_items.c.item_key,
            source_items.c.source_id,
            source_items.c.batch_id,
            originals.c.content_id,
            originals.c.wrapped_key,
            originals.c.key_version,
            originals.c.segment,
            originals.c.offset,
            originals.c.length,
        )
        .join(captures, captures.c.item_id == source_items.c.id)
        .join(originals, originals.c.id == source_items.c.original_id)
        .where(_IS_SEALED, originals.c.wrapped_key.is_not(None), *within.conditions())
        .order_by(source_items.c.id)
        .limit(BATCH_ITEMS)
    )
    with reading(desk.store.engine) as connection:
        return connection.execute(query).all()


def _drafted(rows: Sequence[Row[Any]], desk: Desk, pool: Pool) -> list[tuple[Sealed, Made]]:
    """Draft originals side by side; they are read only as the parsers take them."""
    results = pool.run(encode([_order(row, desk)]) for row in rows)
    in_order = sorted(results, key=lambda result: result.task_id)
    return [
        (
            Sealed(row.item_id, row.capture_id, row.original_id, row.content_id, True),
            _draft_of(row, result, desk, pool),
        )
        for row, result in zip(rows, in_order, strict=True)
    ]


def _order(row: Row[Any], desk: Desk) -> Order:
    key = desk.store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)
    raw = _raw(row, key, desk.store)
    facts = _facts(row.facts) if row.facts else NO_FACTS
    return Order(None, key=key, raw=raw, trust=facts.trust, opens=is_drop(facts), facts=facts)


def _raw(row: Row[Any], key: bytes, store: Store) -> bytes:
    """Return the original from where it was when the batch was read, or where it is by now."""
    place = Placement(row.segment, row.offset, row.length)
    try:
        return b"".join(store.vault.read(place, row.content_id, key))
    except (Corrupt, NotFound):
        return b"".join(original_bytes(store, row.original_id))


def _keep_carried(
    rows: Sequence[Row[Any]], items: Sequence[tuple[Sealed, Made]], desk: Desk
) -> None:
    """Keep attached messages before what carries them is filed: a crash between repeats it."""
    for row, (_, drafted) in zip(rows, items, strict=True):
        if drafted.carried:
            facts = _facts(row.facts)
            carrier = Forward(
                row.item_key, row.source_id, row.batch_id, row.original_id, row.content_id, facts
            )
            keep_carried(drafted.carried, carrier, desk)


def _draft_of(row: Row[Any], result: TaskResult, desk: Desk, pool: Pool) -> Made:
    """Return the draft; with as little care as it survives, and the last degree parses nothing."""
    for care in (Care.ENVELOPE, Care.BYTES, None):
        reports = read_result(result.outcome, reports_decoder)
        why = ""
        if isinstance(reports, Failed | Killed):
            why = str(reports)[:200]
        elif reports[0].draft is not None:
            return Made(reports[0].draft, reports[0].cut, reports[0].carried)
        if care is not None:
            order = replace(_order(row, desk), care=care, why=why)
            (result,) = pool.run([encode([order])])
    raise AssertionError("a draft of nothing but the size cannot fail")
