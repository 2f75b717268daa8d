"""Archived WeCom messages: every type with its words, files and people; nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed, TextState
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, Person, context_text
from holdfast.parsers.chat.wecom import side_of
from holdfast.parsers.chat.wecom_bodies import DEEPEST, KNOWN_TYPES, MOST_ITEMS, words_in

SAMPLE = Path(__file__).resolve().parents[2] / "corpus/chat/wecom-archive/decrypted.jsonl"
LINES = SAMPLE.read_bytes().splitlines()
OUTSIDER = "wmErxtDgAA9AW32YyyuYRimKr7D1KWlw"
ROBOT = "wbErxtDgAAAAAAAAAAAAAAAAAAAAAAAA"
GROUP = "wrErxtDgAA2XcVqOTQy1dR8oLxHk9ABC"


def read(message: Any, context: Context | None = None) -> Parsed:
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    return parse_form("wecom.message", FormItem(raw, context_text(context or Context("wecom"))))


def sample(kind: str) -> Parsed:
    (line,) = [one for one in LINES if json.loads(one).get("msgtype") == kind]
    return read(line)


def message(kind: str, body: Any, **more: Any) -> dict[str, Any]:
    envelope = {
        "msgid": "m1_1717380061000", "action": "send", "from": "zhangwei", "tolist": ["lina"],
        "roomid": "", "msgtime": 1717380061000, "msgtype": kind,
    }  # fmt: skip
    return {**envelope, kind: body, **more}


def test_every_line_of_the_sample_is_read_without_a_defect() -> None:
    told = [json.loads(line) for line in LINES]
    records = [read(line) for line in LINES]
    assert [one.defects for one in records] == [()] * len(told)
    kinds = Counter(one.kind for one in records)
    types = Counter(one.get("msgtype") for one in told)
    assert kinds == {
        Kind.RECALL: types["revoke"],
        Kind.CONSENT: types["agree"] + types["disagree"],
        Kind.CHAT_EVENT: types[None],
        Kind.CALL: types["meeting_voice_call"],
        Kind.IM: len(told) - 5,
    }
    for one, record in zip(told, records, strict=True):
        if record.kind not in (Kind.RECALL, Kind.CONSENT):
            at = datetime.fromtimestamp(one.get("msgtime", one.get("time")) / 1000, UTC)
            assert (record.message_id, record.sent_at) == (f"wecom:{one['msgid']}", at)
    assert len({one.fingerprint for one in records}) == len(records)


def test_every_type_of_the_sample_is_read_field_by_field() -> None:
    types = {json.loads(line).get("msgtype") for line in LINES}
    assert types - {None, "revoke", "agree", "disagree"} <= KNOWN_TYPES


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("card", f"微信联系人\n{OUTSIDER}"),
        ("location", "xxx管理中心\n北京市xxx区xxx路xxx大厦x座\n39.911125799, 116.586285899"),
        ("file", "报价单（最终版）.docx"),
        ("todo", "跟进合同\n下周一前确认付款条款"),
        ("vote", "团建去哪\n- 爬山\n- 密室"),
        ("redpacket", "恭喜发财，大吉大利\n30.00 CNY"),
        ("external_redpacket", "恭喜发财，大吉大利\n0.20 CNY"),
        ("markdown", "请前往系统查看，谢谢。"),
        ("news", "service\ntest\nhttp://example.com\nhttp://example.com/a.jpg"),
        ("docmsg", "测试&演示客户\nhttps://doc.weixin.qq.com/txdoc/excel?docid=xxxx\nzhangwei"),
        ("sphfeed", "云游天地旅行家\n瑞士丨盖尔默缆车"),
        ("chatrecord", "群聊\n[2024-06-03 01:50:00 UTC] test\n[2024-06-03 01:51:40 UTC] 合同.pdf"),
        (
            "meeting",
            "项目评审\n2024-06-03 04:00:00 UTC - 2024-06-03 05:00:00 UTC\n3号会议室\n带电脑",
        ),
    ],
)
def test_words_of_a_type(kind: str, words: str) -> None:
    assert sample(kind).body == words


def test_files_have_size_type_and_no_bytes_yet() -> None:
    def one(kind: str) -> tuple[str, str, int, TextState]:
        (file,) = sample(kind).attachments
        return file.filename, file.declared_type, file.size_bytes, file.text_state

    apart = TextState.APART
    assert one("image") == ("", "application/octet-stream", 70961, apart)
    assert one("voice") == ("", "audio/amr", 6810, apart)
    assert one("video") == ("", "video/mp4", 15169723, apart)
    assert one("emotion") == ("", "image/gif", 962604, apart)
    assert one("file") == ("报价单（最终版）.docx", "application/octet-stream", 18181, apart)
    assert one("voip_doc_share")[0] == "欢迎使用微盘.pdf.pdf"
    assert sample("mixed").attachments[0].content_id == "CtYBMzA"
    assert sample("mixed").body.strip() == "你好[微笑]"


def test_sides_are_told_by_the_id() -> None:
    assert [side_of(one) for one in ("zhangwei", OUTSIDER, "wo" + OUTSIDER[2:], ROBOT)] == [
        "staff", "outside", "outside", "bot",
    ]  # fmt: skip
    assert side_of("wolfgang") == side_of("wbzhang") == "staff"
    robot = sample("markdown")
    assert (robot.participants[0].side, robot.is_bulk) == ("bot", True)


def test_two_people_share_one_room_whoever_writes() -> None:
    there, back = read(LINES[0]), read(LINES[1])
    assert there.chat is not None
    assert back.chat is not None
    assert there.chat.conversation == back.chat.conversation
    assert there.chat.conversation is not None
    assert there.chat.conversation.key == f"{OUTSIDER},zhangwei"
    assert [(one.role, one.address) for one in there.participants] == [
        (Role.FROM, "wecom:zhangwei"),
        (Role.TO, f"wecom:{OUTSIDER}"),
    ]


def test_large_group_names_the_sender_alone_and_lists_the_rest() -> None:
    many = [f"user{n}" for n in range(40)]
    big = read(message("text", {"content": "hi"}, roomid=GROUP, tolist=many))
    assert [one.address for one in big.participants] == ["wecom:zhangwei"]
    assert dict(big.headers)["WeCom-To"].split() == many
    small = read(message("text", {"content": "hi"}, roomid=GROUP, tolist=many[:3]))
    assert len(small.participants) == 4


def test_directory_names_people_and_rooms() -> None:
    known = Context(
        "wecom",
        room={"key": GROUP, "name": "Support"},
        people={"zhangwei": Person("张伟", "zw@corp.example", "staff")},
    )
    record = read(message("text", {"content": "x"}, roomid=GROUP), known)
    assert record.participants[0].address == "zw@corp.example"
    assert record.participants[0].name == "张伟"
    assert record.chat is not None
    assert record.chat.conversation is not None
    assert record.chat.conversation.name == "Support"


def test_recall_has_the_name_of_what_it_recalls() -> None:
    recall = sample("revoke")
    assert recall.message_id == read(LINES[1]).message_id
    lost = read(message("revoke", {}, action="recall"))
    assert [one.code for one in lost.defects] == ["chat_target_missing"]


def test_consent_says_who_and_when() -> None:
    yes, no = sample("agree"), sample("disagree")
    assert (yes.kind, yes.subject, no.subject) == (Kind.CONSENT, "agree", "disagree")
    assert yes.sent_at == datetime(2024, 6, 3, 2, 0, 3, tzinfo=UTC)
    other = read(message("agree", {"userid": OUTSIDER, "agree_time": 1717380003000}))
    assert (other.participants[0].role, other.participants[0].side) == (Role.MENTION, "outside")


def test_unknown_type_keeps_its_words() -> None:
    body = {"lines": [{"who": "lina", "text": "两份"}], "more": '{"deep": ["三份", 4]}', "on": True}
    record = read(message("solitaire", body))
    assert (record.kind, record.subject) == (Kind.UNKNOWN, "solitaire")
    assert record.body == "lina\n两份\n三份\n4"
    control = read(message("meeting_notification", {"action": "mute", "sdkfileid": "f"}))
    assert (control.kind, control.body, len(control.attachments)) == (Kind.CHAT_EVENT, "mute", 1)


def test_still_encrypted_message_says_so() -> None:
    record = read(
        {"msgid": "7_1717380061000_external", "encrypt_chat_msg": "x", "publickey_ver": 3}
    )
    assert [(one.code, one.detail) for one in record.defects] == [("wecom_encrypted", "key 3")]
    assert record.sent_at == datetime(2024, 6, 3, 2, 1, 1, tzinfo=UTC)
    assert read({"msgid": "7", "encrypt_chat_msg": "x"}).sent_at is None


def test_damage_is_kept_as_text() -> None:
    for raw in (b"[1]", b"{", b'{"msgtype":"text"}', b'{"msgid":', b"[" * 100_000):
        record = parse_form("wecom.message", FormItem(raw, ""))
        assert record.defects[0].code == "form_damaged"
        assert record.body == raw.decode()
    bodiless = read({**message("text", None), "content": "stray"})
    assert (bodiless.body, bodiless.defects[0].code) == ("stray", "chat_body_missing")


def nested(depth: int) -> Any:
    """A record in a record, the inner ones as objects: text would double with each."""
    body: Any = {"content": "innermost"}
    kind = "ChatRecordText"
    for _ in range(depth):
        body = {"title": "t", "item": [{"type": kind, "content": body}]}
        kind = "chatrecord"
    return message("chatrecord", body)


@pytest.mark.parametrize("depth", [1, DEEPEST, DEEPEST + 1, 300])
def test_nesting_ends_and_loses_nothing(depth: int) -> None:
    record = read(nested(depth))
    assert "innermost" in record.body
    assert record.body.split("\n").count("t") == depth
    assert ("chat_nesting_limit" in {one.code for one in record.defects}) == (depth > DEEPEST)


def test_more_messages_inside_one_than_are_read_are_kept_as_words() -> None:
    item = {"type": "text", "content": '{"content": "same"}'}
    record = read(message("mixed", {"item": [item] * (MOST_ITEMS + 1)}))
    assert [one.code for one in record.defects] == ["chat_nesting_limit"]
    assert record.body.count("same") == MOST_ITEMS + 1


def test_items_that_are_none_keep_their_words() -> None:
    items = [
        "loose", {"type": "ChatRecordMixed", "content": "no json"}, {"content": '{"content":"a"}'},
        {"type": "ChatRecordVoice", "content": "[1]", "msgtime": "soon", "said": "aside"},
    ]  # fmt: skip
    record = read(message("chatrecord", {"title": "t", "item": items, "foot": "end"}))
    assert {"loose", "no json", "a", "aside", "end", "t"} <= set(record.body.split("\n"))
    assert read(message("mixed", {"item": "odd"})).body == "odd"


def test_seconds_and_milliseconds_are_told_apart() -> None:
    both = [
        {"type": "ChatRecordText", "msgtime": at, "content": '{"content": "x"}'}
        for at in (1717379400, 1717379400000)
    ]
    record = read(message("chatrecord", {"title": "", "item": both}))
    assert record.body == "[2024-06-03 01:50:00 UTC] x\n[2024-06-03 01:50:00 UTC] x"


def test_same_message_by_two_ways_is_one_record() -> None:
    told = json.loads(LINES[12])
    turned = dict(reversed(told.items()))
    assert read(turned).fingerprint == read(LINES[12]).fingerprint
    told["chatrecord"]["title"] = "other"
    assert read(told).fingerprint != read(LINES[12]).fingerprint


WORDS = st.text("abc\U0001f600{}[]", max_size=12).map(lambda text: f"字{text}")
KEYS = ("content", "title", "item", "details", "ques", "new", "filename", "sdkfileid", "wish")
VALUES = st.recursive(
    WORDS | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from([*sorted(KNOWN_TYPES), "revoke", "agree", "odd"]), VALUES)
def test_any_body_is_read_and_no_text_is_lost(kind: str, body: Any) -> None:
    record = read(message(kind, body, info=body, doc=body, redpacket=body, votetitle=body))
    if kind in ("revoke", "agree"):
        return
    kept = record.body + "".join(one.filename for one in record.attachments)
    for word in words_in({"body": body}):
        assert "字" not in word or word in kept


def test_call_with_its_length_and_rows_that_are_none() -> None:
    call = read(message("voiptext", {"callduration": 65, "invitetype": 1, "words": "会议"}))
    assert (call.kind, call.body.split("\n")[0]) == (Kind.CALL, "65 s")
    assert "会议" in call.body
    loud = read(message("meeting_voice_call", {"demofiledata": ["odd"], "endtime": 0}))
    assert "odd" in loud.body
    assert "{broken" in read(message("odd", {"field": "{broken"})).body


def test_much_text_that_a_type_does_not_read_is_kept_without_comparing() -> None:
    more = [f"word{n}" for n in range(2000)]
    record = read(message("text", {"content": "x" * 10_000, "quote": more}))
    assert record.body.split("\n") == ["x" * 10_000, "x" * 10_000, *more]
