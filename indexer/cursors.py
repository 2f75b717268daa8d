"""The opaque cursor between two pages: sort and place of the last hit; it runs no search."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

from holdfast.core.errors import Refused
from holdfast.core.ports import SearchRequest
from holdfast.indexer.facets import FACETS

SORTS = {
    "newest": ("at", True),
    "oldest": ("at", False),
    "largest": ("size", True),
    "smallest": ("size", False),
    "captured": ("captured", True),
}
"""Sort → (key, is descending); ties by ascending id."""

COLLAPSES = ("", "thread", "message_id")

MAX_PAGE = 10_000
"""Most hits of one page, and most values of one facet."""


class Place(msgspec.Struct, array_like=True, frozen=True):
    """Where a page ended."""

    sort: str
    key: int
    id: int
    collapse: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """Which hits a page may hold."""

    sort: str
    key: str
    is_descending: bool
    after: Place | None
    limit: int


def open_window(request: SearchRequest) -> Window:
    """Return the window of a request.

    Raises:
        Refused: The sort or the collapse is unknown, the limit is out of bounds, or the cursor is
            not one that a search with this sort and collapse gave.
    """
    sort, collapse, limit = request.sort, request.collapse, request.limit
    if sort not in SORTS:
        raise Refused(f"There is no sort {sort!r}.", next_step=f"Choose of {', '.join(SORTS)}.")
    if collapse not in COLLAPSES:
        raise Refused(f"Results cannot be collapsed by {collapse!r}.")
    if not 0 <= limit <= MAX_PAGE:
        raise Refused(f"A page holds 0 to {MAX_PAGE} hits.", limit=limit)
    key, is_descending = SORTS[sort]
    after = _decoded(request.cursor) if request.cursor else None
    if after is not None and (after.sort, after.collapse) != (sort, collapse):
        raise Refused("The cursor belongs to another search.", next_step="Start at the first page.")
    return Window(sort, key, is_descending, after, limit)


def check_facets(request: SearchRequest) -> None:
    """Refuse what cannot be counted.

    Raises:
        Refused: A facet is unknown, or more values are wanted than a page holds.
    """
    unknown = [facet for facet in request.facets if facet not in FACETS]
    if unknown:
        raise Refused(
            f"There is no facet {unknown[0]!r}.", next_step=f"Choose of {', '.join(FACETS)}."
        )
    if not 0 <= request.facet_limit <= MAX_PAGE:
        raise Refused(f"A page holds 0 to {MAX_PAGE} values.", limit=request.facet_limit)


def encode(place: Place) -> str:
    """Return the cursor of a place: letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def _decoded(cursor: str) -> Place:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=Place)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise Refused("The cursor cannot be read.", next_step="Start at the first page.") from error
