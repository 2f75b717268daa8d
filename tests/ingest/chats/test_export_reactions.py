"""Reactions of exports: a later export adds and takes away, in whatever order they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from archive_kit import bring_in, findings, found, opened, settings_in
from holdfast.api.reacted import reactions_to
from holdfast.core.senders import sender_of
from holdfast.settings import Settings
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.conversations import lines_of
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import batches, conversations
from slack_kit import export_files, write_files

T0 = 1_700_000_000
Likes = dict[int, dict[str, list[str]]]
"""Message → emoji → who."""


def at(second: int) -> datetime:
    return datetime.fromtimestamp(T0 + second, UTC)


def slack(root: Path, likes: Likes, seconds: Sequence[int]) -> Path:
    def message(second: int) -> dict[str, Any]:
        liked = [
            {"name": name, "users": who, "count": len(who)}
            for name, who in likes.get(second, {}).items()
        ]
        more = {"reactions": liked} if liked else {}
        return {"type": "message", "ts": f"{T0 + second}.000100", "user": "U1",
                "text": f"line {second}", **more}  # fmt: skip

    day = [message(second) for second in seconds]
    return write_files(root, export_files({"general/2023-11-14.json": day}))


def telegram(root: Path, likes: Likes, seconds: Sequence[int]) -> Path:
    def message(second: int) -> dict[str, Any]:
        liked = [
            {"type": "emoji", "emoji": f":{name}:", "count": len(who),
             "recent": [{"from": one, "from_id": f"user{one[1:]}", "date": ""} for one in who]}
            for name, who in likes.get(second, {}).items()
        ]  # fmt: skip
        more = {"reactions": liked} if liked else {}
        return {"id": second, "type": "message", "date": "2023-11-14T22:13:20",
                "date_unixtime": str(T0 + second), "from": "U1", "from_id": "user1",
                "text": f"line {second}", **more}  # fmt: skip

    chat = {"name": "general", "type": "private_supergroup", "id": 5,
            "messages": [message(second) for second in seconds]}  # fmt: skip
    return write_files(root, {"result.json": json.dumps(chat).encode()})


def teams(root: Path, likes: Likes, seconds: Sequence[int]) -> Path:
    def message(second: int) -> dict[str, Any]:
        liked = [
            {"reactionType": f":{name}:", "user": {"user": {"id": one, "displayName": one}}}
            for name, people in likes.get(second, {}).items()
            for one in people
        ]
        changed = at(max(seconds)).isoformat()  # as if the last thing done were done to each
        return {"id": str(second), "messageType": "message", "chatId": "19:x@thread.v2",
                "createdDateTime": at(second).isoformat(), "lastModifiedDateTime": changed,
                "from": {"user": {"id": "U1", "displayName": "U1"}},
                "body": {"content": f"line {second}"}, "reactions": liked}  # fmt: skip

    page = {"value": [message(second) for second in seconds]}
    return write_files(root, {"page.json": json.dumps(page).encode()})


Write = Callable[[Path, Likes, Sequence[int]], Path]
SYSTEMS = pytest.mark.parametrize("write", [slack, telegram, teams])
EARLY: Likes = {0: {"ok": ["U1", "U2"], "no": ["U2"]}, 1: {"ok": ["U2"]}}
LATE: Likes = {0: {"ok": ["U2"]}, 2: {"tada": ["U1"]}}
NOW = {"line 0": [("U2", ":no:", at(9)), ("U1", ":ok:", at(9)), ("U2", ":ok:", None)],
       "line 1": [("U2", ":ok:", at(9))], "line 2": [("U1", ":tada:", None)]}  # fmt: skip


def stand(settings: Settings) -> dict[str, list[tuple[str, str, datetime | None]]]:
    """Return what becomes of the reactions to each line: who, what, and by when it was gone."""
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            (room,) = connection.scalars(select(conversations.c.id))
        lines = lines_of(services.store, room, limit=1000).lines
        wanted = {i for line in lines for i in (line.id, *line.versions, *line.later)}
        seen = {one.id: one for one in records(services.store, sorted(wanted))}
        reacted = reactions_to(services.store, lines, list(seen.values()))
    names = {"Ann Acker": "U1", "bob": "U2"}
    return {
        seen[line].body: sorted(
            (
                (names.get(sender_of(seen[one.id]), sender_of(seen[one.id])), one.what, one.gone_by)
                for one in those
            ),
            key=lambda one: (one[1], one[0]),
        )
        for line, those in reacted.items()
    }


def in_parts(tmp_path: Path, write: Write) -> dict[str, Path]:
    """Two exports of a room, and the halves of the later one, which overlap."""
    return {
        "early": write(tmp_path / "early", EARLY, range(4)),
        "late": write(tmp_path / "late", LATE, range(10)),
        "first half": write(tmp_path / "first", LATE, [*range(6), 9]),
        "second half": write(tmp_path / "second", LATE, range(2, 10)),
    }


@SYSTEMS
def test_a_later_export_adds_and_takes_away_whichever_comes_first(
    write: Write, tmp_path: Path
) -> None:
    parts = in_parts(tmp_path, write)
    for number, order in enumerate(
        [("early", "late"), ("late", "early"), ("early", "late", "early", "late"),
         *permutations(("first half", "second half", "early"))],
    ):  # fmt: skip
        (tmp_path / str(number)).mkdir()
        settings = settings_in(tmp_path / str(number))
        for part in order:
            assert bring_in(settings, parts[part]).counts.failed == 0
        assert stand(settings) == NOW, order
        assert found(settings, "kind:reaction") == 5, "what was said before is kept"
        assert found(settings, "kind:im") == 10
        assert number or findings(settings) == []


@SYSTEMS
def test_early_export_alone_and_the_late_one_undone_say_the_same(
    write: Write, tmp_path: Path
) -> None:
    parts, settings = in_parts(tmp_path, write), settings_in(tmp_path)
    bring_in(settings, parts["early"])
    first = stand(settings)
    assert first == {
        "line 0": [("U2", ":no:", None), ("U1", ":ok:", None), ("U2", ":ok:", None)],
        "line 1": [("U2", ":ok:", None)],
    }
    bring_in(settings, parts["late"])
    assert stand(settings) != first
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            last = max(connection.scalars(select(batches.c.id)))
        undo_batch(services.store, last)
    assert stand(settings) == first


def test_export_that_lies_where_the_last_one_lay_is_read_anew(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    root = tmp_path / "export"
    bring_in(settings, slack(root, EARLY, range(4)))
    more: Likes = {0: {**EARLY[0], "eyes": ["U1"]}, 1: EARLY[1]}
    bring_in(settings, slack(root, more, range(6)))
    assert [one[2] for one in stand(settings)["line 0"]] == [None] * 4
    assert stand(settings)["line 1"] == [("U2", ":ok:", None)]
    assert bring_in(settings, root).counts.new == 0


def test_edit_that_an_export_keeps_is_no_word_about_reactions(tmp_path: Path) -> None:
    """It shows the message as it was when it was edited, and lists no reactions."""
    said = {"type": "message", "ts": f"{T0}.000100", "user": "U1", "text": "new",
            "reactions": [{"name": "ok", "users": ["U2"], "count": 1}]}  # fmt: skip
    early = export_files({"general/2023-11-14.json": [said]})
    edit = {"type": "message", "subtype": "message_changed", "ts": f"{T0 + 50}.000100",
            "message": {**said, "reactions": None, "edited": {"ts": f"{T0 + 50}.0"}},
            "previous_message": {**said, "text": "old"}}  # fmt: skip
    late = export_files({"general/2023-11-14.json": [edit]})
    settings = settings_in(tmp_path)
    bring_in(settings, write_files(tmp_path / "a", early))
    bring_in(settings, write_files(tmp_path / "b", late))
    (those,) = stand(settings).values()
    assert those == [("U2", ":ok:", None)]


@pytest.mark.parametrize("is_same_place", [True, False])
def test_day_that_a_later_export_has_as_the_first_had_it_says_that_a_reaction_is_gone(
    tmp_path: Path, *, is_same_place: bool
) -> None:
    """The bytes of the message are the first export's; the export is later than the second."""
    settings = settings_in(tmp_path)
    for number, who in enumerate(([], ["U2"], []), 1):
        root = tmp_path / ("export" if is_same_place else f"export {number}")
        liked = {"reactions": [{"name": "ok", "users": who, "count": 1}]} if who else {}
        said = {"type": "message", "ts": f"{T0}.000100", "user": "U1", "text": "hi", **liked}
        later = {"type": "message", "ts": f"{T0 + number * 90_000}.0", "user": "U1", "text": "x"}
        files = {"general/2023-11-14.json": [said], f"general/2023-11-{14 + number}.json": [later]}
        bring_in(settings, write_files(root, export_files(files)))
    assert stand(settings) == {"hi": [("U2", ":ok:", at(3 * 90_000))]}


def test_time_that_is_still_to_come_does_not_outlast_later_exports(tmp_path: Path) -> None:
    """Whatever an export states: it is not of later than it came in."""
    said = {"type": "message", "ts": f"{T0}.000100", "user": "U1", "text": "hi"}
    liked = {**said, "reactions": [{"name": "ok", "users": ["U2"], "count": 1}]}
    forged = {**said, "ts": "99999999999.0", "text": "x"}
    settings = settings_in(tmp_path)
    for number, day in enumerate(([said, forged], [liked, {**forged, "text": "y"}])):
        files = export_files({"general/2023-11-14.json": day})
        bring_in(settings, write_files(tmp_path / str(number), files))
    assert stand(settings)["hi"] == [("U2", ":ok:", None)]
    files = export_files({"general/2023-11-14.json": [said, {**forged, "text": "z"}]})
    bring_in(settings, write_files(tmp_path / "last", files))
    ((_, _, gone_by),) = stand(settings)["hi"]
    assert gone_by is not None
    assert gone_by < datetime(5000, 1, 1, tzinfo=UTC)
