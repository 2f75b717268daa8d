"""Requests that were signed elsewhere, by published rules, and the answers that vendors want."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from joserfc.jws import JWSRegistry

from holdfast.ingest.webhooks.registry import vendor_of
from holdfast.ingest.webhooks.request import Denied, Handshake, Outcome, Request
from hook_kit import (
    AES_KEY,
    APP,
    ISSUER,
    NOW,
    PUBLISHER,
    RSA,
    SECRET,
    STRANGER,
    as_base64,
    callback_query,
    epoch,
    feishu_sealed,
    graph_body,
    graph_notice,
    graph_sealed,
    graph_token,
    opened_for,
    pem,
    posted,
    sealed_key,
    signed_dingtalk,
    signed_hmac,
    signed_robot,
    signed_slack,
    signed_wecom,
    sorted_sha1,
    taken,
    with_header,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "corpus/chat/webhooks/vectors.json").read_text(encoding="utf-8")
)


def handled(vendor: str, request: Request, **settings: object) -> Outcome:
    """Hand a request to a vendor whose settings are given together."""
    found = vendor_of(vendor)
    secret = {name: one for name, one in settings.items() if name in found.secrets}
    public = {name: one for name, one in settings.items() if name not in found.secrets}
    return found.handle(request, _read(vendor, json.dumps(public), json.dumps(secret)))


@lru_cache
def _read(vendor: str, settings: str, secret: str) -> Any:
    """Checking a private key takes the longest of all."""
    return vendor_of(vendor).read(settings, secret)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_slack() -> None:
    vector = VECTORS["slack"]
    headers = lower(vector["headers"])
    sent = posted(vector["body"].encode(), at(1531420618), headers)
    secrets = [vector["signing_secret"]]
    outcome = taken(handled("slack", sent, signing_secrets=secrets))
    (event,) = outcome.events
    assert (event.key, event.form) == ("Ev08MFMKH6", "slack.event")
    assert (event.context.tenant, event.raw) == ("T061EG9R6", sent.body)
    assert event.received_at == at(1355517523)
    assert (outcome.reply.status, outcome.reply.body, outcome.again) == (200, b"", None)
    changed = replace(sent, body=json.dumps(json.loads(sent.body)).encode())
    assert isinstance(handled("slack", changed, signing_secrets=secrets), Denied)


def test_slack_handshake_is_signed_too() -> None:
    vector, secret = VECTORS["slack"], VECTORS["slack"]["signing_secret"]
    sent = signed_slack(vector["handshake_body"].encode(), NOW, secret)
    answer = handled("slack", sent, signing_secrets=[secret])
    right = Handshake(200, "text/plain; charset=utf-8", vector["handshake_reply"].encode())
    assert answer == right
    forged = signed_slack(vector["handshake_body"].encode(), NOW, "other")
    assert isinstance(handled("slack", forged, signing_secrets=[secret]), Denied)


FEISHU = VECTORS["feishu"]
FEISHU_SETTINGS = {
    "verification_token": FEISHU["verification_token"],
    "encrypt_key": FEISHU["encrypt_key"],
}


def test_feishu_encrypted() -> None:
    sent = posted(FEISHU["body"].encode(), at(1608725989), lower(FEISHU["headers"]))
    outcome = taken(handled("feishu", sent, **FEISHU_SETTINGS))
    (event,) = outcome.events
    assert event.opened.decode() == FEISHU["plaintext"]
    assert event.raw == sent.body
    assert (event.key, event.form) == ("5e3702a84e847582be8db7fb73283c02", "feishu.event")
    assert event.context.tenant == "2ca1d211f64f6438"
    assert event.received_at == at(1608725989)
    assert (outcome.reply.status, outcome.reply.body) == (200, b"{}")


def test_feishu_token_inside_must_be_ours_although_the_signature_is_right() -> None:
    sent = posted(FEISHU["body"].encode(), at(1608725989), lower(FEISHU["headers"]))
    outcome = handled("feishu", sent, **FEISHU_SETTINGS | {"verification_token": "other"})
    assert isinstance(outcome, Denied)
    assert outcome.code == "signature_wrong"


def test_feishu_event_in_clear_is_refused_where_they_come_encrypted() -> None:
    outcome = handled("feishu", posted(FEISHU["plaintext"].encode(), NOW, {}), **FEISHU_SETTINGS)
    assert isinstance(outcome, Denied)
    assert outcome.code == "not_encrypted"


def test_feishu_handshake_in_clear_and_encrypted() -> None:
    body = FEISHU["handshake_body"].encode()
    token = FEISHU["verification_token"]
    in_clear = handled("feishu", posted(body, NOW, {}), verification_token=token)
    unsigned = posted(feishu_sealed(body, FEISHU["encrypt_key"]), NOW, {})
    sealed = handled("feishu", unsigned, **FEISHU_SETTINGS)
    for answer in (in_clear, sealed):
        assert isinstance(answer, Handshake)
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert json.loads(answer.body) == json.loads(FEISHU["handshake_reply"])
    other = handled("feishu", posted(body, NOW, {}), verification_token="other")
    assert isinstance(other, Denied)


def test_feishu_encrypted_event_without_a_signature_is_refused() -> None:
    sent = posted(FEISHU["body"].encode(), at(1608725989), {})
    outcome = handled("feishu", sent, **FEISHU_SETTINGS)
    assert isinstance(outcome, Denied)
    assert outcome.code == "signature_missing"


WECOM = VECTORS["wecom_callback"]
WECOM_SETTINGS = {
    "corp_id": WECOM["receiveid"],
    "token": WECOM["token"],
    "aes_key": WECOM["encoding_aes_key"],
}


def test_wecom_callback() -> None:
    sent = posted(WECOM["body"].encode(), at(1717380000), {}, WECOM["query"], "text/xml")
    outcome = taken(handled("wecom", sent, **WECOM_SETTINGS))
    (event,) = outcome.events
    assert (event.opened.decode(), event.form) == (WECOM["plaintext"], "wecom.callback")
    assert event.received_at == at(1717380000)
    assert (outcome.reply.status, outcome.reply.body) == (200, b"success")


def test_wecom_handshake_answers_with_the_bare_text() -> None:
    asked = {key: WECOM["verify_url"][key] for key in ("msg_signature", "timestamp", "nonce")}
    for echo in (WECOM["verify_url"]["echostr"], WECOM["verify_url"]["echostr"].replace("+", " ")):
        sent = Request("GET", {**asked, "echostr": echo}, {}, b"", at(1717380001))
        answer = handled("wecom", sent, **WECOM_SETTINGS)
        right = WECOM["verify_url"]["reply"].encode()
        assert answer == Handshake(200, "text/plain; charset=utf-8", right)
    bare = Request("GET", asked, {}, b"", at(1717380001))
    assert isinstance(handled("wecom", bare, **WECOM_SETTINGS), Denied)


def test_callback_for_another_receiver_is_refused() -> None:
    sent = posted(WECOM["body"].encode(), at(1717380000), {}, WECOM["query"], "text/xml")
    outcome = handled("wecom", sent, **WECOM_SETTINGS | {"corp_id": "wx0000000000000000"})
    assert isinstance(outcome, Denied)
    assert outcome.code == "receiver_wrong"


@pytest.mark.parametrize("inside", ["<!DOCTYPE a [<!ENTITY b 'c'>]><xml>&b;</xml>", "<xml>", "x"])
def test_wecom_takes_no_xml_with_entities_or_without_an_end(inside: str) -> None:
    for sent in (
        signed_wecom(inside.encode(), NOW, WECOM["token"]),
        posted(inside.encode(), NOW, {}, WECOM["query"], "text/xml"),
    ):
        outcome = handled("wecom", sent, **WECOM_SETTINGS | {"aes_key": AES_KEY})
        assert isinstance(outcome, Denied)
        assert outcome.code == "malformed"


DINGTALK = VECTORS["dingtalk_event_callback"]
DINGTALK_SETTINGS = {
    "owner_key": DINGTALK["owner_key"],
    "token": DINGTALK["token"],
    "aes_key": DINGTALK["encoding_aes_key"],
}


def is_sealed_success(body: bytes) -> bool:
    answer = json.loads(body)
    parts = (answer["timeStamp"], answer["nonce"], answer["encrypt"])
    is_signed = answer["msg_signature"] == sorted_sha1(DINGTALK["token"], *parts)
    opened = opened_for(answer["encrypt"], DINGTALK["encoding_aes_key"])
    return is_signed and opened == (b"success", DINGTALK["owner_key"])


@pytest.mark.parametrize("kept", ["msg_signature", "signature"])
def test_dingtalk_handshake_is_answered_with_a_sealed_success(kept: str) -> None:
    other = "signature" if kept == "msg_signature" else "msg_signature"
    query = {name: value for name, value in DINGTALK["query"].items() if name != other}
    sent = posted(DINGTALK["body"].encode(), at(1717380002), {}, query)
    answer = handled("dingtalk", sent, **DINGTALK_SETTINGS)
    assert isinstance(answer, Handshake)
    assert is_sealed_success(answer.body)
    assert not is_sealed_success(answer.body.replace(b'"nonce":"', b'"nonce":"0'))


def test_dingtalk_event_is_answered_with_a_sealed_success() -> None:
    content = b'{"EventType":"chat_disband","CorpId":"c1","EventId":"e1"}'
    sent = signed_dingtalk(content, NOW, DINGTALK["token"])
    outcome = taken(handled("dingtalk", sent, **DINGTALK_SETTINGS))
    (event,) = outcome.events
    assert (event.key, event.context.tenant, event.opened) == ("e1", "c1", content)
    assert event.received_at == NOW
    assert is_sealed_success(outcome.reply.body)


def test_dingtalk_robot() -> None:
    vector = VECTORS["dingtalk_robot_sign"]
    body = b'{"msgId":"m1","chatbotCorpId":"c1"}'
    sent = posted(body, at(1717380003 + 3600), vector["headers"])
    outcome = taken(handled("dingtalk", sent, app_secret=vector["app_secret"]))
    (event,) = outcome.events
    assert (event.key, event.form, event.context.tenant) == ("m1", "dingtalk.robot", "c1")
    assert (outcome.reply.status, outcome.reply.body) == (200, b'{"msgtype":"empty"}')
    late = replace(sent, now=at(1717380003 + 3601))
    assert isinstance(handled("dingtalk", late, app_secret=vector["app_secret"]), Denied)


def test_robot_whose_address_is_secret_needs_its_key() -> None:
    secrets = {"app_secret": "s", "url_key": "of-the-address"}
    sent = signed_robot(b"{}", NOW, "s")
    taken(handled("dingtalk", sent, **secrets))
    for query in ({}, {"key": "other"}):
        outcome = handled("dingtalk", replace(sent, query=query), **secrets)
        assert isinstance(outcome, Denied)
        assert outcome.code == "signature_wrong"


GRAPH = VECTORS["msgraph"]
GRAPH_SETTINGS = {
    "client_states": [GRAPH["client_state"]],
    "private_keys": {"cert-1": GRAPH["private_key_pem"]},
    "app_ids": [APP],
    "issuer_keys": [ISSUER.as_dict(private=False)],
}
GRAPH_TENANT = GRAPH["body"]["value"][0]["tenantId"]


def graph(*tokens: str, **changed: object) -> Request:
    notice = GRAPH["body"]["value"][0] | changed
    return posted(graph_body(notice, tokens=tokens), NOW, {})


def test_graph_validation() -> None:
    sent = Request("POST", {"validationToken": "Validation: <b>1&2</b>"}, {}, b"", NOW)
    answer = handled("teams", sent, **GRAPH_SETTINGS)
    right = Handshake(200, "text/plain; charset=utf-8", b"Validation: <b>1&2</b>")
    assert answer == right
    long = Request("POST", {"validationToken": "x" * 5000}, {}, b"", NOW)
    assert isinstance(handled("teams", long, **GRAPH_SETTINGS), Denied)


def test_graph_notification_with_content() -> None:
    sent = graph(graph_token(NOW))
    outcome = taken(handled("teams", sent, **GRAPH_SETTINGS))
    (event,) = outcome.events
    assert (event.form, event.opened.decode()) == ("teams.message", GRAPH["plaintext"])
    start, _, length = event.member.partition("+")
    assert sent.body[int(start) : int(start) + int(length)] == event.raw
    assert json.loads(event.raw) == GRAPH["body"]["value"][0]
    assert event.context.tenant == GRAPH_TENANT
    assert (outcome.reply.status, outcome.reply.body) == (202, b"")


WRONG_TOKENS: Mapping[str, Mapping[str, object]] = {
    "another app": {"aud": "22222222-2222-3333-4444-555555555555"},
    "several apps": {"aud": [APP]},
    "another publisher": {"azp": APP},
    "no publisher": {"azp": None},
    "another issuer": {"iss": "https://login.example.com/v2.0"},
    "another tenant": {"iss": f"https://sts.windows.net/{APP}/"},
    "expired": {"exp": int(NOW.timestamp()) - 301},
    "not yet": {"nbf": int(NOW.timestamp()) + 301},
    "no end": {"exp": None},
}


@pytest.mark.parametrize("name", WRONG_TOKENS)
def test_graph_content_without_a_good_token_is_refused(name: str) -> None:
    sent = graph(graph_token(NOW, WRONG_TOKENS[name]))
    outcome = handled("teams", sent, **GRAPH_SETTINGS)
    assert isinstance(outcome, Denied)
    assert outcome.status == 401
    # The control: one that looks at no tokens takes the same request.
    taken(handled("teams", sent, **GRAPH_SETTINGS | {"takes_unvouched": True}))


def test_graph_tokens_of_both_versions_are_good() -> None:
    older = {"iss": f"https://sts.windows.net/{GRAPH_TENANT}/", "azp": None, "appid": PUBLISHER}
    taken(handled("teams", graph(graph_token(NOW, older)), **GRAPH_SETTINGS))


@pytest.mark.parametrize(
    "token",
    ["", "a.b.c", "junk", graph_token(NOW, key=STRANGER), graph_token(NOW)[:-4] + "AAAA"],
    ids=["none", "dots", "junk", "another key", "another signature"],
)
def test_graph_token_that_nobody_signed_is_refused(token: str) -> None:
    outcome = handled("teams", graph(*([token] if token else [])), **GRAPH_SETTINGS)
    assert isinstance(outcome, Denied)
    assert outcome.code in ("signature_wrong", "signature_missing")


def test_graph_token_without_signature_or_by_a_shared_secret_is_refused() -> None:
    head, claims, _ = graph_token(NOW).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"issuer-1"}').rstrip(b"=").decode()
    for token in (f"{none}.{claims}.", f"{none}.{claims}.AAAA", f"{head}.{claims}."):
        assert isinstance(handled("teams", graph(token), **GRAPH_SETTINGS), Denied)


@pytest.mark.parametrize("place", ["header", "claims"])
def test_f63_graph_token_of_half_a_megabyte_is_refused(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = {"x-fill": "x" * 500_000}
    header, claims = (fill, {}) if place == "header" else ({}, fill)
    sent = graph(graph_token(NOW, claims, header=header))
    outcome = handled("teams", sent, **GRAPH_SETTINGS)
    assert isinstance(outcome, Denied)
    assert (outcome.status, outcome.code) == (401, "signature_wrong")
    # The control: one that reads tokens of any length takes the same request.
    monkeypatch.setattr(JWSRegistry, "max_header_length", 1 << 30)
    monkeypatch.setattr(JWSRegistry, "max_payload_length", 1 << 30)
    taken(handled("teams", sent, **GRAPH_SETTINGS))


def test_graph_client_state_must_be_right_in_every_notification() -> None:
    good, bad = graph_notice(b"{}"), graph_notice(b"{}", "other")
    settings = GRAPH_SETTINGS | {"client_states": ["old", SECRET], "private_keys": {}}
    for notices, is_taken in (((good, good), True), ((good, bad), False), ((), False)):
        sent = posted(graph_body(*notices, tokens=(graph_token(NOW),)), NOW, {})
        assert isinstance(handled("teams", sent, **settings), Denied) is not is_taken


def test_graph_content_whose_key_is_not_known_is_kept_closed() -> None:
    """Refusing it would lose it."""
    settings = GRAPH_SETTINGS | {"private_keys": {"cert-2": GRAPH["private_key_pem"]}}
    (event,) = taken(handled("teams", graph(graph_token(NOW)), **settings)).events
    assert (event.form, event.opened) == ("teams.notification", b"")


def test_graph_content_is_opened_only_when_signed_with_its_key() -> None:
    content = GRAPH["body"]["value"][0]["encryptedContent"]
    zeros = base64.b64encode(bytes(32)).decode()
    for changed in ({"dataSignature": zeros}, {"dataKey": zeros}, {"data": "?"}, {"data": ""}):
        sent = graph(graph_token(NOW), encryptedContent=content | changed)
        outcome = handled("teams", sent, **GRAPH_SETTINGS)
        assert isinstance(outcome, Denied)
        assert outcome.code == "signature_wrong"


def test_graph_content_with_a_right_signature_that_is_no_cipher_text_is_refused() -> None:
    key, data = bytes(32), b"not a whole block"
    signature = hmac.new(key, data, "sha256").digest()
    sealed = graph_sealed(b"{}") | {"dataKey": sealed_key(key), "data": as_base64(data)}
    sealed["dataSignature"] = as_base64(signature)
    settings = GRAPH_SETTINGS | {"private_keys": {"cert-1": pem(RSA)}}
    outcome = handled("teams", graph(graph_token(NOW), encryptedContent=sealed), **settings)
    assert isinstance(outcome, Denied)
    assert outcome.code == "signature_wrong"


def test_graph_lifecycle_and_other_resources_are_notices() -> None:
    life = {"encryptedContent": None, "lifecycleEvent": "missed", "id": "n-1"}
    other = {"resourceData": {"@odata.type": "#Microsoft.Graph.chat"}}
    (first,) = taken(handled("teams", graph(**life), **GRAPH_SETTINGS)).events
    (second,) = taken(handled("teams", graph(graph_token(NOW), **other), **GRAPH_SETTINGS)).events
    assert (first.form, first.key, first.opened) == ("teams.notification", "n-1", b"")
    assert second.form == "teams.notification"
    assert second.opened


def test_graph_body_that_says_its_list_twice_is_read_as_it_is_placed() -> None:
    body = graph_body(graph_notice(b"{}"), tokens=(graph_token(NOW),))
    twice = body[:-1].rstrip() + b', "value": []}'
    settings = GRAPH_SETTINGS | {"private_keys": {}, "client_states": [SECRET]}
    (event,) = taken(handled("teams", posted(twice, NOW, {}), **settings)).events
    assert json.loads(event.raw)["clientState"] == SECRET
    assert isinstance(handled("teams", posted(b'{"value":1}', NOW, {}), **settings), Denied)


def test_jiandaoyun() -> None:
    """By the rule that it publishes: SHA-1 of nonce:payload:secret:timestamp."""
    body = b'{"op":"data_create","data":{"_id":"1","appId":"a"}}'
    whole = b"n1:" + body + b":" + SECRET.encode() + b":" + epoch(NOW).encode()
    named = {
        "x-jdy-signature": hashlib.sha1(whole, usedforsecurity=False).hexdigest().upper(),
        "x-jdy-deliverid": "d-1",
    }
    sent = posted(body, NOW, named, {"nonce": "n1", "timestamp": epoch(NOW)})
    outcome = taken(handled("jdy", sent, secrets=[SECRET]))
    (event,) = outcome.events
    assert (event.key, event.form, event.context.tenant) == ("d-1", "jdy.event", "a")
    assert (event.received_at, outcome.reply.status) == (NOW, 200)
    assert event.context.zone == "Asia/Shanghai"


def test_standard_webhooks_published_example() -> None:
    """Of the specification of Standard Webhooks and of the library of Svix."""
    named = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    sent = posted(b'{"test": 2432232314}', at(1614265330), named)
    settings = {"signing": "standard", "secrets": ["whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}
    outcome = taken(handled("generic", sent, **settings))
    assert outcome.events[0].key == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_generic_answers_202_and_200_for_what_it_had() -> None:
    outcome = taken(handled("generic", signed_hmac(b"{}", NOW, SECRET), secrets=[SECRET]))
    assert (outcome.reply.status, json.loads(outcome.reply.body)["status"]) == (202, "accepted")
    assert outcome.again is not None
    assert (outcome.again.status, json.loads(outcome.again.body)["status"]) == (200, "duplicate")


def test_generic_without_a_key_is_known_by_its_content() -> None:
    sent = signed_hmac(b'{"a":1}', NOW, SECRET)
    bare = replace(sent, headers={k: v for k, v in sent.headers.items() if k != "idempotency-key"})
    (event,) = taken(handled("generic", bare, secrets=[SECRET])).events
    assert event.key == f"sha256:{hashlib.sha256(sent.body).hexdigest()}"


@pytest.mark.parametrize("key", ["a b", "x" * 256, "ключ"])
def test_generic_key_must_be_printable_and_short(key: str) -> None:
    sent = with_header(signed_hmac(b"{}", NOW, SECRET), "idempotency-key", key)
    outcome = handled("generic", sent, secrets=[SECRET])
    assert isinstance(outcome, Denied)
    assert outcome.status == 400


@pytest.mark.parametrize("sealed", ["?", "", "AAAA", "A" * 64, "QUJD" * 100])
def test_what_is_signed_and_no_cipher_text_is_refused(sealed: str) -> None:
    query = callback_query(sealed, epoch(NOW), "token")
    keys = {"token": "token", "aes_key": AES_KEY}
    body = json.dumps({"encrypt": sealed}).encode()
    stamp = {"x-lark-request-timestamp": epoch(NOW), "x-lark-request-nonce": "n"}
    signed = hashlib.sha256(f"{epoch(NOW)}nkey".encode() + body).hexdigest()
    xml = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
    outcomes = (
        handled("dingtalk", posted(body, NOW, {}, query), owner_key="k", **keys),
        handled("wecom", posted(xml, NOW, {}, query, "text/xml"), corp_id="c", **keys),
        handled(
            "feishu",
            posted(body, NOW, stamp | {"x-lark-signature": signed}),
            verification_token="t",
            encrypt_key="key",
        ),
    )
    assert [one.code for one in outcomes if isinstance(one, Denied)] == ["not_encrypted"] * 3


@pytest.mark.parametrize("stamp", ["0", "-1", "9" * 15, "1e3", "x", ""])
def test_what_is_no_time_of_now_is_refused(stamp: str) -> None:
    signature = hmac.new(b"s", f"v0:{stamp}:{{}}".encode(), "sha256").hexdigest()
    named = {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={signature}"}
    outcome = handled("slack", posted(b"{}", NOW, named), signing_secrets=["s"])
    assert isinstance(outcome, Denied)
    assert outcome.code in ("stale", "signature_missing")


@pytest.mark.parametrize("name", ["x" * 256, "a b", "\x00", "\ud83d", "é"])
def test_ids_that_no_database_would_index_are_known_by_their_hash(name: str) -> None:
    content = json.dumps({"event_id": name, "team_id": name}).encode()
    (event,) = taken(
        handled("slack", signed_slack(content, NOW, "s"), signing_secrets=["s"])
    ).events
    sent = name.encode("utf-8", "surrogatepass")
    assert event.key == f"sha256:{hashlib.sha256(sent).hexdigest()}"
    assert event.context.tenant == ""
