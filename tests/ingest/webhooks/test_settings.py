"""What people write into the settings of a webhook is checked when they do, and by name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks.registry import VENDORS, vendor_of
from holdfast.ingest.webhooks.request import Denied
from holdfast.ingest.webhooks.vendors.generic import channel_of
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import context_text
from hook_kit import AES_KEY, NOW, SECRET, posted, signed_hmac, taken, whsec

LONG = {"secrets": [SECRET]}
WRONG: Mapping[str, tuple[str, Mapping[str, object], Mapping[str, object]]] = {
    "no secret": ("slack", {}, {}),
    "no secret in the list": ("slack", {}, {"signing_secrets": []}),
    "empty secret": ("slack", {}, {"signing_secrets": [""]}),
    "secret of another type": ("slack", {}, {"signing_secrets": 1}),
    "no token": ("feishu", {}, {"encrypt_key": "k"}),
    "nothing of DingTalk": ("dingtalk", {}, {}),
    "half of DingTalk's events": ("dingtalk", {"owner_key": "k"}, {"token": "t"}),
    "half of them beside a robot": ("dingtalk", {}, {"token": "t", "app_secret": "s"}),
    "short AES key": ("dingtalk", {"owner_key": "k"}, {"token": "t", "aes_key": "short"}),
    "no corporation": ("wecom", {"corp_id": ""}, {"token": "t", "aes_key": AES_KEY}),
    "AES key that is no base64": ("wecom", {"corp_id": "c"}, {"token": "t", "aes_key": "?" * 43}),
    "no client state": ("teams", {}, {}),
    "empty client state": ("teams", {}, {"client_states": [""]}),
    "content that nobody vouches for": (
        "teams", {"app_ids": ["a"]}, {"client_states": ["s"], "private_keys": {"c": "k"}},
    ),
    "issuer of another kind": (
        "teams", {"app_ids": ["a"], "issuer": "https://login.example/"}, {"client_states": ["s"]},
    ),
    "issuer without TLS": (
        "teams", {"app_ids": ["a"], "issuer": "http://login.example/common/v2.0"},
        {"client_states": ["s"]},
    ),
    "issuer with a name before an @": (
        "teams", {"app_ids": ["a"], "issuer": "https://login.microsoftonline.com@x.example/common/v2.0"},
        {"client_states": ["s"]},
    ),
    "keys beside an issuer": (
        "teams", {"issuer": "https://login.microsoftonline.com/common/v2.0", "issuer_keys": [{}]},
        {"client_states": ["s"]},
    ),
    "key that is none": (
        "teams", {"takes_unvouched": True}, {"client_states": ["s"], "private_keys": {"c": "k"}},
    ),
    "no secret of a form": ("jdy", {}, {}),
    "short secret": ("generic", {}, {"secrets": ["short"]}),
    "unknown way to sign": ("generic", {"signing": "md5"}, LONG),
    "channel that is no name": ("generic", {"channel": "Call Centre"}, LONG),
    "channel of mail": ("generic", {"channel": "email"}, LONG),
    "secret that is no base64": ("generic", {"signing": "standard"}, {"secrets": ["?" * 20]}),
    "unknown setting": ("generic", {"sining": "hmac"}, LONG),
    "unknown field": ("generic", {"fields": {"phone": "$.a"}}, LONG),
    "broken path": ("generic", {"fields": {"id": "$.a[x]"}}, LONG),
    "path with too many steps": ("generic", {"fields": {"id": "$" + ".a" * 21}}, LONG),
    "too many paths": ("generic", {"fields": {"body": ["$.a"] * 201}}, LONG),
    "unknown zone": ("generic", {"zone": "Mars/Base"}, LONG),
    "zone that is a path": ("generic", {"zone": "../etc/passwd"}, LONG),
    "calling code with a plus": ("generic", {"country": "+86"}, LONG),
    "secret among the settings": ("generic", LONG, {}),
    "setting among the secrets": ("generic", {}, {**LONG, "signing": "hmac"}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_are_refused_without_showing_secrets(name: str) -> None:
    vendor, settings, secret = WRONG[name]
    with pytest.raises(Refused) as refused:
        vendor_of(vendor).read(json.dumps(settings), json.dumps(secret))
    assert str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("text", ["[1]", "{", "null"])
def test_settings_that_are_no_object_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="must be a JSON object"):
        vendor_of("slack").read(text, "")


def test_unknown_vendor_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(Refused, match="slack, feishu, dingtalk, wecom, teams, jdy, generic"):
        vendor_of("icq")


def test_every_vendor_names_its_secrets() -> None:
    assert {vendor.name: sorted(vendor.secrets) for vendor in VENDORS} == {
        "slack": ["signing_secrets"],
        "feishu": ["encrypt_key", "verification_token"],
        "dingtalk": ["aes_key", "app_secret", "token", "url_key"],
        "wecom": ["aes_key", "token"],
        "teams": ["client_states", "private_keys"],
        "jdy": ["secrets"],
        "generic": ["secrets"],
    }


def test_only_events_or_only_a_robot_can_be_set() -> None:
    vendor = vendor_of("dingtalk")
    events = vendor.read('{"owner_key": "k"}', json.dumps({"token": "t", "aes_key": AES_KEY}))
    robot = vendor.read("", '{"app_secret": "s"}')
    for settings in (events, robot):
        outcome = vendor.handle(posted(b"{}", NOW, {}), settings)
        assert isinstance(outcome, Denied)
        assert outcome.code == "signature_missing"


def test_standard_secret_may_come_without_its_prefix() -> None:
    bare = whsec(SECRET).removeprefix("whsec_")
    vendor_of("generic").read('{"signing": "standard"}', json.dumps({"secrets": [bare]}))


def test_ids_of_two_sources_are_not_taken_for_one_another() -> None:
    vendor = vendor_of("generic")
    settings = vendor.read("", json.dumps(LONG))
    body = json.dumps({"kind": "order", "id": 7, "from": 7, "body": "x"}).encode()
    records = []
    for source in ("erp", "call-centre"):
        request = replace(signed_hmac(body, NOW, SECRET), source=source)
        (event,) = taken(vendor.handle(request, settings)).events
        item = FormItem(event.raw, context_text(event.context))
        records.append(parse_form(event.form, item))
    assert len({one.message_id for one in records}) == 2
    assert len({one.participants[0].address for one in records}) == 2
    assert records[0].participants[0].address == "erp:7"


def test_every_source_has_a_channel_of_its_own() -> None:
    names = [
        "erp",
        "erp-orders",
        "erp-orders-2",
        "ERP",
        "电话",
        "1st",
        "a",
        "wecom",
        "email",
        "hook",
    ]
    found = [channel_of(name) for name in names]
    assert found[0] == "erp"
    assert len(set(found)) == len(names)
    assert not set(found) & {"wecom", "email", "hook"}
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{1,15}", one) for one in found)
    assert channel_of("") == "hook"
