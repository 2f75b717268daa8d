"""Walk through everything that a query finds, however much it is; it knows no engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.ports import SearchRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.core.ports import SearchIndex
    from holdfast.core.query import Node, Scope

PAGE = 500


def one_page(
    index: SearchIndex, node: Node, scope: Scope, cursor: str, limit: int
) -> tuple[list[int], str]:
    """Return a page of the interactions that match within the scope, and the next cursor."""
    page = index.search(SearchRequest(node, scope, limit=limit, cursor=cursor, sort="captured"))
    return [hit.id for hit in page.hits], page.cursor


def every_hit(
    index: SearchIndex, node: Node, scope: Scope, *, sort: str = "captured"
) -> Iterator[list[int]]:
    """Yield the interactions that match within the scope, in pages, in this order.

    What comes while it goes on may be in it or not.
    """
    cursor = ""
    while True:
        request = SearchRequest(node, scope, limit=PAGE, cursor=cursor, sort=sort)
        page = index.search(request)
        if page.hits:
            yield [hit.id for hit in page.hits]
        if not page.cursor:
            return
        cursor = page.cursor
