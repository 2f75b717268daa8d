"""Requests as vendors make them, signed by code of its own, and attacks that all must refuse."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from holdfast.ingest.webhooks.registry import Vendor, vendor_of
from holdfast.ingest.webhooks.request import Denied, Outcome, Request, Taken

NOW = datetime(2026, 6, 3, 2, 0, tzinfo=UTC)
SECRET = "a-secret-of-the-tests-0123456789"
OTHER_SECRET = "another-secret-0123456789-abcdef"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
TENANT = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
APP = "11111111-2222-3333-4444-555555555555"
PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"

Signer = Callable[[bytes, datetime, str], Request]
"""Makes a request of some clear content, at some time, with some secret."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way of one vendor to sign."""

    name: str
    vendor: Vendor
    settings: Any
    signed: Signer
    content: bytes
    """A good event in clear."""
    other: bytes
    """Another one, which was never signed."""
    window_s: int = 300
    covers_body: bool = True
    """The signature is of the body."""
    is_json: bool = True
    is_signed_outside: bool = True
    """What vouches for a request is not in its body alone."""

    def good(self) -> Request:
        return self.signed(self.content, NOW, SECRET)

    def handle(self, request: Request) -> Outcome:
        return self.vendor.handle(request, self.settings)


def epoch(at: datetime) -> str:
    return str(int(at.timestamp()))


def epoch_ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def posted(
    body: bytes,
    at: datetime,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    media: str = "application/json",
) -> Request:
    return Request("POST", query or {}, {"content-type": media, **headers}, body, at)


def hmac_hex(secret: str, *parts: bytes) -> str:
    return hmac.new(secret.encode(), b"".join(parts), "sha256").hexdigest()


def signed_slack(content: bytes, at: datetime, secret: str) -> Request:
    stamp = epoch(at)
    signature = "v0=" + hmac_hex(secret, f"v0:{stamp}:".encode(), content)
    named = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}
    return posted(content, at, named)


def padded(content: bytes, block: int) -> bytes:
    fill = block - len(content) % block
    return content + bytes([fill]) * fill


def aes_cbc(key: bytes, iv: bytes, content: bytes) -> bytes:
    sealing = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return sealing.update(content) + sealing.finalize()


def aes_open(key: bytes, iv: bytes, content: bytes) -> bytes:
    opening = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return opening.update(content) + opening.finalize()


def feishu_sealed(content: bytes, key: str) -> bytes:
    iv = os.urandom(16)
    sealed = iv + aes_cbc(hashlib.sha256(key.encode()).digest(), iv, padded(content, 16))
    return json.dumps({"encrypt": base64.b64encode(sealed).decode()}).encode()


def signed_feishu(content: bytes, at: datetime, secret: str) -> Request:
    body = feishu_sealed(content, secret)
    stamp, nonce = epoch(at), os.urandom(4).hex()
    signature = hashlib.sha256(f"{stamp}{nonce}{secret}".encode() + body).hexdigest()
    named = {
        "x-lark-request-timestamp": stamp,
        "x-lark-request-nonce": nonce,
        "x-lark-signature": signature,
    }
    return posted(body, at, named)


def plain_feishu(content: bytes, at: datetime, secret: str) -> Request:
    """Put token and time inside, which is all that vouches for an event in clear."""
    if secret == SECRET:
        return posted(content, at, {})
    return posted(content.replace(SECRET.encode(), secret.encode()), at, {})


def sealed_for(content: bytes, receiver: str, aes_key: str = AES_KEY) -> str:
    key = base64.b64decode(aes_key + "=")
    whole = os.urandom(16) + len(content).to_bytes(4, "big") + content + receiver.encode()
    return base64.b64encode(aes_cbc(key, key[:16], padded(whole, 32))).decode()


def opened_for(sealed: str, aes_key: str = AES_KEY) -> tuple[bytes, str]:
    """Return the message and its receiver."""
    key = base64.b64decode(aes_key + "=")
    whole = aes_open(key, key[:16], base64.b64decode(sealed))
    whole = whole[: -whole[-1]]
    end = 20 + int.from_bytes(whole[16:20], "big")
    return whole[20:end], whole[end:].decode()


def sorted_sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def callback_query(sealed: str, stamp: str, secret: str) -> dict[str, str]:
    nonce = os.urandom(4).hex()
    signature = sorted_sha1(secret, stamp, nonce, sealed)
    return {"msg_signature": signature, "timestamp": stamp, "nonce": nonce}


def signed_dingtalk(content: bytes, at: datetime, secret: str) -> Request:
    sealed = sealed_for(content, "dingkey0001")
    body = json.dumps({"encrypt": sealed}).encode()
    return posted(body, at, {}, callback_query(sealed, epoch_ms(at), secret))


