"""What DingTalk, WeCom and Microsoft Graph post, counted from the raw samples."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.parsers.chat.events.plain_xml import MAX_BYTES
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, Person, context_text

CORPUS = Path(__file__).parents[2] / "corpus/chat"
EVENTS = (CORPUS / "dingtalk/chat_events.jsonl").read_bytes().splitlines()
ROBOT = (CORPUS / "dingtalk/robot_messages.jsonl").read_bytes().splitlines()
VECTORS: dict[str, Any] = json.loads((CORPUS / "webhooks/vectors.json").read_text("utf-8"))
RECEIVED_MS = 1_780_000_000_000


def read(form: str, raw: bytes | dict[str, Any], **context: Any) -> Parsed:
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return parse_form(form, FormItem(content, context_text(Context(**context))))


def people(record: Parsed, role: Role) -> list[tuple[str, str, str]]:
    return [(p.name, p.address, p.side) for p in record.participants if p.role is role]


def codes(record: Parsed) -> list[str]:
    return [one.code for one in record.defects]


def room(record: Parsed) -> tuple[str, str]:
    assert record.chat is not None
    found = record.chat.conversation
    return (found.key, found.name) if found else ("", "")


def test_every_event_of_dingtalk_is_one_of_its_room() -> None:
    records = [read("dingtalk.event", line) for line in EVENTS]
    assert [one.subject for one in records] == [json.loads(line)["EventType"] for line in EVENTS]
    assert {one.kind for one in records} == {Kind.CHAT_EVENT}
    assert {room(one)[0] for one in records} == {"chatxx"}
    assert people(records[0], Role.JOINED) == [("", "dingtalk:u3", "")]
    assert people(records[1], Role.LEFT) == [("", "dingtalk:u3", "")]
    assert people(records[0], Role.FROM) == [("", "dingtalk:manager1", "")]
    assert room(records[2]) == ("chatxx", "新群名")
    assert records[0].sent_at == datetime(2024, 6, 3, 2, 0, 30, tzinfo=UTC)
    assert len({one.fingerprint for one in records}) == len(EVENTS)


def test_other_events_of_dingtalk_are_kept_and_say_so() -> None:
    event = {"eventType": "user_add_org", "userId": "u1", "eventId": "e1", "note": "词"}
    record = read("dingtalk.event", event, received_ms=RECEIVED_MS)
    assert (record.kind, codes(record)) == (Kind.UNKNOWN, ["event_kind_unknown"])
    assert (record.message_id, record.sent_at_source) == ("dingtalk:event/e1", "received")
    assert "note: 词" in record.body
    assert people(record, Role.MENTION) == [("", "dingtalk:u1", "")]
    owner = read("dingtalk.event", {"EventType": "chat_update_owner", "Owner": "o", "UserId": []})
    assert people(owner, Role.OWNER) == [("", "dingtalk:o", "")]


def test_every_message_to_a_robot_is_a_message() -> None:
    records = [read("dingtalk.robot", line) for line in ROBOT]
    raw = [json.loads(line) for line in ROBOT]
    assert {one.kind for one in records} == {Kind.IM}
    names = [f"dingtalk:{one['conversationId']}/{one['msgId']}" for one in raw]
    assert [one.message_id for one in records] == names
    assert [one.body for one in records] == [
        "今天的日报发一下", "", "这是截图", "钉钉，让进步发生\n[4 s]", "[10 s]", "合同.docx",
    ]  # fmt: skip
    files = [[(one.content_id, one.filename) for one in record.attachments] for record in records]
    assert files == [
        [], [("dc_2", "")], [("dc_3", "")], [("dc_4", "")], [("dc_5", "video.mp4")],
        [("f6", "合同.docx")],
    ]  # fmt: skip
    assert [room(one)[1] for one in records] == ["项目群"] * 3 + [""] * 3
    assert people(records[0], Role.FROM) == [("张伟", "dingtalk:user123", "staff")]
    assert people(records[0], Role.MENTION) == [("", "dingtalk:manager1", "")]
    assert people(records[0], Role.TO) == [("", "dingtalk:$:LWCP_v1:$bot", "bot")]
    assert not [one for record in records for one in codes(record)]


def test_stranger_who_writes_to_a_robot_is_outside() -> None:
    named = {"msgId": "m", "msgtype": "hologram", "senderId": "$:x", "content": {"a": "词"}}
    at_robot = {"dingtalkId": "$:bot", "staffId": ""}
    message = {**named, "chatbotUserId": "$:bot", "atUsers": [at_robot, {}]}
    record = read("dingtalk.robot", message)
    assert people(record, Role.FROM) == [("", "dingtalk:$:x", "outside")]
    assert people(record, Role.MENTION) == []
    assert (record.body, codes(record)) == ("a: 词", ["content_kind_unknown", "date_missing"])
    assert room(record) == ("", "")
    assert codes(read("dingtalk.robot", {"msgtype": "text"}))[0] == "form_damaged"
    assert codes(read("dingtalk.event", {"ChatId": "r"}))[0] == "form_damaged"
    bare = read("dingtalk.robot", {"msgId": "m", "msgtype": "text"})
    assert people(bare, Role.TO) == []


def test_answer_to_a_robot_quotes_what_it_answers() -> None:
    base = {"msgId": "m2", "conversationId": "c", "msgtype": "text", "originalMsgId": "m1"}
    for said in ({"text": "the offer"}, '{"text": "the offer"}', "the offer"):
        replied = {"content": "yes", "isReplyMsg": True, "repliedMsg": {"content": said}}
        record = read("dingtalk.robot", {**base, "text": replied})
        assert record.body == "yes\n> the offer"
        assert record.chat is not None
        assert record.chat.answers == "dingtalk:c/m1"


def test_who_leaves_a_room_of_dingtalk_may_be_named_as_operator() -> None:
    record = read("dingtalk.event", {"EventType": "chat_quit", "ChatId": "c", "Operator": "u1"})
    assert people(record, Role.LEFT) == [("", "dingtalk:u1", "")]


def xml(**parts: str) -> bytes:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    return f"<xml>{inside}</xml>".encode()


def test_notice_of_new_data_in_the_archive_of_wecom() -> None:
    record = read("wecom.callback", VECTORS["wecom_callback"]["plaintext"].encode())
    assert (record.kind, record.subject) == (Kind.CHAT_EVENT, "msgaudit_notify")
    assert record.sent_at == datetime(2024, 6, 3, 2, 0, tzinfo=UTC)
    assert (record.body, record.participants, codes(record)) == ("", (), [])
    assert record.headers == (("WeCom-Tenant", "wx5823bf96d3bd56c7"),)


@pytest.mark.parametrize(
    "named",
    [
        {"Event": "change_external_contact", "ChangeType": "msg_audit_approved"},
        {"Event": "msgaudit_approve"},
    ],
)
def test_consent_names_who_gave_it_and_to_whom(named: dict[str, str]) -> None:
    outsider = "wm" + "x" * 30
    raw = xml(
        MsgType="event", CreateTime="1717380000", UserID="zhang", ExternalUserID=outsider, **named
    )
    record = read("wecom.callback", raw)
    assert record.kind is Kind.CONSENT
    assert not record.is_bulk
    assert people(record, Role.FROM) == [("", f"wecom:{outsider}", "outside")]
    assert people(record, Role.OWNER) == [("", "wecom:zhang", "staff")]


def test_members_of_a_room_of_wecom_come_and_go() -> None:
    outsider = "wo" + "x" * 30
    for detail, role in (("add_member", Role.JOINED), ("del_member", Role.LEFT)):
        members = f"<Item>li</Item><Item>{outsider}</Item><Item></Item>"
        raw = xml(
            MsgType="event", Event="change_external_chat", ChatId="wr1", ChangeType="update",
            UpdateDetail=detail, CreateTime="1717380000", FromUserName="wang",
            MemChangeList=members,
        )  # fmt: skip
        record = read("wecom.callback", raw, people={"li": Person("李娜", "li@example.com")})
        assert people(record, role) == [
            ("李娜", "li@example.com", "staff"),
            ("", f"wecom:{outsider}", "outside"),
        ]
        assert room(record) == ("wr1", "")
        assert record.subject == f"change_external_chat update {detail}"
        assert people(record, Role.FROM) == [("", "wecom:wang", "staff")]


def test_unknown_callback_of_wecom_keeps_all_its_words() -> None:
    record = read("wecom.callback", xml(MsgType="event", Event="new_thing", Note="词"))
    assert (record.kind, record.body) == (Kind.UNKNOWN, "Note: 词")
    assert codes(record) == ["event_kind_unknown", "date_missing"]


def test_message_to_an_app_of_wecom() -> None:
    raw = xml(
        ToUserName="corp", FromUserName="zhang", CreateTime="1717380000", MsgType="text",
        Content="你好", MsgId="77", AgentID="1",
    )  # fmt: skip
    record = read("wecom.callback", raw)
    assert (record.kind, record.body, record.message_id) == (Kind.IM, "你好", "wecom:corp/77")
    assert room(record) == ("agent/1", "")
    assert people(record, Role.FROM) == [("", "wecom:zhang", "staff")]
    image = read("wecom.callback", xml(MsgType="image", MediaId="m1", FromUserName="a"))
    assert [one.content_id for one in image.attachments] == ["m1"]
    assert (image.message_id, room(image)) == ("", ("", ""))


@pytest.mark.parametrize(
    "raw",
    [
        b"<xml></xml>",
        b"{}",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><xml><MsgType>event</MsgType></xml>",
        b"<xml>" + b"<a>" * 60 + b"</a>" * 60 + b"</xml>",
        b"<xml>" + b" " * MAX_BYTES + b"</xml>",
    ],
    ids=["no type", "no XML", "entities", "deep", "long"],
)
def test_what_is_no_plain_callback_is_kept_with_a_defect(raw: bytes) -> None:
    record = read("wecom.callback", raw)
    assert record.kind is Kind.UNKNOWN
    assert "form_damaged" in codes(record)


def notice(**changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = VECTORS["msgraph"]["body"]["value"][0]
    return found | changed


def test_notification_without_content_says_of_which_message_it_is() -> None:
    for resource, name, key in (
        ("chats('19:a@unq')/messages('1616991463150')", "teams:19:a@unq/1616991463150", "19:a@unq"),
        ("/teams('t')/channels('19:c@tacv2')/messages('1')/replies('1616991463150')",
         "teams:t/19:c@tacv2/1616991463150", "t/19:c@tacv2"),
    ):  # fmt: skip
        record = read("teams.notification", notice(resource=resource, encryptedContent=None))
        assert (record.kind, record.message_id) == (Kind.CHAT_EVENT, name)
        assert room(record)[0] == key
        assert record.sent_at == datetime(2021, 3, 29, 4, 17, 43, 150000, tzinfo=UTC)
        assert "secretClientValue" not in record.body


def test_notification_of_a_deletion_without_content_is_a_deletion() -> None:
    gone = notice(changeType="deleted", encryptedContent=None)
    record = read("teams.notification", gone, received_ms=RECEIVED_MS)
    assert (record.kind, record.sent_at_source) == (Kind.DELETION, "received")


def test_sealed_notification_says_that_it_is() -> None:
    record = read("teams.notification", notice(changeType="deleted"))
    assert (record.kind, codes(record)) == (Kind.CHAT_EVENT, ["notification_sealed"])
    data = VECTORS["msgraph"]["body"]["value"][0]["encryptedContent"]["data"]
    assert data not in record.body
    other = read("teams.notification", notice(resource="chats('x')"))
    assert codes(other) == ["notification_sealed", "date_missing"]


def test_lifecycle_notices_are_shown() -> None:
    life = notice(lifecycleEvent="missed", changeType=None, encryptedContent=None)
    record = read("teams.notification", life, received_ms=RECEIVED_MS)
    assert (record.kind, record.subject, codes(record)) == (Kind.CHAT_EVENT, "missed", [])
    assert "resource: " in record.body
    opened = read("teams.notification", {"id": "19:a", "topic": "项目"}, received_ms=RECEIVED_MS)
    assert (opened.subject, opened.body) == ("notification", "id: 19:a\ntopic: 项目")
    assert codes(read("teams.notification", b"[]"))[0] == "form_damaged"
