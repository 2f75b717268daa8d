"""`/contacts/{id}`, `/merges`, `/links`: what people change of contacts, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field as Bounds

from holdfast.api.door import Archive, allowed
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.masks import Mask, mask_for
from holdfast.api.names import number_of
from holdfast.api.people import contacts_in_scope, known_contact
from holdfast.api.routes.contacts import COUNTRY, Viewer
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Moment, Shape, from_ms, maybe_ms
from holdfast.api.shapes.contact_fields import FieldsShape, fields_shape
from holdfast.api.shapes.contacts import CONTACT_ID, ContactShape, contact_shape
from holdfast.api.trail import note
from holdfast.api.versions import IfMatch, agreed, tag_of
from holdfast.core.address_forms import address_forms
from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Forbidden, Principal
from holdfast.storage.catalogue.consents import consents_of
from holdfast.storage.catalogue.contact_fields import (
    change_fields,
    field_versions,
    fields_in,
)
from holdfast.storage.catalogue.contacts import contact_roots, contacts_by_id, show
from holdfast.storage.catalogue.linking import PREFIX, Link, Wanted, link, link_by_id, unlink
from holdfast.storage.catalogue.merging import merge, merge_by_id, undo
from holdfast.storage.catalogue.resolving import owners_of, suggestions
from holdfast.storage.rights.contact_reach import is_followed

router = APIRouter(tags=["contacts"])
Annotator = Annotated[Principal, Depends(allowed(Action.ANNOTATE))]
Merger = Annotated[Principal, Depends(allowed(Action.MERGE))]
_WORD = Bounds(None, max_length=300)
_GROUPS_AT_ONCE = 100


class FieldsChange(Shape):
    """What is to be different; what is left out stays."""

    name: str | None = _WORD
    party_type: str | None = _WORD
    grade: str | None = _WORD
    source: str | None = _WORD
    roles: list[str] | None = Bounds(None, max_length=100)
    groups: list[str] | None = Bounds(None, max_length=100)
    owner: str | None = _WORD
    consents: dict[str, str] | None = Bounds(None, max_length=100)
    company: str | None = _WORD
    title: str | None = _WORD
    note: str | None = Bounds(None, max_length=3000)


class FieldVersionShape(Shape):
    """One change of a contact."""

    version: int
    actor: str
    at: Instant
    before: dict[str, Any]
    after: dict[str, Any]


class MergeOrder(Shape):
    """Who is the same person."""

    other_id: str = CONTACT_ID


class MergedShape(Shape):
    """A merge that was made."""

    id: str = Bounds(examples=["mrg_0d5z3k8n9q2rt"])
    contact: ContactShape


class LinkOrder(Shape):
    """An address that is to be a contact's."""

    address: str = Bounds(max_length=400, examples=["salesforce:0035g00000XyZ"])
    country: str = COUNTRY
    valid_from_at: Moment | None = None
    valid_to_at: Moment | None = None


class LinkShape(Shape):
    """An address that was given to a contact."""

    id: str = Bounds(examples=["lnk_0d5z3k8n9q2rt"])
    contact_id: str = CONTACT_ID
    before_id: str | None
    """The contact that it was with before, by itself or by way of a merge."""
    valid_from_at: Instant | None
    valid_to_at: Instant | None
    at: Instant
    undone_at: Instant | None


class SuggestionShape(Shape):
    """Contacts that may be one person."""

    reason: str
    contacts: list[ContactShape]


class SuggestionsAnswer(Shape):
    """Groups of contacts to be looked at."""

    suggestions: list[SuggestionShape]


@router.get("/contacts/{contact_id}/fields", operation_id="read_contact_fields")
def read_fields(
    contact_id: str, served: Archive, principal: Viewer, response: Response
) -> FieldsShape:
    """Read what people said of a contact; its ETag is for changes of it."""
    found = known_contact(served, principal, contact_id)
    note(served, principal, "read", {"how": "contact fields"}, [("con", found.id)])
    said, version = fields_in(served.store, found.id)
    response.headers["ETag"] = tag_of(version)
    consents = consents_of(served.store, found.id)
    return fields_shape(said, version, mask_for(principal), consents)