def signed_robot(content: bytes, at: datetime, secret: str) -> Request:
    stamp = epoch_ms(at)
    signature = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), "sha256").digest()
    named = {"timestamp": stamp, "sign": base64.b64encode(signature).decode()}
    return posted(content, at, named, {"key": "of-the-address"})


def signed_wecom(content: bytes, at: datetime, secret: str) -> Request:
    sealed = sealed_for(content, "wx5823bf96d3bd56c7")
    body = f"<xml><ToUserName>wx</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    query = callback_query(sealed, epoch(at), secret)
    return posted(body.encode(), at, {}, query, "text/xml; charset=utf-8")


def signed_jdy(content: bytes, at: datetime, secret: str) -> Request:
    stamp, nonce = epoch(at), os.urandom(4).hex()
    whole = b":".join((nonce.encode(), content, secret.encode(), stamp.encode()))
    named = {
        "x-jdy-signature": hashlib.sha1(whole, usedforsecurity=False).hexdigest(),
        "x-jdy-deliverid": "deliver-" + hashlib.sha256(content).hexdigest()[:8],
    }
    return posted(content, at, named, {"nonce": nonce, "timestamp": stamp})


def signed_hmac(content: bytes, at: datetime, secret: str) -> Request:
    stamp = epoch(at)
    named = {
        "x-holdfast-timestamp": stamp,
        "x-holdfast-signature": "sha256=" + hmac_hex(secret, f"{stamp}.".encode(), content),
        "idempotency-key": "key-" + hashlib.sha256(content).hexdigest()[:8],
    }
    return posted(content, at, named)


def whsec(secret: str) -> str:
    return "whsec_" + base64.b64encode(secret.encode()).decode()


def signed_standard(content: bytes, at: datetime, secret: str) -> Request:
    stamp, name = epoch(at), "msg_" + hashlib.sha256(content).hexdigest()[:8]
    signature = hmac.new(secret.encode(), f"{name}.{stamp}.".encode() + content, "sha256").digest()
    named = {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1a,unknown v1," + base64.b64encode(signature).decode(),
    }
    return posted(content, at, named)


def signed_bearer(content: bytes, at: datetime, secret: str) -> Request:
    return posted(content, at, {"authorization": f"Bearer {secret}"})


RSA = rsa.generate_private_key(65537, 2048)
ISSUER = RSAKey.generate_key(2048, {"kid": "issuer-1"})
STRANGER = RSAKey.generate_key(2048, {"kid": "issuer-1"})
"""Another key under the same name."""


def pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def as_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def sealed_key(key: bytes) -> str:
    """Return a content key as Graph seals it with our certificate."""
    oaep = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
    return as_base64(RSA.public_key().encrypt(key, oaep))


def graph_sealed(content: bytes) -> dict[str, str]:
    key = os.urandom(32)
    data = aes_cbc(key, key[:16], padded(content, 16))
    return {
        "data": as_base64(data),
        "dataKey": sealed_key(key),
        "dataSignature": as_base64(hmac.new(key, data, "sha256").digest()),
        "encryptionCertificateId": "cert-1",
        "encryptionCertificateThumbprint": "00",
    }


def graph_token(
    at: datetime,
    changed: Mapping[str, object] | None = None,
    key: RSAKey = ISSUER,
    header: Mapping[str, object] | None = None,
) -> str:
    claims = {
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "aud": APP,
        "azp": PUBLISHER,
        "nbf": int(at.timestamp()) - 60,
        "exp": int(at.timestamp()) + 3600,
    }
    registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 1 << 30
    head = {"alg": "RS256", "kid": "issuer-1", **(header or {})}
    return jwt.encode(head, claims | dict(changed or {}), key, registry=registry)


def graph_notice(content: bytes, state: str = SECRET) -> dict[str, Any]:
    return {
        "subscriptionId": "76222963-cc7b-42d2-882d-8aaa69cb2ba3",
        "changeType": "created",
        "tenantId": TENANT,
        "clientState": state,
        "resource": "chats('19:a@unq.gbl.spaces')/messages('1616991463150')",
        "resourceData": {"id": "1616991463150", "@odata.type": "#Microsoft.Graph.chatMessage"},
        "encryptedContent": graph_sealed(content),
    }


def graph_body(*notices: Mapping[str, Any], tokens: tuple[str, ...]) -> bytes:
    return json.dumps({"value": notices, "validationTokens": tokens}, indent=1).encode()


def signed_teams(content: bytes, at: datetime, secret: str) -> Request:
    notice = graph_notice(content, secret)
    return posted(graph_body(notice, tokens=(graph_token(at),)), at, {})


