"""Exports of Slack in every wrapping: each message keeps its bytes, each file has an end."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed, RawItem
from holdfast.ingest.readers.chats.reactions import MOST_READ_BYTES
from holdfast.ingest.readers.contents import PlanRules
from holdfast.ingest.readers.offers import Offered, local
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import context_of
from slack_kit import REAL, days_of, export_files, members_of, write_files, zipped

MAIL = b"From: a@a.example\r\nSubject: one\r\n\r\nbody\r\n"
DAY = [
    {"type": "message", "ts": "1700000000.000100", "user": "U1", "text": "hi <@U2>"},
    {"type": "message", "ts": "1700000001.000100", "user": "U2", "text": "hello"},
]
FILES = export_files({"general/2023-11-14.json": DAY})


def offered(root: Path) -> list[Offered]:
    found = list(plan(root))
    assert len({one.key for one in found}) == len(found)
    assert [one.key for one in plan(root)] == [one.key for one in found]
    return found


def items(found: list[Offered]) -> list[tuple[bytes, Offered]]:
    """Return the bytes of what is an item, as an import reads them."""
    read = []
    with Reader() as reader:
        for one in found:
            if one.kind == "chat":
                item = reader.read(one)
                assert isinstance(item, RawItem), item
                assert hashlib.sha256(item.raw).hexdigest()[:16] == one.digest
                read.append((bytes(item.raw), one))
    return read


def records(found: list[Offered]) -> list[Parsed]:
    return [
        parse_form(one.facts.form, FormItem(raw, one.facts.context)) for raw, one in items(found)
    ]


def ends(found: list[Offered]) -> dict[str, list[tuple[str, str]]]:
    """Return the kinds and reasons of all that is no item, by the last part of its name."""
    ended: dict[str, list[tuple[str, str]]] = {}
    for one in found:
        if one.kind != "chat":
            name = (one.facts.member or str(local(one.container))).rpartition("/")[2]
            ended.setdefault(name, []).append((one.kind, one.facts.note))
    return ended


@pytest.mark.parametrize("archive", REAL, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("wrapping", ["zip", "directory", "leading"])
def test_real_exports(archive: Path, wrapping: str, tmp_path: Path) -> None:
    root = archive
    if wrapping == "directory":
        root = tmp_path / "export"
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(root)
    elif wrapping == "leading":
        with zipfile.ZipFile(archive) as opened:
            content = {n: opened.read(n) for n in opened.namelist() if n[-1] != "/"}
        root = zipped(tmp_path / "e.zip", content, "My Team export/")
    found = offered(root)
    said, members = days_of(archive), members_of(archive)
    expected = Counter(
        {
            "slack.message": len(said),
            "slack.reaction": sum(len(r["users"]) for m in said for r in m.get("reactions", ())),
            "slack.user": len(members["users.json"]),
            "slack.room": len(members["channels.json"]),
        }
    )
    assert Counter(one.facts.form for one in found if one.kind == "chat") == expected
    assert ends(found) == {"integration_logs.json": [("skipped", "slack_bookkeeping")]}
    values = [json.loads(raw) for raw, one in items(found) if one.facts.form == "slack.message"]
    by_ts = sorted(values, key=lambda m: json.dumps(m, sort_keys=True))
    assert by_ts == sorted(said, key=lambda m: json.dumps(m, sort_keys=True))
    made = records(found)
    rooms = {one["id"]: len(one["members"]) for one in members["channels.json"]}
    for record in made:
        assert record.kind is not Kind.UNKNOWN
        if record.kind is Kind.CONVERSATION:
            room = record.message_id.partition(":")[2]
            assert sum(p.role is Role.MEMBER for p in record.participants) == rooms[room]
    assert {r.chat.conversation.name for r in made if r.chat and r.chat.conversation} == {
        one["name"] for one in members["channels.json"]
    }


def test_context_names_people_and_room(tmp_path: Path) -> None:
    found = offered(write_files(tmp_path / "e", FILES))
    first = next(record for record in records(found) if record.kind is Kind.IM)
    assert first.body == "hi @bob"
    assert [(p.role, p.name, p.side) for p in first.participants] == [
        (Role.FROM, "Ann Acker", "staff"), (Role.MENTION, "bob", "outside"),
    ]  # fmt: skip
    assert first.message_id == "slack:C1/1700000000.000100"
    contexts = [context_of(one.facts.context) for one in found if one.facts.form == "slack.message"]
    assert {context.tenant for context in contexts} == {"T1"}


def test_direct_messages_name_who_reads_them(tmp_path: Path) -> None:
    crowd = [f"U{n}" for n in range(30)]
    files = export_files(
        {"D1/2023-11-14.json": DAY, "mpdm-all/2023-11-14.json": DAY, "gone/2023-11-14.json": DAY},
        **{"dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
           "mpims.json": [{"id": "G1", "name": "mpdm-all", "members": crowd}]},
    )  # fmt: skip
    made = [one for one in records(offered(write_files(tmp_path / "e", files))) if one.kind == "im"]
    to = {
        one.message_id: [p.address for p in one.participants if p.role is Role.TO] for one in made
    }
    assert to["slack:D1/1700000000.000100"] == ["slack:U2"]
    assert to["slack:G1/1700000000.000100"] == []
    assert "slack:T1/gone/1700000000.000100" in to


def test_export_beside_mail_loses_nothing(tmp_path: Path) -> None:
    """Mail in the folder, in the folder of the export, and files with odd names."""
    root = write_files(
        tmp_path / "all",
        {"a.eml": MAIL, "100% sure.eml": MAIL, "slack/notes 5%.txt": b"words",
         "slack/mail/b.eml": MAIL, "slack/.DS_Store": b"x", "z.bin": b"\0\1",
         **{f"slack/{name}": raw for name, raw in FILES.items()}},
    )  # fmt: skip
    found = offered(root)
    assert len(items(found)) == 5
    assert Counter(one.kind for one in found) == {"chat": 5, "eml": 3, "skipped": 2, "unknown": 1}
    touched = {local(one.container) for one in found}
    assert touched == {path.resolve() for path in root.rglob("*") if path.is_file()}
    inside = offered(root / "slack")
    assert Counter(one.kind for one in inside) == {"chat": 5, "eml": 1, "skipped": 2}


def test_archive_of_an_export_and_mail_loses_nothing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "e.zip", {**FILES, "mail/b.eml": MAIL, "c.json": b"{}"})
    found = offered(archive)
    assert Counter(one.kind for one in found) == {"chat": 5, "eml": 1, "skipped": 1}
    assert ends(found)["b.eml"] == [("eml", "")]


def test_members_of_one_name_all_end(tmp_path: Path) -> None:
    path = zipped(tmp_path / "e.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("general/2023-11-14.json", json.dumps([DAY[0] | {"text": "another"}]))
    found = offered(path)
    assert len(items(found)) == 5
    assert [kind for kind, _ in ends(found)["2023-11-14.json"]] == ["unknown"]


def test_damaged_member_leaves_the_others(tmp_path: Path) -> None:
    """One day cannot be unpacked: it is said, and all the other days are there."""
    days = {f"general/2023-11-{n:02}.json": json.dumps(DAY).encode() for n in range(10, 15)}
    path = zipped(tmp_path / "e.zip", {**FILES, **days})
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("general/2023-11-12.json")
    raw = bytearray(path.read_bytes())
    at = info.header_offset + 30 + len(info.filename)
    raw[at : at + 8] = b"\xff" * 8
    path.write_bytes(raw)
    found = offered(path)
    assert Counter(one.facts.form for one in found if one.kind == "chat")["slack.message"] == 8
    ((kind, reason),) = ends(found)["2023-11-12.json"]
    assert kind == "unknown"
    assert reason.startswith("damaged")


def test_file_that_cannot_be_read_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = export_files({"general/2023-11-13.json": DAY, "general/2023-11-14.json": DAY})
    root = write_files(tmp_path / "e", files)
    opened = os.open

    def refusing(path: Any, *more: Any) -> Any:
        if str(path).endswith("13.json"):
            raise PermissionError(13, "no")
        return opened(path, *more)

    monkeypatch.setattr(os, "open", refusing)
    found = list(plan(root))
    assert Counter(one.facts.form for one in found if one.kind == "chat")["slack.message"] == 2
    assert ends(found) == {"2023-11-13.json": [("unknown", "io_error:eacces")]}


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        (b"", 0), (b"{}", 0), (b"nonsense", 0), (b"[", 0), (b'[{"ts":"1.5"},{"ts"', 1),
        (b'[{"ts":"1.5"}] trailing', 1), (b'[{"ts":"1.5"}][{"ts":"1.6"}]', 1), (b"[]", 0),
        (b'[{"ts":"1.5"},{"text":"te}]t', 1), (b"\xff\xfe[\0]\0", 0),
    ],
)  # fmt: skip
def test_damaged_day_is_said(raw: bytes, count: int, tmp_path: Path) -> None:
    found = offered(write_files(tmp_path / "e", {**FILES, "general/2023-11-15.json": raw}))
    assert sum(one.facts.form == "slack.message" for one in found) == count + 2
    ended = ends(found).get("2023-11-15.json", [])
    if raw in (b"[]", b"{}", b""):
        assert ended == ([] if raw else [("skipped", "empty_file")])
    else:
        ((kind, reason),) = ended
        assert (kind, reason.partition(": ")[0]) == ("unknown", "damaged:json")


def test_element_that_is_no_json_keeps_its_bytes(tmp_path: Path) -> None:
    raw = b'[{"message_changed" 1}, {"ts": "1.5"}, 7]'
    found = offered(write_files(tmp_path / "e", {**FILES, "general/2023-11-15.json": raw}))
    kept = [raw for raw, one in items(found) if "15.json" in one.container]
    assert kept == [b'{"message_changed" 1}', b'{"ts": "1.5"}', b"7"]
    damaged = [one for one in records(found) if one.kind is Kind.UNKNOWN]
    assert [one.body for one in damaged] == [b'{"message_changed" 1}'.decode(), "7"]


@pytest.mark.parametrize("raw", [b" ", b"[", b"5", b'{"a": 1}', b'[5, null, {"id": 7}, "x"]'])
def test_hostile_directories(raw: bytes, tmp_path: Path) -> None:
    found = offered(write_files(tmp_path / "e", {**FILES, "users.json": raw}))
    assert sum(one.facts.form == "slack.message" for one in found) == 2
    records(found)
    found = offered(write_files(tmp_path / "e", {**FILES, "channels.json": raw}))
    assert sum(one.facts.form == "slack.message" for one in found) == 2
    records(found)


def test_names_that_no_text_can_hold(tmp_path: Path) -> None:
    users = b'[{"id": "U1", "name": "a\\ud800", "team_id": "T\\udfff"}]'
    found = offered(write_files(tmp_path / "e", {**FILES, "users.json": users}))
    assert "a\ufffd" in [p.name for one in records(found) for p in one.participants]


def test_what_only_looks_like_an_export_is_none(tmp_path: Path) -> None:
    root = write_files(tmp_path / "e", {"users.json": b"[]", "a.eml": MAIL})
    assert Counter(one.kind for one in offered(root)) == {"unknown": 1, "eml": 1}
    assert PlanRules().chats.zone == ""


def test_kept_edits_and_deletions_bring_the_first_text(tmp_path: Path) -> None:
    first = {"type": "message", "ts": "1700000000.000100", "user": "U1", "text": "first"}
    second = {**first, "text": "second", "edited": {"user": "U1", "ts": "1700000009.000000"}}
    kept = {"type": "message", "ts": "1700000009.000100"}
    day = [
        {**kept, "subtype": "message_changed", "message": second, "previous_message": first},
        {**kept, "ts": "1700000010.000100", "subtype": "message_deleted",
         "deleted_ts": first["ts"], "previous_message": second},
        {**kept, "ts": "1700000011.000100", "subtype": "message_deleted"},
    ]  # fmt: skip
    files = export_files({"general/2023-11-14.json": day})
    found = records(offered(write_files(tmp_path, files)))
    texts = sorted(
        (one.kind, one.body, [p.name for p in one.participants])
        for one in found
        if one.message_id == "slack:C1/1700000000.000100"
    )
    assert texts == [
        (Kind.DELETION, "second", ["Ann Acker"]),
        (Kind.IM, "first", ["Ann Acker"]),
        (Kind.IM, "second", ["Ann Acker"]),
        (Kind.IM, "second", ["Ann Acker"]),
    ]


def test_list_of_very_many_bytes_names_fewer_people_one_by_one(tmp_path: Path) -> None:
    """Each person is an item of all its bytes: what is read of a list is bounded, no square."""
    long = "x" * (MOST_READ_BYTES // 10)
    liked = {"name": "ok", "users": ["U1", "U2"] * 20, "count": 41, "url": long}
    said = {"type": "message", "ts": "1700000000.000100", "user": "U1", "reactions": [liked]}
    root = write_files(tmp_path / "export", export_files({"general/2023-11-14.json": [said]}))
    assert sum(one.facts.form == "slack.reaction" for one in plan(root)) == 9 + 1
