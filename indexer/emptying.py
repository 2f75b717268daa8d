"""Say which part of a query left nothing; the command line and the service say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.ports import SearchRequest
from holdfast.core.query import And

if TYPE_CHECKING:
    from holdfast.core.ports import SearchIndex
    from holdfast.core.query import Node


@dataclass(frozen=True, slots=True)
class Emptying:
    """What a part of an empty query has to do with it."""

    part: Node
    alone: int
    """What it matches by itself."""
    without: int
    """What the rest matches without it."""


def what_emptied(index: SearchIndex, request: SearchRequest) -> list[Emptying]:
    """Say of each part of a query that found nothing what it has to do with that."""
    node = request.query
    parts = node.children if isinstance(node, And) else ()
    if len(parts) < 2:
        return []
    found = []
    for place, part in enumerate(parts):
        rest = And((*parts[:place], *parts[place + 1 :]))
        alone, without = (total_of(index, request, one) for one in (part, rest))
        found.append(Emptying(part, alone, without))
    return found


def total_of(index: SearchIndex, request: SearchRequest, node: Node) -> int:
    """Count what another query matches in the scope of a request."""
    return index.search(SearchRequest(node, request.scope, limit=0)).total
