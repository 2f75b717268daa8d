"""Count what holds hold, as far as whoever asks may know of it; places and frees nothing.

A hold holds beyond any scope, but what it counts there, or by digits that are masked, would answer
any question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.api.asking import everywhere, guarded, is_masked, total
from holdfast.core.holds import NOT_FULLY_INDEXED
from holdfast.core.query import And
from holdfast.storage.governance.sweeping import HoldCounts, preview_hold

if TYPE_CHECKING:
    from holdfast.api.served import Served
    from holdfast.core.query import Node
    from holdfast.core.rights import Principal


def counts_all(principal: Principal) -> bool:
    """Tell whether whoever asks learns nothing by counts over the whole archive."""
    return principal.scope.is_whole and not is_masked(principal)


def counted_in_scope(served: Served, principal: Principal, node: Node) -> HoldCounts | None:
    """Count what whoever asks may know of; None where that is everything."""
    if counts_all(principal):
        return None
    safe = guarded(principal, node).node
    partly = And((safe, NOT_FULLY_INDEXED))
    return HoldCounts(total(served, principal, safe), total(served, principal, partly))


def preview_counts(served: Served, principal: Principal, node: Node) -> HoldCounts:
    """Count what a hold with this predicate would hold now."""
    mine = counted_in_scope(served, principal, node)
    return mine or preview_hold(served.store, node, everywhere(served))
