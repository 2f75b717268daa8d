"""A sample shows what a field map would make of it, before anything is kept."""

from __future__ import annotations

import json

from holdfast.core.kinds import Kind
from holdfast.ingest.webhooks.dry_run import MOST_CHARS, MOST_SHOWN, DryRun, dry_run
from holdfast.ingest.webhooks.registry import vendor_of
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import context_text
from hook_kit import NOW, SECRET, deep, signed_hmac, taken

SETTINGS = {
    "channel": "calls",
    "fields": {"kind": "call", "id": "$.data.no", "from": ["$.data.phone"], "to": "$.data.gone"},
    "zone": "Asia/Shanghai",
    "country": "86",
}
BODY = json.dumps({"at": "2026-01-05 09:30", "data": {"no": 7, "phone": "13800138000"}}).encode()


def run(body: bytes, settings: dict[str, object] | None = None) -> DryRun:
    vendor = vendor_of("generic")
    read = vendor.read(json.dumps(settings or SETTINGS), json.dumps({"secrets": [SECRET]}))
    return dry_run(read, body)


def test_every_field_is_shown_with_where_it_is_looked_for_and_what_is_there() -> None:
    result = run(BODY)
    shown = {one.name: one for one in result.fields}
    assert shown["id"].paths == ("$.data.no",)
    assert (shown["id"].found, shown["id"].is_missed) == (("7",), False)
    assert (shown["kind"].found, shown["to"].is_missed) == (("call",), True)
    assert (shown["at"].paths, shown["at"].is_mapped) == (("$.at",), False)
    assert (shown["subject"].count, shown["subject"].is_missed) == (0, False)
    assert all(one.meaning for one in result.fields)


def test_record_is_the_one_that_a_signed_request_becomes() -> None:
    record = run(BODY).record
    assert record is not None
    assert (record.kind, record.message_id) == (Kind.CALL, "calls:call/7")
    vendor = vendor_of("generic")
    read = vendor.read(json.dumps(SETTINGS), json.dumps({"secrets": [SECRET]}))
    (event,) = taken(vendor.handle(signed_hmac(BODY, NOW, SECRET), read)).events
    assert event.context.extra["fields"]["to"] == ["$.data.gone"]
    filed = parse_form(event.form, FormItem(event.raw, context_text(event.context)))
    assert filed == record


def test_long_and_many_values_are_shown_in_part() -> None:
    body = json.dumps({"kind": "note", "body": "x" * 1000, "participants": ["u"] * 50}).encode()
    fields = {"participants": "$.participants[*]"}
    shown = {one.name: one for one in run(body, {"fields": fields}).fields}
    assert len(shown["body"].found[0]) == MOST_CHARS
    assert (len(shown["participants"].found), shown["participants"].count) == (MOST_SHOWN, 50)


def test_sample_that_would_be_refused_says_why() -> None:
    for body in (b"[1]", b"{", deep(200)):
        result = run(body)
        assert (result.fields, result.record) == ((), None)
        assert result.problem


def test_forms_of_jiandaoyun_are_shown_too() -> None:
    vendor = vendor_of("jdy")
    fields = {"fields": {"to": "$.data._widget_1"}}
    settings = vendor.read(json.dumps(fields), json.dumps({"secrets": [SECRET]}))
    result = dry_run(settings, b'{"op":"data_create","data":{"_id":"1","_widget_1":"13800138000"}}')
    assert result.record is not None
    assert [one.address for one in result.record.participants] == ["phone:+8613800138000"]