def feishu_event(text: str, token: str = SECRET) -> bytes:
    header = {
        "event_id": "ev-" + hashlib.sha256(text.encode()).hexdigest()[:8],
        "event_type": "im.message.receive_v1",
        "create_time": epoch_ms(NOW),
        "token": token,
        "tenant_key": "t1",
    }
    sender = {"sender_id": {"open_id": "ou_1"}, "sender_type": "user", "tenant_key": "t1"}
    message = {
        "message_id": "om_1",
        "create_time": epoch_ms(NOW),
        "chat_id": "oc_1",
        "message_type": "text",
        "content": json.dumps({"text": text}),
    }
    event = {"sender": sender, "message": message}
    return json.dumps({"schema": "2.0", "header": header, "event": event}).encode()


def old_feishu_event(text: str) -> bytes:
    event = {"type": "message", "tenant_key": "t1", "open_message_id": "om_1", "text": text}
    event |= {"msg_type": "text", "open_chat_id": "oc_1", "user_open_id": "ou_1"}
    outer = {"uuid": "v1-" + text, "token": SECRET, "ts": epoch(NOW) + ".428520"}
    return json.dumps({**outer, "type": "event_callback", "event": event}).encode()


def wecom_event(event: str) -> bytes:
    return (
        f"<xml><ToUserName>wx5823bf96d3bd56c7</ToUserName><FromUserName>sys</FromUserName>"
        f"<CreateTime>{epoch(NOW)}</CreateTime><MsgType>event</MsgType>"
        f"<Event>{event}</Event></xml>"
    ).encode()


def as_json(**values: object) -> bytes:
    return json.dumps(values).encode()


def _case(
    name: str, settings: Mapping[str, Any], signed: Signer, *contents: bytes, **more: Any
) -> Case:
    vendor = vendor_of(name.partition("-")[0])
    secret = {key: value for key, value in settings.items() if key in vendor.secrets}
    public = {key: value for key, value in settings.items() if key not in vendor.secrets}
    read = vendor.read(json.dumps(public), json.dumps(secret))
    content, other = contents
    return Case(name, vendor, read, signed, content, other, **more)


_DAY = {"window_s": 24 * 3600, "covers_body": False, "is_signed_outside": False}
_TEAMS = {
    "app_ids": [APP],
    "issuer_keys": [ISSUER.as_dict(private=False)],
    "client_states": [SECRET],
    "private_keys": {"cert-1": pem(RSA)},
}

CASES: tuple[Case, ...] = (
    _case(
        "slack",
        {"signing_secrets": ["old-secret", SECRET]},
        signed_slack,
        as_json(type="event_callback", event_id="Ev1", team_id="T1", event={"type": "message"}),
        as_json(type="event_callback", event_id="Ev2", team_id="T1", event={"type": "message"}),
    ),
    _case(
        "feishu-encrypted",
        {"verification_token": SECRET, "encrypt_key": SECRET},
        signed_feishu,
        feishu_event("你好"),
        feishu_event("另一条"),
    ),
    _case(
        "feishu-plain",
        {"verification_token": SECRET},
        plain_feishu,
        feishu_event("你好"),
        feishu_event("另一条"),
        **_DAY,
    ),
    _case(
        "feishu-old",
        {"verification_token": SECRET},
        plain_feishu,
        old_feishu_event("旧"),
        old_feishu_event("另"),
        **_DAY,
    ),
    _case(
        "dingtalk-event",
        {"token": SECRET, "aes_key": AES_KEY, "owner_key": "dingkey0001"},
        signed_dingtalk,
        as_json(EventType="chat_disband", CorpId="c", ChatId="r", TimeStamp=1),
        as_json(EventType="chat_quit", CorpId="c", ChatId="r", TimeStamp=1),
    ),
    _case(
        "dingtalk-robot",
        {"app_secret": SECRET, "url_key": "of-the-address"},
        signed_robot,
        as_json(msgId="m1", msgtype="text", text={"content": "a"}),
        as_json(msgId="m2", msgtype="text", text={"content": "b"}),
        window_s=3600,
        covers_body=False,
    ),
    _case(
        "wecom",
        {"corp_id": "wx5823bf96d3bd56c7", "token": SECRET, "aes_key": AES_KEY},
        signed_wecom,
        wecom_event("msgaudit_notify"),
        wecom_event("change_contact"),
        is_json=False,
    ),
    _case("teams", _TEAMS, signed_teams, as_json(id="1", body="x"), as_json(id="2", body="y"),
          window_s=3600 + 300, is_signed_outside=False),
    _case("jdy", {"secrets": ["old-secret", SECRET]}, signed_jdy,
          as_json(op="data_create", data={"_id": "1"}), as_json(op="data_remove", data={})),
    _case("generic-hmac", {"secrets": [SECRET]}, signed_hmac, as_json(id=1), as_json(id=2)),
    _case(
        "generic-standard",
        {"signing": "standard", "secrets": [whsec(OTHER_SECRET + "-retired"), whsec(SECRET)]},
        signed_standard,
        as_json(id=1),
        as_json(id=2),
    ),
    _case(
        "generic-bearer",
        {"signing": "bearer", "secrets": [SECRET]},
        signed_bearer,
        as_json(id=1),
        as_json(id=2),
        window_s=0,
        covers_body=False,
    ),
)  # fmt: skip


