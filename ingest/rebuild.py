"""Makes the index again from the catalogue, and compares the two; searches go on meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select

from holdfast.core.records import Record
from holdfast.indexer.documents import Analysed, analyse_texts, complete
from holdfast.ingest.jail import Failed, Killed, read_result
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import captures, interactions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.core.ports import SearchIndex
    from holdfast.ingest.index_home import IndexHome
    from holdfast.ingest.indexing import IndexFeed
    from holdfast.ingest.jail import Pool
    from holdfast.storage.store import Store

PAGE = 64
COMMIT_EVERY = 20_000
"""Interactions between two commits of a new index."""
_encode = msgspec.msgpack.Encoder().encode
_records = msgspec.msgpack.Decoder(list[Record]).decode
_analysed = msgspec.msgpack.Decoder(list[Analysed])


def analysis_bench() -> Callable[[bytes], bytes]:
    """Return the function of a pool that cuts the texts of records."""
    return lambda payload: _encode([analyse_texts(record) for record in _records(payload)])


@dataclass(frozen=True, slots=True)
class Difference:
    """How index and catalogue differ."""

    missing: tuple[int, ...]
    """In the catalogue, not in the index, and not queued."""
    extra: tuple[int, ...]
    """In the index only."""

    @property
    def is_none(self) -> bool:
        """Whether both hold the same interactions."""
        return not self.missing and not self.extra


def indexed_interactions(store: Store) -> set[int]:
    """Return the ids that the index must hold once the queue is empty."""
    live = select(captures.c.interaction_id).where(captures.c.undone_ms.is_(None))
    query = select(interactions.c.id).where(
        interactions.c.removed_ms.is_(None), interactions.c.id.in_(live)
    )
    with reading(store.engine) as connection:
        return set(connection.scalars(query))


def compare(store: Store, index: SearchIndex) -> Difference:
    """Compare ids both ways; call with an empty queue."""
    held, wanted = set(index.ids()), indexed_interactions(store)
    return Difference(tuple(sorted(wanted - held)), tuple(sorted(held - wanted)))


def heal(feed: IndexFeed) -> Difference:
    """Bring the index up to date, then index what it misses and remove what it has too much.

    Raises:
        Unavailable: Another process feeds the index.
    """
    feed.drain()
    found = compare(feed.store, feed.home.index())
    if not found.is_none:
        with writing(feed.store.engine) as connection:
            enqueue(connection, (*found.missing, *found.extra), feed.store.ids)
        feed.drain()
    return found


def rebuild(
    home: IndexHome, feed: IndexFeed, pool: Pool, on_progress: Callable[[int, int], None]
) -> int:
    """Make a new index of everything and let searches use it; return how many it holds.

    The old index is searched until the new one is whole. Its writer is held meanwhile, so that no
    other process takes rows off the queue that the new index has not seen.

    Raises:
        Unavailable: Another process feeds the index, or the new one cannot be written.
    """
    home.index().remove(())  # takes the writer
    generation, index = home.begin()
    total, done = _total(home.store), 0
    for page, analysed in _cut(home.store, pool):
        index.add([complete(cut, record) for record, cut in zip(page, analysed, strict=True)])
        done += len(page)
        if done // COMMIT_EVERY != (done - len(page)) // COMMIT_EVERY:
            index.commit()
        on_progress(done, total)
    index.commit()
    home.close()
    home.publish(generation, index)
    feed.drain()
    return done


def _total(store: Store) -> int:
    with reading(store.engine) as connection:
        query = select(func.count()).where(interactions.c.removed_ms.is_(None))
        return connection.scalar(query) or 0


def _cut(store: Store, pool: Pool) -> Iterator[tuple[list[Record], list[Analysed]]]:
    """Yield pages of records with their tokens, cut side by side in the pool."""
    waiting: dict[int, list[Record]] = {}
    for page in _pages(store):
        waiting[pool.submit(_encode(page))] = page
        yield from _finished(pool, waiting, 0.0)
    while waiting:
        yield from _finished(pool, waiting, 1.0)


def _finished(
    pool: Pool, waiting: dict[int, list[Record]], timeout_s: float
) -> Iterator[tuple[list[Record], list[Analysed]]]:
    for result in pool.poll(timeout_s):
        page = waiting.pop(result.task_id)
        analysed = read_result(result.outcome, _analysed)
        if isinstance(analysed, Failed | Killed):  # the texts are ours: cut them here
            analysed = [analyse_texts(record) for record in page]
        yield page, analysed


def _pages(store: Store) -> Iterator[list[Record]]:
    last = -1
    while True:
        query = (
            select(interactions.c.id)
            .where(interactions.c.id > last, interactions.c.removed_ms.is_(None))
            .order_by(interactions.c.id)
            .limit(PAGE)
        )
        with reading(store.engine) as connection:
            ids = connection.scalars(query).all()
        if not ids:
            return
        last = ids[-1]
        if page := records(store, ids):
            yield page
