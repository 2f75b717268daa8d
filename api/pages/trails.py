"""A page of a trail, as lines that pages show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.api.asking import visible
from holdfast.api.masks import mask_for
from holdfast.core.errors import Refused
from holdfast.core.identity import public_id
from holdfast.core.ports import SearchRequest
from holdfast.core.senders import sender_of
from holdfast.storage.catalogue.reading import records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.api.masks import Mask
    from holdfast.api.served import Served
    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal

SNIPPET_CHARS = 160
LOOKED_AT_CHARS = 4 * SNIPPET_CHARS
"""Of a body, for its snippet: most of it may be space."""


@dataclass(frozen=True, slots=True)
class Line:
    """One interaction on a trail."""

    id: str
    record: Record
    """Masked."""
    sender: str
    snippet: str


@dataclass(frozen=True, slots=True)
class TrailPage:
    """One page of a trail, newest first."""

    total: int
    lines: list[Line]
    cursor: str
    """Of the next page; empty: there is none."""


def trail_page(
    served: Served, principal: Principal, node: Node, place: tuple[str, int]
) -> TrailPage:
    """Return what a query finds in the scope, from a cursor on, so many at most."""
    cursor, limit = place
    asked = SearchRequest(node, principal.scope, limit=limit, cursor=cursor)
    try:
        page = served.index().search(asked)
    except Refused:  # a cursor that somebody made up: begin anew
        page = served.index().search(replace(asked, cursor=""))
    found = visible(principal, records(served.store, [hit.id for hit in page.hits]))
    return TrailPage(page.total, lines_of(mask_for(principal), found), page.cursor)


def lines_of(mask: Mask, found: Iterable[Record]) -> list[Line]:
    """Return the lines of a trail, in order; their records hold no more than a line shows."""
    return [_line(mask.record(_glimpse(record))) for record in found]


def _glimpse(record: Record) -> Record:
    """Leave out what a line does not show: to mask it takes longer than all else."""
    end = record.body.find("\n", LOOKED_AT_CHARS)  # what a number is, its line tells
    body = record.body if end < 0 else record.body[:end]
    names = tuple(replace(one, text="") for one in record.attachments)
    return replace(record, body=body, attachments=names, headers=())


def _line(shown: Record) -> Line:
    snippet = " ".join(shown.body[:LOOKED_AT_CHARS].split())[:SNIPPET_CHARS]
    return Line(public_id("msg", shown.id), shown, sender_of(shown), snippet)
