"""`/contacts` and `/companies`: who took part, and everything that was exchanged with them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from holdfast.api.asking import contact_in_scope, visible
from holdfast.api.door import Archive, allowed
from holdfast.api.masks import Mask, mask_for
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Shape
from holdfast.api.shapes.records import ParticipantShape, participant
from holdfast.api.trail import note
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.identity import public_id, row_id
from holdfast.core.ports import SearchRequest
from holdfast.core.query import Field, Node, Term
from holdfast.core.records import Record
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.contacts import Contact, find, show
from holdfast.storage.catalogue.reading import records

router = APIRouter(tags=["contacts"])
Viewer = Annotated[Principal, Depends(allowed(Action.CONTACTS))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str, Query(max_length=2000)]


class IdentityShape(Shape):
    """One address of a contact."""

    kind: str
    value: str
    name: str
    first_contact_at: Instant | None
    last_contact_at: Instant | None
    messages: int


class ContactShape(Shape):
    """A person."""

    id: str
    name: str
    state: str
    company_domain: str
    company_name: str
    is_internal: bool
    identities: list[IdentityShape]
    first_contact_at: Instant | None
    last_contact_at: Instant | None
    merged: list[str]


class ContactsAnswer(Shape):
    """Contacts that a text may mean."""

    contacts: list[ContactShape]


class TrailEntry(Shape):
    """One interaction on a trail."""

    id: str
    kind: str
    channel: str
    at: Instant
    direction: str
    subject: str
    snippet: str
    participants: list[ParticipantShape]
    thread_id: str
    attachments: int
    is_bulk: bool
    links: dict[str, str]


class TrailAnswer(Shape):
    """One page of a trail, newest first."""

    total: int
    entries: list[TrailEntry]
    next: str | None


@router.get("/contacts", operation_id="find_contacts")
def find_contacts(
    served: Archive,
    principal: Viewer,
    q: Annotated[str, Query(min_length=1, max_length=300, description="Name, address, pinyin.")],
    limit: Limit = 20,
) -> ContactsAnswer:
    """Find contacts by a name, an address or a part of it, a domain, or pinyin."""
    note(served, principal, "search", {"contacts": q})
    found = find(served.store, q, limit)
    mask = mask_for(principal)
    known = [one for one in found if contact_in_scope(served, principal, one.id)]
    return ContactsAnswer(contacts=[_contact(one, mask) for one in known])


@router.get("/contacts/{contact_id}", operation_id="read_contact")
def read_contact(contact_id: str, served: Archive, principal: Viewer) -> ContactShape:
    """Read a contact with all its addresses."""
    found = known_contact(served, principal, contact_id)
    note(served, principal, "read", {"how": "contact"}, [("con", found.id)])
    return _contact(found, mask_for(principal))


@router.get("/contacts/{contact_id}/timeline", operation_id="read_timeline")
def read_timeline(
    contact_id: str,
    served: Archive,
    principal: Viewer,
    *,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> TrailAnswer:
    """Read everything that a contact took part in, newest first, without a ceiling."""
    found = known_contact(served, principal, contact_id)
    note(served, principal, "read", {"how": "timeline", "cursor": cursor}, [("con", found.id)])
    node = Term(Field.CONTACT, public_id("con", found.id))
    return _trail(served, principal, node, (cursor, limit))


@router.get("/companies/{domain}/timeline", operation_id="read_company_timeline")
def read_company_timeline(
    domain: str,
    served: Archive,
    principal: Viewer,
    *,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> TrailAnswer:
    """Read everything that people of a company took part in, newest first, without a ceiling."""
    name = domain.strip().lower()[:255]
    note(served, principal, "read", {"how": "timeline", "company": name, "cursor": cursor})
    return _trail(served, principal, Term(Field.DOMAIN, name), (cursor, limit))


def known_contact(served: Served, principal: Principal, text: str) -> Contact:
    """Return the contact of this public id, or the one that it was merged into.

    Raises:
        NotFound: There is none that took part in anything of the scope.
    """
    absent = NotFound(f"There is no contact {text[:40]!r}.", next_step="Look for a name.")
    try:
        number = row_id("con", text)
        found = show(served.store, number)
    except HoldfastError as error:
        raise absent from error
    if not contact_in_scope(served, principal, number):
        raise absent
    return found


def _trail(served: Served, principal: Principal, node: Node, place: tuple[str, int]) -> TrailAnswer:
    request = SearchRequest(node, principal.scope, limit=place[1], cursor=place[0])
    page = served.index().search(request)
    found = visible(principal, records(served.store, [hit.id for hit in page.hits]))
    mask = mask_for(principal)
    return TrailAnswer(
        total=page.total,
        entries=[_entry(mask.record(one)) for one in found],
        next=page.cursor or None,
    )


def _entry(record: Record) -> TrailEntry:
    name = public_id("msg", record.id)
    return TrailEntry(
        id=name,
        kind=str(record.kind),
        channel=record.channel,
        at=record.at,
        direction=record.direction,
        subject=record.subject,
        snippet=" ".join(record.body[:400].split())[:160],
        participants=[participant(one) for one in record.participants],
        thread_id=public_id("thr", record.thread_id),
        attachments=len(record.attachments),
        is_bulk=record.is_bulk,
        links={
            "self": f"/api/v1/records/{name}",
            "raw": f"/api/v1/records/{name}/original",
            "ui": f"/records/{name}",
        },
    )


def _contact(one: Contact, mask: Mask) -> ContactShape:
    return ContactShape(
        id=public_id("con", one.id),
        name=mask.text(one.name),
        state=one.state,
        company_domain=one.company_domain,
        company_name=one.company_name,
        is_internal=one.is_internal,
        identities=[
            IdentityShape(
                kind=identity.kind,
                value=mask.text(identity.value),
                name=mask.text(identity.name),
                first_contact_at=identity.first_contact_at,
                last_contact_at=identity.last_contact_at,
                messages=identity.messages,
            )
            for identity in one.identities
        ],
        first_contact_at=one.first_contact_at,
        last_contact_at=one.last_contact_at,
        merged=[public_id("con", other) for other in one.merged],
    )
