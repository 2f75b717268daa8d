"""Answer a search without the recipients that are withheld from its scope, whatever the engine.

Queries are rewritten by `core.recipient_guard`. Facets that count people are counted apart for the
records of which something is withheld, and added up; it knows no engine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.core.mailboxes import own_mailboxes
from holdfast.core.query import And, Not, Or, Scope
from holdfast.core.recipient_guard import (
    guard_recipients,
    in_own_mailbox,
    limiting_mailboxes,
    withholding,
)
from holdfast.indexer.cursors import check_facets
from holdfast.indexer.facets import OPEN_FACETS, ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
    bare = _Asked(replace(request, limit=0, cursor="", collapse=""), query, search)
    found: dict[str, Ranking] = {}
    withheld = withholding(knowers)
    if people := [one for one in request.facets if one in OPEN_FACETS]:
        some = bare.counted([OPEN_FACETS[one] for one in people], withheld)
        added = {one: some[OPEN_FACETS[one]] for one in people if some}
        found |= bare.added(people, added, Not(withheld))
    if boxes := [one for one in request.facets if one not in OPEN_FACETS]:
        limited = limiting_mailboxes(knowers)
        some = bare.counted(boxes, Or((withheld, limited)))
        added = {}
        if "custodian" in some:
            added["custodian"] = _own(some["custodian"], knowers)
        if "source" in some:
            within = And((limited, in_own_mailbox(knowers), Not(withheld)))
            added["source"] = bare.counted(["source"], within).get("source", ())
        found |= bare.added(boxes, added, Not(Or((withheld, limited))))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """Counts facets of a request within a part of its scope."""

    request: SearchRequest
    query: Node
    """As the scope may ask it."""
    search: Search

    def counted(self, facets: Sequence[str], within: Node) -> Mapping[str, Ranking]:
        """Return all values; nothing where nothing is found."""
        found = self._asked(facets, within, _EVERY_VALUE)
        return found.facets if found.total else {}

    def added(
        self, facets: Sequence[str], some: Mapping[str, Ranking], others: Node
    ) -> dict[str, Ranking]:
        """Return the rankings of the others, and of some as they are told."""
        limit = _EVERY_VALUE if some else self.request.facet_limit
        found = self._asked(facets, others, limit)
        counts = {one: Counter(dict(pairs)) for one, pairs in found.facets.items()}
        for one, pairs in some.items():
            counts[one].update(dict(pairs))
        return {one: ranked(counts[one], self.request.facet_limit) for one in facets}

    def _asked(self, facets: Sequence[str], within: Node, limit: int) -> Page:
        scope, named = _scope(self.request, within), tuple(facets)
        asked = replace(self.request, query=self.query, scope=scope, facets=named)
        return self.search(replace(asked, facet_limit=limit))


def _own(counts: Ranking, knowers: Knowers) -> Ranking:
    found = dict(counts)
    return tuple((one, found[one]) for one in own_mailboxes(found, knowers))
