"""Every form is total and linear: whatever the bytes, the record says what could be read."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.kinds import Kind
from holdfast.core.records import Parsed, TextState
from holdfast.parsers.chat.forms import FORMS, FormItem, parse_form, unreadable_item
from holdfast.parsers.chat.values import Context, context_text
from slack_kit import CONTEXT, codes

KEYS = st.sampled_from(
    [
        "type", "subtype", "ts", "text", "user", "channel", "event", "message",
        "previous_message", "files", "file", "blocks", "attachments", "fields", "elements",
        "edited", "item", "id", "profile", "email", "members", "reactions", "users", "bot_id",
        "event_id", "topic", "value", "at", "phone", "from", "duration", "headers", "deleted_ts",
        "thread_ts", "name", "inviter",
    ]
)  # fmt: skip
STAMPS = st.sampled_from(["1700000000.000100", "x", "", "0.0", "9" * 30, "-5.1", "1.٣"])
KINDS = st.sampled_from(
    [
        "message", "message_changed", "message_deleted", "reaction_added", "channel_join",
        "mrkdwn", "x", "user", "link", "message_replied", "tombstone", "emoji", "section",
        "huddle_thread",
    ]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | STAMPS | KINDS
    | st.text(max_size=10) | st.sampled_from(["\ud800", "\0", "<@U1>", "<" * 50, "a@b.c", "1e400"])
)  # fmt: skip
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=10,
)


def sound(record: Parsed) -> None:
    """Check what holds of each record."""
    assert record.chat is not None
    assert len(record.fingerprint) == 32
    everything = [record.body, record.subject, record.message_id, record.date_raw]
    everything += [part for one in record.participants for part in (one.name, one.address)]
    everything += [part for header in record.headers for part in header]
    for part in everything:
        part.encode()
        assert "\0" not in part
    assert record.sent_at is None or record.sent_at.tzinfo is not None


@settings(max_examples=70)
@given(st.sampled_from(sorted(FORMS)), DOCUMENTS)
def test_any_document_gives_a_record(form: str, document: Any) -> None:
    item = FormItem(json.dumps(document).encode(), context_text(CONTEXT))
    record = parse_form(form, item)
    sound(record)
    assert parse_form(form, item) == record


@settings(max_examples=40)
@given(st.sampled_from(sorted(FORMS)), st.binary(max_size=60), st.text(max_size=30))
def test_any_bytes_give_a_record(form: str, raw: bytes, context: str) -> None:
    sound(parse_form(form, FormItem(raw, context)))


@settings(max_examples=40)
@given(st.sampled_from(sorted(FORMS)), st.dictionaries(KEYS, DOCUMENTS, max_size=5))
def test_any_extra_gives_a_record(form: str, extra: dict[str, Any]) -> None:
    try:
        context = context_text(Context(extra=extra, zone="../etc/passwd"))
    except (ValueError, OverflowError):  # a number that no context has
        return
    sound(parse_form(form, FormItem(b'{"at": "2024-01-02 03:04", "ts": "1.0"}', context)))


def test_unknown_form_keeps_its_words() -> None:
    context = Context("acme", item="7", room={"key": "r"}, received_ms=1_700_000_000_000)
    record = parse_form("acme.v9", FormItem("héllo".encode(), context_text(context)))
    assert (record.kind, record.body, record.message_id) == (Kind.UNKNOWN, "héllo", "7")
    assert [(one.code, one.detail) for one in record.defects] == [("form_unknown", "acme.v9")]
    assert record.sent_at_source == "received"
    assert parse_form("x", FormItem(b"\xff", "")).body == "\ufffd"


def test_damaged_item_keeps_its_words() -> None:
    record = parse_form("slack.message", FormItem(b"{not json", context_text(CONTEXT)))
    assert (record.kind, record.body, codes(record)) == (
        Kind.UNKNOWN, "{not json", ["form_damaged", "date_missing"],
    )  # fmt: skip


def test_killed_parse_leaves_what_is_around_it() -> None:
    item = FormItem(b'{"text": "secret"}', context_text(CONTEXT))
    record = unreadable_item("slack.message", item, "memory")
    assert (record.kind, record.body) == (Kind.UNKNOWN, "")
    assert record.defects[0].code == "parse_killed"
    assert record.chat is not None
    assert record.chat.conversation is not None
    other = unreadable_item("slack.message", FormItem(b"{}", item.context), "memory")
    assert other.fingerprint != record.fingerprint


def test_damaged_items_are_told_apart() -> None:
    """Two items that cannot be read, and that nothing names, are not one."""
    one = parse_form("slack.message", FormItem(b"{one", context_text(CONTEXT)))
    two = parse_form("slack.message", FormItem(b"{two", context_text(CONTEXT)))
    assert one.fingerprint != two.fingerprint
    long = b"{" + b"x" * (2 << 20)
    one = parse_form("slack.message", FormItem(long + b"1", context_text(CONTEXT)))
    two = parse_form("slack.message", FormItem(long + b"2", context_text(CONTEXT)))
    assert one.fingerprint != two.fingerprint


WIDE: dict[str, Callable[[int], Any]] = {
    "none children": lambda n: [{"text": None, "elements": None, "fields": [None] * n}],
    "mentions": lambda n: [{"type": "mrkdwn", "text": "<@U1> " * n}],
    "open tags": lambda n: [{"type": "mrkdwn", "text": "<" * n + "<a" * n}],
    "long tag": lambda n: [{"type": "mrkdwn", "text": "<" + "a" * n}],
    "lists": lambda n: [[[]] * n],
    "entities": lambda n: [{"type": "mrkdwn", "text": "&amp;" * n}],
}


@pytest.mark.parametrize("shape", sorted(WIDE))
def test_time_grows_with_the_size_alone(shape: str) -> None:
    """Eight times the bytes may not take much more than eight times the time."""

    def seconds(n: int) -> float:
        value = {"ts": "1.5", "blocks": WIDE[shape](n), "text": ""}
        item = FormItem(json.dumps(value).encode(), "")
        best = 1e9
        for _ in range(3):
            begun = time.process_time()
            parse_form("slack.message", item)
            best = min(best, time.process_time() - begun)
        return best

    assert seconds(16_000) < 30 * max(seconds(2_000), 0.0005)


def test_children_that_are_none_end_the_way_down() -> None:
    """Once a `None` child was taken for a block again, which doubled the work at each level."""
    value = {"ts": "1.5", "blocks": [{"text": None, "elements": [None, {"text": None}]}] * 1000}
    begun = time.process_time()
    record = parse_form("slack.message", FormItem(json.dumps(value).encode(), ""))
    assert time.process_time() - begun < 2
    assert record.body == ""
    deep = {"ts": "1.5", "blocks": [_chain(300)]}
    assert parse_form("slack.message", FormItem(json.dumps(deep).encode(), "")).kind is Kind.IM


def _chain(depth: int) -> Any:
    value: Any = {"text": "bottom", "elements": None, "fields": None, "title": None}
    for _ in range(depth):
        value = {"text": None, "elements": [value, None], "fields": None, "title": None}
    return value


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"ts":' * 100_000, b'{"a":[' * 50_000])
def test_deep_nesting_is_a_defect(raw: bytes) -> None:
    assert "form_damaged" in codes(parse_form("slack.message", FormItem(raw, "")))


def file(raw: bytes, **extra: Any) -> Parsed:
    context = Context("wecom", item="m1#1", room={"key": "R"}, extra=extra)
    return parse_form("file", FormItem(raw, context_text(context)))


def test_file_of_a_message() -> None:
    people = [["from", "Ann", "wecom:ann", "staff"], ["odd"]]
    record = file(b"%PDF-1.4 x", message="wecom:m1", filename="a.pdf", people=people, at_ms=1 << 40)
    assert (record.kind, record.message_id, record.subject) == (Kind.FILE, "wecom:m1", "a.pdf")
    (one,) = record.attachments
    assert (one.sniffed_type, one.size_bytes) == ("application/pdf", 10)
    assert one.sha256 == hashlib.sha256(b"%PDF-1.4 x").digest()
    assert one.text_state is TextState.UNSUPPORTED
    assert [p.address for p in record.participants] == ["wecom:ann"]
    assert record.defects == ()


def test_file_that_is_not_what_was_announced() -> None:
    right = hashlib.md5(b"abc", usedforsecurity=False).hexdigest().upper()
    assert codes(file(b"abc", md5=right, at_ms=1 << 40)) == []
    assert codes(file(b"xyz", md5=right, at_ms=1 << 40)) == ["media_hash_differs"]
    assert codes(file(b"", media_type="image/png")) == ["date_missing"]
