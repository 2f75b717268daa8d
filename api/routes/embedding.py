"""`/contacts/{id}/embed`: an address that shows a contact's trail in a frame of a CRM."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from holdfast.api.door import Archive, allowed
from holdfast.api.passes import VALID_MS, Pass, issue
from holdfast.api.people import known_contact
from holdfast.api.shapes.common import Instant, Shape, from_ms
from holdfast.api.trail import note
from holdfast.core.rights import Action, Principal

router = APIRouter(tags=["contacts"])
Viewer = Annotated[Principal, Depends(allowed(Action.CONTACTS))]
PLACE = "/embed/timeline"


class EmbeddedShape(Shape):
    """Where a trail is shown, and until when."""

    url: str
    """Begins with `outgoing.public_url`; without that it is a path."""
    expires_at: Instant


@router.post("/contacts/{contact_id}/embed", operation_id="embed_timeline", status_code=201)
def post_embed(contact_id: str, served: Archive, principal: Viewer) -> EmbeddedShape:
    """Have the contact's trail shown, within this key's scope, to whoever opens the address.

    It opens for five minutes, in frames of the origins that `outgoing.embedders` names.
    """
    found = known_contact(served, principal, contact_id)
    until_ms = served.store.now_ms() + VALID_MS
    given = Pass(principal.user_id, principal.key_id, found.id, until_ms)
    note(served, principal, "embed", {"until_ms": until_ms}, [("con", found.id)])
    text = issue(served.store.keyring, given)
    url = f"{served.courier.public_url}{PLACE}?pass={text}"
    return EmbeddedShape(url=url, expires_at=from_ms(until_ms))
