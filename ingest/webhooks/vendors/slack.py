"""Takes what Slack's Events API posts; asks Slack nothing.

Signing: https://docs.slack.dev/authentication/verifying-requests-from-slack. A request for the
handshake is signed as all others are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks.checking import (
    hmac_sha256,
    is_any,
    json_object,
    require_fresh,
    require_header,
    require_plain,
    require_post,
    require_signed,
    stamp_of,
)
from holdfast.ingest.webhooks.request import (
    TEXT,
    Event,
    Handshake,
    Reply,
    Request,
    Taken,
    event_key,
    tenant_name,
)
from holdfast.parsers.chat.slack import tells_previous
from holdfast.parsers.chat.values import Context, text, to_ms

FORM, PREVIOUS = "slack.event", "slack.event_previous"


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """One Slack app."""

    signing_secrets: tuple[str, ...] = field(repr=False)
    """Of the app's Basic Information; two while one replaces the other."""

    def __post_init__(self) -> None:
        if not self.signing_secrets or not all(self.signing_secrets):
            raise Refused(
                "The signing secret is missing.", next_step="Copy it from Basic Information."
            )


def take(request: Request, settings: SlackSettings) -> Handshake | Taken:
    """Return what the request holds, or the answer to Slack's question whether we are there."""
    require_post(request, "application/json")
    require_plain(request)
    stamp, signature = require_header(request, "x-slack-request-timestamp", "x-slack-signature")
    signed = (b"v0:", stamp.encode("utf-8", "replace"), b":", request.body)
    right = (hmac_sha256(one.encode(), *signed).hex() for one in settings.signing_secrets)
    require_signed(is_right=is_any(signature, [f"v0={one}" for one in right]))
    require_fresh(request, stamp)
    outer = json_object(request.body)
    if outer.get("type") == "url_verification":
        return Handshake(200, TEXT, text(outer.get("challenge")).encode("utf-8", "replace"))
    sent_at = stamp_of(text(outer.get("event_time"))) if outer.get("event_time") else None
    event = Event(
        key=event_key(outer.get("event_id"), request.body),
        form=FORM,
        context=Context(
            channel="slack",
            tenant=tenant_name(outer.get("team_id")),
            received_ms=to_ms(sent_at),
        ),
        raw=request.body,
        received_at=sent_at,
    )
    if not tells_previous(outer):
        return Taken((event,), Reply(200))
    # The same bytes once more: what was said before is a version that may never have reached us.
    before = replace(event, key=f"{event.key}#previous", form=PREVIOUS)
    return Taken((event, before), Reply(200))
