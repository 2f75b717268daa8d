"""Remember what everything in a scope was counted to, for one snapshot; it counts nothing itself.

Every start page asks for the same facets, and only a commit changes them.
"""

from __future__ import annotations

from holdfast.core.ports import SearchRequest
from holdfast.core.query import Node
from holdfast.indexer.embedded.compiling import matches_everything
from holdfast.indexer.embedded.counts import count_facets
from holdfast.indexer.embedded.results import Results
from holdfast.indexer.facet_tally import Ranking

MAX_FACET_LIMIT = 100
"""Longer rankings are not kept."""
MAX_RANKINGS = 1000


class Counted:
    """Rankings of one snapshot of the index; safe to share between threads."""

    def __init__(self) -> None:
        self._rankings: dict[tuple[Node, str, int], Ranking] = {}

    def facets(self, results: Results, request: SearchRequest) -> dict[str, Ranking]:
        """Return the facets of a request.

        Args:
            results: Of the request, in this snapshot.
            request: What was asked.
        """
        limit, scope = request.facet_limit, request.scope.filter
        if limit > MAX_FACET_LIMIT or not matches_everything(request.query):
            return count_facets(results, request.facets, limit)
        known = {
            facet: ranking
            for facet in request.facets
            if (ranking := self._rankings.get((scope, facet, limit))) is not None
        }
        missing = [facet for facet in request.facets if facet not in known]
        counted = count_facets(results, missing, limit)
        if len(self._rankings) + len(counted) <= MAX_RANKINGS:
            self._rankings |= {(scope, facet, limit): counted[facet] for facet in missing}
        found = known | counted
        return {facet: found[facet] for facet in request.facets}
