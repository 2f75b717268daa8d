"""`/search`: find interactions, count them, break them down."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query, Response

from holdfast.api.asking import (
    GOVERNED_FACETS,
    Answer,
    asked,
    guarded,
    refuse_governed,
    search,
    visible,
    within_reach,
)
from holdfast.api.door import Archive, allowed
from holdfast.api.masks import Mask, mask_for
from holdfast.api.problems import ReaderLanguage, Unprocessable
from holdfast.api.served import Served
from holdfast.api.shapes.records import record_shape
from holdfast.api.shapes.search import (
    FacetShape,
    HitShape,
    SearchAnswer,
    SearchOrder,
    SnippetShape,
)
from holdfast.api.trail import note
from holdfast.core.error_texts import translated
from holdfast.core.ports import SearchRequest
from holdfast.core.rights import Action, Principal
from holdfast.indexer.explain import explain, leaf_text, to_text
from holdfast.indexer.highlight import highlight, snippets
from holdfast.storage.catalogue.reading import records

router = APIRouter(tags=["search"])
Searcher = Annotated[Principal, Depends(allowed(Action.SEARCH))]


@router.post("/search", operation_id="search")
def post_search(
    order: SearchOrder,
    served: Archive,
    principal: Searcher,
    response: Response,
    language: ReaderLanguage,
) -> SearchAnswer:
    """Find interactions by words, people, dates and much more; the total is exact.

    The cursor of a page leads to the next one, without a ceiling, and stays right while mail
    arrives.
    """
    answer = _answer(order, served, principal, response)
    return _in_words(answer, language)


@router.get("/search", operation_id="search_by_url")
def get_search(
    order: Annotated[SearchOrder, Query()],
    served: Archive,
    principal: Searcher,
    response: Response,
    language: ReaderLanguage,
) -> SearchAnswer:
    """Do as POST /search, with everything in the URL."""
    answer = _answer(order, served, principal, response)
    return _in_words(answer, language)


def _in_words(answer: SearchAnswer, language: str) -> SearchAnswer:
    said = [translated(one, language) for one in answer.warnings]
    return answer.model_copy(update={"warnings": said})


def _answer(
    order: SearchOrder, served: Served, principal: Principal, response: Response
) -> SearchAnswer:
    parsed = asked(served, principal, order.query, _zone(order.zone))
    if not principal.may_know_holds and not set(GOVERNED_FACETS).isdisjoint(order.facets):
        refuse_governed(served, principal)
    safe = guarded(principal, parsed.node)
    request = SearchRequest(
        query=within_reach(served, principal, safe.node, order.reach),
        scope=principal.scope,
        limit=order.limit,
        cursor=order.cursor,
        sort=order.sort.value,
        facets=tuple(order.facets),
        facet_limit=order.facet_limit,
        collapse=order.collapse.value,
    )
    answer = search(served, parsed, request)
    canonical = to_text(parsed.node)
    what = {"query": order.query, "canonical": canonical, "total": answer.page.total}
    what |= {"sort": order.sort.value, "cursor": order.cursor, "matter": order.matter_id}
    note(served, principal, "search", what)
    if answer.page.cursor:
        response.headers["X-Next-Cursor"] = answer.page.cursor
    return SearchAnswer(
        query=order.query,
        canonical=canonical,
        tree=explain(parsed.node).splitlines(),
        zone=parsed.zone,
        warnings=list(parsed.warnings),
        total=answer.page.total,
        groups=answer.page.groups,
        hits=_hits(served, principal, answer),
        facets=_facets(answer, mask_for(principal)),
        not_indexed=answer.not_indexed,
        not_fully_indexed=answer.not_fully_indexed,
        guarded=[leaf_text(leaf) for leaf in safe.guarded_leaves],
        next=answer.page.cursor or None,
    )


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Unprocessable(f"{name!r} is not a time zone.", pointer="/zone") from error


def _hits(served: Served, principal: Principal, answer: Answer) -> list[HitShape]:
    found = records(served.store, [hit.id for hit in answer.page.hits])
    # The index may show what was moved out of the scope a moment ago: the record decides.
    known = {record.id: record for record in visible(principal, found)}
    mask = mask_for(principal)
    hits = []
    for hit in answer.page.hits:
        record = known.get(hit.id)
        if record is None:
            continue
        shown = mask.record(record)
        pieces = snippets(mask.marked(highlight(answer.request.query, shown)))
        hits.append(
            HitShape(
                record=record_shape(shown),
                collapsed=hit.collapsed,
                snippets=[
                    SnippetShape(part=p.part.value, index=p.index, text=p.text, marks=list(p.marks))
                    for p in pieces
                ],
            )
        )
    return hits


def _facets(answer: Answer, mask: Mask) -> dict[str, list[FacetShape]]:
    return {
        name: [FacetShape(value=value, count=count) for value, count in values]
        for name, values in mask.facets(answer.page.facets).items()
    }
