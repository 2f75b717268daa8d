"""`/contacts` and `/companies`: who took part, and everything that was exchanged with them."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import Field as Bounds

from holdfast.api.asking import visible
from holdfast.api.door import Archive, allowed
from holdfast.api.masks import mask_for
from holdfast.api.people import (
    contacts_in_scope,
    found_contacts,
    known_contact,
    on_trail,
    response_times,
)
from holdfast.api.problems import Unprocessable
from holdfast.api.served import Served
from holdfast.api.shapes.common import Moment, Shape
from holdfast.api.shapes.contacts import (
    ContactsAnswer,
    ContactShape,
    TrailAnswer,
    contact_shape,
    trail_entry,
)
from holdfast.api.trail import note
from holdfast.api.versions import tag_of
from holdfast.core.address_forms import address_forms
from holdfast.core.identity import public_id
from holdfast.core.ports import SearchRequest
from holdfast.core.query import Field, Node, Or, Term
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.company_views import known_elsewhere
from holdfast.storage.catalogue.contacts import show
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.resolving import owners_of

router = APIRouter(tags=["contacts"])
Viewer = Annotated[Principal, Depends(allowed(Action.CONTACTS))]
Seen = Annotated[str, Header(alias="If-None-Match", max_length=2000)]
COUNTRY = Bounds("", pattern=r"^[0-9]{0,3}$", description="Calling code of numbers that name none.")
MOST_RESOLVED = 1000


class Rollup(StrEnum):
    """Whose trail is shown beside the contact's own."""

    NONE = ""
    COMPANY = "company"


class ResolveOrder(Shape):
    """Addresses whose contacts are wanted."""

    addresses: list[str] = Bounds(
        max_length=MOST_RESOLVED, examples=[["wang@jia.example", "+86 138-0013-8000", "wecom:wm1"]]
    )
    country: str = COUNTRY


class FindQuery(Shape):
    """Who is looked for."""

    q: str = Bounds("", max_length=300, description="Name, address, pinyin.")
    address: str = Bounds("", max_length=400, description="A whole address, in any form.")
    country: str = COUNTRY
    limit: int = Bounds(20, ge=1, le=200)


class TrailQuery(Shape):
    """Which part of a trail is wanted."""

    cursor: str = Bounds("", max_length=2000)
    limit: int = Bounds(50, ge=1, le=200)
    since: Moment | None = Bounds(None, description="At this instant or later.")


class ContactTrailQuery(TrailQuery):
    """Which part of a contact's trail is wanted."""

    rollup: Rollup = Rollup.NONE


class ResolvedAnswer(Shape):
    """The contact of each address that was asked for, in order."""

    contacts: list[str | None]
    """Ids; null where nobody in the scope has the address."""


@router.get("/contacts", operation_id="find_contacts")
def find_contacts(
    served: Archive,
    principal: Viewer,
    asked: Annotated[FindQuery, Query()],
) -> ContactsAnswer:
    """Find contacts by a name, an address or a part of it, a domain, or pinyin; or by `address`."""
    q, address = asked.q.strip(), asked.address.strip()
    if bool(q) == bool(address):
        raise Unprocessable("Give either q or address.", pointer="/query/q")
    note(served, principal, "search", {"contacts": q or address})
    if address:
        owner = _owners(served, principal, [address], asked.country)[0]
        found = [] if owner is None else [show(served.store, owner)]
    else:
        found = found_contacts(served, principal, q, asked.limit)
    mask = mask_for(principal)
    return ContactsAnswer(contacts=[contact_shape(one, mask) for one in found])


@router.post("/contacts/resolve", operation_id="resolve_contacts")
def resolve_contacts(order: ResolveOrder, served: Archive, principal: Viewer) -> ResolvedAnswer:
    """Say which contact each address is of: mail, telephone in any form, or `system:id`."""
    note(served, principal, "search", {"resolve": len(order.addresses)})
    owners = _owners(served, principal, order.addresses, order.country)
    return ResolvedAnswer(
        contacts=[None if one is None else public_id("con", one) for one in owners]
    )


