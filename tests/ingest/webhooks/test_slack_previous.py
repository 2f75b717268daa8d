"""What stood in a message before an edit that Slack told us of: a version, even if it is news."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office
from catalogue_kit import new_store
from chat_filing import ChatFiling, Item, all_records
from chat_story import T0, deleted, happened, said, ts
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.webhooks.request import Taken
from holdfast.ingest.webhooks.vendors.slack import SlackSettings, take
from holdfast.parsers.chat.values import Context
from holdfast.settings import Settings
from holdfast.storage.catalogue.conversations import lines_of, rooms
from holdfast.wiring.runs import parser_pool
from hook_checks import send
from hook_kit import NOW, SECRET, signed_slack
from slack_kit import PEOPLE, ROOM

FIRST = said(0, "first words")
OUTER = {"type": "event_callback", "event_id": "Ev1", "event_time": T0 + 5, "team_id": "T1"}


def edit(**more: Any) -> dict[str, Any]:
    changed = said(0, "second words", edited={"user": "U1", "ts": ts(5)})
    return {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": ts(5),
            "event_ts": ts(5), "message": changed, "previous_message": FIRST, **more}  # fmt: skip


def taken(event: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    body = json.dumps({**OUTER, "event": event}).encode()
    outcome = take(signed_slack(body, NOW, SECRET), SlackSettings((SECRET,)))
    assert isinstance(outcome, Taken)
    return [(one.key, one.form, one.raw) for one in outcome.events]


def test_edit_and_deletion_are_taken_with_what_stood_there_before() -> None:
    both = taken(edit())
    assert [one[:2] for one in both] == [
        ("Ev1", "slack.event"), ("Ev1#previous", "slack.event_previous"),
    ]  # fmt: skip
    assert both[0][2] == both[1][2]
    gone = edit(subtype="message_deleted", deleted_ts=ts(0))
    assert [form for _, form, _ in taken(gone)] == ["slack.event", "slack.event_previous"]
    for plain in (
        {**FIRST, "channel": "C1"},
        edit(previous_message={}),
        {"type": "reaction_added"},
    ):
        assert [form for _, form, _ in taken(plain)] == ["slack.event"]


def items() -> dict[str, Item]:
    """The edit as two items, and the first text as an export and as an event have it."""
    context = Context("slack", "T1", room=ROOM, people=PEOPLE)
    outer = {**OUTER, "event": edit()}
    return {
        "edit": Item("slack.event", outer, context),
        "before": Item("slack.event_previous", {**outer, "again": 1}, context),
        "exported": Item("slack.message", FIRST),
        "live": happened(0, **{**FIRST, "channel": "C1"}),
    }


@pytest.mark.parametrize("order", list(permutations(("edit", "before", "exported", "live"))))
def test_first_text_is_one_version_whichever_way_it_comes_and_when(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    store = new_store(tmp_path)
    file, known = ChatFiling(store), items()
    for one in order:
        file(known[one])
    made = {one.id: one for one in all_records(store)}
    assert sorted(one.body for one in made.values()) == ["first words", "second words"]
    (line,) = lines_of(store, rooms(store, "C1")[0].id).lines
    assert made[line.id].body == "first words"
    assert [made[one].body for one in line.versions] == ["second words"]
    assert made[line.id].marks == ("edited",)


def test_first_text_that_never_came_is_shown_and_deleted_with_its_message(tmp_path: Path) -> None:
    store, known = new_store(tmp_path), items()
    ChatFiling(store)(known["edit"])
    ChatFiling(store)(known["before"], deleted(9, 0))
    made = {one.body: one.marks for one in all_records(store)}
    assert made["first words"] == ("edited", "deleted")
    assert made["second words"] == ("edited", "deleted", "version")


def test_words_of_before_are_found_through_the_hook(served: Office, settings: Settings) -> None:
    now = datetime.now(UTC)
    event = edit(previous_message=said(0, "earlier harbour"), message=said(0, "later lighthouse"))
    body = json.dumps({**OUTER, "event_id": "EvBefore", "event_time": int(now.timestamp()),
                       "event": event}).encode()  # fmt: skip
    for _ in range(2):
        assert send(served, "slack", signed_slack(body, now, SECRET)).status_code == 200
    with parser_pool(settings) as pool:
        assert file_sealed(served.services.desk, pool)
    served.services.desk.feed.drain()
    served.hire("reader", "legal")
    (found,) = served.search("reader", "harbour")["hits"]
    assert found["record"]["marks"] == ["edited"]
    assert served.search("reader", "lighthouse")["total"] == 1
