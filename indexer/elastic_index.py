"""The search index on Elasticsearch: adds, removes and finds documents of one generation.

It cuts no text (the documents come cut) and holds nothing that the catalogue cannot make again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from elasticsearch import ApiError, NotFoundError, TransportError

from holdfast.core.errors import Unavailable
from holdfast.core.ports import Document, Hit, Page, SearchRequest
from holdfast.core.query import And
from holdfast.indexer.cursors import Place, Window, encode, open_window
from holdfast.indexer.elastic.bulk import Counters, Sender, Write
from holdfast.indexer.elastic.clauses import Clause, all_of, term
from holdfast.indexer.elastic.compiling import compile_query
from holdfast.indexer.elastic.connection import (
    ElasticConfig,
    check_server,
    connect,
    our_errors,
)
from holdfast.indexer.elastic.counts import count_facets, counted_at_once, first_walk
from holdfast.indexer.elastic.generations import IS_HELD
from holdfast.indexer.elastic.groups import collapse
from holdfast.indexer.elastic.mapping import DEGRADED, VERSION
from holdfast.indexer.elastic.parts import Known, Parts, Remembered
from holdfast.indexer.elastic.results import KEEP_ALIVE, Results, Snapshot, Spot
from holdfast.indexer.elastic.writing import degraded, engine_document, tombstone
from holdfast.indexer.withheld import answered

_ID_CHUNK = 10_000
_SEARCH_TRIES = 3
EXTEND_EVERY_S = 60.0
"""How often it is looked whether the newest part has become too large."""
PURGE_TIMEOUT_S = 3600
_EXPUNGE_ALL = {"index.merge.policy.expunge_deletes_allowed": 0}
"""By itself the engine leaves segments alone of which less than a tenth was deleted."""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the index takes from around it."""

    known: Known = field(default_factory=Remembered)
    """Where it is kept which parts there must be."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class ElasticIndex:
    """A `SearchIndex` in a cluster; any number of readers and writers at once.

    Safe to share between threads for searching; adding, removing and committing belong to one.
    """

    def __init__(
        self, config: ElasticConfig, generation: str, around: Surroundings | None = None
    ) -> None:
        """Open a generation of the index; one of which nothing is there yet is empty.

        Args:
            config: Of the cluster.
            generation: As `parts.new_generation` names it.
            around: Clock, sleep, and where it is kept which parts there must be.

        Raises:
            Unavailable: The cluster cannot be used, a part is gone, or another version made it.
        """
        around = around or Surroundings()
        self._client = connect(config)
        check_server(self._client)
        self._parts = Parts(self._client, config, generation, around.known, around.now)
        self._parts.load()
        self._sender = Sender(self._client, config, around.sleep)
        self._waiting: list[Write] = []
        self._waiting_bytes = 0
        self._touched: set[str] = set()
        self._most_waiting_bytes = config.bulk_bytes
        self._extended_at = time.monotonic()

    @property
    def counters(self) -> Counters:
        """What became of the writes of this process."""
        return self._sender.counters

    def add(self, documents: Sequence[Document]) -> None:
        for document in documents:
            self._put(
                Write(
                    document.id,
                    self._parts.of(document.id).alias,
                    document.version,
                    _encode(engine_document(document)),
                    tuple(degraded(document)),
                )
            )

    def remove(self, ids: Iterable[int]) -> None:
        """Put a tombstone where each document was: a late write of a lower version stays out."""
        versions = ids if isinstance(ids, Mapping) else dict.fromkeys(ids, 0)
        for id_, version in versions.items():
            body = _encode(tombstone(id_, version))
            self._put(Write(id_, self._parts.of(id_).alias, version, body))

    def commit(self) -> None:
        self._flush()
        if self._touched:
            self._refresh()
            self._touched.clear()
        if time.monotonic() - self._extended_at >= EXTEND_EVERY_S:
            self._extended_at = time.monotonic()
            self._parts.load()
            self._parts.extend()

    def _refresh(self) -> None:
        """Make what was sent visible on every shard; for some of them the engine says 200 too."""
        with self._noticing_loss("making what was indexed visible"):
            answer = self._client.indices.refresh(index=sorted(self._touched))
        done = answer["_shards"]
        if done["failed"] or done["successful"] < self._parts.shards_behind(self._touched):
            raise Unavailable(
                "Elasticsearch made only a part of what was indexed visible.",
                next_step="Look at the cluster's health; indexing goes on by itself.",
                failed=done["failed"],
            )

    def search(self, request: SearchRequest) -> Page:
        return answered(request, self._search)

    def _search(self, request: SearchRequest) -> Page:
        window = open_window(request)
        query = compile_query(And((request.query, request.scope.filter)))
        for _ in range(_SEARCH_TRIES - 1):
            with suppress(_Moved):
                return self._page(request, window, query)
        return self._page(request, window, query)

    def ids(self) -> Iterator[int]:
        yield from (id_ for id_, _ in self.versions())

    def versions(self) -> Iterator[tuple[int, int]]:
        with self._snapshot(is_held=True) as snapshot:
            if snapshot is None:
                return
            held = Results(snapshot, IS_HELD)
            for spot in held.all((VERSION,), _ID_CHUNK):
                yield spot.id, spot.fields.get(VERSION, 0)

    def purge(self) -> list[int]:
        """Rewrite the segments that hold something deleted; nothing has to be added again.

        The engine may keep what was deleted for its copies to catch up with, 12 hours by default.
        """
        if self._parts.shards:
            with self._noticing_loss("removing what was deleted"):
                self._client.indices.put_settings(index=self._parts.stem, settings=_EXPUNGE_ALL)
                self._client.options(request_timeout=PURGE_TIMEOUT_S).indices.forcemerge(
                    index=self._parts.stem, only_expunge_deletes=True, flush=True
                )
        return []

    def degraded(self) -> int:
        with self._snapshot(is_held=False) as snapshot:
            if snapshot is None:
                return 0
            answer = snapshot.ask(term(DEGRADED, value=True), size=0, track_total_hits=True)
            return int(answer["hits"]["total"]["value"])

    def close(self) -> None:
        """Give up what was not sent, and the connections."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self._client.close()

    def _page(self, request: SearchRequest, window: Window, query: Clause) -> Page:
        """Ask once, where one request may do; what needs several is read from one state."""
        if not request.collapse:
            with self._snapshot(is_held=False) as snapshot:
                # Several shards seldom agree on the first of many values without being asked again.
                if snapshot and (self._parts.shards == 1 or not request.facets):
                    results = Results(snapshot, all_of([query, IS_HELD]))
                    if (page := _page_at_once(results, request, window)) is not None:
                        return page
        with self._snapshot(is_held=True) as snapshot:
            if snapshot is None:
                return Page((), 0, facets=dict.fromkeys(request.facets, ()))
            return _read_page(Results(snapshot, all_of([query, IS_HELD])), request, window)

    def _put(self, write: Write) -> None:
        self._waiting.append(write)
        self._waiting_bytes += len(write.body)
        if self._waiting_bytes >= self._most_waiting_bytes:
            self._flush()

    def _flush(self) -> None:
        """Send what waits; when that fails it waits no more: its rows are still queued."""
        writes, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if writes:
            with self._noticing_loss("indexing"):
                self._sender.send(writes)
            self._touched.update(write.alias for write in writes)

    @contextmanager
    def _snapshot(self, *, is_held: bool) -> Iterator[Snapshot | None]:
        """Give what is to be asked; None where nothing was ever indexed."""
        if not self._parts.shards:
            self._parts.load()
        if not self._parts.shards:
            yield None
            return
        alias, shards = self._parts.stem, self._parts.shards
        with self._noticing_loss("searching"):
            if not is_held:
                yield Snapshot(self._client, alias, shards)
                return
            pit = self._client.open_point_in_time(index=alias, keep_alive=KEEP_ALIVE)["id"]
            try:
                yield Snapshot(self._client, alias, shards, pit)
            finally:
                with suppress(ApiError, TransportError):  # the engine drops it by itself
                    self._client.close_point_in_time(id=pit)

    @contextmanager
    def _noticing_loss(self, act: str) -> Iterator[None]:
        """Tell a part that is gone from one that cannot be reached now."""
        try:
            with our_errors(act):
                yield
        except Unavailable as error:
            cause = error.__cause__
            if not error.facts.get("is_lost") and not isinstance(cause, NotFoundError):
                raise
            self._parts.load()  # says what is missing
            raise _Moved(error.cause, next_step=error.next_step) from error


