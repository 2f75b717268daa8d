"""Exports of Telegram Desktop: everything in them is counted from the raw files and found again."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat_kit import (
    CORPUS,
    codes,
    of_kind,
    offers_of,
    people,
    raw_of,
    records_of,
    tree_of,
    written,
)
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.ingest.readers.chats.telegram import TelegramExport
from holdfast.ingest.readers.chats.tree import ChatRules

ACCOUNT = CORPUS / "telegram-account"


def chats_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    if "messages" in document:
        return [document]
    lists = [document.get(name, {}).get("list", []) for name in ("chats", "left_chats")]
    return [chat for one in lists for chat in one]


def account() -> list[Parsed]:
    return records_of(offers_of(TelegramExport(), tree_of(ACCOUNT)))


def named(records: list[Parsed], name: str) -> Parsed:
    return next(
        one for one in records if one.message_id == f"telegram:{name}" and one.kind is not Kind.FILE
    )


@pytest.mark.parametrize("folder", ["telegram-tg-parser", "telegram-chat-miner"])
def test_everything_of_single_exports_is_kept(folder: str) -> None:
    for path in sorted((CORPUS / folder).iterdir()):
        document = json.loads(path.read_bytes())
        found = offers_of(TelegramExport(), tree_of(path))
        assert {one.kind for one in found} == {"chat"}
        raw = [one for chat in chats_in(document) for one in chat["messages"]]
        forms = [one.facts.form for one in found]
        assert forms.count("telegram.message") == len(raw)
        items = [raw_of(one) for one in found if one.facts.form == "telegram.message"]
        assert [json.loads(one) for one in items] == raw
        records = [
            one for one in records_of(found) if one.kind in (Kind.IM, Kind.CHAT_EVENT, Kind.CALL)
        ]
        assert len({one.fingerprint for one in records}) == len(raw)
        assert {code for one in records for code in codes(one)} == set()


def test_everything_of_an_account_is_kept() -> None:
    document = json.loads((ACCOUNT / "result.json").read_bytes())
    found = offers_of(TelegramExport(), tree_of(ACCOUNT))
    forms = [one.facts.form for one in found if one.kind == "chat"]
    chats = chats_in(document)
    assert forms.count("telegram.chat") == len(chats)
    assert forms.count("telegram.message") == sum(len(one["messages"]) for one in chats)
    assert forms.count("telegram.contact") == len(document["contacts"]["list"]) + 1
    others = {one.subject for one in records_of(found) if one.kind is Kind.UNKNOWN and one.subject}
    assert {"about", "profile_pictures", "sessions", "other_data"} <= others
    ends = {one.facts.member: one.facts.note for one in found if one.kind != "chat"}
    assert ends == {
        "photos/photo_1_thumb.jpg": "telegram_thumbnail",
        "chats/chat_2/sticker.webp_thumb.jpg": "telegram_thumbnail",
        "chats/chat_2/messages.html": "telegram_page",
        "export_results.html": "telegram_page",
    }


def test_files_come_with_their_messages_and_lost_ones_alone() -> None:
    files = {one.subject: one for one in of_kind(account(), Kind.FILE)}
    assert set(files) == {"photo_1.jpg", "sticker.webp", "lost.jpg"}
    photo = files["photo_1.jpg"]
    assert photo.message_id == "telegram:777/501/3"
    assert people(photo, Role.FROM)[0].address == "telegram:user777"
    assert photo.sent_at == named(account(), "777/501/3").sent_at
    assert files["lost.jpg"].message_id == ""


def test_ids_of_an_account_do_not_meet_those_of_another() -> None:
    records = account()
    assert named(records, "777/501/1").body == "报价多少？"
    assert named(records, "777/777/1").body == "note"
    assert named(records, "88/7").kind is Kind.IM
    assert named(records, "99/1").is_bulk
    assert people(named(records, "777/600/1"), Role.FROM)[0].side == "bot"


def test_chat_of_two_goes_to_the_other() -> None:
    first = named(account(), "777/501/1")
    (to,) = people(first, Role.TO)
    assert (to.name, to.address) == ("王 芳", "telegram:user777")
    call = named(account(), "777/501/7")
    assert call.kind is Kind.CALL
    assert [one.address for one in people(call, Role.TO)] == ["telegram:user777"]


def test_owner_of_one_chat_is_the_one_who_is_not_the_other(tmp_path: Path) -> None:
    chat = chats_in(json.loads((ACCOUNT / "result.json").read_bytes()))[0]
    chat["messages"] = chat["messages"][:10]
    written(tmp_path, {"result.json": json.dumps(chat)})
    alone = records_of(offers_of(TelegramExport(), tree_of(tmp_path)))
    whole = account()
    for one in alone:
        if one.kind is Kind.IM:
            assert one.fingerprint in {other.fingerprint for other in whole}
    saved = {
        "type": "saved_messages",
        "id": 777,
        "messages": [{"id": 1, "type": "message", "date": "x"}],
    }
    written(tmp_path, {"result.json": json.dumps(saved)})
    records = records_of(offers_of(TelegramExport(), tree_of(tmp_path)))
    assert records[-1].message_id == "telegram:777/777/1"


def test_tenant_tells_small_groups_of_accounts_apart(tmp_path: Path) -> None:
    chat = {
        "name": "G",
        "type": "private_group",
        "id": 4,
        "messages": [{"id": 1, "date": "2020-01-01T00:00:00"}],
    }
    written(tmp_path, {"x/result.json": json.dumps(chat)})
    records = records_of(
        offers_of(TelegramExport(), tree_of(tmp_path, ChatRules(tenant="t", zone="Asia/Shanghai")))
    )
    assert records[1].message_id == "telegram:t/4/1"
    assert records[1].sent_at is not None
    assert records[1].sent_at.isoformat() == "2019-12-31T16:00:00+00:00"


def test_documents_that_end_early_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    whole = (ACCOUNT / "result.json").read_bytes()
    for part in (4, 3, 2):
        cut = whole[: len(whole) * part // 5]
        written(tmp_path, {"result.json": cut})
        found = offers_of(TelegramExport(), tree_of(tmp_path))
        (damaged,) = [one for one in found if one.kind != "chat"]
        assert damaged.facts.note == "damaged:json: it ends early"
        messages = [one for one in found if one.facts.form == "telegram.message"]
        assert len(messages) == cut.count(b'"date_unixtime"') - 1 - 2 or len(messages) > 5


def test_odd_documents_end_somehow(tmp_path: Path) -> None:
    odd = (
        b'{"messages": [{"date": 1}, 17, "x", [], {"id": {}}], "chats": {"list": '
        b'[17, {"messages": {}}, {"id": 5}, {"id": 6, "messages": null}]}}'
    )
    written(
        tmp_path,
        {
            "result.json": odd,
            "other.json": b"{}",
            "__MACOSX/._x": b"1",
            ".DS_Store": b"1",
            "empty.json": b"",
        },
    )
    found = offers_of(TelegramExport(), tree_of(tmp_path))
    forms = Counter(one.facts.form for one in found)
    assert forms["telegram.message"] == 5
    assert forms["telegram.chat"] == 1 + 3
    assert forms["telegram.other"] == 2
    assert forms["file"] == 2
    rooms = [
        one.chat.conversation.key
        for one in of_kind(records_of(found), Kind.CONVERSATION)
        if one.chat and one.chat.conversation
    ]
    assert rooms == ["5", "6"]
    assert {one.facts.note for one in found if one.kind == "skipped"} == {"os_litter"}


def test_media_are_found_where_the_export_lies_deeper(tmp_path: Path) -> None:
    shutil.copytree(ACCOUNT, tmp_path / "a" / "b%c")
    moved = tree_of(tmp_path)
    members = {path.replace("%", "%25"): one for path, one in moved.members.items()}
    records = records_of(list(TelegramExport().offers(replace(moved, members=members))))
    assert {one.message_id for one in of_kind(records, Kind.FILE)} == {
        "telegram:777/501/3",
        "telegram:777/501/5",
        "telegram:777/501/6",  # the same sticker again
        "",
    }


def test_media_may_lie_where_a_person_says(tmp_path: Path) -> None:
    alone = written(tmp_path, {"result.json": (ACCOUNT / "result.json").read_bytes()})
    found = list(TelegramExport().offers(tree_of(alone, ChatRules(media=str(ACCOUNT)))))
    assert {one.message_id for one in of_kind(records_of(found), Kind.FILE)} == {
        "telegram:777/501/3",
        "telegram:777/501/5",
        "telegram:777/501/6",
    }


def test_other_json_is_no_export(tmp_path: Path) -> None:
    slack = {"ok": True, "messages": [{"type": "message", "user": "U1", "ts": "1.1"}]}
    written(
        tmp_path,
        {"a.json": json.dumps(slack), "b.json": b"[]", "c.txt": b'"personal_information": {'},
    )
    assert not TelegramExport().is_export(tree_of(tmp_path))
