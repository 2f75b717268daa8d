"""Takes what the forms of Jiandaoyun (简道云) push; asks it nothing.

The signature is the hex SHA-1 of `nonce:payload:secret:timestamp`; it does not cover the id of the
delivery. Rules: hc.jiandaoyun.com, "数据推送".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks.checking import (
    is_any,
    json_object,
    require_fresh,
    require_header,
    require_plain,
    require_post,
    require_query,
    require_signed,
    stamp_of,
)
from holdfast.ingest.webhooks.field_maps import FieldPaths, checked_fields, context_extra
from holdfast.ingest.webhooks.request import (
    JSON,
    TEXT,
    Event,
    Reply,
    Request,
    Taken,
    event_key,
    tenant_name,
)
from holdfast.parsers.chat.values import Context, path, to_ms

FORM = "jdy.event"


@dataclass(frozen=True, slots=True)
class JdySettings:
    """One form, or several that push to one address."""

    fields: FieldPaths = field(default_factory=dict)
    """Where in the pushed data our fields are, as of the generic webhook; none is needed."""
    zone: str = "Asia/Shanghai"
    """IANA name of the zone of times that name none."""
    country: str = "86"
    """Calling code of telephone numbers that name none."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """The secret of the push; two while one replaces the other."""

    def __post_init__(self) -> None:
        if not self.secrets or not all(self.secrets):
            raise Refused("The secret is missing.", next_step="Copy it from the form's data push.")
        checked_fields(self.fields, self.zone, self.country)


def take(request: Request, settings: JdySettings) -> Taken:
    """Return what the request holds."""
    require_post(request, JSON)
    require_plain(request)
    (given,) = require_header(request, "x-jdy-signature")
    nonce, stamp = require_query(request, "nonce", "timestamp")
    right = (_signature(nonce, request.body, secret, stamp) for secret in settings.secrets)
    require_signed(is_right=is_any(given.lower(), right))
    require_fresh(request, stamp)
    pushed = json_object(request.body)
    sent_at = stamp_of(stamp)
    event = Event(
        key=event_key(request.header("x-jdy-deliverid"), request.body),
        form=FORM,
        context=Context(
            channel="jdy",
            tenant=tenant_name(path(pushed, "data", "appId")),
            zone=settings.zone,
            received_ms=to_ms(sent_at),
            extra=extra_of(settings),
        ),
        raw=request.body,
        received_at=sent_at,
    )
    return Taken((event,), Reply(200, TEXT, b"success"))


def extra_of(settings: JdySettings) -> Mapping[str, object]:
    """Return what the parser of a push has to know."""
    return context_extra(settings.fields, {"country": settings.country, "scheme": "jdy"})


def _signature(nonce: str, payload: bytes, secret: str, stamp: str) -> str:
    before, after = (
        one.encode("utf-8", "surrogatepass") for one in (f"{nonce}:", f":{secret}:{stamp}")
    )
    return hashlib.sha1(before + payload + after, usedforsecurity=False).hexdigest()
