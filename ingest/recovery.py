"""Files what was sealed and not filed: behind whoever receives, after a crash, where writers met.

The next batch is drafted while the one before it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, literal_column, select

from holdfast.core.custody import End
from holdfast.core.errors import Corrupt, HoldfastError, NotFound
from holdfast.core.ports import Placement
from holdfast.core.records import NO_FACTS, CaptureFacts, Sealed
from holdfast.ingest.batch_writer import BatchWriter
from holdfast.ingest.drafting import Care
from holdfast.ingest.forwarding import Forward, is_drop, keep_carried
from holdfast.ingest.jail import Failed, Killed, read_result
from holdfast.ingest.orders import Made, Order, encode, reports_decoder
from holdfast.ingest.pipeline import process
from holdfast.ingest.readers.offers import Offered, portable
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import captures, originals, source_items, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Row

    from holdfast.ingest.jail import Pool, TaskResult
    from holdfast.ingest.pipeline import Desk
    from holdfast.ingest.readers.sealed_files import SealedFile
    from holdfast.storage.catalogue.filing import FiledDraft
    from holdfast.storage.store import Store

    _Batch = Sequence[tuple[Row[Any], Made]]

BATCH_ITEMS = 256
PAGE_BYTES = 32 * 1024 * 1024
"""Sealed items that are filed in one transaction: whichever is reached first."""
TASK_ITEMS = 16
TASK_BYTES = 4 * 1024 * 1024
"""A task for one child ends at whichever comes first; what fails together is tried one by one."""


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


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who is told, in the thread that writes, and what is at hand."""

    on_batch: Callable[[int], None] = lambda filed: None
    """Is told how many of each batch were filed; may end it by raising."""
    on_filed: Callable[[FiledDraft], None] = lambda filed: None
    """Is told what became of each."""
    files: dict[bytes, SealedFile] = field(default_factory=dict)
    """Large originals, by content id, that still lie in a file which a child can read; the file
    is removed when its item is filed."""
    damaged: dict[int, HoldfastError] = field(default_factory=dict)
    """Is filled with why an original cannot be read, by ledger item: it stays sealed, and holds up
    no other."""


def file_sealed(
    desk: Desk,
    pool: Pool,
    within: SealedRange = EVERYTHING,
    attendance: Attendance | None = None,
) -> int:
    """File every sealed item of the archive, or of a part; return how many were filed.

    Args:
        desk: Of the archive.
        pool: Jailed parsers.
        within: Which items.
        attendance: Who is told meanwhile.

    Raises:
        Unavailable: The archive cannot be written; what was not filed stays sealed.
    """
    run = _Run(desk, pool, within, attendance or Attendance())
    filed = 0
    while done := run.once():  # others may have sealed what sorts before what was filed just now
        filed += done
    return filed


@dataclass(frozen=True, slots=True)
class _Run:
    desk: Desk
    pool: Pool
    within: SealedRange
    attendance: Attendance

    def once(self) -> int:
        """File what is sealed, page after page; return how many were filed."""
        filed = 0
        with BatchWriter(self._write) as writer:
            for rows in self._pages():
                filed += writer.take_over(self._drafted(rows)) or 0
            filed += writer.finish() or 0
        return filed

    def _write(self, batch: _Batch) -> int:
        _keep_carried(batch, self.desk)
        items = [(_sealed(row), made) for row, made in batch]
        done = process(items, self.desk)
        for one in done:
            self.attendance.on_filed(one)
        for row, _ in batch:
            file = self.attendance.files.pop(row.content_id, None)
            if file is not None:
                file.path.unlink(missing_ok=True)
        self.attendance.on_batch(len(items))
        return len(done)

    def _pages(self) -> Iterator[Sequence[Row[Any]]]:
        last = -1
        while rows := _sealed_rows(self.desk, self.within, last):
            sizes = accumulate(row.size_bytes for row in rows)
            page = rows[: max(sum(size <= PAGE_BYTES for size in sizes), 1)]
            yield page
            last = page[-1].item_id

    def _drafted(self, rows: Sequence[Row[Any]]) -> list[tuple[Row[Any], Made]]:
        """Draft originals side by side; they are read only as the parsers take them."""
        tasks: list[list[Row[Any]]] = []
        results = self.pool.run(map(encode, self._orders(rows, tasks)))
        in_order = sorted(results, key=lambda result: result.task_id)
        drafted = [
            (row, made or self._alone(row))
            for task, result in zip(tasks, in_order, strict=True)
            for row, made in zip(task, _made(result, len(task)), strict=True)
        ]
        return [(row, made) for row, made in drafted if made is not None]

    def _orders(
        self, rows: Sequence[Row[Any]], tasks: list[list[Row[Any]]]
    ) -> Iterator[list[Order]]:
        """Yield the orders of each task; note in `tasks` whose they are."""
        for some in _tasks(rows):
            task, orders = [], []
            for row in some:
                try:
                    orders.append(self._order(row))
                    task.append(row)
                except (Corrupt, NotFound) as error:
                    self.attendance.damaged[row.item_id] = error
            if task:
                tasks.append(task)
                yield orders

    def _alone(self, row: Row[Any]) -> Made | None:
        """Draft one by itself, with as little care as it survives; the last parses nothing."""
        why = ""
        for care in Care:
            try:
                order = replace(self._order(row), care=care, why=why)
            except (Corrupt, NotFound) as error:
                self.attendance.damaged[row.item_id] = error
                return None
            (result,) = self.pool.run([encode([order])])
            (made,) = _made(result, 1)
            if made is not None:
                return made
            why = _why(result)
        raise AssertionError("a draft of nothing but the size cannot fail")

    def _order(self, row: Row[Any]) -> Order:
        facts = _facts(row.facts) if row.facts else NO_FACTS
        key = self.desk.store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)
        order = Order(None, key=key, trust=facts.trust, opens=is_drop(facts), facts=facts)
        file = self.attendance.files.get(row.content_id)
        if file is None or not file.path.exists():
            return replace(order, raw=_raw(row, key, self.desk.store))
        where = Offered(row.item_key, portable(str(file.path)), "", 0, file.size_bytes, facts)
        return replace(order, offered=where, file_key=file.key, file_id=file.content_id)


