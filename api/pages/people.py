"""Contacts: find one, its portrait and trail; who was silent, and who waits for an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from holdfast.api.asking import asked, guarded
from holdfast.api.masks import mask_for
from holdfast.api.pages.charts import BAR_HEIGHT, BAR_STEP, BAR_WIDTH, bars, cells
from holdfast.api.pages.queries import State, facet_node, written
from holdfast.api.pages.rendering import render
from holdfast.api.pages.trails import lines_of, trail_page
from holdfast.api.pages.visits import Visit, looking
from holdfast.api.people import found_contacts, known_contact, trail_of
from holdfast.api.portraits import Portrait, hours, neighbours, portrait_of
from holdfast.api.routes.contact_views import Days, SilentQuery, list_follow_ups, list_silent
from holdfast.api.trail import note
from holdfast.core.identity import public_id
from holdfast.core.query import And, Field, Node, Term
from holdfast.core.rights import Action
from holdfast.indexer.query_language.errors import QueryError
from holdfast.storage.catalogue.consents import consents_of
from holdfast.storage.catalogue.contacts import Contact

router = APIRouter(include_in_schema=False)
Looking = Annotated[Visit, Depends(looking(Action.CONTACTS))]
FOUND = 50
PAGE = 20
PEOPLE = 12
MOST_WAITING = 200
DIRECTIONS = ("in", "out", "internal")
Line = Annotated[str, Query(max_length=2000)]


@dataclass(frozen=True, slots=True)
class TrailForm:
    """Which part of a trail is wanted."""

    q: str
    """In the query language."""
    way: str
    """One of `DIRECTIONS`; empty: all."""
    channel: str
    cursor: str


def form_of(
    q: Line = "",
    way: Annotated[str, Query(max_length=10)] = "",
    channel: Annotated[str, Query(max_length=100)] = "",
    cursor: Line = "",
) -> TrailForm:
    """Return what the form over a trail says."""
    return TrailForm(q, way, channel, cursor)


@router.get("/contacts")
def contacts_page(visit: Looking, q: Annotated[str, Query(max_length=300)] = "") -> Response:
    """Find contacts by a name, pinyin, an address or a part of one, a domain."""
    wanted, mask = q.strip(), mask_for(visit.principal)
    found: list[Contact] = []
    if wanted:
        note(visit.served, visit.principal, "search", {"contacts": wanted})
        found = found_contacts(visit.served, visit.principal, wanted, FOUND)
    shown = [
        {"id": public_id("con", one.id), "contact": one, "name": mask.text(one.name)}
        | {"company": mask.text(one.company_name) or one.company_domain}
        | {"addresses": [mask.text(each.value) for each in one.identities]}
        for one in found
    ]
    values = {"q": q, "contacts": shown, "is_asked": bool(wanted), "most": FOUND}
    values |= {"sees_all": mask.sees_all}
    return render(visit, "contacts.html", values | {"is_full": len(found) == FOUND})


@router.get("/contacts/silent")
def silent_page(visit: Looking, asked_for: Annotated[SilentQuery, Query()]) -> Response:
    """List contacts that nobody was in touch with for so many days."""
    answer = list_silent(visit.served, visit.principal, asked_for)
    kept = {"days": asked_for.days, "owner": asked_for.owner, "cursor": answer.next}
    more = f"/contacts/silent?{urlencode(kept)}" if answer.next else ""
    return render(visit, "contacts_silent.html", {**kept, "answer": answer, "more": more})


@router.get("/contacts/follow-ups")
def waiting_page(visit: Looking, days: Days = 3) -> Response:
    """List messages from outside that nobody answered for so many days."""
    answer = list_follow_ups(visit.served, visit.principal, days=days, limit=MOST_WAITING)
    return render(visit, "contacts_waiting.html", {"answer": answer, "days": days})


@router.get("/contacts/{contact_id}")
def contact_page(
    contact_id: str,
    visit: Looking,
    form: Annotated[TrailForm, Depends(form_of)],
) -> Response:
    """Show who a contact is, what is exchanged with them, and their trail."""
    served, principal = visit.served, visit.principal
    found = known_contact(served, principal, contact_id)
    what = {"how": "contact page", "query": form.q, "cursor": form.cursor}
    note(served, principal, "read", what, [("con", found.id)])
    seen, mask = portrait_of(served, principal, found), mask_for(principal)
    values: dict[str, Any] = {
        "id": public_id("con", found.id),
        "contact": found,
        "name": mask.text(found.name) or mask.text(_address(found)),
        "company": mask.text(found.company_name) or found.company_domain,
        "sees_all": mask.sees_all,
        "identities": [
            {"one": one, "value": mask.text(one.value), "name": mask.text(one.name)}
            for one in found.identities
        ],
        "consents": consents_of(served.store, found.id),
        "seen": seen,
        "form": form,
        "directions": DIRECTIONS,
        "waiting": lines_of(mask, seen.waiting),
        **_charts(visit, found, seen),
        **_trail(visit, found, form),
    }
    return render(visit, "contact.html", values, 400 if values["trouble"] else 200)


def _address(found: Contact) -> str:
    return found.identities[0].value if found.identities else public_id("con", found.id)


def _charts(visit: Visit, found: Contact, seen: Portrait) -> dict[str, Any]:
    """Return what the portrait draws, each figure with the address of its messages."""
    zone, now = visit.served.config.zone, visit.served.store.clock.now()
    node, mask = Term(Field.CONTACT, public_id("con", found.id)), mask_for(visit.principal)
    people = [
        {"id": other, "name": mask.text(name) or other, "count": count}
        | {"url": _search(node, Term(Field.CONTACT, other))}
        for one, name, count in neighbours(seen.recent, found.id)[:PEOPLE]
        for other in [public_id("con", one)]
    ]
    silent = None if seen.last_contact_at is None else now - seen.last_contact_at
    return {
        "url": _search(node),
        "bars": bars(seen.months, now),
        "bar": {"height": BAR_HEIGHT, "step": BAR_STEP, "width": BAR_WIDTH},
        "month_urls": {
            one.value: _search(node, facet_node("month", one.value)) for one in seen.months
        },
        "cells": cells(hours(seen.recent, zone)),
        "silent_s": None if silent is None else max(int(silent.total_seconds()), 0),
        "people": people,
        "counts": {
            name: [(value, n, _search(node, facet_node(name, value))) for value, n in given[:12]]
            for name, given in seen.counts.items()
            if name != "month"
        },
    }


def _search(*nodes: Node) -> str:
    return State(q=written(And(nodes))).url()


def _trail(visit: Visit, found: Contact, form: TrailForm) -> dict[str, Any]:
    """Return one page of the trail, narrowed by what the form says."""
    try:
        node = _narrowed(visit, found, form)
    except QueryError as error:
        return {"trouble": error, "lines": [], "total": 0, "more": ""}
    page = trail_page(visit.served, visit.principal, node, (form.cursor, PAGE))
    more = f"?{urlencode(asdict(form) | {'cursor': page.cursor})}#trail" if page.cursor else ""
    return {"trouble": None, "lines": page.lines, "total": page.total, "more": more}


def _narrowed(visit: Visit, found: Contact, form: TrailForm) -> Node:
    nodes = [trail_of(found)]
    if form.way in DIRECTIONS:
        nodes.append(Term(Field.DIRECTION, form.way))
    if form.channel:
        nodes.append(Term(Field.CHANNEL, form.channel))
    if form.q.strip():
        parsed = asked(visit.served, visit.principal, form.q)
        nodes.append(guarded(visit.principal, parsed.node).node)
    return And(tuple(nodes))
