"""Turn what a search found into what a result page shows; it searches nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.api.asking import GOVERNED_FACETS, visible
from holdfast.api.masks import mask_for
from holdfast.api.pages.queries import facet_urls
from holdfast.core.identity import public_id
from holdfast.core.query import Part
from holdfast.core.senders import sender_of
from holdfast.indexer.highlight import Snippet, highlight, snippets
from holdfast.storage.catalogue.reading import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.api.asking import Answer
    from holdfast.api.masks import Mask
    from holdfast.api.pages.queries import State
    from holdfast.api.pages.visits import Visit
    from holdfast.core.ports import Hit
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal

SNIPPETS = 3
FACETS = (
    "sender",
    "domain",
    "company",
    "month",
    "custodian",
    "source",
    "channel",
    "filetype",
    "tag",
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A snippet with the place where it was found."""

    place: str
    """Name of a file, or of a kind of text; empty for the body."""
    is_file: bool
    text: str
    marks: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class HitView:
    """One line of a list."""

    id: str
    record: Record
    sender: str
    subject_marks: Sequence[tuple[int, int]]
    pieces: Sequence[Piece]
    collapsed: int


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value, with the addresses that take only it, or all but it."""

    value: str
    count: int
    only: str
    others: str


def hits_of(visit: Visit, answer: Answer) -> list[HitView]:
    """Return the lines of a page, in order."""
    principal = visit.principal
    found = records(visit.served.store, [hit.id for hit in answer.page.hits])
    # The index may show what was moved out of the scope a moment ago: the record decides.
    known = {record.id: record for record in visible(principal, found)}
    mask = mask_for(principal)
    return [_hit(hit, known[hit.id], answer, mask) for hit in answer.page.hits if hit.id in known]


def _hit(hit: Hit, record: Record, answer: Answer, mask: Mask) -> HitView:
    shown = mask.record(replace(record, headers=()))  # a list shows none
    found = mask.marked(highlight(answer.request.query, shown))
    subject = next((one.marks for one in found if one.part is Part.SUBJECT), ())
    elsewhere = [one for one in found if one.part is not Part.SUBJECT]
    return HitView(
        id=public_id("msg", record.id),
        record=shown,
        sender=sender_of(shown),
        subject_marks=subject,
        pieces=[_piece(one, shown) for one in snippets(elsewhere, SNIPPETS)],
        collapsed=hit.collapsed,
    )


def _piece(found: Snippet, record: Record) -> Piece:
    is_file = found.part is Part.ATTACHMENT
    if is_file:
        place = record.attachments[found.index].filename
    else:
        place = "" if found.part in {Part.BODY, Part.CONTENT} else found.part.value
    return Piece(place, is_file, found.text, found.marks)


def facets_wanted(principal: Principal) -> tuple[str, ...]:
    """Return what results are broken down by for this role."""
    return (*FACETS, *GOVERNED_FACETS) if principal.may_know_holds else FACETS


def facets_of(visit: Visit, answer: Answer, state: State) -> dict[str, list[FacetValue]]:
    """Return the facets that have values, in the order of `facets_wanted`."""
    mask = mask_for(visit.principal)
    shown = {}
    for name, given in mask.facets(answer.page.facets).items():
        values = [
            FacetValue(value, count, *facet_urls(state, answer.parsed, name, value))
            for value, count in given
        ]
        if values:
            shown[name] = values
    return shown
