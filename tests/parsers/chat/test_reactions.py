"""Reactions that exports list with their messages: who, what, and when where it is known."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chat_kit import codes
from holdfast.core.kinds import Kind
from holdfast.core.records import Parsed
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, Person, context_text

OK = {"name": "ok", "users": ["U1", "U2"], "count": 4}
FIRE = {"type": "emoji", "emoji": "🔥", "count": 3, "recent": [
    {"from": "王 芳", "from_id": "user777", "date": "2024-03-05T10:00:00",
     "date_unixtime": "1709604000"},
    {"date": "2024-03-05T10:00:00"},
]}  # fmt: skip
LIKE = {"reactionType": "👍", "createdDateTime": "2026-03-02T08:20:00Z",
        "user": {"user": {"id": "x1", "displayName": None}}}  # fmt: skip


def read(form: str, value: Any, place: int | None = None) -> Parsed:
    extra: dict[str, Any] = {"message": "m/1"}
    people = {"U1": Person("Ann Acker", "", "staff"), "x1": Person("李娜", "", "staff")}
    context = Context(
        "c", room={"key": "r"}, people=people,
        extra=extra if place is None else extra | {"place": place},
    )  # fmt: skip
    return parse_form(form, FormItem(json.dumps(value).encode(), context_text(context)))


def told(record: Parsed) -> tuple[object, ...]:
    people = [(one.name, one.address) for one in record.participants]
    return (
        record.kind, record.message_id, record.subject, record.body, people, record.sent_at,
        sorted(codes(record)),
    )  # fmt: skip


def test_one_person_of_a_list_of_slack_reacts_at_no_known_time() -> None:
    assert told(read("slack.reaction", OK, 0)) == (
        Kind.REACTION, "m/1", "reaction_added", ":ok:", [("Ann Acker", "slack:U1")], None, [],
    )  # fmt: skip
    assert read("slack.reaction", OK, 0).fingerprint != read("slack.reaction", OK, 1).fingerprint
    more = {**OK, "users": ["U1"], "count": 1}
    assert read("slack.reaction", more, 0).fingerprint == read("slack.reaction", OK, 0).fingerprint


def test_people_who_are_only_counted_are_one_record() -> None:
    assert told(read("slack.reaction", OK, -1))[3:5] == (":ok: x2", [])
    assert told(read("slack.reaction", OK))[3:5] == (":ok: x2", [])
    assert told(read("slack.reaction", {**OK, "users": [""]}, 0))[3:5] == (":ok: x1", [])
    assert told(read("telegram.reaction", FIRE, -1))[3:5] == ("🔥 x1", [])


def test_telegram_says_when_and_who() -> None:
    at = datetime(2024, 3, 5, 2, 0, tzinfo=UTC)
    assert told(read("telegram.reaction", FIRE, 0))[3:] == (
        "🔥", [("王 芳", "telegram:user777")], at, [],
    )  # fmt: skip
    nobody = read("telegram.reaction", FIRE, 1)
    assert told(nobody)[3:5] == ("🔥 x1", [])
    assert codes(nobody) == {"date_no_zone"}
    own = {**FIRE, "emoji": "", "document_id": "stickers/a.webp"}
    assert read("telegram.reaction", own, 0).body == "stickers/a.webp"


def test_teams_says_when_and_who() -> None:
    at = datetime(2026, 3, 2, 8, 20, tzinfo=UTC)
    assert told(read("teams.reaction", LIKE, 0))[3:] == ("👍", [("李娜", "teams:x1")], at, [])
    nobody = {"ReactionType": "custom", "DisplayName": "shipit", "User": None}
    assert told(read("teams.reaction", nobody, 0))[3:] == ("custom (shipit) x1", [], None, [])


@pytest.mark.parametrize(
    ("form", "value", "place"),
    [
        ("slack.reaction", {"users": ["U1"], "count": 1}, 0),
        ("slack.reaction", {"name": "ok", "users": ["U1"], "count": 1}, -1),
        ("slack.reaction", OK, 7),
        ("telegram.reaction", {"recent": [{}]}, 0),
        ("teams.reaction", [], 0),
    ],
)
def test_what_is_no_reaction_is_said_to_be_none(form: str, value: Any, place: int) -> None:
    assert "form_damaged" in codes(read(form, value, place))
