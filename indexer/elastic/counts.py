"""Count the values of facets exactly; it knows no query tree.

Each shard names its most frequent values only. What that may have left out is bounded, and where
the bound proves who the first are, their counts are taken in full; else more are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.indexer.elastic.results import Results
from holdfast.indexer.facet_tally import Ranking, Tally, bucket_counts
from holdfast.indexer.facets import ranked
from holdfast.indexer.fields import facet_field

_SPARE = 64
_WIDER = 8
MOST_BUCKETS = 60_000
"""The engine gives up above 65,536."""


def first_walk(facets: Sequence[str], limit: int) -> dict[str, Any]:
    """Return the aggregations with which counting begins, to be asked for along with the hits."""
    return _shapes(facets, min(limit + _SPARE, MOST_BUCKETS)) if limit else {}


def counted_at_once(
    answer: Mapping[str, Any], facets: Sequence[str], limit: int
) -> dict[str, Ranking] | None:
    """Return what `count_facets` would, where the first walk alone proves it; else None."""
    found: dict[str, Ranking] = dict.fromkeys(facets, ())
    for facet in facets if limit else ():
        tally = _tally(answer[facet])
        if tally.error or not tally.is_settled(limit):
            return None
        found[facet] = ranked(tally.counts, limit)
    return found


def count_facets(
    results: Results,
    facets: Sequence[str],
    limit: int,
    *,
    walked: Mapping[str, Any] | None = None,
    most_buckets: int = MOST_BUCKETS,
) -> dict[str, Ranking]:
    """Return the most frequent values of each facet among the results, ties by value.

    Args:
        results: To be counted.
        facets: Of `FACETS`.
        limit: How many values of each are wanted.
        walked: The answer to `first_walk`, in the same state of the index, where it is there.
        most_buckets: How many values the engine is asked for at once.
    """
    found: dict[str, Ranking] = dict.fromkeys(facets, ())
    size, waiting = min(limit + _SPARE, most_buckets), list(facets) if limit else []
    while waiting:
        answer = walked or results.counted(_shapes(waiting, size))
        tallies = {facet: _tally(answer[facet]) for facet in waiting}
        for facet, tally in tallies.items():
            if tally.is_settled(limit):
                found[facet] = _in_full(results, facet, tally, limit)
            elif size == most_buckets:
                found[facet] = _ranked_in_passes(results, facet, limit, size)
        waiting = [
            facet
            for facet in waiting
            if not tallies[facet].is_settled(limit) and size != most_buckets
        ]
        size, walked = min(size * _WIDER, most_buckets), None
    return found


def _shapes(facets: Sequence[str], size: int) -> dict[str, Any]:
    return {facet: _terms(facet, size=size, shard_size=size) for facet in facets}


def _tally(answer: Mapping[str, Any]) -> Tally:
    counts = bucket_counts(answer)
    error = int(answer["doc_count_error_upper_bound"])
    least = min(counts.values(), default=0) if answer["sum_other_doc_count"] else 0
    return Tally(counts, error, least + error)


def _in_full(results: Results, facet: str, tally: Tally, limit: int) -> Ranking:
    """Return the ranking; where counts may be short, those that matter are taken again."""
    if not tally.error:
        return ranked(tally.counts, limit)
    values = tally.contenders(limit)
    shape = _terms(facet, include=values, size=len(values), shard_size=len(values))
    return ranked(bucket_counts(results.counted({facet: shape})[facet]), limit)


def _ranked_in_passes(results: Results, facet: str, limit: int, size: int) -> Ranking:
    """Walk all values in order, in pieces, and keep the best."""
    best: dict[str, int] = {}
    for counts in walk_values(results, facet_field(facet), size):
        best = dict(ranked({**best, **counts}, limit))
    return ranked(best, limit)


def walk_values(results: Results, name: str, size: int) -> Any:
    """Yield every value of a field with its exact count, in pieces of at most `size` values."""
    composite: dict[str, Any] = {"size": size, "sources": [{"value": {"terms": {"field": name}}}]}
    while True:
        answer = results.counted({"values": {"composite": composite}})["values"]
        yield {bucket["key"]["value"]: bucket["doc_count"] for bucket in answer["buckets"]}
        if len(answer["buckets"]) < size:
            return
        composite["after"] = answer["after_key"]


def _terms(facet: str, **shape: object) -> dict[str, Any]:
    return {"terms": {"field": facet_field(facet), **shape}}
