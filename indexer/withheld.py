"""Answer a search without the recipients that are withheld from its scope, whatever the engine.

Queries are rewritten by `core.recipient_guard`. Facets that count people are counted apart for the
records of which something is withheld, and added up; it knows no engine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.core.hidden_recipients import own_mailboxes
from holdfast.core.query import And, Not, Scope
from holdfast.core.recipient_guard import guard_recipients, withholding
from holdfast.indexer.cursors import check_facets
from holdfast.indexer.facets import OPEN_FACETS, ranked

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.core.ports import Page, SearchRequest
    from holdfast.core.query import Knowers, Node
    from holdfast.indexer.facet_tally import Ranking

    Search = Callable[[SearchRequest], Page]

_TELLING = ("domain", "company", "custodian", "source")
"""Facets whose values tell who received a message."""
_EVERY_VALUE = 1 << 31


def answered(request: SearchRequest, search: Search) -> Page:
    """Return the page that an engine's own search gives of what the scope may be told.

    Args:
        request: With a scope that may withhold.
        search: Obeys the filter of a scope, and withholds nothing.

    Raises:
        Refused: As `SearchIndex.search`.
    """
    check_facets(request)
    knowers = request.scope.knowers
    if knowers is None:
        return search(request)
    query = guard_recipients(request.query, knowers)
    plain = tuple(one for one in request.facets if one not in _TELLING)
    telling = tuple(one for one in request.facets if one in _TELLING)
    page = search(replace(request, query=query, scope=_scope(request), facets=plain))
    if not telling:
        return page
    counted = {**page.facets, **_counted(replace(request, facets=telling), knowers, query, search)}
    return replace(page, facets={facet: counted[facet] for facet in request.facets})


def _scope(request: SearchRequest, *within: Node) -> Scope:
    scope = request.scope
    return Scope(scope.owner, And((scope.filter, *within)) if within else scope.filter)


def _counted(
    request: SearchRequest, knowers: Knowers, query: Node, search: Search
) -> dict[str, Ranking]:
    """Return the rankings of telling facets: what is withheld of some records counts for none."""
    withheld = withholding(knowers)
    bare = replace(request, limit=0, cursor="", collapse="")
    names = {one: OPEN_FACETS.get(one, one) for one in request.facets if one != "source"}
    within = replace(bare, scope=_scope(request, withheld), query=query)
    some = search(replace(within, facets=tuple(names.values()), facet_limit=_EVERY_VALUE))
    limit = _EVERY_VALUE if some.total else request.facet_limit
    # The query as it was asked, and the limit in the scope: that is what engines remember.
    others = replace(bare, scope=_scope(request, Not(withheld)), facet_limit=limit)
    counts = {one: Counter(dict(pairs)) for one, pairs in search(others).facets.items()}
    for one, name in names.items():
        counts[one].update(_told(one, some.facets[name], knowers))
    return {one: ranked(counts[one], request.facet_limit) for one in request.facets}


def _told(facet: str, counts: Ranking, knowers: Knowers) -> dict[str, int]:
    found = dict(counts)
    if facet != "custodian":
        return found
    return {one: found[one] for one in own_mailboxes(found, knowers)}
