"""Count the values of facets exactly in the embedded index; it knows no query tree.

Naming every value of a large facet in every segment takes far longer than counting it. So each
segment is asked for its most frequent values only; what that may have left out is bounded, and
where the bound proves who the first are, their counts are taken in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tantivy import Query

from holdfast.indexer.embedded.compiling import any_of
from holdfast.indexer.embedded.results import Results
from holdfast.indexer.facet_tally import Ranking, Tally, bucket_counts
from holdfast.indexer.facets import ranked
from holdfast.indexer.fields import facet_field

_SPARE = 64
_CUT = 8
"""Values that each segment may name for each one wanted."""
_WIDER = 8
_ONE_VALUED = ("sender", "channel", "month")
_FEW = 200
MOST_BUCKETS = 60_000
"""The engine gives up above 65,000."""
WHOLE_SEGMENT = 1 << 31
"""More values than a segment can hold."""


def count_facets(
    results: Results, facets: Sequence[str], limit: int, *, most_buckets: int = MOST_BUCKETS
) -> dict[str, Ranking]:
    """Return the most frequent values of each facet among the results, ties by value.

    Args:
        results: To be counted.
        facets: Of `FACETS`.
        limit: How many values of each are wanted.
        most_buckets: How many values the engine is asked for at once.
    """
    if not limit:
        return dict.fromkeys(facets, ())
    found: dict[str, Ranking] = {}
    size, waiting = limit + _SPARE, facets
    while waiting:
        size = min(size, most_buckets)
        tallies = _walk(results, waiting, size, is_whole=size == most_buckets)
        settled = {facet: one for facet, one in tallies.items() if one.is_settled(limit)}
        found |= _in_full(results, settled, limit)
        waiting = [facet for facet in waiting if facet not in settled]
        if size == most_buckets:
            for facet in waiting:
                found[facet] = _ranked_in_passes(results, facet, limit, size)
            break
        size *= _WIDER
    return {facet: found[facet] for facet in facets}


def _walk(
    results: Results, facets: Sequence[str], size: int, *, is_whole: bool
) -> dict[str, Tally]:
    cut = WHOLE_SEGMENT if is_whole else size * _CUT
    asked = {facet: _terms(facet, size=size, segment_size=cut) for facet in facets}
    answer = results.searcher.aggregate(results.query, asked)
    tallies = {}
    for facet in facets:
        counts = bucket_counts(answer[facet])
        error = int(answer[facet]["doc_count_error_upper_bound"])
        least = min(counts.values()) if len(counts) == size else 0
        tallies[facet] = Tally(counts, error, least + error)
    return tallies


def _in_full(results: Results, tallies: Mapping[str, Tally], limit: int) -> dict[str, Ranking]:
    """Return the rankings; where counts may be short, those that matter are taken again."""
    return {
        facet: ranked(
            _exactly(results, facet, tally.contenders(limit)) if tally.error else tally.counts,
            limit,
        )
        for facet, tally in tallies.items()
    }


def _exactly(results: Results, facet: str, values: Sequence[str]) -> dict[str, int]:
    """Return the counts of the most frequent of these values.

    Naming values to the engine is slow, so those of a facet with mostly one value in a document
    are asked for by way of the documents that have them.
    """
    shape: dict[str, object] = {"size": len(values), "segment_size": WHOLE_SEGMENT}
    if facet in _ONE_VALUED and len(values) <= _FEW:
        results = results.only(any_of([_having(results, facet, value) for value in values]))
    else:
        shape["include"] = list(values)
    answer = results.searcher.aggregate(results.query, {facet: _terms(facet, **shape)})
    return bucket_counts(answer[facet])


def _having(results: Results, facet: str, value: str) -> Query:
    return Query.term_query(results.schema, facet_field(facet), value, "basic")


def _terms(facet: str, **shape: object) -> dict[str, object]:
    return {"terms": {"field": facet_field(facet), **shape}}


def _ranked_in_passes(results: Results, facet: str, limit: int, size: int) -> Ranking:
    """Walk all values in order, in pieces, and keep the best."""
    source = [{"value": {"terms": {"field": facet_field(facet)}}}]
    composite: dict[str, object] = {"size": size, "sources": source}
    best: dict[str, int] = {}
    while True:
        answer = results.searcher.aggregate(results.query, {"values": {"composite": composite}})
        buckets = answer["values"]["buckets"]
        best |= {bucket["key"]["value"]: bucket["doc_count"] for bucket in buckets}
        best = dict(ranked(best, limit))
        if len(buckets) < size:
            return ranked(best, limit)
        composite["after"] = answer["values"]["after_key"]
