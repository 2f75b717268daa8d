"""Takes typed events of any system that signs in one of three ways; asks nobody anything.

`hmac`: hex HMAC-SHA256 of `<timestamp>.<raw body>`. `standard`: Standard Webhooks 1.0
(standardwebhooks.com), signature `v1`. `bearer`: for systems that cannot sign, a secret in the
request itself; nothing then tells that the body was not changed on its way.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.errors import Refused
from holdfast.core.kinds import EMAIL
from holdfast.ingest.webhooks.checking import (
    hmac_sha256,
    inflated,
    is_any,
    json_object,
    require_fresh,
    require_header,
    require_post,
    require_signed,
    stamp_of,
)
from holdfast.ingest.webhooks.field_maps import FieldPaths, checked_fields, context_extra
from holdfast.ingest.webhooks.request import JSON, Deny, Event, Reply, Request, Taken, event_key
from holdfast.parsers.chat.values import Context, to_ms

FORM = "hook.event"
SIGNINGS = ("hmac", "standard", "bearer")
NO_CHANNEL = "hook"
"""Of events of which no source is known."""
_CHANNEL = re.compile(r"[a-z][a-z0-9_]{1,15}")
_OTHERS = frozenset(
    {"email", "phone", "staff", NO_CHANNEL, "slack", "teams", "wecom", "feishu", "dingtalk", "jdy"}
    | {"telegram", "whatsapp", "mattermost", "salesforce", "hubspot", "zoho"}
)
"""What others are called whose ids mean something else."""
_NOT_IN_CHANNEL = re.compile(r"[^a-z0-9]+")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LEAST_SECRET_CHARS = 16


@dataclass(frozen=True, slots=True)
class GenericSettings:
    """One system that posts typed events."""

    signing: str = "hmac"
    """One of `SIGNINGS`."""
    channel: str = ""
    """What its records are filed under, and the scheme of its people's addresses; empty: as its
    source is called, for another system's ids mean something else."""
    fields: FieldPaths = field(default_factory=dict)
    """Where in its events our fields are: path, text, or several of them, by the field's name."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Our kinds by its words."""
    directions: Mapping[str, str] = field(default_factory=dict)
    """`in`, `out` or `internal` by its words."""
    zone: str = ""
    """IANA name of the zone of times that name none; empty: UTC, and a defect says so."""
    country: str = ""
    """Calling code of telephone numbers that name none, `86`."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Two while one replaces the other; of Standard Webhooks with their `whsec_`."""

    def __post_init__(self) -> None:
        if self.signing not in SIGNINGS:
            raise Refused(
                f"The signing {self.signing!r} is unknown.",
                next_step=f"Use {', '.join(SIGNINGS)}.",
            )
        if not self.secrets or min(map(len, self.secrets)) < _LEAST_SECRET_CHARS:
            raise Refused(
                "The secret is missing or too short.",
                next_step=f"Give one of at least {_LEAST_SECRET_CHARS} characters.",
            )
        if self.channel and _CHANNEL.fullmatch(self.channel) is None:
            raise Refused(
                f"The channel {self.channel!r} is no name.",
                next_step="Use 2 to 16 small letters, digits and _.",
            )
        if self.channel == EMAIL:  # records of that channel are mail, and nothing else
            raise Refused("The channel of mail is taken.", next_step="Use another name.")
        if self.signing == "standard":
            _standard_keys(self.secrets)
        checked_fields(self.fields, self.zone, self.country)

    def channel_at(self, source: str) -> str:
        """Return the channel of what is posted to the source of this name."""
        return self.channel or channel_of(source)


def take(request: Request, settings: GenericSettings) -> Taken:
    """Return what the request holds; what is not signed rightly is not even inflated."""
    require_post(request, JSON)
    key, stamp = _CHECKS[settings.signing](request, settings)
    content = inflated(request)
    json_object(content)
    is_inflated = content is not request.body
    sent_at = stamp_of(stamp) if stamp else None
    channel = settings.channel_at(request.source)
    event = Event(
        key=event_key(key, content),
        form=FORM,
        context=Context(
            channel=channel,
            zone=settings.zone,
            received_ms=to_ms(sent_at),
            extra=extra_of(settings, channel),
        ),
        raw=request.body,
        opened=content if is_inflated else b"",
        received_at=sent_at,
    )
    taken = Reply(202, JSON, b'{"status":"accepted"}')
    return Taken((event,), taken, again=Reply(200, JSON, b'{"status":"duplicate"}'))


def channel_of(source: str) -> str:
    """Return the channel of a source that names none: its name, as far as a channel can have it."""
    if not source:
        return NO_CHANNEL
    if _CHANNEL.fullmatch(source) and source not in _OTHERS:
        return source
    begin = _NOT_IN_CHANNEL.sub("_", source.lower()).strip("_")[:8].rstrip("_")
    if not begin[:1].isalpha():
        begin = NO_CHANNEL
    return f"{begin}_{hashlib.sha256(source.encode()).hexdigest()[:6]}"


def extra_of(settings: GenericSettings, channel: str) -> Mapping[str, object]:
    """Return what the parser of the event has to know."""
    named = {"country": settings.country, "scheme": channel}
    words = {"kinds": settings.kinds, "directions": settings.directions}
    return context_extra(settings.fields, named | {k: dict(v) for k, v in words.items()})


def _hmac(request: Request, settings: GenericSettings) -> tuple[str, str]:
    stamp, given = require_header(request, "x-holdfast-timestamp", "x-holdfast-signature")
    signed = (stamp.encode("utf-8", "surrogatepass"), b".", request.body)
    right = [hmac_sha256(one.encode(), *signed).hex() for one in settings.secrets]
    require_signed(is_right=is_any(given.removeprefix("sha256=").lower(), right))
    require_fresh(request, stamp)
    return _asked_key(request), stamp


def _standard(request: Request, settings: GenericSettings) -> tuple[str, str]:
    name, stamp, given = require_header(
        request, "webhook-id", "webhook-timestamp", "webhook-signature"
    )
    head = f"{name}.{stamp}.".encode("utf-8", "surrogatepass")
    right = [
        base64.b64encode(hmac_sha256(one, head, request.body)).decode()
        for one in _standard_keys(settings.secrets)
    ]
    offered = [one.removeprefix("v1,") for one in given.split(" ")[:20] if one.startswith("v1,")]
    require_signed(is_right=any(is_any(one, right) for one in offered))
    require_fresh(request, stamp)
    return name, stamp


def _bearer(request: Request, settings: GenericSettings) -> tuple[str, str]:
    (given,) = require_header(request, "authorization")
    scheme, _, token = given.partition(" ")
    require_signed(is_right=scheme.lower() == "bearer" and is_any(token, settings.secrets))
    return _asked_key(request), ""


def _asked_key(request: Request) -> str:
    key = request.header("idempotency-key").strip().strip('"')
    if key and _KEY.fullmatch(key) is None:
        raise Deny(400, "malformed", "The Idempotency-Key is not 1 to 255 printable characters.")
    return key


def _standard_keys(secrets: tuple[str, ...]) -> list[bytes]:
    try:
        return [base64.b64decode(one.removeprefix("whsec_"), validate=True) for one in secrets]
    except (binascii.Error, ValueError):
        raise Refused(
            "A secret is not as Standard Webhooks writes it.",
            next_step="Give whsec_ and base64.",
        ) from None


_CHECKS = {"hmac": _hmac, "standard": _standard, "bearer": _bearer}
"""Each returns the sender's key of the event and the time of the signature, if there are such."""
