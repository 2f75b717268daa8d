"""Exports of WhatsApp: every message is counted from the raw lines and found again."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import datetime
from pathlib import Path

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
    zip_tree,
)
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.ingest.readers.chats.tree import ChatRules
from holdfast.ingest.readers.chats.whatsapp import WAITING, WhatsAppExport
from holdfast.ingest.readers.offers import Offered

LOCALES, MINER = CORPUS / "whatsapp", CORPUS / "whatsapp-chat-miner"
DAY, MONTH = ChatRules(order="day", zone="UTC"), ChatRules(order="month", zone="UTC")
IN_MARCH = {
    "de_android": DAY, "en_GB_ios": DAY, "en_US_android": MONTH, "es_android": DAY,
    "fi_ios": DAY, "hi_IN_android": DAY, "zh_CN_android": ChatRules(zone="UTC"),
    "zh_TW_ios": ChatRules(zone="UTC"),
}  # fmt: skip
"""What has to be said of the dates of each, for one day does not tell its order."""
KINDS = {
    "de_android": [Kind.CHAT_EVENT, Kind.IM, Kind.IM, Kind.DELETION],
    "en_GB_ios": [Kind.CHAT_EVENT, Kind.IM, Kind.IM, Kind.IM, Kind.DELETION, Kind.IM],
    "en_US_android": [
        Kind.CHAT_EVENT,
        Kind.IM,
        Kind.IM,
        Kind.IM,
        Kind.DELETION,
        Kind.IM,
        Kind.CHAT_EVENT,
    ],
    "es_android": [Kind.IM],
    "fi_ios": [Kind.IM],
    "hi_IN_android": [Kind.IM],
    "zh_CN_android": [Kind.CHAT_EVENT, Kind.IM, Kind.IM, Kind.DELETION],
    "zh_TW_ios": [Kind.CHAT_EVENT, Kind.IM, Kind.IM],
}


def chat(
    tmp_path: Path, text: str, rules: ChatRules = DAY, name: str = "WhatsApp Chat with Ann.txt"
) -> list[Offered]:
    root = written(tmp_path, {name: text})
    return offers_of(WhatsAppExport(), tree_of(root, rules))


def names(found: list[Offered]) -> list[str]:
    return [one.message_id for one in records_of(found)]


@pytest.mark.parametrize("locale", sorted(IN_MARCH))
def test_languages_are_read(locale: str) -> None:
    found = offers_of(WhatsAppExport(), tree_of(LOCALES / locale, IN_MARCH[locale]))
    records = records_of(found)
    assert [one.kind for one in records] == KINDS[locale]
    assert {one.sent_at.date().isoformat() for one in records if one.sent_at} <= {
        "2024-03-05",
        "2024-03-06",
    }
    assert not [one.defects for one in records if one.defects]
    whole = (LOCALES / locale / "_chat.txt").read_bytes()
    assert b"\n".join(map(raw_of, found)) == whole.rstrip(b"\n")
    evening = [one for one in records if one.sent_at and one.sent_at.hour == 21]
    assert len(evening) == len(re.findall(rb"\b21:", whole)) + whole.count(
        "下午".encode()
    ) + whole.count(b"PM")


@pytest.mark.parametrize("path", sorted(MINER.glob("*.txt")), ids=lambda path: path.name)
def test_order_of_dates_is_found_in_the_file(path: Path) -> None:
    target = json.loads((MINER / "target.json").read_bytes())
    records = of_kind(records_of(offers_of(WhatsAppExport(), tree_of(path))), Kind.IM)
    said = [
        (one.sent_at, people(one, Role.FROM)[0].name, one.body.replace("\n", " "))
        for one in records
    ]
    wanted = [
        (datetime.fromisoformat(one["timestamp"] + "+00:00"), one["author"], one["message"])
        for one in reversed(target)
    ]
    assert said == wanted
    assert {code for one in records for code in codes(one)} == {"date_no_zone"}


def test_dates_that_go_back_tell_the_order(tmp_path: Path) -> None:
    days = ["01/02/24", "02/02/24", "01/03/24"]
    found = chat(tmp_path, "".join(f"{day}, 10:00 - Ann: {day}\n" for day in days), ChatRules())
    assert [one.sent_at.month for one in records_of(found) if one.sent_at] == [2, 2, 3]
    months = ["02/01/24", "02/02/24", "03/01/24"]
    found = chat(tmp_path, "".join(f"{day}, 10:00 - Ann: {day}\n" for day in months), ChatRules())
    assert [one.sent_at.day for one in records_of(found) if one.sent_at] == [1, 2, 1]


def test_file_that_can_be_read_in_two_ways_waits_for_the_rule(tmp_path: Path) -> None:
    text = "05/03/24, 10:00 - Ann: a\n06/03/24, 10:00 - Ann: b\n"
    (waiting,) = chat(tmp_path, text, ChatRules())
    assert (waiting.kind, waiting.facts.note) == ("unknown", WAITING)
    by_day = records_of(chat(tmp_path, text, DAY))
    by_month = records_of(chat(tmp_path, text, MONTH))
    assert [one.sent_at.month for one in by_day if one.sent_at] == [3, 3]
    assert [one.sent_at.month for one in by_month if one.sent_at] == [5, 6]


def test_rule_does_not_overrule_the_file(tmp_path: Path) -> None:
    found = chat(tmp_path, "25/03/24, 10:00 - Ann: a\n", MONTH)
    assert [one.sent_at.day for one in records_of(found) if one.sent_at] == [25]


def test_one_false_beginning_does_not_hide_the_order(tmp_path: Path) -> None:
    lines = [f"{day:02}/03/24, 10:00 - Ann: {day}\n" for day in range(1, 31)]
    lines.insert(20, "03/29/24, 10:00 - pasted: x\n")
    records = records_of(chat(tmp_path, "".join(lines), ChatRules(zone="UTC")))
    assert len(records) == 30
    assert [codes(one) for one in records if one.defects] == [{"chat_line_unclear"}]


def test_exports_that_overlap_give_the_same_records(tmp_path: Path) -> None:
    lines = [f"2024/3/{day} 09:0{n} - 张伟: 你好\n" for day in (1, 2, 3) for n in (1, 1, 2)]
    early, late = "".join(lines[:6]), "".join(lines[3:])
    name = "与张伟的 WhatsApp 聊天.txt"
    first = records_of(chat(tmp_path / "a", early, name=name))
    second = records_of(chat(tmp_path / "b", late, name=name))
    both = {one.fingerprint for one in (*first, *second)}
    assert len(both) == len({one.message_id for one in (*first, *second)}) == len(lines)
    assert [one.message_id for one in first[3:]] == [one.message_id for one in second[:3]]
    assert first[0].chat is not None
    assert first[0].chat.conversation is not None
    assert first[0].chat.conversation.name == "张伟"


def test_equal_lines_are_told_apart_by_their_ordinal(tmp_path: Path) -> None:
    found = chat(tmp_path, "25/03/24, 10:00 - Ann: a\n" * 3)
    assert len(set(names(found))) == 3
    assert len({one.facts.context for one in found}) == 3
    assert '"item":"Ann/2024-03-25T10:00/3"' in found[2].facts.context


def test_another_phone_writes_the_same_message_otherwise(tmp_path: Path) -> None:
    plain = chat(tmp_path / "a", "25.03.24, 21:00 - Ann: a\n")
    other = chat(tmp_path / "b", "2024/3/25 下午9:00 - Ann: a\r\n")
    assert names(plain) == names(other)
    assert records_of(plain)[0].fingerprint == records_of(other)[0].fingerprint


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("WhatsApp Chat with Ann.txt", "Ann"),
        ("WhatsApp Chat with Ann (2).txt", "Ann"),
        ("WhatsApp-Chat mit Änne.txt", "Änne"),
        ("Chat de WhatsApp con Ana.txt", "Ana"),
        ("Conversa do WhatsApp com Ana.txt", "Ana"),
        ("与张伟的 WhatsApp 聊天.txt", "张伟"),
        ("與 王小明 的 WhatsApp 對話.txt", "王小明"),
        ("WhatsApp Chat - Team/_chat.txt", "Team"),
        ("renamed.txt", "renamed"),
    ],
)
def test_chat_is_called_as_its_file_says(tmp_path: Path, file: str, name: str) -> None:
    (record,) = records_of(chat(tmp_path, "25/03/24, 10:00 - Ann: a\n", name=file))
    assert record.chat is not None
    assert record.chat.conversation is not None
    assert record.chat.conversation.name == name


def test_nameless_chat_is_called_by_its_first_line(tmp_path: Path) -> None:
    alone = tree_of(
        written(tmp_path, {"_chat.txt": "[25/03/2024, 10:00:00] Ann: a\n"}) / "_chat.txt", DAY
    )
    (record,) = records_of(offers_of(WhatsAppExport(), alone))
    assert record.message_id.startswith("whatsapp:unnamed-")
    ios = tree_of(LOCALES / "en_GB_ios" / "_chat.txt", DAY)
    assert records_of(offers_of(WhatsAppExport(), ios))[0].message_id.startswith("whatsapp:Team/")
    tenant = tree_of(LOCALES / "en_GB_ios" / "_chat.txt", ChatRules(order="day", tenant="t"))
    assert records_of(offers_of(WhatsAppExport(), tenant))[0].message_id.startswith(
        "whatsapp:t/Team/"
    )


def test_media_come_with_their_messages(tmp_path: Path) -> None:
    text = (
        "[25/03/2024, 10:00:00] Team: \u200eMessages and calls are end-to-end encrypted.\n"
        "\u200e[25/03/2024, 10:00:01] Ann: \u200e<attached: 1-PHOTO.jpg>\n"
        "[25/03/2024, 10:00:02] Ann: IMG-20240325-WA0001.jpg (file attached)\nwith words\n"
        "[25/03/2024, 10:00:03] Ann: a%b.pdf (file attached)\n"
        "[25/03/2024, 10:00:04] Ann: lost.pdf (file attached)\n"
        "[25/03/2024, 10:00:05] Ann: a%b.pdf (file attached)\n"
    )
    archive = tmp_path / "WhatsApp Chat - Team.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("_chat.txt", text)
        made.writestr("1-PHOTO.jpg", b"\xff\xd8\xff\xe0")
        made.writestr("IMG-20240325-WA0001.jpg", b"\xff\xd8\xff\xe1")
        made.writestr("stray.jpg", b"\xff\xd8\xff\xe2")
    found = offers_of(WhatsAppExport(), zip_tree(archive, tmp_path / "out", DAY))
    records = records_of(found)
    files = {one.subject: one for one in of_kind(records, Kind.FILE)}
    assert set(files) == {"1-PHOTO.jpg", "IMG-20240325-WA0001.jpg"}
    for name, file in files.items():
        (message,) = [
            one
            for one in records
            if name in [a.filename for a in one.attachments] and one.kind is Kind.IM
        ]
        assert (file.message_id, file.sent_at) == (message.message_id, message.sent_at)
        assert people(file, Role.FROM) == people(message, Role.FROM)
    (stray,) = [one for one in found if one.kind != "chat"]
    assert stray.facts.note == "not_named_in_a_chat"
    members = {one.name for record in of_kind(records, Kind.IM) for one in record.participants}
    assert members == {"Ann"}


def test_media_may_lie_where_a_person_says(tmp_path: Path) -> None:
    written(tmp_path / "media", {"IMG-20240325-WA0001.jpg": b"\xff\xd8", "other.jpg": b"\xff"})
    text = "25/03/24, 10:00 - Ann: IMG-20240325-WA0001.jpg (file attached)\n"
    root = written(tmp_path / "chat", {"WhatsApp Chat with Ann.txt": text})
    rules = ChatRules(order="day", media=str(tmp_path / "media"))
    found = list(WhatsAppExport().offers(tree_of(root, rules)))
    assert [one.subject for one in of_kind(records_of(found), Kind.FILE)] == [
        "IMG-20240325-WA0001.jpg"
    ]
    assert {one.kind for one in found} == {"chat"}


def test_large_groups_name_only_the_sender(tmp_path: Path) -> None:
    lines = [f"25/03/24, 10:00 - P{n}: a\n" for n in range(21)]
    small = records_of(chat(tmp_path / "a", "".join(lines[:20])))
    large = records_of(chat(tmp_path / "b", "".join(lines)))
    assert {len(people(one, Role.TO)) for one in small} == {19}
    assert {len(people(one, Role.TO)) for one in large} == {0}


def test_what_stands_above_the_first_message_is_kept(tmp_path: Path) -> None:
    found = chat(tmp_path, "Exported by me\n25/03/24, 10:00 - Ann: a\n")
    first, second = records_of(found)
    assert (first.kind, first.body.strip()) == (Kind.UNKNOWN, "Exported by me")
    assert second.body == "a"
    assert len(chat(tmp_path / "b", "\ufeff\n25/03/24, 10:00 - Ann: a\n")) == 1


def test_words_that_are_not_known_are_named(tmp_path: Path) -> None:
    (unread,) = chat(tmp_path, "25/03/24, 10:00 tarde - Ann: a\n")
    assert (unread.kind, unread.facts.note) == ("unknown", "date_words_unknown:tarde")
    mixed = "25/03/24, 10:00 AM - Ann: a\n25/03/24, 10:00 tarde - Ann: a\n"
    (unread,) = chat(tmp_path, mixed)
    assert unread.facts.note == "date_words_unknown:tarde"


def test_beginnings_of_another_shape_continue_a_message(tmp_path: Path) -> None:
    text = (
        "25/03/24, 10:00 - Ann: a\n[25/03/24, 10:00:00] Ben: pasted\n25.03.24, 10:01 - Ben: too\n"
    )
    (record,) = records_of(chat(tmp_path, text))
    assert record.body.endswith("Ben: too")
    assert "chat_line_unclear" in codes(record)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("signal.txt", "[2024-03-05, 09:07] Ann: hi\n"),
        ("app.txt", "2024-03-05 09:07:01 - root - INFO\n"),
        ("b.txt", "5/3/24 09:07:01 - x\n"),
        ("note.txt", "Dear all\n25/03/24, 10:00 - Ann: a\n"),
        ("whatsapp.txt", "Dear all\n"),
        ("chat.csv", "25/03/24, 10:00 - Ann: a\n"),
        ("_chat.txt", ""),
    ],
)
def test_other_texts_are_no_chats(tmp_path: Path, name: str, text: str) -> None:
    assert not WhatsAppExport().is_export(tree_of(written(tmp_path, {name: text})))


def test_damaged_bytes_are_kept(tmp_path: Path) -> None:
    raw = b"25/03/24, 10:00 - Ann: a\xff\n26/03/24, 10:00 - Ann: b"
    root = written(tmp_path, {"WhatsApp Chat with Ann.txt": raw})
    found = offers_of(WhatsAppExport(), tree_of(root, DAY))
    first: Parsed = records_of(found)[0]
    assert raw_of(found[0]) == b"25/03/24, 10:00 - Ann: a\xff"
    assert "charset_damaged" in codes(first)