def raise_damage(damaged: Mapping[int, HoldfastError]) -> None:
    """Raise why the first of these originals cannot be read; nothing where all can."""
    for error in damaged.values():
        raise error


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


def sealed_size(store: Store, within: SealedRange, besides: Collection[int]) -> tuple[int, int]:
    """Return how many items are sealed and not filed, and the bytes of their originals.

    Args:
        store: Of the archive.
        within: Which items.
        besides: Row ids of ledger items that do not count.
    """
    size_bytes = func.coalesce(func.sum(originals.c.size_bytes), 0)
    query = (
        select(func.count(), size_bytes)
        .join(originals, originals.c.id == source_items.c.original_id)
        .where(_IS_SEALED, *within.conditions(), source_items.c.id.not_in(list(besides)))
    )
    with reading(store.engine) as connection:
        count, size = connection.execute(query).one()
    return count, int(size)


def _sealed_rows(desk: Desk, within: SealedRange, after: int) -> Any:
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
            originals.c.size_bytes,
        )
        .join(captures, captures.c.item_id == source_items.c.id)
        .join(originals, originals.c.id == source_items.c.original_id)
        .where(
            _IS_SEALED,
            source_items.c.id > after,
            originals.c.wrapped_key.is_not(None),
            *within.conditions(),
        )
        .order_by(source_items.c.id)
        .limit(BATCH_ITEMS)
    )
    with reading(desk.store.engine) as connection:
        return connection.execute(query).all()


def _tasks(rows: Sequence[Row[Any]]) -> Iterator[Sequence[Row[Any]]]:
    task: list[Row[Any]] = []
    size_bytes = 0
    for row in rows:
        task.append(row)
        size_bytes += row.size_bytes
        if len(task) == TASK_ITEMS or size_bytes >= TASK_BYTES:
            yield task
            task, size_bytes = [], 0
    if task:
        yield task


def _made(result: TaskResult, count: int) -> list[Made | None]:
    """Return what a child made of each item of a task; None for what it did not get done."""
    reports = read_result(result.outcome, reports_decoder)
    if isinstance(reports, Failed | Killed) or len(reports) != count:
        return [None] * count
    return [None if one.draft is None else Made(one.draft, one.cut, one.carried) for one in reports]


def _why(result: TaskResult) -> str:
    reports = read_result(result.outcome, reports_decoder)
    return str(reports)[:200] if isinstance(reports, Failed | Killed) else ""


def _raw(row: Row[Any], key: bytes, store: Store) -> bytes:
    """Return the original from where it was when the batch was read, or where it is by now."""
    place = Placement(row.segment, row.offset, row.length)
    try:
        return b"".join(store.vault.read(place, row.content_id, key))
    except (Corrupt, NotFound):
        return b"".join(original_bytes(store, row.original_id))


def _sealed(row: Row[Any]) -> Sealed:
    return Sealed(row.item_id, row.capture_id, row.original_id, row.content_id, True)


def _keep_carried(batch: _Batch, desk: Desk) -> None:
    """Keep attached messages before what carries them is filed: a crash between repeats it."""
    for row, drafted in batch:
        if drafted.carried:
            facts = _facts(row.facts)
            carrier = Forward(
                row.item_key, row.source_id, row.batch_id, row.original_id, row.content_id, facts
            )
            keep_carried(drafted.carried, carrier, desk)
