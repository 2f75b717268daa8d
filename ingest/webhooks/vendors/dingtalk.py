"""Takes what DingTalk posts: events of an app, and messages to a robot; asks DingTalk nothing.

Events are encrypted and signed as `callback_cipher` says; each answer is the word `success`,
sealed. What a robot gets is signed with its app secret, but the signature covers not one byte of
the body: therefore its address should hold a `key` that nobody else knows.
Rules: open.dingtalk.com, "Configure event callbacks" and "Receive messages of a robot".
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

import msgspec

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks import callback_cipher
from holdfast.ingest.webhooks.checking import (
    hmac_sha256,
    json_object,
    require_fresh,
    require_header,
    require_plain,
    require_post,
    require_query,
    require_signed,
    same,
    stamp_of,
)
from holdfast.ingest.webhooks.request import (
    JSON,
    Deny,
    Event,
    Handshake,
    Reply,
    Request,
    Taken,
    event_key,
    tenant_name,
)
from holdfast.parsers.chat.values import Context, text, to_ms

EVENT_FORM, ROBOT_FORM = "dingtalk.event", "dingtalk.robot"
ROBOT_WINDOW_S = 3600
"""DingTalk's own rule."""
_NO_ANSWER = b'{"msgtype":"empty"}'
"""What tells DingTalk that the robot has nothing to say."""
_CHECKS = ("check_url", "check_create_suite_url", "check_update_suite_url")


@dataclass(frozen=True, slots=True)
class DingtalkSettings:
    """One app, or one robot, or both at one address."""

    owner_key: str = ""
    """AppKey (Client ID) of an app of one's own, CorpId, or SuiteKey of an app for others."""
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    app_secret: str = field(default="", repr=False)
    """Of the robot."""
    url_key: str = field(default="", repr=False)
    """What the robot's address must hold as `?key=`; empty: the address itself is the secret."""

    def __post_init__(self) -> None:
        has_events = bool(self.token and self.aes_key and self.owner_key)
        if not has_events and (self.token or self.aes_key or not self.app_secret):
            raise Refused(
                "Of token, aes_key and owner_key one is missing.",
                next_step="Events need all three; a robot needs app_secret.",
            )
        if self.aes_key:
            callback_cipher.key_of(self.aes_key)


def take(request: Request, settings: DingtalkSettings) -> Handshake | Taken:
    """Return what the request holds, or the answer to DingTalk's question whether we are there."""
    require_post(request, JSON)
    require_plain(request)
    if settings.token and (request.asked("msg_signature") or request.asked("signature")):
        return _event(request, settings)
    if settings.app_secret:
        return _robot(request, settings)
    raise Deny(401, "signature_missing", "The parameter msg_signature is missing.")


def _event(request: Request, settings: DingtalkSettings) -> Handshake | Taken:
    stamp, nonce = require_query(request, "timestamp", "nonce")
    # The signature is of the cipher text, so the wrapping is read before it can be checked.
    sealed = text(json_object(request.body).get("encrypt"))
    right = callback_cipher.signature(settings.token, stamp, nonce, sealed)
    given = request.asked("msg_signature") or request.asked("signature")
    require_signed(is_right=same(given, right))
    require_fresh(request, stamp)
    key = callback_cipher.key_of(settings.aes_key)
    opened = callback_cipher.opened(sealed, key, settings.owner_key)
    event = json_object(opened)
    reply = _success(settings, key, stamp)
    if text(event.get("EventType")) in _CHECKS:
        return Handshake(reply.status, reply.content_type, reply.body)
    name = text(event.get("EventId")) or text(event.get("eventId"))
    tenant = text(event.get("CorpId")) or text(event.get("corpId"))
    return Taken((_made(request, EVENT_FORM, name, tenant, (stamp, opened)),), reply)


def _success(settings: DingtalkSettings, key: bytes, stamp: str) -> Reply:
    nonce = secrets.token_hex(8)
    sealed = callback_cipher.sealed(b"success", key, settings.owner_key)
    signature = callback_cipher.signature(settings.token, stamp, nonce, sealed)
    answer = {
        "msg_signature": signature,
        "timeStamp": stamp,
        "nonce": nonce,
        "encrypt": sealed,
    }
    return Reply(200, JSON, msgspec.json.encode(answer))


def _robot(request: Request, settings: DingtalkSettings) -> Taken:
    stamp, given = require_header(request, "timestamp", "sign")
    secret = settings.app_secret.encode()
    signed = hmac_sha256(secret, stamp.encode("utf-8", "surrogatepass"), b"\n", secret)
    require_signed(is_right=same(given, base64.b64encode(signed).decode()))
    if settings.url_key and not same(request.asked("key"), settings.url_key):
        raise Deny(401, "signature_wrong", "The parameter key is not the configured one.")
    require_fresh(request, stamp, ROBOT_WINDOW_S)
    message = json_object(request.body)
    name, tenant = text(message.get("msgId")), text(message.get("chatbotCorpId"))
    event = _made(request, ROBOT_FORM, name, tenant, (stamp, b""))
    return Taken((event,), Reply(200, JSON, _NO_ANSWER))


def _made(request: Request, form: str, name: str, tenant: str, content: tuple[str, bytes]) -> Event:
    """Return an event; its `content` is the signed time and the clear text, if there is one."""
    stamp, opened = content
    sent_at = stamp_of(stamp)
    return Event(
        key=event_key(name, opened or request.body),
        form=form,
        context=Context(channel="dingtalk", tenant=tenant_name(tenant), received_ms=to_ms(sent_at)),
        raw=request.body,
        opened=opened,
        received_at=sent_at,
    )
