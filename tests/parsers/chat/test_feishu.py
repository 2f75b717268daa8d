"""Events of Feishu: every one of the samples, counted from the raw lines, and each content type."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, Person, context_text

CORPUS = Path(__file__).parents[2] / "corpus/chat"
LINES = (CORPUS / "feishu/events.jsonl").read_bytes().splitlines()
TENANT = "736588c9260f175e"
KINDS = {
    "im.message.receive_v1": Kind.IM,
    "im.message.recalled_v1": Kind.RECALL,
    "im.message.reaction.created_v1": Kind.REACTION,
    "im.message.reaction.deleted_v1": Kind.REACTION,
}


def read(raw: bytes, context: Context | None = None) -> Parsed:
    context = context or Context(channel="feishu")
    return parse_form("feishu.event", FormItem(raw, context_text(context)))


def message(kind: str, content: Any, **more: object) -> Parsed:
    """Read a message of some type; `content` is its value, or the very text."""
    written = content if isinstance(content, str) else json.dumps(content)
    named = {"message_id": "om_1", "create_time": "1717380001000", "chat_id": "oc_1"}
    inner: dict[str, object] = {**named, "message_type": kind, "content": written, **more}
    sender = {"sender_id": {"open_id": "ou_1"}, "sender_type": "user", "tenant_key": "t"}
    header = {"event_type": "im.message.receive_v1", "tenant_key": "t", "event_id": "e"}
    event = {"sender": sender, "message": inner}
    return read(json.dumps({"schema": "2.0", "header": header, "event": event}).encode())


def told(kind: str, **event: object) -> Parsed:
    header = {
        "event_type": kind,
        "tenant_key": "t",
        "event_id": "e1",
        "create_time": "1717380001000",
    }
    return read(json.dumps({"header": header, "event": event}).encode())


def people(record: Parsed, role: Role) -> list[tuple[str, str, str]]:
    return [(p.name, p.address, p.side) for p in record.participants if p.role is role]


def codes(record: Parsed) -> list[str]:
    return [one.code for one in record.defects]


def test_every_sample_becomes_the_record_that_its_type_says() -> None:
    expected: Counter[Kind] = Counter()
    for line in LINES:
        outer = json.loads(line)
        kind = outer.get("header", {}).get("event_type", "im.message.receive_v1")
        is_system = outer["event"].get("message", {}).get("message_type") == "system"
        expected[Kind.CHAT_EVENT if is_system else KINDS.get(kind, Kind.CHAT_EVENT)] += 1
    records = [read(line) for line in LINES]
    assert Counter(one.kind for one in records) == expected
    assert [codes(one) for one in records if codes(one)] == []
    assert all(one.sent_at_source == "date" for one in records)
    assert len({one.fingerprint for one in records}) == len(LINES)


def test_what_is_said_of_a_message_has_its_name() -> None:
    records = {json.loads(line)["header"]["event_id"][-2:]: read(line) for line in LINES[:-1]}
    assert records["0f"].message_id == records["0e"].message_id == f"feishu:{TENANT}/om_014"
    assert records["10"].message_id == records["01"].message_id
    assert records["0e"].chat is not None
    assert records["0e"].chat.answers == f"feishu:{TENANT}/om_001"
    assert (records["10"].subject, records["10"].body) == ("reaction_added", ":SMILE:")
    assert records["11"].subject == "reaction_removed"


def test_members_come_and_go_and_titles_change() -> None:
    records = {json.loads(line)["header"]["event_id"][-2:]: read(line) for line in LINES[:-1]}
    assert people(records["12"], Role.JOINED) == [("王芳", "feishu:ou_3", "staff")]
    assert people(records["13"], Role.LEFT) == [("王芳", "feishu:ou_3", "outside")]
    assert people(records["12"], Role.FROM) == [("", "feishu:ou_1", "")]
    assert records["14"].body == "name: 项目群 → 项目群-新"
    assert records["14"].chat is not None
    assert records["14"].chat.conversation is not None
    assert records["14"].chat.conversation.name == "项目群-新"
    assert records["15"].subject == "im.chat.disbanded_v1"


def test_message_of_version_1_is_read() -> None:
    record = read(LINES[-1])
    assert (record.kind, record.body, record.message_id) == (Kind.IM, "旧版事件", "feishu:t/om_v1")
    assert people(record, Role.FROM) == [("", "feishu:ou_1", "")]
    assert record.sent_at == datetime(2019, 2, 13, 6, 10, 9, tzinfo=UTC)


def test_image_of_version_1_names_its_file() -> None:
    event = {"type": "message", "open_message_id": "om", "msg_type": "image", "image_key": "img_1"}
    record = read(json.dumps({"uuid": "u", "ts": "1550038209.4", "event": event}).encode())
    assert [one.content_id for one in record.attachments] == ["img_1"]


def test_mentions_have_names_and_sides() -> None:
    vectors = json.loads((CORPUS / "webhooks/vectors.json").read_text(encoding="utf-8"))
    record = read(vectors["feishu"]["plaintext"].encode())
    assert record.body == "@Tom 合同改好了吗"
    assert people(record, Role.MENTION) == [("Tom", "feishu:ou_x", "outside")]
    assert people(record, Role.FROM)[0][2] == "outside"
    assert record.chat is not None
    assert record.chat.version_at == datetime(2023, 6, 21, 10, 34, 14, 666000, tzinfo=UTC)


def test_names_of_a_directory_and_members_of_a_small_room_are_used() -> None:
    known = {"ou_1": Person("张伟", "zhang@example.com", "staff"), "ou_5": Person("李娜")}
    context = Context(channel="feishu", people=known, members=("ou_1", "ou_5"))
    record = read(LINES[0], context)
    assert people(record, Role.FROM) == [("张伟", "zhang@example.com", "staff")]
    assert people(record, Role.TO) == [("李娜", "feishu:ou_5", "")]


MENTIONS = [
    {"key": "@_user_1", "id": {"open_id": "ou_2"}, "name": "Tom"},
    {"key": "@_user_10", "id": {"open_id": "ou_3"}, "name": "Ann"},
    {"key": "@_all", "name": ""},
]
POST = {
    "title": "周报",
    "content": [
        [{"tag": "text", "text": "一 "}, {"tag": "a", "href": "http://x", "text": "链"}],
        [{"tag": "a", "href": "http://x", "text": "http://x"}, {"tag": "hr"}],
        [{"tag": "at", "user_id": "@_user_1"}, {"tag": "at", "user_id": "ou", "user_name": "N"}],
        [{"tag": "emotion", "emoji_type": "OK"}, {"tag": "media", "file_key": "f1"}, "odd"],
        [{"tag": "at", "user_id": "@_user_7"}],
    ],
}
CARD = {"title": "标题", "elements": [[{"tag": "text", "text": "字"}, {"tag": "img", "n": 1}]]}
BODIES: list[tuple[str, Any, str]] = [
    ("text", {"text": "@_user_1 @_user_10 @_user_2 @_all"}, "@Tom @Ann @_user_2 @all"),
    ("text", {"text": '<at user_id="ou">李娜</at> 好 <at user_id="x">'}, "@李娜 好 @x"),
    ("post", POST, "一 链 (http://x)\nhttp://x---\n@Tom@N\n:OK:\n@user_7"),
    ("post", {"zh_cn": POST}, "一 链 (http://x)\nhttp://x---\n@Tom@N\n:OK:\n@user_7"),
    ("image", {"image_key": "k"}, ""),
    ("file", {"file_key": "k", "file_name": "合同.pdf"}, "合同.pdf"),
    ("folder", {"file_key": "k", "file_name": "卷"}, "卷"),
    ("audio", {"file_key": "k", "duration": 2500}, "[2.5 s]"),
    ("media", {"file_key": "k", "image_key": "i", "file_name": "v.mp4"}, "v.mp4"),
    ("sticker", {"file_key": "k"}, ""),
    ("interactive", CARD, "标题\n字"),
    ("interactive", {"title": {"content": "题"}, "other": 1}, "题"),
    ("hongbao", {"text": "[红包]"}, "[红包]"),
    (
        "share_calendar_event",
        {"summary": "会", "start_time": "1717380001000", "end_time": "1717383601000"},
        "会\n2024-06-03 02:00 UTC - 2024-06-03 03:00 UTC",
    ),
    ("calendar", {"summary": "会"}, "会"),
    ("general_calendar", {"summary": "会"}, "会"),
    ("share_chat", {"chat_id": "oc_9"}, "oc_9"),
    ("share_user", {"user_id": "ou_9"}, "ou_9"),
    (
        "system",
        {"template": "{from_user} invited {to_chatters} {x}.", "from_user": ["A"],
         "to_chatters": ["B", "C"]},
        "A invited B, C {x}.",
    ),
    ("location", {"name": "海淀", "longitude": "116.3", "latitude": "39.9"}, "海淀\n39.9, 116.3"),
    ("video_chat", {"topic": "例会", "start_time": "1717380001000"}, "例会\n2024-06-03 02:00 UTC"),
    (
        "todo",
        {"task_id": "t", "summary": {"title": "", "content": [[{"tag": "text", "text": "写报告"}]]},
         "due_time": "1717380001000"},
        "写报告\n2024-06-03 02:00 UTC",
    ),
    ("todo", {"summary": {"title": "只有题"}}, "只有题"),
    ("vote", {"topic": "午餐", "options": ["面", "饭"]}, "午餐\n- 面\n- 饭"),
    ("merge_forward", {"content": "Merged"}, "Merged"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "body"), BODIES)
def test_content_shows_as_text(kind: str, content: Any, body: str) -> None:
    record = message(kind, content, mentions=MENTIONS)
    assert record.body == body
    assert codes(record) == []


def test_files_keep_their_keys() -> None:
    record = message("media", {"file_key": "k", "image_key": "i", "file_name": "v.mp4"})
    assert [(one.content_id, one.filename) for one in record.attachments] == [
        ("k", "v.mp4"),
        ("i", ""),
    ]
    assert [one.content_id for one in message("post", POST).attachments] == ["f1"]


def test_system_lines_name_whom_they_are_about() -> None:
    content = {"template": "{from_user}{to_chatters}", "from_user": ["A"], "to_chatters": ["B"]}
    record = message("system", content)
    assert record.kind is Kind.CHAT_EVENT
    assert record.is_bulk
    assert ("A", "", "") in people(record, Role.FROM)
    assert people(record, Role.MENTION) == [("B", "", "")]


def test_unknown_content_keeps_all_its_words_and_says_so() -> None:
    record = message("hologram", {"a": {"b": ["词", 1, True, False, None]}, "file_key": "k"})
    assert record.body == "b: 词\nb: 1\nb: true\nb: false\nfile_key: k"
    assert [one.content_id for one in record.attachments] == ["k"]
    assert codes(record) == ["content_kind_unknown"]


def test_damaged_content_is_kept_as_it_is() -> None:
    record = message("text", "{broken")
    assert (record.body, codes(record)) == ("{broken", ["content_damaged"])
    assert message("text", "[" * 5000).body == "[" * 5000


def test_recall_by_an_administrator_is_a_deletion() -> None:
    record = told("im.message.recalled_v1", message_id="om", recall_type="administrator")
    assert (record.kind, record.subject) == (Kind.DELETION, "administrator")


def test_bots_are_bots() -> None:
    sender = {"sender_id": {"open_id": "ou"}, "sender_type": "app", "tenant_key": "t"}
    inner = {"message_id": "om", "create_time": "1717380001000", "message_type": "text"}
    record = told("im.message.receive_v1", sender=sender, message={**inner, "content": "{}"})
    assert record.is_bulk
    assert people(record, Role.FROM) == [("", "feishu:ou", "bot")]
    reacting = told(
        "im.message.reaction.created_v1", message_id="m", operator_type="app", app_id="c"
    )
    assert people(reacting, Role.FROM) == [("", "feishu:c", "bot")]


def test_unknown_event_is_kept_and_says_so() -> None:
    record = told("contact.user.created_v3", object={"name": "x"})
    assert (record.kind, codes(record)) == (Kind.UNKNOWN, ["event_kind_unknown"])
    assert record.message_id == "feishu:event/e1"
    assert record.body == "name: x"
    read_notice = told("im.message.message_read_v1")
    assert (read_notice.kind, codes(read_notice)) == (Kind.CHAT_EVENT, [])


def test_old_room_events_are_read() -> None:
    event = {
        "type": "add_user_to_chat",
        "tenant_key": "t",
        "chat_id": "oc",
        "operator": {"open_id": "ou_1"},
        "users": [{"name": "王", "open_id": "ou_2"}],
    }
    record = read(json.dumps({"ts": "1550038209.4", "event": event}).encode())
    assert record.kind is Kind.CHAT_EVENT
    assert record.message_id == ""
    assert people(record, Role.JOINED) == [("王", "feishu:ou_2", "")]
    assert people(record, Role.FROM) == [("", "feishu:ou_1", "")]


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b'{"header":{"event_type":"im.message.receive_v1"}}',
        b'{"header":{"event_type":"im.message.recalled_v1"}}',
        b'{"event":{"type":"message"}}',
    ],
)
def test_what_is_no_such_event_is_kept_with_a_defect(raw: bytes) -> None:
    record = read(raw)
    assert (record.kind, record.body) == (Kind.UNKNOWN, raw.decode())
    assert "form_damaged" in codes(record)


def test_long_names_and_lists_do_not_multiply() -> None:
    mentions = [{"key": "@_user_1", "id": {"open_id": "o"}, "name": "n" * 100_000}]
    record = message("text", {"text": "@_user_1" * 2000}, mentions=mentions)
    assert len(record.body) == 2000 * 201
    content = {"template": "{a}" * 5000, "a": ["x" * 100_000]}
    assert len(message("system", content).body) == 100_000 + 4999 * 3