def _owners(
    served: Served, principal: Principal, addresses: list[str], country: str
) -> list[int | None]:
    forms = [address_forms(one, country) for one in addresses]
    owners = owners_of(served.store, {key for keys in forms for key in keys})
    seen = contacts_in_scope(served, principal, owners.values())
    # An address that can be read in several ways may be somebody's outside of the scope by one.
    return [next((owners[k] for k in keys if owners.get(k) in seen), None) for keys in forms]


@router.get("/contacts/{contact_id}", operation_id="read_contact")
def read_contact(
    contact_id: str, served: Archive, principal: Viewer, response: Response
) -> ContactShape:
    """Read a contact with all its addresses; its ETag is for changes of it."""
    found = known_contact(served, principal, contact_id)
    note(served, principal, "read", {"how": "contact"}, [("con", found.id)])
    response.headers["ETag"] = tag_of(found.version)
    return contact_shape(found, mask_for(principal))


@router.get(
    "/contacts/{contact_id}/timeline", operation_id="read_timeline", response_model=TrailAnswer
)
def read_timeline(
    contact_id: str,
    served: Archive,
    principal: Viewer,
    asked: Annotated[ContactTrailQuery, Query()],
    if_none_match: Seen = "",
) -> Any:
    """Read everything that a contact took part in, newest first, without a ceiling.

    Later versions, recalls and reactions are not in it: they show as marks of their message.
    `rollup=company`: what anybody of its company took part in. The answer's ETag may be sent back
    as `If-None-Match`: 304 where the page is the same.
    """
    found = known_contact(served, principal, contact_id)
    note(
        served, principal, "read", {"how": "timeline", "cursor": asked.cursor}, [("con", found.id)]
    )
    node: Node = Term(Field.CONTACT, public_id("con", found.id))
    if asked.rollup is Rollup.COMPANY and found.company_domain:
        node = Or((node, _of_company(served, found.company_domain)))
    page = _trail(served, principal, on_trail(node, asked.since), (asked.cursor, asked.limit))
    return unless_same(page, if_none_match)


@router.get(
    "/companies/{domain}/timeline", operation_id="read_company_timeline", response_model=TrailAnswer
)
def read_company_timeline(
    domain: str,
    served: Archive,
    principal: Viewer,
    asked: Annotated[TrailQuery, Query()],
    if_none_match: Seen = "",
) -> Any:
    """Read everything that people of a company took part in; else as the trail of a contact.

    By mail of its domain, and by all other addresses of the contacts that are of it.
    """
    name = domain.strip().lower()[:255]
    note(served, principal, "read", {"how": "timeline", "company": name, "cursor": asked.cursor})
    node = on_trail(_of_company(served, name), asked.since)
    page = _trail(served, principal, node, (asked.cursor, asked.limit))
    return unless_same(page, if_none_match)


def _of_company(served: Served, domain: str) -> Node:
    people = known_elsewhere(served.store, domain)
    named = (Term(Field.CONTACT, public_id("con", one)) for one in people)
    return Or((Term(Field.DOMAIN, domain), *named))


def _trail(served: Served, principal: Principal, node: Node, place: tuple[str, int]) -> TrailAnswer:
    request = SearchRequest(node, principal.scope, limit=place[1], cursor=place[0])
    page = served.index().search(request)
    found = visible(principal, records(served.store, [hit.id for hit in page.hits]))
    mask = mask_for(principal)
    taken = response_times(served, principal, found)
    entries = [trail_entry(one, mask, taken.get(one.id)) for one in found]
    return TrailAnswer(total=page.total, entries=entries, next=page.cursor or None)


def unless_same(answer: Shape, seen: str) -> Response:
    """Return an answer with its ETag; 304 without it where the asker has it (RFC 9110, 13.1.2)."""
    body = answer.model_dump_json().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [one.strip().removeprefix("W/") for one in seen.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
