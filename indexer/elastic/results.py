"""Read exact totals and ordered hits out of one state of the index; it compiles no query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from holdfast.core.errors import Unavailable
from holdfast.indexer.cursors import Place, Window
from holdfast.indexer.elastic.clauses import Clause, all_of, terms

KEEP_ALIVE = "2m"
"""How long the engine keeps a state of the index between two requests."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one hit stands in an order."""

    key: int
    """Of the window's sort."""
    id: int
    fields: Mapping[str, int] = field(default_factory=dict)


class Found(NamedTuple):
    """What one request found."""

    spots: list[Spot]
    total: int
    counts: Mapping[str, Any]
    """The answer to each aggregation that was asked for."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the index, or the newest one at each request."""

    client: Elasticsearch
    alias: str
    """Of all parts."""
    shards: int
    """Least number that must answer; fewer are a part of the index."""
    pit: str = ""
    """The engine's name of the state; without it, each request sees the newest."""

    def ask(self, query: Clause, **body: Any) -> Mapping[str, Any]:
        """Run one request over all shards.

        Raises:
            Unavailable: Not every shard answered in full.
        """
        where = {"pit": {"id": self.pit, "keep_alive": KEEP_ALIVE}} if self.pit else {}
        # By itself the engine remembers counts, until something changes, only without hits.
        remembers = "&request_cache=true" if "aggs" in body else ""
        place = "" if self.pit else f"/{self.alias}"
        answer = self.client.perform_request(
            "POST",
            f"{place}/_search?allow_partial_search_results=false{remembers}",
            headers=_HEADERS,
            body={
                **where,
                "query": {"constant_score": {"filter": query}},
                "_source": False,
                "stored_fields": "_none_",
                **body,
            },
        ).body
        shards = answer["_shards"]
        if answer["timed_out"] or shards["failed"] or shards["total"] < self.shards:
            raise Unavailable(
                "Elasticsearch answered for a part of the index only.",
                next_step="Look at the cluster's health; the same search may succeed later.",
                is_lost=shards["total"] < self.shards,
            )
        return dict(answer)


_HEADERS = {
    "content-type": "application/vnd.elasticsearch+json; compatible-with=8",
    "accept": "application/vnd.elasticsearch+json; compatible-with=8",
}


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that matches one query in one state of the index."""

    snapshot: Snapshot
    query: Clause

    def only(self, clause: Clause) -> Results:
        """Return those results that match another clause too."""
        return Results(self.snapshot, all_of([self.query, clause]))

    def without(self, name: str, values: Sequence[int]) -> Results:
        """Return those results that have none of these values in a field."""
        return Results(self.snapshot, all_of([self.query], [terms(name, values)]))

    def page(
        self,
        window: Window,
        after: Place | None,
        limit: int,
        *,
        fields: Sequence[str] = (),
        counts: Mapping[str, Any] | None = None,
    ) -> Found:
        """Return the first `limit` hits after a place, in the window's order.

        Args:
            window: The order.
            after: Where to begin; None at the beginning.
            limit: Most hits; the totals are of all.
            fields: Numbers to give with each hit.
            counts: Aggregations over all results.
        """
        body: dict[str, Any] = {
            "size": limit,
            "track_total_hits": True,
            "sort": [{window.key: "desc" if window.is_descending else "asc"}, {"id": "asc"}],
            "docvalue_fields": list(fields),
        }
        if after is not None and limit:
            body["search_after"] = [after.key, after.id]
        if counts:
            body["aggs"] = counts
        answer = self.snapshot.ask(self.query, **body)
        hits = answer["hits"]
        spots = [_spot(hit) for hit in hits["hits"]]
        return Found(spots, int(hits["total"]["value"]), answer.get("aggregations", {}))

    def counted(self, aggregations: Mapping[str, Any]) -> dict[str, Any]:
        """Return aggregations over all results."""
        answer = self.snapshot.ask(self.query, size=0, track_total_hits=False, aggs=aggregations)
        return dict(answer["aggregations"])

    def all(self, fields: Sequence[str], chunk: int) -> Iterator[Spot]:
        """Yield every hit by ascending id."""
        body: dict[str, Any] = {
            "size": chunk,
            "track_total_hits": False,
            "sort": [{"id": "asc"}, {"_shard_doc": "asc"}],
            "docvalue_fields": list(fields),
        }
        while True:
            hits = self.snapshot.ask(self.query, **body)["hits"]["hits"]
            for hit in hits:
                yield Spot(0, hit["sort"][0], _fields(hit))
            if len(hits) < chunk:
                return
            body["search_after"] = hits[-1]["sort"]


def _spot(hit: Mapping[str, Any]) -> Spot:
    key, id_ = hit["sort"][:2]  # within a held state the engine adds the place in a shard
    return Spot(key, id_, _fields(hit))


def _fields(hit: Mapping[str, Any]) -> dict[str, int]:
    return {name: values[0] for name, values in hit.get("fields", {}).items()}
