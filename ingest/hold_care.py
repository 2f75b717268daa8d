"""Let holds look into the index, and say what they have not come to yet; it places no hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.query import Scope
from holdfast.indexer.hits import every_hit
from holdfast.storage.governance.holds import list_holds
from holdfast.storage.governance.sweeping import not_swept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.core.query import Node
    from holdfast.ingest.index_home import Home
    from holdfast.storage.governance.holds import Hold
    from holdfast.storage.governance.sweeping import Find
    from holdfast.storage.store import Store

OWNER = "holds"
"""For whom the whole archive is searched: a hold is on all of it, whoever placed it."""


def find_in(home: Home) -> Find:
    """Return the search that previews and sweeps of holds take.

    The search raises:
        Unavailable: The index cannot be read now.
        Refused: The query is more than the index can answer exactly.
    """

    def find(node: Node) -> Iterator[list[int]]:
        return every_hit(home.index(), node, Scope.whole_archive(OWNER))

    return find


@dataclass(frozen=True, slots=True)
class Unswept:
    """A hold whose sweep was interrupted, or that means more since companies were named."""

    hold: Hold
    missing: int


def unswept(store: Store, home: Home) -> list[Unswept]:
    """Return the holds in force that match more than they are said to hold.

    None of it can be destroyed all the same; but it is not shown as held.
    """
    find = find_in(home)
    found = [Unswept(hold, not_swept(store, hold, find)) for hold in list_holds(store)]
    return [one for one in found if one.missing]
