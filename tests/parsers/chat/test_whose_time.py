"""A time that the system states is labelled `date`, one that only we know `received`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, context_text

RECEIVED_MS = 1_717_405_200_000
STATED_MS = 1_717_380_061_000
STATED_S = STATED_MS // 1000
ROOM = {"key": "R", "name": "room"}

UNSTATED: Mapping[str, Any] = {
    "dingtalk.event": {"eventType": "chat_update_title", "chatId": "R"},
    "file": {},
    "hook.event": {"kind": "call"},
    "jdy.event": {"op": "data_remove", "data": {"_id": "1"}},
    "mattermost.room": {"type": "channel", "channel": {"name": "R"}},
    "mattermost.user": {"type": "user", "user": {"username": "ann"}},
    "slack.event": {"event": {"type": "team_join"}},
    "slack.user": {"id": "U1"},
    "teams.notification": {"lifecycleEvent": "missed"},
    "teams.room": {"id": "R"},
    "teams.user": {"id": "U1"},
    "telegram.chat": {"id": 1, "name": "R"},
    "telegram.other": {"sessions": []},
    "wecom.message": {"msgid": "7", "encrypt_chat_msg": "x"},
    "no.such.form": {},
}
STATED: Mapping[str, Any] = {
    "dingtalk.event": {"eventType": "chat_update_title", "timeStamp": str(STATED_MS)},
    "jdy.event": {"op": "data_remove", "data": {"deleteTime": "2024-06-03T02:01:01.000Z"}},
    "slack.event": {"event": {"type": "team_join", "event_ts": f"{STATED_S}.000100"}},
    "slack.user": {"id": "U1", "updated": STATED_S},
    "teams.room": {"id": "R", "createdDateTime": "2024-06-03T02:01:01Z"},
    "wecom.message": {"msgid": f"7_{STATED_MS}_external", "encrypt_chat_msg": "x"},
}


def whose(form: str, value: Any, received_ms: int = RECEIVED_MS) -> tuple[datetime | None, str]:
    context = context_text(Context(room=ROOM, received_ms=received_ms))
    record = parse_form(form, FormItem(json.dumps(value).encode(), context))
    return record.sent_at, record.sent_at_source


@pytest.mark.parametrize("form", UNSTATED)
def test_a_time_that_only_we_know_is_no_date(form: str) -> None:
    received = datetime.fromtimestamp(RECEIVED_MS / 1000, UTC)
    assert whose(form, UNSTATED[form]) == (received, "received")
    assert whose(form, UNSTATED[form], received_ms=0) == (None, "none")


@pytest.mark.parametrize("form", STATED)
def test_a_time_that_the_system_states_is_a_date(form: str) -> None:
    assert whose(form, STATED[form]) == (datetime.fromtimestamp(STATED_S, UTC), "date")


def test_id_of_a_message_of_teams_states_when_it_was_made() -> None:
    """A notification has no time of its own; the id is that of the message's making."""
    notice = {"changeType": "created", "resource": f"chats('R')/messages('{STATED_MS}')"}
    assert whose("teams.notification", notice)[1] == "received"
    at, source = whose("teams.notification", notice, received_ms=0)
    assert (at, source) == (datetime.fromtimestamp(STATED_S, UTC), "date")


def test_file_has_the_time_of_its_message() -> None:
    context = Context(received_ms=RECEIVED_MS, extra={"at_ms": STATED_MS})
    assert parse_form("file", FormItem(b"x", context_text(context))).sent_at_source == "date"
