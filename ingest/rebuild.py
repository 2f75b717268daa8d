"""Makes the index again from the catalogue, and compares the two; searches go on meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select

from holdfast.core.records import Record
from holdfast.indexer.documents import Analysed, analyse_original, complete
from holdfast.ingest.jail import Failed, Killed, read_result
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.queueing import NEVER_QUEUED, enqueue, tickets
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import captures, index_versions, interactions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.core.ports import SearchIndex
    from holdfast.ingest.index_home import Home
    from holdfast.ingest.indexing import IndexFeed
    from holdfast.ingest.jail import Pool
    from holdfast.storage.store import Store

PAGE = 64
COMMIT_EVERY = 20_000
"""Interactions between two commits of a new index."""
COMPARE_PAGE = 5000
MOST_FOUND = 100_000
"""Differences of one kind that are listed and healed at once."""
_encode = msgspec.msgpack.Encoder().encode
_records = msgspec.msgpack.Decoder(list[Record]).decode
_analysed = msgspec.msgpack.Decoder(list[Analysed])


def analysis_bench() -> Callable[[bytes], bytes]:
    """Return the function of a pool that cuts the texts of records."""
    return lambda payload: _encode([analyse_original(record) for record in _records(payload)])


@dataclass(frozen=True, slots=True)
class Difference:
    """How index and catalogue differ."""

    missing: tuple[int, ...]
    """In the catalogue, not in the index, and not queued."""
    extra: tuple[int, ...]
    """In the index only, or in it a second time."""
    stale: tuple[int, ...] = ()
    """In the index in another state than the last one that it was given."""
    drained: int = 0
    """Were queued, and are in the index now."""
    degraded: int = 0
    """Held without their texts, which the engine refused; indexing them again does not help."""

    @property
    def is_none(self) -> bool:
        """Whether both hold the same interactions."""
        return not (self.missing or self.extra or self.stale)


def expected(store: Store) -> Iterator[tuple[int, int]]:
    """Yield (id, version) of what the index must hold once the queue is empty, by ascending id."""
    live = select(captures.c.interaction_id).where(captures.c.undone_ms.is_(None))
    version = func.coalesce(index_versions.c.version, NEVER_QUEUED)
    last = -1
    while True:
        query = (
            select(interactions.c.id, version)
            .outerjoin(index_versions, index_versions.c.interaction_id == interactions.c.id)
            .where(
                interactions.c.id > last,
                interactions.c.removed_ms.is_(None),
                interactions.c.id.in_(live),
            )
            .order_by(interactions.c.id)
            .limit(COMPARE_PAGE)
        )
        with reading(store.engine) as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield row[0], row[1]
        if len(rows) < COMPARE_PAGE:
            return
        last = rows[-1][0]


def compare(store: Store, index: SearchIndex) -> Difference:
    """Compare both, page by page; what was queued meanwhile counts as no difference.

    At most `MOST_FOUND` of each kind are listed: repeat it after they are healed.
    """
    missing: list[int] = []
    extra: list[int] = []
    stale: list[int] = []
    held, wanted = index.versions(), expected(store)
    here, there = next(held, None), next(wanted, None)
    while (here or there) and max(len(missing), len(extra), len(stale)) < MOST_FOUND:
        if there is None or (here is not None and here[0] < there[0]):
            extra.append(here[0] if here else 0)
            here = next(held, None)
        elif here is None or there[0] < here[0]:
            missing.append(there[0])
            there = next(wanted, None)
        else:
            if here[1] not in (0, there[1]):
                stale.append(here[0])
            here, there = next(held, None), next(wanted, None)
    with reading(store.engine) as connection:
        queued = tickets(connection, (*missing, *extra, *stale)).keys()
    lists = [tuple(row for row in rows if row not in queued) for rows in (missing, extra, stale)]
    return Difference(lists[0], lists[1], lists[2])


def heal(feed: IndexFeed) -> Difference:
    """Bring the index up to date, then index what it misses and remove what it has too much.

    Raises:
        Unavailable: Another process feeds the index, or it cannot be written.
    """
    feed.home.index()  # one that is lost is begun anew, and everything queued for it
    drained = feed.drain()
    index = feed.home.index()
    found = compare(feed.store, index)
    found = replace(found, drained=drained, degraded=index.degraded())
    if found.is_none:
        return found
    feed.remove_strangers(found.extra)
    with writing(feed.store.engine) as connection:
        differing = (*found.missing, *found.extra, *found.stale)
        known = by_value(connection, select(interactions.c.id), interactions.c.id, differing)
        enqueue(connection, (row.id for row in known), feed.store.ids)
    feed.drain()
    return found


def rebuild(
    home: Home, feed: IndexFeed, pool: Pool, on_progress: Callable[[int, int], None]
) -> int:
    """Make a new index of everything and let searches use it; return how many it holds.

    The old index is searched until the new one is whole. What changes meanwhile reaches the new one
    too: feeders write to both, or the only one that may is held off until it drains the queue.

    Raises:
        Unavailable: Another process feeds the index where only one may, another rebuild began, or
            the new index cannot be written.
    """
    generation, index = home.begin()
    total, done = _total(feed.store), 0
    for page, analysed in _cut(feed.store, pool):
        index.add(
            [
                replace(complete(cut, record), version=page.versions[record.id])
                for record, cut in zip(page.records, analysed, strict=True)
            ]
        )
        done += len(page.records)
        if done // COMMIT_EVERY != (done - len(page.records)) // COMMIT_EVERY:
            index.commit()
        on_progress(done, total)
    index.commit()
    home.publish(generation, index)
    feed.drain()
    return done


@dataclass(frozen=True, slots=True)
class _Page:
    """Some records, and versions that were read before them."""

    records: list[Record]
    versions: dict[int, int]


def _total(store: Store) -> int:
    with reading(store.engine) as connection:
        query = select(func.count()).where(interactions.c.removed_ms.is_(None))
        return connection.scalar(query) or 0


def _cut(store: Store, pool: Pool) -> Iterator[tuple[_Page, list[Analysed]]]:
    """Yield pages of records with their tokens, cut side by side in the pool."""
    waiting: dict[int, _Page] = {}
    for page in _pages(store):
        waiting[pool.submit(_encode(page.records))] = page
        yield from _finished(pool, waiting, 0.0)
    while waiting:
        yield from _finished(pool, waiting, 1.0)


def _finished(
    pool: Pool, waiting: dict[int, _Page], timeout_s: float
) -> Iterator[tuple[_Page, list[Analysed]]]:
    for result in pool.poll(timeout_s):
        page = waiting.pop(result.task_id)
        analysed = read_result(result.outcome, _analysed)
        if isinstance(analysed, Failed | Killed):  # the texts are ours: cut them here
            analysed = [analyse_original(record) for record in page.records]
        yield page, analysed


def _pages(store: Store) -> Iterator[_Page]:
    """Yield what is filed now: what is filed later reaches the new index as all changes do."""
    with reading(store.engine) as connection:
        newest = connection.scalar(select(func.max(interactions.c.id))) or 0
    last = -1
    version = func.coalesce(index_versions.c.version, NEVER_QUEUED)
    while True:
        query = (
            select(interactions.c.id, version)
            .outerjoin(index_versions, index_versions.c.interaction_id == interactions.c.id)
            .where(
                interactions.c.id > last,
                interactions.c.id <= newest,
                interactions.c.removed_ms.is_(None),
            )
            .order_by(interactions.c.id)
            .limit(PAGE)
        )
        with reading(store.engine) as connection:
            versions = {row[0]: row[1] for row in connection.execute(query)}
        if not versions:
            return
        last = max(versions)
        if found := records(store, list(versions)):
            yield _Page(found, versions)
