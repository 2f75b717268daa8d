"""Columns, values and rows of tables, as people and spreadsheets write them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.table_columns import columns_of, field_of, is_table
from holdfast.parsers.chat.table_rows import row_values
from holdfast.parsers.chat.table_values import read_duration, read_phone, read_time, zone_of
from holdfast.parsers.chat.values import Context, context_text
from holdfast.parsers.extract.sheets import cell_text, sheet_rows
from office_files import build_xls, build_xlsx

SHANGHAI = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2024-03-05 10:30", SHANGHAI, "2024-03-05T02:30:00"),
        ("2024-03-05T10:30:05.5", SHANGHAI, "2024-03-05T02:30:05"),
        ("2024/3/5", SHANGHAI, "2024-03-04T16:00:00"),
        ("2024.3.5 9:05:01", SHANGHAI, "2024-03-05T01:05:01"),
        ("2024年3月5日 下午3:05", SHANGHAI, "2024-03-05T07:05:00"),
        ("2024年3月5日上午12:05", SHANGHAI, "2024-03-04T16:05:00"),
        ("2024年3月5日 15时05分09秒", SHANGHAI, "2024-03-05T07:05:09"),
        ("2024-03-05 凌晨 12:30", SHANGHAI, "2024-03-04T16:30:00"),
        ("2024-03-05 晚上 9:30", SHANGHAI, "2024-03-05T13:30:00"),
        ("2024-03-05 中午 12:30", SHANGHAI, "2024-03-05T04:30:00"),
        ("2024-03-05 12:05 a.m.", "", "2024-03-05T00:05:00"),
        ("2024-03-05 12:05 PM", "", "2024-03-05T12:05:00"),
        ("2024-03-05 1:05\u202fpm", "", "2024-03-05T13:05:00"),
        ("25/3/2024, 10:00", "", "2024-03-25T10:00:00"),
        ("3/25/24 10:00", "", "2024-03-25T10:00:00"),
        ("3/3/2024", "", "2024-03-03T00:00:00"),
        ("2024-03-05T10:30:00+08:00", "", "2024-03-05T02:30:00"),
        ("2024-03-05T10:30:00Z", SHANGHAI, "2024-03-05T10:30:00"),
        ("45356.4375", SHANGHAI, "2024-03-05T02:30:00"),
        ("45356", "", "2024-03-05T00:00:00"),
    ],
)
def test_times(text: str, zone: str, expected: str) -> None:
    at, is_assumed = read_time(text, zone)
    assert at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert is_assumed == (not zone and "T" not in text)


def test_day_or_month_first() -> None:
    assert read_time("3/5/2024", "", is_day_first=True)[0].month == 5
    assert read_time("3/5/2024", "", is_day_first=False)[0].month == 3
    assert read_time("3/25/2024", "", is_day_first=True)[0].day == 25
    with pytest.raises(ValueError, match="day or month first"):
        read_time("3/5/2024", "")


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "2024-13-01", "2024-02-30", "2024-03-05 25:00", "2024-03-05 noon", "99999.5x",
        "0001-01-01 00:00", "9999-12-31T23:59:59-08:00", "2024-03-05T99:00Z", "2024-03-05 3:61",
        "13/13/2024", "2024-03-05 下午13:99",
    ],
)  # fmt: skip
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_time(text, SHANGHAI)


def test_zones() -> None:
    assert zone_of(SHANGHAI) is not None
    for none in ("", "Mars/Base", "../../etc/passwd", "\0", "/etc"):
        assert zone_of(none) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("65", 65), ("65.0", 65), ("1分5秒", 65), ("1小时", 3600), ("2h 3m 4s", 7384),
        ("5min", 300), ("00:01:05", 65), ("1:05", 65), ("100:00:00", 360_000),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: int) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "long", "5 hours", "1:2:3:4", "-5", "1.5", "9" * 40, "9" * 40 + ":0:0", "9" * 40 + "h"],
)
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        read_duration(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800138000", "+8613800138000"), ("138-0013-8000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"), ("008613800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"), ("13800138000.0", "+8613800138000"),
        ("010-62345678", "+861062345678"), ("62345678", "62345678"),
        ("+1 (212) 555-0100", "+12125550100"), ("8861062345678", "8861062345678"),
    ],
)  # fmt: skip
def test_phones(text: str, number: str) -> None:
    assert read_phone(text) == number


@pytest.mark.parametrize("text", ["1.38E+10", "1.38001E+10", "", "12", "ext. 5", "9" * 16, "+"])
def test_no_phones(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits are lost|no telephone number"):
        read_phone(text)


def test_other_countries() -> None:
    assert read_phone("0412 345 678", "61") == "+61412345678"
    assert read_phone("412345678", "61") == "412345678"


def test_columns() -> None:
    headers = ["通话时间", "Phone Number", "手机", "备注", "浓度", "负责人"]
    columns = {"通话时间": "at", "Phone Number": "phone", "备注": "body", "负责人": "owner"}
    assert columns_of(headers, {}) == columns
    assert columns_of(["a", "b", "Time"], {"a": "at", "b": "nonsense", "Time": "-"}) == {"a": "at"}
    assert field_of("  CALL_time: ") == "at"
    assert field_of("浓度") == ""
    assert is_table(["时间", "电话", "备注"])
    assert is_table(["date", "subject", "type"])
    for none in ([], ["时间", "电话"], ["电话", "备注", "类型"], ["time", "type", "result"]):
        assert not is_table(none)


def row(values: dict[str, Any], **more: Any) -> Parsed:
    """Return the record of a row whose headers are the fields."""
    extra = {"columns": {}, **more.pop("extra", {})}
    context = Context(zone=SHANGHAI, extra=extra, **more)
    return parse_form("table.row", FormItem(json.dumps(values).encode(), context_text(context)))


NOON = {"at": "2024-03-05 12:00"}


def people(record: Parsed) -> list[tuple[str, str, str, str]]:
    return [(p.role.value, p.name, p.address, p.side) for p in record.participants]


def test_call_that_came_in() -> None:
    record = row(
        {**NOON, "phone": "13800138000", "contact": "王敏", "owner": "张三", "direction": "呼入",
         "duration": "1分5秒", "id": "c1", "result": "ok"},
        tenant="crm",
    )  # fmt: skip
    assert (record.kind, record.message_id) == (Kind.CALL, "call:crm/c1")
    assert people(record) == [
        ("from", "王敏", "phone:+8613800138000", "outside"),
        ("to", "张三", "staff:张三", "staff"),
    ]
    assert record.body == "duration: 0:01:05\nresult: ok"
    assert ("Field-duration", "1分5秒") in record.headers
    assert record.defects == ()
    assert record.chat is not None
    assert record.chat.channel == "call"


def test_visit_that_went_out() -> None:
    record = row(
        {**NOON, "contact": "Eve", "email": "eve@x.org", "wecom": "wm1", "owner": "ann@y.org; Bo",
         "place": "Berlin", "body": "saw them", "浓度": "5%"}
    )  # fmt: skip
    assert record.kind is Kind.VISIT
    assert people(record) == [
        ("to", "Eve", "eve@x.org", "outside"),
        ("to", "Eve", "wecom:wm1", "outside"),
        ("from", "", "ann@y.org", "staff"),
        ("from", "Bo", "staff:Bo", "staff"),
    ]
    assert record.body == "saw them\nplace: Berlin\n浓度: 5%"


def test_messages_of_a_room() -> None:
    record = row(
        {**NOON, "from": "eve@x.org、13800138000", "to": "Bob", "room": "team", "body": "hi",
         "direction": "in"},
        tenant="t", channel="wechat",
    )  # fmt: skip
    assert record.kind is Kind.IM
    assert people(record) == [
        ("from", "", "eve@x.org", "outside"),
        ("from", "", "phone:+8613800138000", "outside"),
        ("to", "Bob", "", "staff"),
    ]
    assert record.chat is not None
    assert record.chat.conversation == Conversation("t/team", "team")
    out = row({**NOON, "from": "Ann", "to": "Eve", "body": "x", "direction": "OUT"})
    assert [side for *_, side in people(out)] == ["staff", "outside"]
    neither = row({**NOON, "from": "Ann", "body": "x"})
    assert [side for *_, side in people(neither)] == [""]
    alone = row({**NOON, "contact": "Eve", "body": "x"})
    assert (alone.kind, people(alone)) == (Kind.NOTE, [("to", "Eve", "", "outside")])


def test_kinds() -> None:
    assert row({**NOON, "kind": "拜访", "contact": "E"}).kind is Kind.VISIT
    assert row({**NOON, "kind": "other", "contact": "E"}, extra={"kind": "task"}).kind is Kind.TASK
    assert row({**NOON, "subject": "s"}).kind is Kind.NOTE
    assert row({**NOON, "recording": "a.wav", "contact": "E"}).kind is Kind.CALL


def test_zone_that_is_not_known_is_said() -> None:
    raw = json.dumps({**NOON, "body": "x"}).encode()
    record = parse_form("table.row", FormItem(raw, ""))
    assert [one.code for one in record.defects] == ["date_no_zone"]
    assert record.sent_at == datetime(2024, 3, 5, 12, tzinfo=UTC)


def test_rows_that_say_nothing_are_damaged() -> None:
    for values in ({"body": "x"}, NOON, {**NOON, "phone": "1.38E+10"}, {**NOON, "at": "3/5/2024"}):
        record = row(values)
        assert record.kind is Kind.UNKNOWN
        assert record.defects[0].code == "form_damaged"
    assert row({**NOON, "at": "3/5/2024", "body": "x"}, extra={"order": "day"}).kind is Kind.NOTE


def test_same_row_is_one_and_a_changed_row_is_another() -> None:
    one = row({**NOON, "body": "x", "id": "7"})
    assert row({"id": "7", **NOON, "body": " x "}).fingerprint == one.fingerprint
    other = row({**NOON, "body": "y", "id": "7"})
    assert other.fingerprint != one.fingerprint
    assert other.message_id == one.message_id
    assert row({**NOON, "body": "x"}).message_id != row({**NOON, "body": "y"}).message_id


def test_ids_of_another_table_name_something_else() -> None:
    january = row({**NOON, "body": "x", "id": "1"})
    february = row({"at": "2024-02-05 12:00", "body": "y", "id": "1"})
    assert january.message_id != february.message_id
    named = [
        row({"at": at, "body": "x", "id": "1"}, tenant="crm") for at in ("2024-01-05", "45000")
    ]
    assert {one.message_id for one in named} == {"note:crm/1"}


def test_what_counts_the_rows_names_nothing() -> None:
    extra: dict[str, Any] = {"columns": columns_of(["序号", "时间", "备注"], {})}
    first = row({"序号": "1", "时间": "2024-03-05", "备注": "x"}, extra=extra)
    again = row({"序号": "7", "时间": "2024-03-05", "备注": "x"}, extra=extra)
    other = row({"序号": "1", "时间": "2024-03-05", "备注": "y"}, extra=extra)
    assert first.fingerprint == again.fingerprint
    assert first.message_id != other.message_id
    assert (first.body, first.headers) == ("x", (("Field-ordinal", "1"),))


def test_rows_of_csv() -> None:
    extra: dict[str, Any] = {
        "headers": ["时间", "电话", "备注"], "encoding": "gb18030", "delimiter": "\t",
        "columns": {"时间": "at", "备注": "body"},
    }  # fmt: skip
    context = Context(extra=extra)
    raw = '2024-03-05\t138\t"多\n行 ""x"""'.encode("gb18030")
    assert row_values(raw, context) == {"at": "2024-03-05", "电话": "138", "body": '多\n行 "x"'}
    assert row_values(b"2024-03-05", context) == {"at": "2024-03-05"}
    for bad in (b"1\t2\t3\t4", b"1\n2", b"", b"\xff\xff"):
        with pytest.raises(ValueError, match=r".+"):
            row_values(bad, context)
    assert row_values(b'{"a": 1, "b": null, "c": " "}', Context()) == {"a": "1"}