@router.patch("/contacts/{contact_id}", operation_id="change_contact")
def change_contact(
    contact_id: str,
    change: FieldsChange,
    served: Archive,
    principal: Annotator,
    if_match: IfMatch = "",
) -> FieldsShape:
    """Change what is said of a contact; the former values stay readable as versions.

    The owner then sees what the contact took part in: only who may merge contacts and sees
    everything names one.
    """
    if change.owner is not None:
        require_whole_scope(served, principal, "contact owner")
    found = known_contact(served, principal, contact_id)
    version = agreed(if_match, found.version)
    values: dict[str, Any] = {n: v for n, v in change.model_dump().items() if v is not None}
    if "consents" in values:
        values["consents"] = tuple(values["consents"].items())
    said, version = change_fields(served.store_of(principal), found.id, values, version)
    consents = consents_of(served.store, found.id)
    return fields_shape(said, version, mask_for(principal), consents)


@router.get("/contacts/{contact_id}/versions", operation_id="list_contact_versions")
def list_versions(contact_id: str, served: Archive, principal: Viewer) -> list[FieldVersionShape]:
    """Read who changed what of a contact, and when, oldest first."""
    found = known_contact(served, principal, contact_id)
    note(served, principal, "read", {"how": "contact versions"}, [("con", found.id)])
    mask = mask_for(principal)
    return [
        FieldVersionShape(
            version=one.version,
            actor=one.actor,
            at=from_ms(one.changed_ms),
            before=_masked(one.before, mask),
            after=_masked(one.after, mask),
        )
        for one in field_versions(served.store, found.id)
    ]


@router.post("/contacts/{contact_id}/merge", operation_id="merge_contacts")
def merge_contacts(
    contact_id: str,
    order: MergeOrder,
    served: Archive,
    principal: Merger,
    *,
    once_key: Once = "",
) -> MergedShape:
    """Make another contact this one; both trails become one, and it can be undone exactly."""

    def act() -> MergedShape:
        winner = known_contact(served, principal, contact_id)
        loser = known_contact(served, principal, order.other_id)
        _require_reach(served, principal, (winner.id, loser.id))
        made = merge(served.store_of(principal), winner.id, loser.id)
        shown = contact_shape(show(served.store, winner.id), mask_for(principal))
        return MergedShape(id=public_id("mrg", made), contact=shown)

    route = f"POST /contacts/{contact_id}/merge"
    call = Call(served, principal, once_key, route, order.model_dump(mode="json"))
    return once(call, MergedShape, act)


@router.post("/merges/{merge_id}/undo", operation_id="undo_merge")
def undo_merge(merge_id: str, served: Archive, principal: Merger) -> ContactShape:
    """Take a merge back exactly, also when later ones stand on it; shows who was merged."""
    number = number_of("mrg", merge_id)
    found = merge_by_id(served.store, number)
    _require_seen(served, principal, (found.winner_id, found.loser_id), "merge")
    _require_reach(served, principal, (found.winner_id, found.loser_id))
    undo(served.store_of(principal), number)
    return contact_shape(show(served.store, found.loser_id), mask_for(principal))


@router.post("/contacts/{contact_id}/identities", operation_id="link_identity")
def link_identity(
    contact_id: str,
    order: LinkOrder,
    served: Archive,
    principal: Merger,
    *,
    once_key: Once = "",
) -> LinkShape:
    """Give an address to a contact, known or new: mail, a telephone, `system:id`.

    With a time, what the address took part in outside of it counts for nobody. Who sees a part of
    the archive gives addresses of their scope alone.
    """

    def act() -> LinkShape:
        found = known_contact(served, principal, contact_id)
        _require_reach(served, principal, (found.id,))
        key = _key(served, principal, order)
        times = (_ms(order.valid_from_at), _ms(order.valid_to_at))
        return _link(link(served.store_of(principal), Wanted(key, found.id, *times)))

    route = f"POST /contacts/{contact_id}/identities"
    call = Call(served, principal, once_key, route, order.model_dump(mode="json"))
    return once(call, LinkShape, act)


@router.post("/contacts/{contact_id}/identities/{identity_id}/split", operation_id="split_identity")
def split_identity(
    contact_id: str, identity_id: str, served: Archive, principal: Merger
) -> LinkShape:
    """Give an address of a contact a contact of its own; undone as any link."""
    found = known_contact(served, principal, contact_id)
    number = number_of("idn", identity_id)
    own = next((one for one in found.identities if one.id == number), None)
    if own is None:
        raise NotFound("The contact has no such address.", next_step="Read the contact.")
    _require_reach(served, principal, (found.id,))
    if len(found.identities) == 1:
        raise Refused("It is the contact's only address.", next_step="Undo a merge or a link.")
    return _link(link(served.store_of(principal), Wanted(own.key)))


