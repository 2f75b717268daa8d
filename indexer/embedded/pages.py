"""Put one page together: hits, total, groups and facets of one snapshot; it compiles no query."""

from __future__ import annotations

from holdfast.core.ports import Hit, Page, SearchRequest
from holdfast.indexer.cursors import Place, Window, encode
from holdfast.indexer.embedded.counts import count_facets
from holdfast.indexer.embedded.groups import collapse
from holdfast.indexer.embedded.results import Results, Spot


def read_page(results: Results, request: SearchRequest, window: Window) -> Page:
    """Return the page of a request."""
    found, total, groups = _found(results, request, window)
    page = found[: request.limit]
    cursor = ""
    if len(found) > len(page) and page:
        cursor = encode(Place(request.sort, *page[-1][0], request.collapse))
    return Page(
        hits=tuple(_hits(results, page)),
        total=total,
        cursor=cursor,
        groups=groups,
        facets=count_facets(results, request.facets, request.facet_limit),
    )


def _found(
    results: Results, request: SearchRequest, window: Window
) -> tuple[list[tuple[Spot, int]], int, int]:
    """Return one hit more than the page holds, where there is one; the total; the groups."""
    asked = window.limit + 1 if window.limit else 0
    if request.collapse:
        groups = collapse(results, request.collapse)
        return groups.firsts(window, asked), results.total(), groups.count()
    if window.after is None:
        spots, total = results.first_page(window, asked)
    else:
        spots, total = results.spots(window, window.after, asked), results.total()
    return [(spot, 1) for spot in spots], total, 0


def _hits(results: Results, page: list[tuple[Spot, int]]) -> list[Hit]:
    ids = [id_ for (_, id_), _ in page]
    sent = results.sent_at(ids)
    return [Hit(id_, sent[id_], size) for (_, id_), size in page]
