"""The search page: a box, what it understood, how results break down, a list and a preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from holdfast.api.asking import Answer, asked, guarded, search
from holdfast.api.pages.queries import State, chips, label_of, narrowed, place_of
from holdfast.api.pages.rendering import render
from holdfast.api.pages.results import facets_of, facets_wanted, hits_of
from holdfast.api.pages.texts import seen_text
from holdfast.api.pages.visits import Visit, looking
from holdfast.api.shapes.search import Collapse, Sort
from holdfast.api.trail import note
from holdfast.core.errors import NotFound, Refused
from holdfast.core.ports import SearchRequest
from holdfast.core.query import EVERYTHING, NOT_READ_WHOLE, Node
from holdfast.core.rights import Action
from holdfast.indexer.emptying import what_emptied
from holdfast.indexer.explain import leaf_text, to_text
from holdfast.indexer.query_language.errors import QueryError
from holdfast.indexer.query_parser import ParsedQuery

router = APIRouter(include_in_schema=False)
Searching = Annotated[Visit, Depends(looking(Action.SEARCH))]
PAGE_HITS = 30
FACET_VALUES = 8
QUERY_CHARS = 20_000
"""Of a query in a URL; longer ones are for the API."""


def state_of(
    q: Annotated[str, Query(max_length=QUERY_CHARS)] = "",
    sort: Sort = Sort.NEWEST,
    collapse: Collapse = Collapse.NONE,
    cursor: Annotated[str, Query(max_length=2000)] = "",
    opened: Annotated[str, Query(alias="open", max_length=40)] = "",
) -> State:
    """Return the state that a URL says."""
    return State(q, sort.value, collapse.value, cursor, opened)


Asked = Annotated[State, Depends(state_of)]


@dataclass(frozen=True, slots=True)
class _Understood:
    parsed: ParsedQuery
    node: Node
    """What is looked for, without what masked numbers would tell."""
    guarded: tuple[str, ...]
    """Parts of the query that are not looked for in messages with masked numbers."""


@router.get("/search")
def search_page(visit: Searching, state: Asked) -> Response:
    """Show results; a query that cannot be read is shown with the place where it fails."""
    try:
        read = _understood(visit, state.q)
    except QueryError as error:
        place = place_of(state.q, error.position)
        return render(visit, "search.html", _page(state, trouble=error, place=place), 400)
    answer = _answer(visit, state, read, facets_wanted(visit.principal))
    zone = visit.served.config.zone
    values = _page(
        state,
        answer=answer,
        hits=hits_of(visit, answer),
        facets=facets_of(visit, answer, state),
        chips=chips(read.parsed.node, zone) if read.parsed.node != EVERYTHING else [],
        guarded=read.guarded,
        emptying=_emptying(visit, answer),
        partly_url=_partly_url(state, read.parsed),
        **_preview(visit, state),
    )
    return render(visit, "search.html", values)


@router.get("/search/rows")
def more_rows(visit: Searching, state: Asked) -> Response:
    """Return the next lines of a list, for the page that shows it."""
    answer = _answer(visit, state, _understood(visit, state.q), ())
    values = {"state": state, "answer": answer, "hits": hits_of(visit, answer)}
    return render(visit, "rows.html", values)


def _understood(visit: Visit, text: str) -> _Understood:
    parsed = asked(visit.served, visit.principal, text)
    safe = guarded(visit.principal, parsed.node)
    return _Understood(parsed, safe.node, tuple(map(leaf_text, safe.guarded_leaves)))


def _answer(visit: Visit, state: State, read: _Understood, facets: tuple[str, ...]) -> Answer:
    request = SearchRequest(
        query=read.node,
        scope=visit.principal.scope,
        limit=PAGE_HITS,
        cursor=state.cursor,
        sort=state.sort,
        facets=facets,
        facet_limit=FACET_VALUES,
        collapse=state.collapse,
    )
    answer = search(visit.served, read.parsed, request)
    what = {"query": state.q, "canonical": to_text(read.parsed.node), "total": answer.page.total}
    what |= {"sort": state.sort, "cursor": state.cursor}
    note(visit.served, visit.principal, "search", what)
    return answer


def _page(state: State, **values: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"answer": None, "trouble": None, "hits": [], "facets": {}, "chips": []}
    more: dict[str, Any] = {
        "guarded": (),
        "emptying": [],
        "seen": None,
        "partly_url": "",
        "is_absent": False,
    }
    orders = {"sorts": list(Sort), "collapses": list(Collapse)}
    return {**plain, **more, **orders, "state": state, **values}


def _emptying(visit: Visit, answer: Answer) -> list[dict[str, Any]]:
    """Say which part of a query that found nothing is to blame."""
    if answer.page.total:
        return []
    zone = visit.served.config.zone
    return [
        {"label": label_of(one.part, zone), "alone": one.alone, "without": one.without}
        for one in what_emptied(visit.served.index(), answer.request)
    ]


def _partly_url(state: State, parsed: ParsedQuery) -> str:
    """Return the address of what matches and could not be read whole."""
    unread = NOT_READ_WHOLE
    text = to_text(unread) if not parsed.text.strip() else narrowed(parsed, unread)
    return state.url(q=text, cursor="", open="")


def _preview(visit: Visit, state: State) -> dict[str, Any]:
    """Return what is seen beside the list, if the URL names a message."""
    if not state.open or not visit.principal.may(Action.READ):
        return {}
    try:
        return {"seen": seen_text(visit, state.open, state.q)}
    except (NotFound, Refused):
        return {"is_absent": True}