@router.post("/links/{link_id}/undo", operation_id="undo_link")
def undo_link(link_id: str, served: Archive, principal: Merger) -> LinkShape:
    """Take a link or a split back exactly, also when later ones stand on it."""
    number = number_of(PREFIX, link_id)
    found = link_by_id(served.store, number)
    ends = [one for one in (found.contact_id, found.before_id) if one is not None]
    _require_seen(served, principal, ends, "link")
    _require_reach(served, principal, ends)
    unlink(served.store_of(principal), number)
    return _link(link_by_id(served.store, number))


@router.get("/contacts/suggestions", operation_id="suggest_merges")
def suggest_merges(
    served: Archive, principal: Merger, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> SuggestionsAnswer:
    """List contacts that may be one person; nothing is merged by it."""
    note(served, principal, "read", {"how": "suggestions"})
    mask = mask_for(principal)
    found = iter(suggestions(served.store))
    seen: list[tuple[str, list[int]]] = []
    while len(seen) < limit and (some := list(islice(found, _GROUPS_AT_ONCE))):
        known = contacts_in_scope(served, principal, {i for one in some for i in one.contact_ids})
        shown = ((one.reason, [i for i in one.contact_ids if i in known]) for one in some)
        seen += [(reason, ids) for reason, ids in shown if len(ids) > 1]
    del seen[limit:]
    people = contacts_by_id(served.store, {i for _, ids in seen for i in ids})
    return SuggestionsAnswer(
        suggestions=[
            SuggestionShape(
                reason=reason, contacts=[contact_shape(people[i], mask) for i in ids if i in people]
            )
            for reason, ids in seen
        ]
    )


def _key(served: Served, principal: Principal, order: LinkOrder) -> str:
    """Return the key of an address, as it is known if it is.

    Who sees a part gives none away and learns none: an address that is nobody's in their scope is
    refused in one and the same way, whether the archive knows it or not.
    """
    keys = address_forms(order.address, order.country)
    if not keys:
        raise Refused(
            f"{order.address[:80]!r} is no address.",
            next_step="Give a mail address, +49… for a telephone, or system:id.",
        )
    owners = owners_of(served.store, keys)
    known = contacts_in_scope(served, principal, owners.values())
    key = next((one for one in keys if owners.get(one) in known), None)
    if key is None and not principal.scope.is_whole:
        raise NotFound(
            "Nobody in your scope has this address.", next_step="Ask somebody who sees everything."
        )
    return key or keys[0]


def _require_seen(
    served: Served, principal: Principal, contact_ids: Sequence[int], what: str
) -> None:
    """Refuse what is outside of the scope, in the words for what is not there at all."""
    roots = set(contact_roots(served.store, contact_ids))
    if contacts_in_scope(served, principal, roots) != roots:
        raise NotFound(f"There is no such {what}.", next_step=f"List the contact's {what}s.")


def require_whole_scope(served: Served, principal: Principal, what: str) -> None:
    """Refuse who may not merge contacts, or does not see everything; the refusal is noted first.

    Raises:
        Forbidden: Somebody's scope would change by it, perhaps the asker's own.
    """
    if principal.may(Action.MERGE) and principal.scope.is_whole:
        return
    note(served, principal, "refused", {"action": Action.MERGE.value, "route": what})
    principal.require(Action.MERGE)
    raise Forbidden(
        "Somebody's scope would change by it, and you do not see everything.",
        next_step="Ask somebody who does.",
        action=Action.MERGE.value,
    )


def _require_reach(served: Served, principal: Principal, contact_ids: Sequence[int]) -> None:
    """Refuse who sees a part to change contacts that the scope of somebody follows."""
    roots = contact_roots(served.store, contact_ids)
    if is_followed(served.store, [*roots, *contact_ids]):
        require_whole_scope(served, principal, "contact that a scope follows")


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def _link(one: Link) -> LinkShape:
    return LinkShape(
        id=public_id(PREFIX, one.id),
        contact_id=public_id("con", one.contact_id),
        before_id=None if one.before_id is None else public_id("con", one.before_id),
        valid_from_at=maybe_ms(one.valid_from_ms),
        valid_to_at=maybe_ms(one.valid_to_ms),
        at=from_ms(one.linked_ms),
        undone_at=maybe_ms(one.undone_ms),
    )


def _masked(values: dict[str, Any], mask: Mask) -> dict[str, Any]:
    return {n: mask.text(v) if isinstance(v, str) else v for n, v in values.items()}
