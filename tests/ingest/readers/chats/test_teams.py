"""Exports of Teams: everything in them is counted from the raw files and found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chat_kit import CORPUS, codes, of_kind, offers_of, once, people, records_of, tree_of, written
from chat_kit import zip_tree as tree_of_zip
from holdfast.core.kinds import Kind, Role
from holdfast.ingest.readers.chats.teams import TeamsExport
from holdfast.ingest.readers.chats.tree import ChatRules

TOOL, PAGES = CORPUS / "teams", CORPUS / "teams-graph"
HAMLET, PIETER = "6ff341e1-a228-4710-926e-df06a19cd4b5", "fa90a9e8-97f3-4da9-8025-6947b0108f08"


def raw_messages() -> list[dict[str, Any]]:
    return [one for path in TOOL.rglob("messages_*.json") for one in json.loads(path.read_bytes())]


def test_everything_of_an_export_of_the_tool_is_kept() -> None:
    found = offers_of(TeamsExport(), tree_of(TOOL))
    records = records_of(found)
    raw = raw_messages()
    undated = [one for one in records if one.defects]  # the tool's lists have no times
    assert {one.kind for one in undated} == {Kind.PROFILE, Kind.CONVERSATION}
    assert {code for one in undated for code in codes(one)} == {"date_missing"}
    reactions = sum(len(one["Reactions"] or ()) for one in raw)
    assert len(of_kind(records, Kind.REACTION)) == reactions > 0
    # users, teams, channel, members, meeting
    assert len(records) == len(raw) + reactions + 3 + 2 + 1 + 4 + 1
    texts = {one.message_id for one in of_kind(records, Kind.IM)}
    expected = [one for one in raw if one["MessageType"] == "message"]
    rooms = {
        one["Id"]: one["ChatId"]
        or f"{one['ChannelIdentity']['TeamId']}/{one['ChannelIdentity']['ChannelId']}"
        for one in expected
    }
    assert texts == {f"teams:{room}/{key}" for key, room in rooms.items()}
    assert len(of_kind(records, Kind.PROFILE)) == 3 + 4
    assert len(of_kind(records, Kind.CONVERSATION)) == 2 + 1
    skipped = {one.facts.note for one in found if one.kind == "skipped"}
    assert skipped == {"teams_bookkeeping"}


def test_a_chat_that_lies_in_two_folders_is_one() -> None:
    records = of_kind(records_of(offers_of(TeamsExport(), tree_of(TOOL))), Kind.IM)
    raw = [one for one in raw_messages() if one["MessageType"] == "message"]
    assert len(records) == len(raw)
    assert len(once(records)) == len({one["Id"] for one in raw}) == len(raw) - 1
    twice = [one for one in records if one.message_id.endswith("/1754461307700")]
    assert twice[0] == twice[1]
    assert [one.address for one in people(twice[0], Role.TO)] == [f"teams:{PIETER}"]
    assert people(twice[0], Role.TO)[0].name == "pieter kwok"


def test_rooms_have_the_names_and_the_members_of_the_lists() -> None:
    records = records_of(offers_of(TeamsExport(), tree_of(TOOL)))
    reply = next(one for one in records if one.message_id.endswith("/1754461234160"))
    assert reply.chat is not None
    assert reply.chat.conversation is not None
    assert reply.chat.conversation.name == "core team / General"
    assert reply.chat.answers.endswith("/1754399900734")
    assert people(reply, Role.FROM)[0].side == "staff"
    assert [one.name for one in people(reply, Role.TO)] == ["pieter kwok"]
    channel = next(one for one in of_kind(records, Kind.CONVERSATION) if "/19:" in one.message_id)
    members = {one.address for one in people(channel, Role.MEMBER)}
    assert members == {f"teams:{HAMLET}", f"teams:{PIETER}"}


def test_pages_of_graph_are_known_by_their_content(tmp_path: Path) -> None:
    page = json.loads((PAGES / "page-1.json").read_bytes())["value"]
    found = offers_of(TeamsExport(), tree_of(PAGES))
    records = records_of(found)
    still_there = [one for one in page if one["deletedDateTime"] and one["body"]["content"]]
    (liked,) = of_kind(records, Kind.REACTION)
    assert liked.body == "custom (shipit)"
    assert len(records) == len(page) + len(still_there) + 1
    assert len(of_kind(records, Kind.DELETION)) == sum(
        one["deletedDateTime"] is not None for one in page
    )
    listed = written(tmp_path, {"list.json": json.dumps(page), "one.json": json.dumps(page[1])})
    again = records_of(offers_of(TeamsExport(), tree_of(listed)))
    assert {one.fingerprint for one in again} == {one.fingerprint for one in records}
    assert len(again) == len(records) + 1


def test_no_end_is_lost_where_files_are_damaged_or_strange(tmp_path: Path) -> None:
    page = (PAGES / "page-1.json").read_bytes()
    root = written(
        tmp_path,
        {
            "page.json": page[: len(page) // 2],
            "users/u/messages_u.json": b'[{"Id":"1","ChatId":"c","Body":null},{"nothing":1},17]',
            "empty/users/u/messages_v.json": b"",
            "object/users/u/messages_w.json": b"{}",
            "value/users/u/messages_x.json": b'{"value":17}',
            "bad/teams/t/channels_t.json": b"[[]]",
            "note.json": b"{}",
            "note.txt": b"x",
            ".DS_Store": b"x",
            "__MACOSX/x.json": b"x",
        },
    )
    found = offers_of(TeamsExport(), tree_of(root))
    notes = {one.facts.member: one.facts.note for one in found if one.kind != "chat"}
    assert notes == {
        "page.json": "damaged:json: it ends early",
        "empty/users/u/messages_v.json": "damaged:json: neither a list nor an object",
        "note.json": "teams_file_unknown",
        "note.txt": "teams_file_unknown",
        ".DS_Store": "os_litter",
        "__MACOSX/x.json": "os_litter",
    }
    records = records_of(found)
    whole = json.loads(page)["value"]
    assert 0 < len([one for one in records if not one.defects]) < len(whole)
    damaged = [one for one in records if "form_damaged" in codes(one)]
    assert len(damaged) == 5
    assert {one.kind for one in damaged} == {Kind.UNKNOWN}


def test_who_is_of_another_tenant_is_outside() -> None:
    page = tree_of(PAGES, ChatRules(tenant="t-1"))
    records = of_kind(records_of(offers_of(TeamsExport(), page)), Kind.IM)
    sides = {people(one, Role.FROM)[0].name: people(one, Role.FROM)[0].side for one in records}
    assert sides == {"王芳": "staff", "Client": "outside", "Deploy": "bot", "Guest": "outside"}
    elsewhere = tree_of(PAGES, ChatRules(tenant="t-9"))
    records = of_kind(records_of(offers_of(TeamsExport(), elsewhere)), Kind.IM)
    assert {people(one, Role.FROM)[0].side for one in records} == {"outside", "bot"}


def test_export_in_an_archive_is_the_same(tmp_path: Path) -> None:
    import zipfile

    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in sorted(p for p in TOOL.rglob("*") if p.is_file()):
            made.write(path, "TeamsDataExport/" + path.relative_to(TOOL).as_posix())
    packed = records_of(offers_of(TeamsExport(), tree_of_zip(archive, tmp_path / "out")))
    plain = records_of(offers_of(TeamsExport(), tree_of(TOOL)))
    assert sorted(one.fingerprint for one in packed) == sorted(one.fingerprint for one in plain)


def test_other_folders_are_no_export(tmp_path: Path) -> None:
    written(tmp_path, {"a.json": b"[]", "users.json": b"[]", "b.txt": b'"messageType": "chatId":'})
    assert not TeamsExport().is_export(tree_of(tmp_path))