class _Moved(Unavailable):
    """The index looked different a moment ago; asking again helps."""


def _page_at_once(results: Results, request: SearchRequest, window: Window) -> Page | None:
    """Return the page by one request; None where its counts of facets prove too little."""
    page, walked = _hits(results, request, window)
    facets = counted_at_once(walked, request.facets, request.facet_limit)
    return None if facets is None else replace(page, facets=facets)


def _read_page(results: Results, request: SearchRequest, window: Window) -> Page:
    facets, limit = request.facets, request.facet_limit
    if request.collapse:
        collapsed = collapse(results, request.collapse)
        firsts, total = collapsed.firsts(window, _asked(window))
        counts = count_facets(results, facets, limit)
        page = _shown(firsts, request)
        return replace(page, total=total, facets=counts, groups=collapsed.count())
    page, walked = _hits(results, request, window)
    return replace(page, facets=count_facets(results, facets, limit, walked=walked))


def _hits(
    results: Results, request: SearchRequest, window: Window
) -> tuple[Page, Mapping[str, Any]]:
    """Return a page without facets, and the counts that came with it."""
    walk = first_walk(request.facets, request.facet_limit)
    found = results.page(window, window.after, _asked(window), fields=("at",), counts=walk)
    page = _shown([(spot, 1) for spot in found.spots], request)
    return replace(page, total=found.total), found.counts


def _asked(window: Window) -> int:
    return window.limit + 1 if window.limit else 0  # one more tells whether there are more


def _shown(found: Sequence[tuple[Spot, int]], request: SearchRequest) -> Page:
    """Return the hits, each with the size of its group, and where the next page begins."""
    page = found[: request.limit]
    cursor = ""
    if len(found) > len(page) and page:
        last = page[-1][0]
        cursor = encode(Place(request.sort, last.key, last.id, request.collapse))
    return Page(tuple(Hit(spot.id, spot.fields["at"], size) for spot, size in page), 0, cursor)
