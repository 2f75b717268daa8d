"""Rooms over HTTP: what was said, who was in them, and nothing outside the scope."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from holdfast.wiring.founding import create_archive
from slack_kit import export_files, write_files

T0 = 1_700_000_000


def said(second: int, user: str, text: str) -> dict[str, Any]:
    return {"type": "message", "ts": f"{T0 + second}.000100", "user": user, "text": text}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A room that Bob was given one line of, and one between him and Ann."""
    folder = tmp_path_factory.mktemp("rooms")
    lines = [said(n, "U1", f"line {n}") for n in range(5)]
    between = [said(0, "U1", "between us"), said(1, "U2", "yes")]
    whole = export_files({"general/2023-11-14.json": lines})
    own = export_files(
        {"general/2023-11-14.json": lines[2:3], "D1/2023-11-14.json": between},
        **{"channels.json": [{"id": "C1", "name": "general"}],
           "dms.json": [{"id": "D1", "members": ["U1", "U2"]}]},
    )  # fmt: skip
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, write_files(folder / "whole", whole))
    bring_in(settings, write_files(folder / "own", own), custodian="bob")
    with office(settings) as opened:
        opened.hire("legal", "legal")
        opened.hire("bob", "member")
        opened.hire("eve", "member", addresses=("eve@x.org",))
        yield opened


def room(house: Office, name: str) -> str:
    (found,) = house.get("legal", f"/conversations?q={name}")["conversations"]
    return str(found["id"])


def test_reactions_stand_with_their_message(tmp_path: Path) -> None:
    def files(who: list[str], last: int) -> dict[str, bytes]:
        liked = {"reactions": [{"name": "13800138000", "users": who, "count": len(who)}]}
        lines = [said(0, "U1", "liked") | liked, said(last, "U1", "last")]
        return export_files({"general/2023-11-14.json": lines})

    settings = settings_in(tmp_path, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, write_files(tmp_path / "late", files(["U2"], 60)))
    bring_in(settings, write_files(tmp_path / "early", files(["U1", "U2"], 30)))
    with office(settings) as opened:
        opened.hire("legal", "legal")
        path = f"/conversations/{room(opened, 'general')}/messages"
        line = opened.get("legal", path)["lines"][0]
        assert line["text"] == "liked"
    told = {one["who"]: one for one in line["reactions"]}
    assert set(told) == {"Ann Acker", "bob"}
    assert {one["what"] for one in told.values()} == {":138****8000:"}
    assert {one["at"] for one in told.values()} == {None}
    assert all(one["contact_id"] for one in told.values())
    assert told["bob"]["gone_by"] is None
    assert told["Ann Acker"]["gone_by"] == "2023-11-14T22:14:20.000Z"
    assert {one["record_id"] for one in told.values()} == {one["id"] for one in line["later"]}


def texts(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [line["text"] for line in answer["lines"]]


def test_room_is_found_and_read(rooms: Office) -> None:
    (found,) = rooms.get("legal", "/conversations?q=GENER")["conversations"]
    assert (found["channel"], found["name"], found["messages"]) == ("slack", "general", 7)
    assert rooms.get("legal", f"/conversations/{found['id']}") == found
    assert rooms.get("legal", "/conversations?q=nowhere")["conversations"] == []
    assert rooms.entries("read")[0]["subject"] == found["id"]


def test_lines_by_pages_and_around_one(rooms: Office) -> None:
    path = f"/conversations/{room(rooms, 'general')}/messages"
    page = rooms.get("legal", f"{path}?limit=2")
    assert texts(page) == ["line 3", "line 4"]
    assert page["after"] is None
    before = rooms.get("legal", f"{path}?limit=2&cursor={page['before']}")
    assert texts(before) == ["line 1", "line 2"]
    centre = before["lines"][1]["record"]["id"]
    around = rooms.get("legal", f"{path}?limit=2&around={centre}")
    assert texts(around) == ["line 1", "line 2", "line 3"]
    assert rooms.ask("legal", "GET", f"{path}?cursor=x").status_code == 400


def test_record_of_another_room_is_not_in_this_one(rooms: Office) -> None:
    other = rooms.get("legal", f"/conversations/{room(rooms, 'D1')}/messages")["lines"][0]
    path = f"/conversations/{room(rooms, 'general')}/messages?around={other['record']['id']}"
    rooms.get("legal", path, 404)


def test_members_of_a_room(rooms: Office) -> None:
    path = f"/conversations/{room(rooms, 'general')}/members"
    members = rooms.get("legal", path)["members"]
    assert sorted(one["address"] for one in members) == ["slack:U1", "slack:U2"]
    assert all(one["contact_id"] for one in members)
    dated = rooms.get("legal", f"{path}?at=2023-11-01T00:00:00Z")
    assert dated["at"].startswith("2023-11-01")


def test_member_sees_only_the_scope(rooms: Office) -> None:
    general, direct = room(rooms, "general"), room(rooms, "D1")
    assert texts(rooms.get("bob", f"/conversations/{direct}/messages")) == ["between us", "yes"]
    assert rooms.get("bob", f"/conversations/{direct}")["messages"] == 3
    shown = rooms.get("bob", f"/conversations/{general}/messages")
    assert texts(shown) == ["line 2"]
    assert set(shown) == {"conversation_id", "lines", "before", "after"}  # none says how many more
    seen = rooms.get("bob", f"/conversations/{general}")
    assert (seen["messages"], seen["first_at"], seen["last_at"]) == (2, None, None)
    assert rooms.get("bob", f"/conversations/{general}/members")["members"] == []
    assert len(rooms.get("bob", f"/conversations/{direct}/members")["members"]) == 2
    for one in (general, direct):
        for part in ("", "/members", "/messages"):
            rooms.get("eve", f"/conversations/{one}{part}", 404)
    assert rooms.get("eve", "/conversations?q=general")["conversations"] == []


@pytest.mark.parametrize("name", ["cnv_0000000000000", "msg_0000000000000", "x"])
def test_names_that_are_none_are_not_found(rooms: Office, name: str) -> None:
    for part in ("", "/members", "/messages"):
        rooms.get("legal", f"/conversations/{name}{part}", 404)


def test_who_has_an_address_of_chat_reads_what_was_said_with_it(rooms: Office) -> None:
    (line,) = rooms.search("legal", "between", limit=1)["hits"]
    me = next(one["address"] for one in line["record"]["participants"] if one["role"] == "from")
    assert me.startswith("slack:")
    rooms.hire("una", "member", addresses=(me.upper().replace("SLACK:", "slack:"),))
    assert rooms.search("una", "between")["total"] == 1
    assert rooms.search("eve", "between")["total"] == 0