def moved(request: Request, seconds: float) -> Request:
    return replace(request, now=request.now + timedelta(seconds=seconds))


def with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


def unsigned(request: Request) -> Request:
    """Take away all that vouches for a request outside its body."""
    kept = {"content-type": request.headers["content-type"]}
    return replace(request, headers=kept, query={})


def deep(levels: int) -> bytes:
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


def _forged(case: Case) -> Request:
    """Keep the signature, and take the body of another event that was sealed as well as it."""
    if case.name == "teams":
        notices = (graph_notice(case.content), graph_notice(case.other))
        signature = notices[1]["encryptedContent"]["dataSignature"]
        notices[0]["encryptedContent"]["dataSignature"] = signature
        return posted(graph_body(*notices, tokens=(graph_token(NOW),)), NOW, {})
    return replace(case.good(), body=case.signed(case.other, NOW, SECRET).body)


RAW_SIGNED = {"slack", "feishu-encrypted", "jdy", "generic-hmac", "generic-standard"}
"""Sign each byte of the body; others what is encrypted in it, or nothing of it."""


def _reserialised(case: Case) -> Request:
    """Keep the signature, and write the same JSON in other bytes."""
    good = case.good()
    return replace(good, body=json.dumps(json.loads(good.body), indent=1).encode())


ATTACKS: Mapping[str, Callable[[Case], Request | None]] = {
    "forged body": lambda case: _forged(case) if case.covers_body else None,
    "body re-serialised": lambda case: _reserialised(case) if case.name in RAW_SIGNED else None,
    "other secret": lambda case: case.signed(case.content, NOW, OTHER_SECRET),
    "no signature": lambda case: unsigned(case.good()) if case.is_signed_outside else None,
    "too old": lambda case: moved(case.good(), case.window_s + 1) if case.window_s else None,
    "from the future": lambda case: moved(case.good(), -case.window_s - 1)
    if case.window_s else None,
    "wrong type": lambda case: with_header(case.good(), "content-type", "text/html"),
    "no type": lambda case: with_header(case.good(), "content-type", ""),
    "wrong method": lambda case: replace(case.good(), method="PUT"),
    "unknown coding": lambda case: with_header(case.good(), "content-encoding", "br"),
    "nested bomb": lambda case: case.signed(deep(20_000), NOW, SECRET),
    "nested too deeply": lambda case: case.signed(deep(101), NOW, SECRET),
    "not the format": lambda case: case.signed(b'{"a', NOW, SECRET),
    "not an object": lambda case: case.signed(b"[1]", NOW, SECRET),
    "empty": lambda case: case.signed(b"", NOW, SECRET),
}  # fmt: skip
"""Requests that no vendor makes, by what is wrong; None where the vendor's way cannot tell."""
SIGNING = ("forged body", "body re-serialised", "other secret", "no signature")
CLOCK = ("too old", "from the future")
TYPE = ("wrong type", "no type")
SHAPE = ("nested bomb", "nested too deeply", "not the format", "not an object", "empty")

Handle = Callable[[Request], Outcome]


def let_in(case: Case, handle: Handle) -> dict[str, str]:
    """Return the attacks that got through, or were refused with another answer than theirs."""
    found = {}
    for name, make in ATTACKS.items():
        request = make(case)
        if request is None:
            continue
        outcome = handle(request)
        if not isinstance(outcome, Denied):
            found[name] = "taken"
        elif outcome.status not in _right(name):
            found[name] = f"{outcome.status} {outcome.code}"
    return found


def _right(attack: str) -> tuple[int, ...]:
    if attack in SIGNING or attack in CLOCK:
        return (401,)
    if attack in TYPE or attack == "unknown coding":
        return (415,)
    return (405,) if attack == "wrong method" else (400, 401)


def inflating(count: int) -> bytes:
    """Return a small gzip stream of many bytes."""
    return gzip.compress(b'{"a":"' + b"x" * count + b'"}')


def taken(outcome: Outcome) -> Taken:
    assert isinstance(outcome, Taken), outcome
    return outcome