CELLS = st.dictionaries(
    st.sampled_from(["at", "phone", "from", "to", "duration", "email", "owner", "body", "kind"]),
    st.text(max_size=12) | st.from_regex(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}( \d\d:\d\d)?")
    | st.sampled_from(["0001-01-01", "9999-12-31 23:59", "1e5", "٣٣٣٣٣", "1" * 400, "\ud800"]),
)  # fmt: skip


@settings(max_examples=30)
@given(CELLS, st.sampled_from(["", SHANGHAI, "America/Los_Angeles", "nowhere"]))
def test_any_row_gives_a_record(values: dict[str, str], zone: str) -> None:
    raw = json.dumps({**values}).encode()
    record = parse_form("table.row", FormItem(raw, context_text(Context(zone=zone))))
    record.body.encode()
    assert record.kind is not Kind.UNKNOWN or record.defects
    assert all(one.role in (Role.FROM, Role.TO) for one in record.participants)


def test_cells_are_texts() -> None:
    given_: list[object] = [
        1.0, 1.5, 1e16, 5, "x", None, True, datetime(2024, 1, 2, 3, 4, 5, 6, UTC), date(2024, 1, 2),
        time(3, 4), timedelta(minutes=1, seconds=5), 13800138000.0,
    ]  # fmt: skip
    assert [cell_text(one) for one in given_] == [
        "1", "1.5", "1e+16", "5", "x", "", "True", "2024-01-02 03:04:05+00:00", "2024-01-02",
        "03:04:00", "65", "13800138000",
    ]  # fmt: skip


def test_rows_of_workbooks() -> None:
    raw = build_xlsx({"一": [["a", "b"], ["", ""], [1, 2.5]], "two": [["x"]]})
    assert list(sheet_rows(raw)) == [
        ("一", 1, ["a", "b"]), ("一", 3, ["1", "2.5"]), ("two", 1, ["x"]),
    ]  # fmt: skip
    assert [cells for _, _, cells in sheet_rows(build_xls([["a", 7]]))] == [["a", "7"]]
    with pytest.raises(Exception, match=r".*"):
        list(sheet_rows(b"PK no workbook"))
