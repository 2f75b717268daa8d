"""Shapes of endpoints, of what they were told, and of hooks."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from holdfast.api.shapes.common import Instant, Shape, from_ms, maybe_ms
from holdfast.core.identity import public_id
from holdfast.storage.webhooks.deliveries import PREFIX as DELIVERY
from holdfast.storage.webhooks.deliveries import Delivery
from holdfast.storage.webhooks.endpoints import MAX_URL_CHARS, MOST_OVERLAP_HOURS, Endpoint
from holdfast.storage.webhooks.happenings import PREFIXES


class NewWebhook(Shape):
    """An endpoint to be told."""

    url: str = Field(max_length=MAX_URL_CHARS, examples=["https://crm.example/in"])
    events: list[str] = Field(default=[], max_length=50, examples=[["message.archived"]])
    """Kinds; none named: all."""
    owner: str = Field("", max_length=200)
    """Login of whose scope limits what is told; empty: the asker's, with the key that asks."""
    name: str = Field("", max_length=200)


class WebhookChange(Shape):
    """What becomes another; what is left out stays."""

    url: str | None = Field(None, max_length=MAX_URL_CHARS)
    events: list[str] | None = Field(None, max_length=50)
    name: str | None = Field(None, max_length=200)
    is_paused: bool | None = None
    """False also resumes an endpoint that said it is gone."""


class Rotation(Shape):
    """How a secret becomes another."""

    overlap_hours: int = Field(24, ge=0, le=MOST_OVERLAP_HOURS)
    """For how long the older secret signs too."""


class WebhookShape(Shape):
    """An endpoint; its secret is in no answer but the first."""

    id: str
    name: str
    url: str
    events: list[str]
    owner: str
    key: str | None
    state: str
    """`active`, `paused` or `gone` (it answered 410)."""
    is_hook: bool
    failures: int
    """In a row."""
    created_at: Instant
    older_secret_until: Instant | None
    version: int


class WebhookSecret(Shape):
    """An endpoint with its secret, which is shown this once."""

    webhook: WebhookShape
    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class DeliveryShape(Shape):
    """One thing that an endpoint is told."""

    id: str
    webhook_id: str
    """As the header of each try says it."""
    event: str
    subject: str | None
    state: str
    """`waiting`, `delivered`, `failed` (given up) or `void` (the endpoint is no more)."""
    attempts: int
    happened_at: Instant
    tried_at: Instant | None
    next_at: Instant | None
    ended_at: Instant | None
    status: int | None
    answer: str
    """At most its first 200 characters."""
    error: str


class LogPage(Shape):
    """Which part of a log is asked for."""

    state: str = Field("", pattern="^(waiting|delivered|failed|void)?$")
    cursor: str = Field("", max_length=100)
    limit: int = Field(50, ge=1, le=200)


class DeliveriesAnswer(Shape):
    """One page of a log, newest first."""

    deliveries: list[DeliveryShape]
    next: str | None


class NewHook(Shape):
    """What a program subscribes to."""

    target_url: str = Field(max_length=MAX_URL_CHARS, examples=["https://hooks.zapier.com/x/y"])
    event: str = Field(max_length=50, examples=["contact.created"])


class HookShape(Shape):
    """A subscription of one's own."""

    id: str
    target_url: str
    event: str


class MadeHook(HookShape):
    """A subscription, with the secret that its signatures are made with."""

    secret: str


class Sample(Shape):
    """What a hook is told."""

    type: str
    timestamp: str
    data: dict[str, Any]


def webhook_shape(one: Endpoint) -> WebhookShape:
    """Return an endpoint as it is shown."""
    return WebhookShape(
        id=one.public,
        name=one.name,
        url=one.url,
        events=list(one.events),
        owner=one.login,
        key=None if one.key_id is None else public_id("key", one.key_id),
        state=one.state,
        is_hook=one.is_hook,
        failures=one.failures,
        created_at=from_ms(one.created_ms),
        older_secret_until=maybe_ms(one.older_until_ms),
        version=one.version,
    )


def delivery_shape(one: Delivery) -> DeliveryShape:
    """Return a delivery as it is shown."""
    prefix = PREFIXES.get(one.kind)
    has_subject = prefix is not None and one.subject_id is not None
    return DeliveryShape(
        id=public_id(DELIVERY, one.id),
        webhook_id=public_id("evt", one.event_id),
        event=one.kind,
        subject=public_id(prefix or "", one.subject_id or 0) if has_subject else None,
        state=one.state,
        attempts=one.attempts,
        happened_at=from_ms(one.at_ms),
        tried_at=maybe_ms(one.tried_ms),
        next_at=from_ms(one.next_ms) if one.state == "waiting" else None,
        ended_at=maybe_ms(one.ended_ms),
        status=one.status,
        answer=one.answer,
        error=one.error,
    )
