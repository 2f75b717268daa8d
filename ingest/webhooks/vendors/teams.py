"""Takes the change notifications of Microsoft Graph about Teams; asks Graph nothing.

Nothing signs a notification as a whole: each must hold the client state of our subscription, and
those with content come with tokens of the identity platform, and with content that only the holder
of its key can have signed. Rules: learn.microsoft.com, "changeNotificationCollection".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.core.errors import Refused
from holdfast.ingest.readers.chats.json_spans import NotJson, Span, begin, member, spans
from holdfast.ingest.webhooks import graph_content
from holdfast.ingest.webhooks.checking import (
    is_any,
    json_object,
    require_plain,
    require_post,
)
from holdfast.ingest.webhooks.graph_tokens import (
    Trust,
    is_issuer,
    name_in_document,
    vouched_tenant,
)
from holdfast.ingest.webhooks.request import (
    JSON,
    TEXT,
    Deny,
    Event,
    Handshake,
    Reply,
    Request,
    Taken,
    event_key,
    tenant_name,
)
from holdfast.parsers.chat.values import Context, Json, items, json_of, mapping, path, text

if TYPE_CHECKING:
    from holdfast.ingest.outbound.issuers import IssuerConfig

MESSAGE_FORM, NOTICE_FORM = "teams.message", "teams.notification"
MAX_TOKEN_CHARS = 4096
MAX_TOKENS = 100


@dataclass(frozen=True, slots=True)
class TeamsSettings:
    """The subscriptions of one app."""

    app_ids: tuple[str, ...] = ()
    """Client ids for which validation tokens are made."""
    issuer: str = ""
    """https://login.microsoftonline.com/TENANT/v2.0, whose keys are fetched; `common` as the tenant
    speaks for all."""
    issuer_keys: tuple[Mapping[str, Any], ...] = ()
    """`keys` of https://login.microsoftonline.com/common/discovery/v2.0/keys, where none may be
    fetched."""
    client_states: tuple[str, ...] = field(default=(), repr=False)
    """What the subscriptions were made with; two while one replaces the other."""
    private_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """PEM by `encryptionCertificateId`; old ones are kept as long as content may come with them."""
    takes_unvouched: bool = False
    """Take content without checking validation tokens; was asked for by name."""

    def __post_init__(self) -> None:
        if not self.client_states or not all(self.client_states):
            raise Refused(
                "The client state is missing.",
                next_step="Give what the subscription was made with as clientState.",
            )
        if self.issuer and not is_issuer(self.issuer):
            raise Refused(
                "The issuer is none of the identity platform.",
                next_step="Give https://login.microsoftonline.com/TENANT ID/v2.0.",
            )
        if self.issuer and self.issuer_keys:
            raise Refused(
                "The issuer's keys are given, and to be fetched.",
                next_step="Give issuer, or issuer_keys where nothing may be fetched.",
            )
        is_vouched = bool(self.app_ids and (self.issuer or self.issuer_keys))
        if self.private_keys and not is_vouched and not self.takes_unvouched:
            raise Refused(
                "Nothing could vouch for encrypted content.",
                next_step="Give app_ids and issuer.",
            )
        for pem in self.private_keys.values():
            graph_content.checked_key(pem)

    def given_keys(self, name: str) -> list[Mapping[str, Any]]:
        """Return the keys of this name that were given."""
        return [one for one in self.issuer_keys if one.get("kid") == name]


def issuer_of(settings: TeamsSettings) -> IssuerConfig | None:
    """Return who vouches, where their keys are to be fetched."""
    if not settings.issuer:
        return None
    from holdfast.ingest.outbound.issuers import IssuerConfig  # its client takes long to load

    named = name_in_document(settings.issuer)
    return IssuerConfig(settings.issuer, named=named, advice="Check the issuer of the webhook.")


def take(request: Request, settings: TeamsSettings) -> Handshake | Taken:
    """Return what the request holds, or the answer to Graph's question whether we are there."""
    if request.method == "POST" and (token := request.asked("validationToken")):
        if len(token) > MAX_TOKEN_CHARS:
            raise Deny(400, "malformed", "The validation token is too long.")
        # Said back as plain text, so that no browser runs it.
        return Handshake(200, TEXT, token.encode("utf-8", "replace"))
    require_post(request, JSON)
    require_plain(request)
    outer = json_object(request.body)
    places = [*_places(request.body)]
    notices = [mapping(json_of(request.body[one.start : one.end])) for one in places]
    if not notices:
        raise Deny(400, "malformed", "The body holds no notification.")
    if not all(is_any(text(one.get("clientState")), settings.client_states) for one in notices):
        raise Deny(401, "signature_wrong", "A notification has not the configured client state.")
    _check_tokens(outer, notices, request, settings)
    made = (_event(*one, request.body, settings) for one in zip(notices, places, strict=True))
    return Taken(tuple({one.key: one for one in made}.values()), Reply(202))


def _check_tokens(
    outer: Mapping[str, Json],
    notices: list[Mapping[str, Json]],
    request: Request,
    settings: TeamsSettings,
) -> None:
    """Deny content for whose tenant no good token vouches."""
    tenants = {text(one.get("tenantId")) for one in notices if one.get("encryptedContent")}
    if not tenants or settings.takes_unvouched:
        return
    now_s = request.now.timestamp()
    if settings.issuer:
        trust = Trust(settings.app_ids, request.published, settings.issuer)
    else:
        trust = Trust(settings.app_ids, settings.given_keys)
    tokens = map(text, items(outer.get("validationTokens"))[:MAX_TOKENS])
    vouched = {vouched_tenant(one, trust, now_s) for one in tokens}
    if not tenants <= vouched:
        raise Deny(401, "signature_missing", "No validation token is of the tenant of a content.")


def _places(body: bytes) -> Iterator[Span]:
    """Yield where each notification lies in the body."""
    try:
        listed = member(body, begin(body), b"value")
        if listed is not None:
            yield from spans(body, listed.start)
    except NotJson:
        return


def _event(notice: Mapping[str, Json], place: Span, body: bytes, settings: TeamsSettings) -> Event:
    raw = body[place.start : place.end]
    content = mapping(notice.get("encryptedContent"))
    pem = settings.private_keys.get(text(content.get("encryptionCertificateId")))
    # Without its key the content is kept closed: refusing it would lose it.
    opened = graph_content.opened(content, pem) if pem else b""
    if pem:
        json_object(opened)
    kind = text(path(notice, "resourceData", "@odata.type")).lower()
    is_message = bool(opened) and kind.endswith(".chatmessage")
    return Event(
        key=event_key(notice.get("id"), _told(notice, opened or raw)),
        form=MESSAGE_FORM if is_message else NOTICE_FORM,
        context=Context(channel="teams", tenant=tenant_name(notice.get("tenantId"))),
        raw=raw,
        opened=opened,
        member=f"{place.start}+{place.end - place.start}",
    )


def _told(notice: Mapping[str, Json], content: bytes) -> bytes:
    """Return what changed and how; each try of Graph seals the same content anew."""
    named = (text(notice.get(name)) for name in ("subscriptionId", "changeType", "resource"))
    return "\n".join((*named, "")).encode("utf-8", "surrogatepass") + content
