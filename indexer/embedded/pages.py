"""Put one page together: hits, total, groups and facets of one snapshot; it compiles no query."""

from __future__ import annotations

from holdfast.core.ports import Hit, Page, SearchRequest
from holdfast.indexer.cursors import Place, Window, encode
from holdfast.indexer.embedded.counted import Counted
from holdfast.indexer.embedded.groups import collapse
from holdfast.indexer.embedded.results import Results, Spot


def read_page(results: Results, request: SearchRequest, window: Window, counted: Counted) -> Page:
    """Return the page of a request; `counted` is of the same snapshot."""
    found, total, groups = _found(results, request, window)
    page = found[: request.limit]
    cursor = ""
    if len(found) > len(page) and page:
        last = page[-1][0]
        cursor = encode(Place(request.sort, last.key, last.id, request.collapse))
    return Page(
        hits=tuple(_hits(results, page)),
        total=total,
        cursor=cursor,
        groups=groups,
        facets=counted.facets(results, request),
    )


def _found(
    results: Results, request: SearchRequest, window: Window
) -> tuple[list[tuple[Spot, int]], int, int]:
    """Return one hit more than the page holds, where there is one; the total; the groups."""
    asked = window.limit + 1 if window.limit else 0
    if request.collapse:
        groups = collapse(results, request.collapse)
        total = results.total()
        return groups.firsts(window, asked), total, groups.count(total)
    if window.after is None:
        spots, total = results.first_page(window, asked)
    else:
        spots, total = results.spots(window, window.after, asked), results.total()
    return [(spot, 1) for spot in spots], total, 0


def _hits(results: Results, page: list[tuple[Spot, int]]) -> list[Hit]:
    sent_at = results.numbers("at", [spot for spot, _ in page])
    return [Hit(spot.id, at, size) for (spot, size), at in zip(page, sent_at, strict=True)]
