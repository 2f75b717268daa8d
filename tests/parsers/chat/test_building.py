"""A record is clean and bounded whatever is said, and its fingerprint tells apart what differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import MAX_INDEXED_CHARS, Defect, Participant, TextState
from holdfast.parsers.chat.building import (
    MAX_FILES,
    MAX_PEOPLE,
    NO_SHA256,
    ChatFile,
    Said,
    record_of,
)

AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN = Participant(Role.FROM, "Ann", "slack:U1", "staff")
SAID = Said("slack", Kind.IM, "slack:C1/1", AT, "hello", conversation=Conversation("C1", "all"))


def codes(said: Said) -> list[tuple[str, str]]:
    return [(one.code, one.detail) for one in record_of(said).defects]


def test_plain_message() -> None:
    record = record_of(replace(SAID, people=(ANN, ANN), answers="slack:C1/0"))
    assert (record.message_id, record.body, record.sent_at) == ("slack:C1/1", "hello", AT)
    assert record.sent_at_source == "date"
    assert record.participants == (ANN,)
    assert record.chat is not None
    assert record.chat.conversation == Conversation("C1", "all")
    assert (record.chat.version_at, record.chat.answers) == (None, "slack:C1/0")
    assert record.defects == ()


def test_texts_are_cleaned() -> None:
    record = record_of(replace(SAID, body="a\ud83d\ude00\r\nb\rc", subject=" \ud83d\ude00 "))
    assert (record.body, record.subject, record.defects) == ("a😀\nb\nc", "😀", ())
    record = record_of(replace(SAID, body="a\ud800b\0", source_text="x"))
    assert record.body == "a\ufffdb\ufffd"
    assert [one.code for one in record.defects] == ["lone_surrogate", "nul_bytes"]
    record.body.encode()


def test_what_is_too_much_is_cut_and_said() -> None:
    long = record_of(replace(SAID, body="x" * (MAX_INDEXED_CHARS + 1)))
    assert (len(long.body), long.is_truncated) == (MAX_INDEXED_CHARS, True)
    assert [one.code for one in long.defects] == ["text_truncated"]
    crowd = tuple(Participant(Role.TO, "", f"slack:U{n}") for n in range(MAX_PEOPLE + 1))
    record = record_of(replace(SAID, people=crowd))
    assert len(record.participants) == MAX_PEOPLE
    assert codes(replace(SAID, people=crowd)) == [("address_limit", str(MAX_PEOPLE + 1))]
    many = tuple(ChatFile(f"F{n}") for n in range(MAX_FILES + 1))
    assert len(record_of(replace(SAID, files=many)).attachments) == MAX_FILES
    assert codes(replace(SAID, files=many)) == [("attachment_limit", str(MAX_FILES + 1))]


def test_people_without_address_are_told_apart_by_name() -> None:
    named = [Participant(Role.TO, name, "") for name in ("A", "B", "A", "")]
    same = [Participant(Role.TO, name, "slack:U1") for name in ("A", "B")]
    record = record_of(replace(SAID, people=(*named, *same)))
    assert [(p.name, p.address) for p in record.participants] == [
        ("A", ""), ("B", ""), ("A", "slack:U1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "code"), [(None, "date_missing"), (datetime(1, 1, 1, tzinfo=UTC), "date_implausible")]
)
def test_times_that_cannot_be(at: datetime | None, code: str) -> None:
    said = replace(SAID, at=at, date_raw="odd", version_at=at, defects=(Defect("own", "d"),))
    assert codes(said) == [("own", "d"), (code, "odd")]
    record = record_of(said)
    assert (record.sent_at, record.sent_at_source) == (None, "none")
    assert record.chat is not None
    assert record.chat.version_at is None


def test_version_is_in_utc() -> None:
    east = timezone(timedelta(hours=8))
    record = record_of(replace(SAID, version_at=AT.astimezone(east)))
    assert record.chat is not None
    assert record.chat.version_at == AT
    assert record.chat.version_at.tzinfo is UTC


def test_files() -> None:
    here = ChatFile("F1", "a\0.txt", " Text/Plain ", -5, b"\1" * 32, TextState.UNSUPPORTED)
    record = record_of(replace(SAID, files=(here, ChatFile("F2"))))
    one, two = record.attachments
    assert (one.path, one.filename, one.declared_type) == ("1", "a\ufffd.txt", "text/plain")
    assert (one.size_bytes, one.text_state) == (0, TextState.UNSUPPORTED)
    assert (two.declared_type, two.sha256) == ("application/octet-stream", NO_SHA256)
    assert two.text_state is TextState.APART


def test_room_is_clean() -> None:
    record = record_of(replace(SAID, conversation=Conversation("k" * 2000, " \ud800 ")))
    assert record.chat is not None
    assert record.chat.conversation == Conversation("k" * 1000, "\ufffd")
    none = record_of(replace(SAID, conversation=None))
    assert none.chat is not None
    assert none.chat.conversation is None


def test_copies_by_different_ways_are_one() -> None:
    base = record_of(SAID).fingerprint
    same = replace(
        SAID, body="shown otherwise", source_text="hello", people=(ANN,), is_bulk=True,
        headers=(("A", "b"),), conversation=None, at=AT + timedelta(1), date_raw="2",
    )  # fmt: skip
    assert record_of(same).fingerprint == base
    files = (ChatFile("F2"), ChatFile("F1", "n"))
    assert (
        record_of(replace(SAID, files=files)).fingerprint
        == record_of(replace(SAID, files=files[::-1])).fingerprint
    )


def test_what_differs_is_another() -> None:
    changed = [
        SAID,
        replace(SAID, channel="teams"),
        replace(SAID, kind=Kind.RECALL),
        replace(SAID, name="slack:C1/2"),
        replace(SAID, body="hello!"),
        replace(SAID, version_at=AT),
        replace(SAID, version_at=AT + timedelta(milliseconds=1)),
        replace(SAID, distinct="x"),
        replace(SAID, files=(ChatFile("F1"),)),
        replace(SAID, name=""),
        replace(SAID, name="", conversation=Conversation("C2")),
        replace(SAID, name="", conversation=None),
        replace(SAID, name="", at=None),
        replace(SAID, name="", subject="s"),
        replace(SAID, name="", people=(ANN,)),
        replace(SAID, name="\ud800"),
    ]
    assert len({record_of(one).fingerprint for one in changed}) == len(changed)
