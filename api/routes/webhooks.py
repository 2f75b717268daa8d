"""`/webhooks`: who is told what happens, and how the telling went; for whoever runs the archive."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from holdfast.api.door import Archive, allowed
from holdfast.api.names import number_of
from holdfast.api.served import Served
from holdfast.api.shapes.webhooks import (
    DeliveriesAnswer,
    DeliveryShape,
    LogPage,
    NewWebhook,
    Rotation,
    WebhookChange,
    WebhookSecret,
    WebhookShape,
    delivery_shape,
    webhook_shape,
)
from holdfast.api.versions import IfMatch, agreed, tag_of
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Principal
from holdfast.storage.rights.users import user_view
from holdfast.storage.webhooks.deliveries import (
    PREFIX as DELIVERY,
)
from holdfast.storage.webhooks.deliveries import (
    add_test,
    deliveries_of,
    find_delivery,
    replay,
)
from holdfast.storage.webhooks.endpoints import (
    PREFIX,
    Changes,
    Endpoint,
    NewEndpoint,
    add_endpoint,
    change_endpoint,
    find_endpoint,
    list_endpoints,
    remove_endpoint,
    rotate_secret,
)

router = APIRouter(tags=["webhooks"])
Keeper = Annotated[Principal, Depends(allowed(Action.WEBHOOKS))]


@router.get("/webhooks", operation_id="list_webhooks")
def get_webhooks(served: Archive, principal: Keeper) -> list[WebhookShape]:
    """List the endpoints, oldest first; hooks that programs made for themselves too."""
    return [webhook_shape(one) for one in list_endpoints(served.store)]


@router.post("/webhooks", operation_id="add_webhook", status_code=201)
def post_webhook(new: NewWebhook, served: Archive, principal: Keeper) -> WebhookSecret:
    """Add an endpoint: it is told what its owner may know of. The secret shows this once."""
    served.courier.check_words(new.url)
    owner, key_id = principal.user_id, principal.key_id
    if new.owner:
        owner, key_id = user_view(served.store, new.owner).id, None
    asked = NewEndpoint(new.url, tuple(new.events), owner, key_id, new.name)
    made, secret = add_endpoint(served.store_of(principal), asked)
    return WebhookSecret(webhook=webhook_shape(made), secret=secret)


@router.get("/webhooks/{webhook_id}", operation_id="read_webhook")
def get_webhook(
    webhook_id: str, served: Archive, principal: Keeper, response: Response
) -> WebhookShape:
    """Read an endpoint; its ETag is for changes."""
    found = _found(served, webhook_id)
    response.headers["ETag"] = tag_of(found.version)
    return webhook_shape(found)


@router.patch("/webhooks/{webhook_id}", operation_id="change_webhook")
def patch_webhook(
    webhook_id: str,
    change: WebhookChange,
    served: Archive,
    principal: Keeper,
    *,
    if_match: IfMatch = "",
) -> WebhookShape:
    """Change where to, of what, or whether now; a paused one is told later what happened."""
    found = _found(served, webhook_id)
    if change.url is not None:
        served.courier.check_words(change.url)
    changes = Changes(
        url=change.url,
        events=None if change.events is None else tuple(change.events),
        name=change.name,
        is_paused=change.is_paused,
        version=agreed(if_match, found.version) if if_match else None,
    )
    return webhook_shape(change_endpoint(served.store_of(principal), found.id, changes))


@router.post("/webhooks/{webhook_id}/rotate", operation_id="rotate_webhook")
def post_rotation(
    webhook_id: str, how: Rotation, served: Archive, principal: Keeper
) -> WebhookSecret:
    """Make a new secret; both sign until the overlap is over."""
    number = _found(served, webhook_id).id
    made, secret = rotate_secret(served.store_of(principal), number, how.overlap_hours)
    return WebhookSecret(webhook=webhook_shape(made), secret=secret)


@router.delete("/webhooks/{webhook_id}", operation_id="remove_webhook", status_code=204)
def delete_webhook(webhook_id: str, served: Archive, principal: Keeper) -> None:
    """Tell it nothing more, and destroy its secret."""
    remove_endpoint(served.store_of(principal), _found(served, webhook_id).id)


@router.post("/webhooks/{webhook_id}/test", operation_id="test_webhook", status_code=202)
def post_test(webhook_id: str, served: Archive, principal: Keeper) -> DeliveryShape:
    """Have an event `webhook.test` told to it; read in its log what came of it."""
    found = _found(served, webhook_id)
    delivery_id = add_test(served.store_of(principal), found.id)
    served.wake("webhook")
    return delivery_shape(find_delivery(served.store, found, delivery_id))


@router.get("/webhooks/{webhook_id}/deliveries", operation_id="list_deliveries")
def get_deliveries(
    webhook_id: str,
    served: Archive,
    principal: Keeper,
    page: Annotated[LogPage, Query()],
) -> DeliveriesAnswer:
    """Read what it was told, newest first; what ended is kept for 30 days."""
    found = _found(served, webhook_id)
    before = number_of(DELIVERY, page.cursor) if page.cursor else 0
    listed = deliveries_of(
        served.store, found.id, state=page.state, before=before, limit=page.limit
    )
    more = public_id(DELIVERY, listed[-1].id) if len(listed) == page.limit else None
    return DeliveriesAnswer(deliveries=[delivery_shape(one) for one in listed], next=more)


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    operation_id="replay_delivery",
    status_code=202,
)
def post_replay(
    webhook_id: str, delivery_id: str, served: Archive, principal: Keeper
) -> DeliveryShape:
    """Tell it again what it was told, under the same webhook-id."""
    found = _found(served, webhook_id)
    number = number_of(DELIVERY, delivery_id)
    made = replay(served.store_of(principal), found, number)
    served.wake("webhook")
    return delivery_shape(made)


def _found(served: Served, text: str) -> Endpoint:
    return find_endpoint(served.store, number_of(PREFIX, text))
