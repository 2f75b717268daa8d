"""`/hooks`: programs subscribe themselves to what happens, as Zapier and its like do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from holdfast.api.door import Archive, allowed
from holdfast.api.names import number_of
from holdfast.api.problems import Unprocessable
from holdfast.api.shapes.webhooks import HookShape, MadeHook, NewHook, Sample
from holdfast.core.errors import NotFound
from holdfast.core.rights import Action, Principal
from holdfast.ingest.jobs.telling import payload
from holdfast.storage.webhooks.endpoints import (
    ALL,
    PREFIX,
    Endpoint,
    NewEndpoint,
    add_endpoint,
    list_endpoints,
    remove_endpoint,
)
from holdfast.storage.webhooks.happenings import PREFIXES

router = APIRouter(tags=["hooks"])
Subscriber = Annotated[Principal, Depends(allowed(Action.SUBSCRIBE))]
_SAMPLE_ID = 1 << 50
_SAMPLE_MS = 1_709_251_200_000


@router.post("/hooks", operation_id="subscribe", status_code=201)
def post_hook(new: NewHook, served: Archive, principal: Subscriber) -> MadeHook:
    """Subscribe a target to one kind of event, within the scope of the key that asks.

    It ends with the key, when it is deleted, or when the target answers 410.
    """
    if new.event not in ALL:
        known = ", ".join(ALL)
        raise Unprocessable(f"There is no such event; known: {known}.", pointer="/body/event")
    served.courier.check_words(new.target_url)
    owner = (principal.user_id, principal.key_id)
    asked = NewEndpoint(new.target_url, (new.event,), *owner, is_hook=True)
    made, secret = add_endpoint(served.store_of(principal), asked)
    return MadeHook(id=made.public, target_url=made.url, event=new.event, secret=secret)


@router.get("/hooks", operation_id="list_hooks")
def get_hooks(served: Archive, principal: Subscriber) -> list[HookShape]:
    """List one's own subscriptions."""
    own = list_endpoints(served.store, principal.user_id)
    return [_hook(one) for one in own if one.is_hook]


@router.delete("/hooks/{hook_id}", operation_id="unsubscribe", status_code=204)
def delete_hook(hook_id: str, served: Archive, principal: Subscriber) -> None:
    """End a subscription of one's own."""
    number = number_of(PREFIX, hook_id)
    own = list_endpoints(served.store, principal.user_id)
    if not any(one.id == number and one.is_hook for one in own):
        raise NotFound(f"There is no subscription {hook_id[:40]!r}.")
    remove_endpoint(served.store_of(principal), number)


@router.get("/hooks/samples/{event}", operation_id="read_samples")
def get_samples(event: str, served: Archive, principal: Subscriber) -> list[Sample]:
    """Read what a hook of this kind is told, to set up what is done with it; ids are made up."""
    if event not in ALL:
        raise NotFound(f"There is no event {event[:40]!r}.", next_step=f"Known: {', '.join(ALL)}.")
    subject = _SAMPLE_ID if event in PREFIXES else None
    body = payload(event, subject, _SAMPLE_MS, ({}, served.courier.public_url))
    return [Sample.model_validate_json(body)]


def _hook(one: Endpoint) -> HookShape:
    return HookShape(id=one.public, target_url=one.url, event=" ".join(one.events))
