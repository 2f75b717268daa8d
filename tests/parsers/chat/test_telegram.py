"""What a message of Telegram becomes: text, people, versions, calls, who came and went."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chat_kit import CORPUS, codes, people, read
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed, TextState
from holdfast.parsers.chat.local_times import at_zone, naive_iso
from holdfast.parsers.chat.values import Context, Person

DOCUMENT = json.loads((CORPUS / "telegram-account" / "result.json").read_bytes())
ANN, _, _, GROUP = DOCUMENT["chats"]["list"]
ROOM = Context(
    channel="telegram",
    room={"key": "r", "name": "Room"},
    people={"user1": Person("Ann"), "user2": Person("Ben")},
)


def one_of(chat: dict[str, Any], number: int) -> Parsed:
    message = next(one for one in chat["messages"] if one["id"] == number)
    return said(**message)


def said(context: Context = ROOM, **message: Any) -> Parsed:
    return read("telegram.message", json.dumps(message).encode(), context)


def test_text_is_a_string_or_a_row_of_entities() -> None:
    assert one_of(ANN, 1).body == "报价多少？"
    edited = one_of(ANN, 2)
    assert edited.body == "See offer (https://x.example/o) @bob"
    assert [one.name for one in people(edited, Role.MENTION)] == ["@bob"]
    assert said(id=1, type="message", text="", text_entities=["a", {"text": "b"}]).body == "ab"
    assert said(id=1, type="message", text=17).body == "17"


def test_replies_answer_and_edits_are_versions() -> None:
    edited = one_of(ANN, 2)
    assert edited.chat is not None
    assert edited.chat.answers == "telegram:r/1"
    assert edited.chat.version_at == datetime(2024, 3, 5, 0, 58, 20, tzinfo=UTC)
    elsewhere = one_of(GROUP, 8)
    assert elsewhere.chat is not None
    assert elsewhere.chat.answers == ""
    assert ("Reply-To", "channel5/3") in elsewhere.headers
    assert people(elsewhere, Role.MENTION)[0].address == "telegram:user502"


def test_files_are_apart_and_keep_their_keys_with_and_without_media() -> None:
    (photo,) = one_of(ANN, 3).attachments
    assert (photo.filename, photo.text_state) == ("photo_1.jpg", TextState.APART)
    left_out = said(**(ANN["messages"][2] | {"photo": "(File not included.)"}))
    assert left_out.fingerprint == one_of(ANN, 3).fingerprint
    (file,) = one_of(ANN, 4).attachments
    assert (file.filename, file.size_bytes, file.declared_type) == (
        "合同.pdf",
        1200,
        "application/pdf",
    )
    assert said(id=1, file="(File …").attachments[0].filename == "file"
    (card,) = said(id=1, contact_vcard="contacts/c.vcard").attachments
    assert (card.filename, card.declared_type) == ("c.vcard", "text/vcard")
    assert one_of(ANN, 9).attachments[0].filename == "contact.vcf"


def test_what_is_no_text_is_readable_too() -> None:
    assert one_of(ANN, 5).body == "👍"
    assert one_of(ANN, 9).body == "Dan\n+4477"
    assert one_of(ANN, 10).body == "Office\nStreet 1\n39.9, 116.4"
    assert one_of(GROUP, 7).body == "When?\n- Mon (2)\n- Tue (0)"
    assert one_of(GROUP, 9).body == "Do\n- first"
    assert one_of(GROUP, 10).kind is Kind.UNKNOWN


def test_forwarding_and_bots_are_headers() -> None:
    headers = dict(one_of(ANN, 8).headers)
    assert headers["Forwarded-From"] == "Carl"
    assert headers["Via-Bot"] == "@gif"
    assert "Reaction" not in headers


def test_account_that_was_deleted_keeps_its_id() -> None:
    (sender,) = people(one_of(ANN, 11), Role.FROM)
    assert (sender.name, sender.address) == ("", "telegram:user13")


@pytest.mark.parametrize(
    ("number", "role", "names"),
    [
        (1, Role.JOINED, ["王 芳", "Ann Client"]),
        (2, Role.JOINED, ["Eve"]),
        (3, Role.JOINED, ["Zoe"]),
        (4, Role.LEFT, ["Ann Client"]),
        (5, Role.JOINED, []),
    ],
)
def test_who_came_and_went(number: int, role: Role, names: list[str]) -> None:
    event = one_of(GROUP, number)
    assert event.kind is Kind.CHAT_EVENT
    assert [one.name for one in people(event, role)] == names


def test_facts_of_events_are_found_by_words() -> None:
    assert one_of(GROUP, 5).body == "title: Project 2"
    assert one_of(GROUP, 5).subject == "edit_group_title"
    assert one_of(GROUP, 6).attachments[0].filename == "photo"
    left = one_of(GROUP, 4)
    assert people(left, Role.LEFT)[0].address == people(left, Role.FROM)[0].address


def test_call_is_a_call_with_its_length() -> None:
    context = Context(room=ROOM.room, members=("user501", "user777"))
    call = read("telegram.message", json.dumps(ANN["messages"][6]).encode(), context)
    assert call.kind is Kind.CALL
    assert call.body == "duration_seconds: 65\ndiscard_reason: hangup"
    assert [one.address for one in people(call, Role.TO)] == ["telegram:user777"]
    assert not call.is_bulk


def test_old_exports_have_local_times_and_numbers() -> None:
    old: dict[str, Any] = {
        "id": 5,
        "type": "message",
        "date": "2019-01-01T08:00:00",
        "from_id": 4294967297,
    }
    assert "date_no_zone" in codes(said(**old))
    there = Context(room=ROOM.room, zone="Asia/Shanghai")
    record = said(there, **old)
    assert record.sent_at == datetime(2019, 1, 1, tzinfo=UTC)
    assert not record.defects
    assert record.fingerprint != said(**old).fingerprint
    assert record.message_id == said(**old).message_id
    assert people(record, Role.FROM)[0].address == "telegram:user1"
    channel = said(id=1, type="message", from_id=(2 << 32) + 7)
    assert people(channel, Role.FROM)[0].address == "telegram:channel7"
    plain = said(id=1, type="message", from_id=7)
    assert people(plain, Role.FROM)[0].address == "telegram:user7"
    never = said(id=1, type="message", date="2024-01-01T00:00:00", edited="1970-01-01T01:00:00")
    assert never.chat is not None
    assert never.chat.version_at is None


def test_messages_without_ids_are_kept_apart_by_their_places() -> None:
    first = Context(room=ROOM.room, item="1")
    second = Context(room=ROOM.room, item="2")
    message = {"type": "message", "date_unixtime": "1544006350", "from": "A", "text": "x"}
    assert said(first, **message).message_id == ""
    assert said(first, **message).fingerprint != said(second, **message).fingerprint


def test_what_is_no_message_says_so() -> None:
    for raw in (b"17", b"{}", b"[", b'{"type":"message"}', b"[" * 5000):
        assert "form_damaged" in codes(read("telegram.message", raw, ROOM))
    assert read("telegram.message", b'{"type":"service"}').kind is Kind.CHAT_EVENT


def test_contacts_lead_to_telephones() -> None:
    owner = DOCUMENT["personal_information"]
    record = read("telegram.contact", json.dumps(owner).encode())
    assert [one.address for one in people(record, Role.SELF)] == ["telegram:user777"]
    assert [one.address for one in people(record, Role.ALIAS)] == ["phone:+8613800138000"]
    alone = read("telegram.contact", b'{"first_name":"N","phone_number":"+44 7700 900123"}')
    assert [one.address for one in people(alone, Role.SELF)] == ["phone:+447700900123"]
    assert people(alone, Role.ALIAS) == []
    assert "form_damaged" in codes(read("telegram.contact", b'{"phone_number":"12"}'))


def test_chats_are_rooms() -> None:
    raw = b'{"name": "Room", "type": "private_group", "id": 4, "messages": '
    record = read("telegram.chat", raw, Context(room=ROOM.room, members=("user1",)))
    assert (record.kind, record.subject) == (Kind.CONVERSATION, "Room")
    assert [one.address for one in people(record, Role.MEMBER)] == ["telegram:user1"]
    assert read("telegram.chat", b'{"name": "Q", "id": 4}', ROOM).subject == "Q"
    assert "form_damaged" in codes(read("telegram.chat", raw))


def test_the_rest_of_an_account_is_kept_as_it_stands() -> None:
    record = read("telegram.other", b'{"x":1}', Context(extra={"what": "sessions"}))
    assert (record.kind, record.subject, record.body) == (Kind.UNKNOWN, "sessions", '{"x":1}')


def test_local_times_that_are_none() -> None:
    assert at_zone(None, "UTC") == (None, ())
    assert at_zone(datetime(1, 1, 1), "Asia/Shanghai") == (None, ())  # noqa: DTZ001
    assert naive_iso("2024-01-01T00:00:00+01:00") is None
    assert naive_iso("soon") is None
