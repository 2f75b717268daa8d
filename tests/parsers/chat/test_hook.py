"""Typed events of business systems, with and without a field map, and the forms of Jiandaoyun."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.parsers.chat.events.fields import KINDS, MAX_LINES
from holdfast.parsers.chat.events.instants import instant_of, seconds_of
from holdfast.parsers.chat.events.paths import MAX_FOUND, PathWrong, found_at, steps_of
from holdfast.parsers.chat.events.persons import Scheme, address_of, person_of, phone_address
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, context_text

RECEIVED_MS = 1_780_000_000_000


def read(value: Any, form: str = "hook.event", **context: Any) -> Parsed:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    context = {"channel": "calls", "received_ms": RECEIVED_MS, **context}
    return parse_form(form, FormItem(raw, context_text(Context(**context))))


def people(record: Parsed, role: Role) -> list[tuple[str, str, str]]:
    return [(p.name, p.address, p.side) for p in record.participants if p.role is role]


def codes(record: Parsed) -> list[str]:
    return [one.code for one in record.defects]


OWN: dict[str, Any] = {
    "kind": "call",
    "id": "c-1",
    "at": "2026-01-05T09:30:00+08:00",
    "direction": "in",
    "from": "+86 138-0013-8000",
    "to": "agent7",
    "participants": [
        {"name": "王敏", "email": "wang@example.com", "side": "outside"},
        {"name": "李", "mobile": "13900139000", "role": "attendee"},
        {"role": "cc", "id": "u9"},
        {},
        "",
    ],
    "owner": {"userid": "zhang", "name": "张伟"},
    "subject": "来电",
    "body": "问价格",
    "duration_s": 65,
    "conversation": "case-5",
    "conversation_name": "询价",
    "external_ids": {"crm": "A-1"},
    "attachments": [
        {"name": "录音.mp3", "url": "https://x/rec.mp3", "media_type": "audio/mpeg", "size": 10},
        "https://x/a/b.pdf",
        {},
    ],
}


def test_event_of_our_own_shape_needs_no_map() -> None:
    record = read(OWN, extra={"country": "86", "scheme": "calls"})
    assert (record.kind, record.message_id) == (Kind.CALL, "calls:call/c-1")
    assert record.sent_at == datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
    assert (record.subject, record.body, codes(record)) == ("来电", "问价格", [])
    assert people(record, Role.FROM) == [("", "phone:+8613800138000", "outside")]
    assert people(record, Role.TO) == [
        ("", "calls:agent7", "staff"),
        ("王敏", "wang@example.com", "outside"),
        ("李", "phone:+8613900139000", ""),
    ]
    assert people(record, Role.CC) == [("", "calls:u9", "")]
    assert people(record, Role.OWNER) == [("张伟", "calls:zhang", "staff")]
    assert record.headers == (
        ("Direction", "in"),
        ("Duration-S", "65"),
        ("External-Id", "crm: A-1"),
    )
    assert [(one.filename, one.size_bytes, one.declared_type) for one in record.attachments] == [
        ("录音.mp3", 10, "audio/mpeg"),
        ("b.pdf", 0, "application/octet-stream"),
    ]
    assert record.chat is not None
    assert record.chat.conversation is not None
    assert record.chat.conversation.name == "询价"


@pytest.mark.parametrize("word", KINDS)
def test_every_kind_is_one_of_ours(word: str) -> None:
    assert read({"kind": word.upper(), "id": 1}).kind is KINDS[word]


def test_message_is_named_by_its_room_and_others_by_their_kind() -> None:
    assert read({"kind": "message", "id": 7, "conversation": "r"}).message_id == "calls:r/7"
    assert read({"kind": "ticket", "id": 7}).message_id == "calls:ticket/7"
    assert read({"kind": "ticket"}).message_id == ""


MAP: dict[str, Any] = {
    "fields": {
        "kind": ["$.type"],
        "id": ["$.data.no"],
        "at": ["$.data.start"],
        "body": ["$.data.lines[*].text", "$.data['note x']"],
        "from": ["$.data.phone"],
        "to": ["客服"],
        "direction": ["$.data.dir"],
        "external_ids": ["$.data.ids", "$.data.ids[0]", "$.data.gone"],
    },
    "kinds": {"ring": "call"},
    "directions": {"1": "out"},
    "country": "86",
    "scheme": "calls",
}
MAPPED = {
    "type": "ring",
    "data": {
        "no": 12,
        "start": "2026/1/5 9:30",
        "lines": [{"text": "一"}, {"text": "二"}, {}],
        "note x": "三",
        "phone": "010-6552 1234",
        "dir": 1,
        "ids": ["x", "y", None],
    },
}


def test_map_says_where_our_fields_are() -> None:
    record = read(MAPPED, extra=MAP, zone="Asia/Shanghai")
    assert (record.kind, record.message_id) == (Kind.CALL, "calls:call/12")
    assert record.sent_at == datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
    assert record.body == "一\n二\n三"
    assert people(record, Role.FROM) == [("", "phone:+861065521234", "staff")]
    assert people(record, Role.TO) == [("", "calls:客服", "outside")]
    assert [value for _, value in record.headers] == ["out", "x", "y", "x"]
    assert codes(record) == []


def test_time_without_a_zone_is_utc_and_says_so() -> None:
    record = read(MAPPED, extra=MAP)
    assert record.sent_at == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert codes(record) == ["date_no_zone"]


def test_what_nobody_has_explained_is_kept_and_says_so() -> None:
    value = {"kind": "ufo", "at": "soon", "direction": "up", "duration_s": "long", "x": {"y": "词"}}
    record = read(value)
    assert record.kind is Kind.UNKNOWN
    assert read({"kind": "note", "body": {"a": 1}}).body == '{"a": 1}'
    assert sorted(codes(record)) == [
        "date_unreadable",
        "duration_unreadable",
        "event_direction_unknown",
        "event_kind_unknown",
    ]
    assert "y: 词" in record.body
    assert ("Direction", "up") in record.headers
    assert (record.sent_at_source, record.sent_at is None) == ("received", False)


def test_later_version_of_an_order_is_one_of_the_same_name() -> None:
    first = {"kind": "order", "id": 1, "at": 1780000000, "body": "new"}
    later = first | {"changed_at": 1780000100, "body": "paid"}
    records = [read(first), read(later)]
    assert {one.message_id for one in records} == {"calls:order/1"}
    assert records[0].chat is not None
    assert records[1].chat is not None
    assert records[0].chat.version_at is None
    assert records[1].chat.version_at == datetime(2026, 5, 28, 20, 28, 20, tzinfo=UTC)
    only_changed = read({"kind": "order", "id": 1, "changed_at": 1780000100})
    assert only_changed.sent_at_source == "date"


def test_two_states_with_the_same_text_are_two_records() -> None:
    one = {"kind": "ticket", "id": 1, "body": "x", "owner": "a"}
    assert read(one).fingerprint == read(dict(reversed(one.items()))).fingerprint
    assert read(one).fingerprint != read(one | {"owner": "b"}).fingerprint


def test_long_lists_are_cut_and_say_so() -> None:
    record = read({"kind": "note", "body": "x", "participants": [0], "attachments": []})
    assert codes(record) == []
    many = read(
        {"kind": "note", "p": ["u"] * (MAX_FOUND + 5)},
        extra={"fields": {"participants": ["$.p[*]"]}},
    )
    assert codes(many) == ["event_values_cut"]
    lines = read({"kind": "note", "p": list(range(1, MAX_LINES + 5))})
    assert codes(lines) == ["event_values_cut"]
    assert lines.body.count("\n") == MAX_LINES - 1


@pytest.mark.parametrize("raw", [b"[1]", b"{", b'"x"', b"[" * 5000])
def test_what_is_no_object_is_kept_with_a_defect(raw: bytes) -> None:
    record = read(raw)
    assert (record.kind, record.body) == (Kind.UNKNOWN, raw.decode())
    assert codes(record) == ["form_damaged"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [{"a": [1, {"b": None}], "c d": 2}]),
        ("$.a", [[1, {"b": None}]]),
        ("$.a[0]", [1]),
        ("$.a[9]", []),
        ("$.a[*]", [1, {"b": None}]),
        ("$.a[*].b", []),
        ('$["c d"]', [2]),
        ("$['c d']", [2]),
        ("$.a.b", []),
        ("$.a[x]", []),
        ("text", ["text"]),
        ("", [""]),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert found_at({"a": [1, {"b": None}], "c d": 2}, path) == found


def test_path_says_where_it_is_broken() -> None:
    with pytest.raises(PathWrong, match="character 4"):
        steps_of("$.a[x]")
    with pytest.raises(PathWrong, match="more than 20 steps"):
        steps_of("$" + ".a" * 21)
    assert steps_of("no path") == ()


@pytest.mark.parametrize(
    ("written", "zone", "instant"),
    [
        (1780000000, "", "2026-05-28T20:26:40+00:00"),
        ("1780000000123", "", "2026-05-28T20:26:40.123000+00:00"),
        (1780000000123456, "", "2026-05-28T20:26:40.123000+00:00"),
        ("2026-01-05 09:30:01", "Asia/Shanghai", "2026-01-05T01:30:01+00:00"),
        ("2026年1月5日 9时30分", "Asia/Shanghai", "2026-01-05T01:30:00+00:00"),
        ("2026.1.5", "Asia/Shanghai", "2026-01-04T16:00:00+00:00"),
        ("20260105", "Asia/Shanghai", "2026-01-04T16:00:00+00:00"),
        ("20260105093001", "Asia/Shanghai", "2026-01-05T01:30:01+00:00"),
        ("2026-01-05T09:30:00.5Z", "Asia/Shanghai", "2026-01-05T09:30:00.500000+00:00"),
        ("2026-01-05T09:30:00-0330", "", "2026-01-05T13:00:00+00:00"),
        ("2026-13-05", "", ""),
        ("2026-01-05T09:30+99:00", "", ""),
        ("0001-01-01T00:00+12:00", "", ""),
        ("2026-01-05 下午1:30:00", "Asia/Shanghai", "2026-01-05T05:30:00+00:00"),
        ("soon", "", ""),
        (None, "", ""),
    ],
)
def test_times(written: Any, zone: str, instant: str) -> None:
    found, is_without_zone = instant_of(written, zone)
    assert (found.isoformat() if found else "") == instant
    assert not is_without_zone


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../x"])
def test_zone_that_is_missing_or_unknown_is_said(zone: str) -> None:
    assert instant_of("2026-01-05 09:30", zone) == (datetime(2026, 1, 5, 9, 30, tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (65, 65),
        ("65.9", 65),
        ("1:05", 65),
        ("01:01:05", 3665),
        ("1分5秒", 65),
        ("", None),
        ("long", None),
    ],
)
def test_durations(written: Any, seconds: int | None) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    ("written", "country", "address"),
    [
        ("+86 (138) 0013-8000", "", "phone:+8613800138000"),
        ("0086 138 0013 8000", "1", "phone:+8613800138000"),
        ("8613800138000", "86", "phone:+8613800138000"),
        ("13800138000", "86", "phone:+8613800138000"),
        ("010 6552 1234", "86", "phone:+861065521234"),
        ("400 800 1234", "86", "phone:4008001234"),
        ("13800138000", "", "phone:13800138000"),
        ("1001", "86", ""),
        ("1.38E+10", "86", ""),
    ],
)
def test_telephone_numbers(written: str, country: str, address: str) -> None:
    assert phone_address(written, country) == address


def test_people_are_known_by_what_is_written_of_them() -> None:
    scheme = Scheme("crm", "86")
    assert address_of(" a@b.c ", scheme) == "a@b.c"
    assert address_of("u1", scheme) == "crm:u1"
    named = person_of(Role.TO, '"王敏" <wang@example.com>', scheme)
    assert named is not None
    assert (named.name, named.address) == ("王敏", "wang@example.com")
    assert person_of(Role.TO, None, scheme) is None
    assert person_of(Role.TO, {"side": "bot"}, scheme) is None


ENTRY: dict[str, Any] = {
    "_id": "5b",
    "appId": "app",
    "entryId": "ent",
    "formName": "客户拜访",
    "creator": {"_id": "db1", "name": "张伟", "username": "zhangwei"},
    "updater": {"name": "李娜", "username": "lina"},
    "createTime": "2026-01-05T01:30:00.000Z",
    "updateTime": "2026-01-05T01:30:00.000Z",
    "_widget_1": "问价格",
    "_widget_2": {"name": "王敏", "tel": "13900139000"},
}


def jdy(op: str, extra: dict[str, Any] | None = None, **changed: Any) -> Parsed:
    value = {"op": op, "data": ENTRY | changed}
    return read(value, "jdy.event", channel="jdy", zone="Asia/Shanghai", extra=extra or {})


def test_entry_of_a_form_is_a_form() -> None:
    record = jdy("data_create")
    assert (record.kind, record.message_id) == (Kind.FORM, "jdy:app/ent/5b")
    assert record.subject == "客户拜访"
    assert record.sent_at == datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
    assert record.body == "_widget_1: 问价格\nname: 王敏\ntel: 13900139000"
    assert people(record, Role.FROM) == [("张伟", "jdy:zhangwei", "staff")]
    assert record.chat is not None
    assert (record.chat.channel, record.chat.version_at) == ("jdy", None)
    assert ("Jdy-Op", "data_create") in record.headers
    assert codes(record) == []


def test_changed_and_removed_entry_have_the_name_of_the_first() -> None:
    changed = jdy("data_update", updateTime="2026-01-06T00:00:00.000Z")
    gone = jdy("data_remove", deleteTime="2026-01-07T00:00:00.000Z", deleter={"username": "boss"})
    assert changed.message_id == gone.message_id == "jdy:app/ent/5b"
    assert changed.chat is not None
    assert changed.chat.version_at == datetime(2026, 1, 6, tzinfo=UTC)
    assert people(changed, Role.FROM) == [("李娜", "jdy:lina", "staff")]
    assert (gone.kind, gone.sent_at) == (Kind.DELETION, datetime(2026, 1, 7, tzinfo=UTC))
    assert people(gone, Role.FROM) == [("", "jdy:boss", "staff")]


def test_map_makes_a_visit_of_a_form() -> None:
    fields = {
        "kind": ["visit"],
        "to": ["$.data._widget_2"],
        "body": ["$.data._widget_1"],
        "subject": ["拜访"],
        "at": ["$.data.day"],
        "conversation": ["k"],
    }
    record = jdy("data_create", {"fields": fields, "country": "86"}, day="2026-01-04 10:00")
    assert (record.kind, record.subject, record.body) == (Kind.VISIT, "拜访", "问价格")
    assert people(record, Role.TO) == [("王敏", "phone:+8613900139000", "")]
    assert record.sent_at == datetime(2026, 1, 4, 2, tzinfo=UTC)


def test_other_pushes_are_kept() -> None:
    record = read({"op": "form_update", "data": {}}, "jdy.event", channel="jdy")
    assert (record.kind, record.subject, record.message_id) == (Kind.CHAT_EVENT, "form_update", "")
    assert record.participants == ()
    assert codes(read({"data": {}}, "jdy.event"))[0] == "form_damaged"
