"""Takes what Feishu and Lark post, version 1 and 2, encrypted and in clear; asks Feishu nothing.

With an Encrypt Key every event is encrypted and signed: hex SHA-256 of timestamp, nonce, key and
raw body (no HMAC). Without one only the verification token inside vouches for it. The question
whether we are there may come without a signature; the token inside is checked all the same.
Rules: open.feishu.cn, "Request URL configuration" and "Receive events", and oapi-sdk-python.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks.checking import (
    json_object,
    require_fresh,
    require_header,
    require_plain,
    require_post,
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
from holdfast.parsers.chat.values import Context, Json, path, text, to_ms

FORM = "feishu.event"
UNSIGNED_WINDOW_S = 24 * 3600
"""For events that nothing but a token vouches for: Feishu sends an event again for 7 hours, with
the time when it happened."""
_STAMP, _NONCE, _SIGNATURE = (
    "x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeishuSettings:
    """One app of Feishu or Lark."""

    verification_token: str = field(default="", repr=False)
    encrypt_key: str = field(default="", repr=False)
    """Empty: events come in clear, and unsigned."""

    def __post_init__(self) -> None:
        if not self.verification_token:
            raise Refused(
                "The verification token is missing.",
                next_step="Copy it from Events and callbacks, Encryption strategy.",
            )


def take(request: Request, settings: FeishuSettings) -> Handshake | Taken:
    """Return what the request holds, or the answer to Feishu's question whether we are there."""
    require_post(request, JSON)
    require_plain(request)
    is_signed = bool(settings.encrypt_key and request.header(_SIGNATURE))
    if is_signed:
        _check_signature(request, settings.encrypt_key)
    outer, opened = _content(request, settings.encrypt_key)
    _check_token(outer, settings.verification_token)
    if outer.get("type") == "url_verification":
        answer = {"challenge": text(outer.get("challenge"))}
        return Handshake(200, JSON, msgspec.json.encode(answer))
    if settings.encrypt_key and not is_signed:
        raise Deny(401, "signature_missing", f"The field {_SIGNATURE} is missing.")
    event = _event(request, outer, opened)
    if not is_signed:
        require_fresh(request, _stamp(outer), UNSIGNED_WINDOW_S)
    return Taken((event,), Reply(200, JSON, b"{}"))


def _check_signature(request: Request, encrypt_key: str) -> None:
    stamp, nonce, signature = require_header(request, _STAMP, _NONCE, _SIGNATURE)
    signed = (stamp + nonce + encrypt_key).encode("utf-8", "surrogatepass") + request.body
    require_signed(is_right=same(signature, hashlib.sha256(signed).hexdigest()))
    require_fresh(request, stamp)


def _check_token(outer: Mapping[str, Json], token: str) -> None:
    given = text(path(outer, "header", "token")) or text(outer.get("token"))
    if not same(given, token):
        raise Deny(401, "signature_wrong", "The verification token is not the configured one.")


def _content(request: Request, encrypt_key: str) -> tuple[Mapping[str, Json], bytes]:
    """Return the event, and its text where that came encrypted."""
    outer = json_object(request.body)
    if not encrypt_key:
        return outer, b""
    if not isinstance(outer.get("encrypt"), str):
        raise Deny(401, "not_encrypted", "Events of this source come encrypted; this one does not.")
    opened = decrypted(outer["encrypt"], encrypt_key)
    return json_object(opened), opened


def decrypted(encrypt: str, encrypt_key: str) -> bytes:
    """Return the clear text: AES-256-CBC, key SHA-256 of the Encrypt Key, IV the first 16 bytes."""
    key = hashlib.sha256(encrypt_key.encode()).digest()
    try:
        sealed = base64.b64decode(encrypt, validate=True)
        opening = Cipher(algorithms.AES256(key), modes.CBC(sealed[:16])).decryptor()
        padded = opening.update(sealed[16:]) + opening.finalize()
        unpadding = PKCS7(128).unpadder()
        return unpadding.update(padded) + unpadding.finalize()
    except (binascii.Error, ValueError):
        # One answer for every cause: what comes unsigned must not learn how far it got.
        raise Deny(401, "not_encrypted", "The content is not encrypted with this key.") from None


def _event(request: Request, outer: Mapping[str, Json], opened: bytes) -> Event:
    sent_at = stamp_of(_stamp(outer))
    key = path(outer, "header", "event_id") or outer.get("uuid")
    tenant = path(outer, "header", "tenant_key") or path(outer, "event", "tenant_key")
    return Event(
        key=event_key(key, opened or request.body),
        form=FORM,
        context=Context(channel="feishu", tenant=tenant_name(tenant), received_ms=to_ms(sent_at)),
        raw=request.body,
        opened=opened,
        received_at=sent_at,
    )


def _stamp(outer: Mapping[str, Json]) -> str:
    """Return when the event was made: milliseconds in version 2, seconds with a fraction in 1."""
    return text(path(outer, "header", "create_time")) or text(outer.get("ts")).partition(".")[0]
