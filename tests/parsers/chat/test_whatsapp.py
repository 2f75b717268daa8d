"""What a line of WhatsApp becomes: message, deletion, call, event, with its people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chat_kit import codes, people, read
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed, TextState
from holdfast.parsers.chat.values import Context
from holdfast.parsers.chat.whatsapp_lines import beginning, line_of, order_of, unknown_word

ROOM = Context(
    channel="whatsapp",
    room={"key": "Team", "name": "Team"},
    zone="Asia/Shanghai",
    members=("Ann", "+86 138 0013 8000"),
    extra={"order": "dmy", "ordinal": 1},
)


def android(said: str, context: Context = ROOM) -> Parsed:
    return read("whatsapp.message", f"25/03/24, 10:00 - {said}".encode(), context)


def ios(said: str) -> Parsed:
    return read("whatsapp.message", f"\u200e[25/03/2024, 10:00:07] {said}".encode(), ROOM)


def test_message_has_sender_receivers_and_time() -> None:
    record = android("Ann: one: two\nthree")
    assert record.body == "one: two\nthree"
    assert record.sent_at == datetime(2024, 3, 25, 2, 0, tzinfo=UTC)
    assert [one.address for one in people(record, Role.FROM)] == ["whatsapp:Team/Ann"]
    assert [one.address for one in people(record, Role.TO)] == ["phone:+8613800138000"]
    assert not record.defects
    assert "date_no_zone" in codes(android("Ann: a", Context(extra={"order": "dmy"})))


def test_zone_tells_readings_apart_but_not_messages() -> None:
    other = Context(room=ROOM.room, extra=ROOM.extra, zone="Europe/Berlin")
    assert android("Ann: a", other).message_id == android("Ann: a").message_id
    assert android("Ann: a", other).fingerprint != android("Ann: a").fingerprint


@pytest.mark.parametrize(
    ("name", "shown", "address"),
    [
        ("~ Bob", "Bob", "whatsapp:Team/~%20Bob"),
        ("\u202a+1 555-010-0100\u202c", "+1 555-010-0100", "phone:+15550100100"),
        ("+1 234", "+1 234", "whatsapp:Team/+1%20234"),
        ("+1 234567890123456", "+1 234567890123456", "whatsapp:Team/+1%20234567890123456"),
        ("You", "You", ""),
        ("~", "~", "whatsapp:Team/~"),
    ],
)  # fmt: skip
def test_people_have_names_or_numbers(name: str, shown: str, address: str) -> None:
    (sender,) = people(android(f"{name}: a"), Role.FROM)
    assert (sender.name, sender.address) == (shown, address)


def test_whom_a_text_names_is_found() -> None:
    named = people(android("Ann: @\u2068Ben B\u2069 and @8613800138000"), Role.MENTION)
    assert [(one.name, one.address) for one in named] == [
        ("Ben B", "whatsapp:Team/Ben%20B"),
        ("+8613800138000", "phone:+8613800138000"),
    ]


@pytest.mark.parametrize(
    "said",
    [
        "This message was deleted",
        "\u200eYou deleted this message.",
        "This message was deleted by admin Eve",
        "此消息已删除",
        "لقد حذفت هذه الرسالة",
    ],
)
def test_deletions(said: str) -> None:
    assert android(f"Ann: {said}").kind is Kind.DELETION


def test_edits_are_versions_without_a_time_of_their_own() -> None:
    record = ios("Ann: fixed \u200e<This message was edited>")
    assert record.body == "fixed"
    assert record.chat is not None
    assert record.chat.version_at == record.sent_at
    assert ios("Ann: 好 <此消息已编辑>").body == "好"
    assert android("Ann: <I edit> this").chat == android("Ann: <I edit> this").chat
    assert android("Ann: <I edit> this").body == "<I edit> this"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("<Media omitted>", ""),
        ("\u200eimage omitted", ""),
        ("\u200e圖片已略去", ""),
        ("\u200e<attached: 0001-PHOTO.jpg>", "0001-PHOTO.jpg"),
        ("look \u200e<附件：合同.pdf>", "合同.pdf"),
        ("IMG-20240325-WA0001.jpg (whatever this means)", "IMG-20240325-WA0001.jpg"),
        ("\u200ePlan v2.docx (Datei angehängt)\nsee there", "Plan v2.docx"),
    ],
)
def test_files_are_apart(said: str, name: str) -> None:
    record = ios(f"Ann: {said}")
    assert record.kind is Kind.IM
    assert [(one.filename, one.text_state) for one in record.attachments] == [
        (name, TextState.APART)
    ]


@pytest.mark.parametrize(
    "said", ["image omitted", "a.txt (or so)", "<attached: a.jpg>", "<a: b>", "see (file attached)"]
)
def test_words_of_people_are_no_files(said: str) -> None:
    assert android(f"Ann: {said}").attachments == ()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Missed voice call", Kind.CALL),
        ("未接语音通话", Kind.CALL),
        ("Messages and calls are end-to-end encrypted.", Kind.CHAT_EVENT),
        ('Ann created group "Team: one"', Kind.CHAT_EVENT),
        ('Ann changed the subject from "a: b" to "c: d"', Kind.CHAT_EVENT),
        ("Ann:", Kind.IM),
        ("\u200e: no name", Kind.CHAT_EVENT),
        ("Ann: Voice call me", Kind.IM),
        ("Team: Ann added Ben", Kind.IM),
    ],
)
def test_lines_of_the_program_on_android(said: str, kind: Kind) -> None:
    assert android(said).kind is kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Ann: \u200eMissed video call", Kind.CALL),
        ("Team: \u200eAnn changed this group's icon", Kind.CHAT_EVENT),
        ("Ann: \u200eAnn left", Kind.CHAT_EVENT),
        ("Ann: \u200eMessages and calls are end-to-end encrypted.", Kind.CHAT_EVENT),
        ("Ann: \u200eLocation: https://maps.example", Kind.IM),
        ("Team: \u200eimage omitted", Kind.IM),
        ("Ann: \u200ePOLL:\nWhen?\nOPTION: Mon (2 votes)", Kind.IM),
    ],
)
def test_lines_of_the_program_on_ios(said: str, kind: Kind) -> None:
    assert ios(said).kind is kind


def test_polls_are_marked() -> None:
    assert ("WhatsApp-Kind", "poll") in android("Ann: POLL:\nWhen?\nOPTION: Mon (1 vote)").headers
    assert android("Ann: POLL: today").headers == ()


@pytest.mark.parametrize(
    ("said", "role", "who", "by"),
    [
        ("Ann added Ben, Cem and Dan", Role.JOINED, ["Ben", "Cem", "Dan"], ["Ann"]),
        ("Ben joined using this group's invite link", Role.JOINED, ["Ben"], []),
        ("You were added", Role.JOINED, ["You"], []),
        ("Ann removed Ben", Role.LEFT, ["Ben"], ["Ann"]),
        ("Ben left", Role.LEFT, ["Ben"], []),
        ("Ann hat Ben hinzugefügt.", Role.JOINED, ["Ben"], ["Ann"]),
        ("Ann añadió a Ben", Role.JOINED, ["Ben"], ["Ann"]),
        ("张伟添加了李娜", Role.JOINED, ["李娜"], ["张伟"]),
        ("李娜退出了群组", Role.LEFT, ["李娜"], []),
        ("李娜使用群组邀请链接加入", Role.JOINED, ["李娜"], []),
    ],
)
def test_who_came_and_went(said: str, role: Role, who: list[str], by: list[str]) -> None:
    record = android(said)
    assert record.kind is Kind.CHAT_EVENT
    assert [one.name for one in people(record, role)] == who
    assert [one.name for one in people(record, Role.FROM)] == by
    assert android("Something else happened").participants == ()


@pytest.mark.parametrize(
    ("line", "order", "local"),
    [
        ("5/3/24, 9:07 a.\u00a0m. - A: b", "dmy", "2024-03-05T09:07"),
        ("05/03/2024, 09:07 p. m. - A: b", "dmy", "2024-03-05T21:07"),
        ("3/5/24, 12:07\u202fAM - A: b", "mdy", "2024-03-05T00:07"),
        ("3/5/24, 12:07 PM - A: b", "mdy", "2024-03-05T12:07"),
        ("05.03.24, 09:07 - A: b", "dmy", "2024-03-05T09:07"),
        ("[5.3.2024 klo 9.07.01] A: b", "dmy", "2024-03-05T09:07:01"),
        ("[2024/3/5 下午9:07:01] A: b", "ymd", "2024-03-05T21:07:01"),
        ("2024/3/5 中午12:07 - A: b", "ymd", "2024-03-05T12:07"),
        ("2024/3/5 中午1:07 - A: b", "ymd", "2024-03-05T13:07"),
        ("2024/3/5 中午11:07 - A: b", "ymd", "2024-03-05T11:07"),
        ("2024/3/5 凌晨12:07 - A: b", "ymd", "2024-03-05T00:07"),
        ("2024/3/5 午後9:07 - A: b", "ymd", "2024-03-05T21:07"),
        ("2024. 3. 5. 오후 9:07 - A: b", "ymd", "2024-03-05T21:07"),
        ("[24. 3. 5. 오전 9:07:01] A: b", "ymd", "2024-03-05T09:07:01"),
        ("2024年3月5日 09:07 - A: b", "ymd", "2024-03-05T09:07"),
        ("[2024-03-05 09:07:01] A: b", "ymd", "2024-03-05T09:07:01"),
        ("٥\u200f/٣\u200f/٢٠٢٤، ٩:٠٧ م - A: b", "dmy", "2024-03-05T21:07"),
        ("05/03/2024 à 09:07 - A: b", "dmy", "2024-03-05T09:07"),
        ("5.03.24 г., 9:07 - A: b", "dmy", "2024-03-05T09:07"),
        ("5/3/24, 14:07 PM - A: b", "dmy", "2024-03-05T14:07"),
    ],
)
def test_beginnings_in_many_languages(line: str, order: str, local: str) -> None:
    found = line_of(line, order)
    assert found is not None
    assert (found.time, found.sender, found.text) == (local, "A", "b")


@pytest.mark.parametrize(
    "line",
    [
        "hello", "5/3/24 - A: b", "5/3/24, 25:07 - A: b", "5/3/24, 09:67 - A: b",
        "5/3/124, 09:07 - A: b", "2024/3/2024, 09:07 - A: b", "32/3/24, 09:07 - A: b",
        "5/3/2008, 09:07 - A: b", "5/3/24, 09:07 tarde - A: b",
    ],
)  # fmt: skip
def test_what_is_no_beginning(line: str) -> None:
    assert line_of(line, "dmy") is None
    assert "form_damaged" in codes(read("whatsapp.message", line.encode(), ROOM))


def test_words_of_a_beginning_that_are_not_known() -> None:
    assert unknown_word("5/3/24, 09:07 tarde - A: b") == "tarde"
    assert unknown_word("5/3/24, 09:07 - A: b") is None
    assert unknown_word("5/3/24 is a date") is None


def order(*dates: str, rule: str = "") -> str:
    found = [beginning(f"{one}, 09:07 - A: b") for one in dates]
    return order_of([one for one in found if one is not None], rule)


def test_order_of_dates() -> None:
    assert order("13/3/24") == "dmy"
    assert order("3/13/24") == "mdy"
    assert order("2024/3/5") == "ymd"
    assert order("5/3/24") == ""
    assert order("5/3/24", rule="day") == "dmy"
    assert order("5/3/24", rule="month") == "mdy"
    assert order("5/3/24", "4/4/24") == "dmy"
    assert order("3/4/24", "4/3/24", "5/3/24") == "mdy"
    assert order("5/3/24", "4/3/24", "3/6/24", "4/3/24") == ""
    assert order("13/13/24") == ""
    assert order("13/3/24", "3/13/24") == ""
    assert order("2024/13/5") == ""
    assert order("24/3/5") == "ymd"
    assert order("24/3/5", "5/3/24") == ""
    assert order() == ""
    korean = beginning("[24. 3. 15. 오후 9:07:01] A: b")
    assert korean is not None
    assert order_of([korean], "") == "ymd"


def test_lines_of_other_shapes_inside_a_message_are_noted() -> None:
    assert "chat_line_unclear" in codes(android("Ann: a\n[1/1/24, 09:07:00] B: c"))
    assert "chat_line_unclear" in codes(android("Ann: a\n1/1/24, 09:07 tarde - B: c"))
    assert "chat_line_unclear" not in codes(android("Ann: a\n1/1/24 was fine"))


def test_bytes_that_are_no_text() -> None:
    record = read("whatsapp.message", b"25/03/24, 10:00 - Ann: \xff", ROOM)
    assert "charset_damaged" in codes(record)
