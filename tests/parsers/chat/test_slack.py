"""Messages, events, users and rooms of Slack: what each says, counted against the real samples."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Kind, Role
from holdfast.parsers.chat.slack import name_of, side_of
from holdfast.parsers.chat.values import Context, Person
from slack_kit import (
    CONTEXT,
    EVENTS,
    REAL,
    ROOM,
    TS,
    codes,
    days_of,
    event,
    members_of,
    message,
    parsed,
    people,
)

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_message_of_a_person() -> None:
    record = message(user="U1", text="hi <@U2>, see <https://x.org|this> &amp; <#C2|dev>")
    assert (record.kind, record.message_id) == (Kind.IM, f"slack:C1/{TS}")
    assert record.body == "hi @Bob Bode, see this (https://x.org) & #dev"
    assert record.sent_at == AT
    assert [(p.role, p.name, p.address, p.side) for p in record.participants] == [
        (Role.FROM, "Ann Acker", "slack:U1", "staff"),
        (Role.MENTION, "Bob Bode", "slack:U2", "outside"),
    ]
    assert record.chat is not None
    assert record.chat.conversation == Conversation("C1", "general")
    assert (record.chat.answers, record.chat.version_at, record.is_bulk) == ("", None, False)
    assert record.defects == ()


def test_small_room_names_all_others() -> None:
    context = Context("slack", "T1", room=ROOM, people=CONTEXT.people, members=("U1", "U2"))
    record = parsed("slack.message", {"ts": TS, "user": "U1", "text": "hi"}, context)
    assert [p.address for p in people(record, Role.TO)] == ["slack:U2"]


@pytest.mark.parametrize("ts", ["", "x", None, 0, "0.0", {}])
def test_message_without_a_time_is_none(ts: Any) -> None:
    record = message(ts=ts, text="words")
    assert record.kind is Kind.UNKNOWN
    assert "words" in record.body


def test_times_are_never_floats() -> None:
    assert message(ts="1700000000.999999").sent_at == AT.replace(microsecond=999_000)
    assert message(ts="1700000000").sent_at == AT
    assert message(ts="1700000000.1").sent_at == AT.replace(microsecond=100_000)


def test_senders() -> None:
    bot = message(bot_id="B9", username="deploys", text="done")
    assert [(p.name, p.address, p.side) for p in bot.participants] == [
        ("deploys", "slack:B9", "bot")
    ]
    assert bot.is_bulk
    nobody = message(text="x").participants
    assert [(p.name, p.address, p.side) for p in nobody] == [("bot", "", "bot")]
    stranger = message(user="U7", user_profile={"real_name": "Eve"}, text="x").participants
    assert [(p.name, p.address, p.side) for p in stranger] == [("Eve", "slack:U7", "outside")]
    unknown = message(user="U8", text="x").participants
    assert [(p.name, p.side) for p in unknown] == [("", "")]
    assert message(user="B9", text="x").is_bulk


def test_threads_versions_and_files() -> None:
    files = [
        {"id": "F1", "name": "a.pdf", "mimetype": "application/pdf", "size": 5},
        {"url_private": "https://u", "title": "t", "size": "9"},
        None,
    ]
    record = message(
        user="U1", text="x", thread_ts="1600000000.000001", edited={"user": "U1", "ts": TS},
        files=files, reactions=[{"name": "ok", "count": 2, "users": ["U1", "U2"]}],
    )  # fmt: skip
    assert record.chat is not None
    assert record.chat.answers == "slack:C1/1600000000.000001"
    assert record.chat.version_at == AT
    assert [(a.filename, a.content_id, a.size_bytes) for a in record.attachments] == [
        ("a.pdf", "F1", 5),
        ("t", "https://u", 9),
    ]
    assert record.headers == ()  # reactions are records of their own
    root = message(user="U1", text="x", thread_ts=TS).chat
    assert root is not None
    assert root.answers == ""
    assert len(message(user="U1", file={"id": "F1"}).attachments) == 1


def test_attachments_and_blocks() -> None:
    record = message(
        user="U1",
        attachments=[
            {"title": "T", "fields": [{"title": "k", "value": "v"}], "footer": "f"},
            {"fallback": "fb <@U1>"},
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*b*"}}]},
            None,
        ],
    )
    assert record.body == "T\nk: v\nf\nfb @Ann Acker\n*b*\n"
    rich = [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "Hi "},
                        {"type": "user", "user_id": "U1"},
                        {"type": "user", "user_id": "U0"},
                        {"type": "emoji", "name": "wave"},
                        {"type": "link", "url": "https://x"},
                        {"type": "link", "url": "https://x", "text": "L"},
                    ],
                }
            ],
        },
        ["plain", 5],
    ]
    assert message(user="U1", blocks=rich).body == "Hi @Ann Acker@U0:wave:https://xL\n\nplain5"
    deep: Any = "bottom"
    for _ in range(30):
        deep = {"text": deep}
    assert message(user="U1", blocks=[deep]).body == ""


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<!here>", "@here"), ("<!subteam^S1|@devs>", "@devs"), ("<!date^1^{x}^u|then>", "then"),
        ("<!subteam^S1>", "@subteam"), ("<https://x>", "https://x"), ("<#C2>", "#C2"),
        ("<https://x|https://x>", "https://x"), ("<@U0>", "@U0"), ("<@U0|zed>", "@zed"),
        ("a < b > c <> d", "a < b > c <> d"), ("&lt;@U1&gt;", "<@U1>"),
    ],
)  # fmt: skip
def test_markup(markup: str, shown: str) -> None:
    assert message(user="U1", text=markup).body == shown


def test_room_speaks() -> None:
    joined = message(subtype="channel_join", user="U2", text="<@U2> joined", inviter="U1")
    assert (joined.kind, joined.subject, joined.is_bulk) == (
        Kind.CHAT_EVENT, "channel_join", True,
    )  # fmt: skip
    assert [(p.role, p.address) for p in joined.participants] == [
        (Role.JOINED, "slack:U2"), (Role.FROM, "slack:U1"),
    ]  # fmt: skip
    left = message(subtype="group_leave", user="U2", text="left")
    assert [(p.role, p.address) for p in left.participants] == [(Role.LEFT, "slack:U2")]
    assert message(subtype="channel_topic", user="U2", text="t").participants[0].role is Role.FROM
    assert message(subtype="tombstone", user="U2", text="gone").kind is Kind.DELETION


def test_users() -> None:
    user = {"id": "U1", "updated": 1700000000, "profile": {"real_name": "Ann", "email": "a@x.org"}}
    record = parsed("slack.user", user)
    assert (record.kind, record.message_id, record.sent_at) == (Kind.PROFILE, "slack:user/U1", AT)
    assert [(p.role, p.address) for p in record.participants] == [
        (Role.SELF, "slack:U1"), (Role.ALIAS, "a@x.org"),
    ]  # fmt: skip
    plain = parsed("slack.user", {"id": "U1", "profile": {"email": "none"}})
    assert len(plain.participants) == 1
    assert codes(plain) == ["date_missing"]
    assert codes(parsed("slack.user", {"profile": {}}))[0] == "form_damaged"
    assert name_of({"profile": {}, "name": "n"}) == "n"
    assert name_of({}) == ""
    sides = [{"is_bot": True}, {"id": "USLACKBOT"}, {"is_restricted": True}, {"is_stranger": True}]
    assert [side_of(one) for one in sides] == ["bot", "bot", "outside", "outside"]
    assert [side_of(one) for one in ({}, {"is_ultra_restricted": True})] == ["staff", "outside"]


def test_rooms() -> None:
    room = {"id": "C1", "name": "general", "created": 1700000000, "members": ["U2", "U1", None]}
    record = parsed("slack.room", {**room, "topic": {"value": "all"}, "purpose": None})
    assert (record.kind, record.sent_at, record.body) == (Kind.CONVERSATION, AT, "general\nall")
    assert [p.address for p in people(record, Role.MEMBER)] == ["slack:U2", "slack:U1"]
    assert codes(parsed("slack.room", {"name": "x"}))[0] == "form_damaged"
    again = parsed("slack.room", {**room, "members": ["U1"]})
    assert again.fingerprint != record.fingerprint


def test_message_by_export_and_by_event_is_one() -> None:
    fields = {"type": "message", "ts": TS, "user": "U1", "text": "hi"}
    exported, live = message(**fields), event({**fields, "channel": "C1"})
    mentioned = event({**fields, "type": "app_mention", "channel": "C1"})
    assert exported.fingerprint == live.fingerprint == mentioned.fingerprint
    edited = {**fields, "text": "hello", "edited": {"user": "U1", "ts": "1700000060.000000"}}
    changed = {
        "type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1700000060.000200",
        "message": edited, "previous_message": fields,
    }  # fmt: skip
    version = event(changed)
    assert version.fingerprint == message(**edited).fingerprint != exported.fingerprint
    assert "Previous-Text" not in dict(version.headers)  # it is a record of its own
    before = parsed("slack.event_previous", {"event": changed}, CONTEXT)
    assert before.fingerprint == exported.fingerprint
    assert before.body == "hi"
    gone = {**changed, "subtype": "message_deleted", "deleted_ts": TS}
    assert parsed("slack.event_previous", {"event": gone}).fingerprint == exported.fingerprint
    assert version.message_id == exported.message_id
    joined = {"type": "message", "subtype": "channel_join", "ts": TS, "user": "U2", "text": "j"}
    assert event({**joined, "channel": "C1"}).fingerprint == message(**joined).fingerprint
    nested = {"type": "message", "subtype": "message_replied", "channel": "C1", "message": fields}
    assert event(nested).fingerprint == exported.fingerprint


def test_deletions() -> None:
    old = {"type": "message", "ts": TS, "user": "U1", "text": "oops"}
    deleted = {
        "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": TS,
        "event_ts": "1700000100.000000", "previous_message": old,
    }  # fmt: skip
    record = event(deleted)
    assert (record.kind, record.message_id, record.body) == (
        Kind.DELETION, f"slack:C1/{TS}", "oops",
    )  # fmt: skip
    assert [p.address for p in record.participants] == ["slack:U1"]
    del deleted["deleted_ts"]
    assert event(deleted).fingerprint == record.fingerprint
    del deleted["previous_message"]
    bare = event({**deleted, "deleted_ts": TS})
    assert (bare.body, bare.participants) == ("", ())
    tombstone = {**old, "subtype": "tombstone", "text": "This message was deleted."}
    replaced = {"type": "message", "subtype": "message_changed", "channel": "C1"}
    record = event({**replaced, "message": tombstone, "event_ts": TS})
    assert (record.kind, record.message_id) == (Kind.DELETION, f"slack:C1/{TS}")


OLD = {"type": "message", "ts": TS, "user": "U1", "text": "first"}
NEW = {**OLD, "text": "second", "edited": {"user": "U1", "ts": "1700000060.000000"}}
LATER = {"type": "message", "ts": "1700000060.000200", "user": "U1"}


@pytest.mark.parametrize(
    "stands",
    [
        {"message": NEW, "previous_message": OLD},
        {"message": NEW, "previous": OLD},
        {"text": "second", "edited": NEW["edited"], "original": OLD},
    ],
    ids=["event", "previous", "original"],
)
def test_edit_that_an_export_keeps_has_both_texts(stands: dict[str, Any]) -> None:
    element = {**LATER, "subtype": "message_changed", **stands}
    now, before = (parsed(form, element) for form in ("slack.message", "slack.previous"))
    assert now.fingerprint == message(**NEW).fingerprint
    assert before.fingerprint == message(**OLD).fingerprint
    assert (now.body, before.body) == ("second", "first")
    assert now.message_id == before.message_id == f"slack:C1/{TS}"


def test_deletion_that_an_export_keeps_is_of_its_message() -> None:
    element = {**LATER, "subtype": "message_deleted", "deleted_ts": TS, "previous_message": OLD}
    gone, before = (parsed(form, element) for form in ("slack.message", "slack.previous"))
    assert gone.fingerprint == event({**element, "channel": "C1"}).fingerprint
    assert (gone.kind, gone.message_id) == (Kind.DELETION, f"slack:C1/{TS}")
    assert before.fingerprint == message(**OLD).fingerprint
    bare = message(**{**LATER, "subtype": "message_deleted"})
    assert (bare.kind, bare.message_id) == (Kind.DELETION, f"slack:C1/{LATER['ts']}")
    assert message(subtype="message_replied", user="U1", text="x").body == "x"


def test_comment_on_a_file_is_of_who_wrote_it() -> None:
    record = message(subtype="file_comment", text="nice", comment={"user": "U1"})
    assert [p.address for p in people(record, Role.FROM)] == ["slack:U1"]
    assert not record.is_bulk


def test_program_that_writes_for_somebody_makes_no_machine_of_them() -> None:
    record = message(user="U1", bot_id="B7", text="posted")
    assert [p.side for p in record.participants] == ["staff"]
    assert record.is_bulk
    unknown = message(user="U8", bot_id="B7", text="posted")
    assert [p.side for p in unknown.participants] == ["bot"]


def test_users_that_events_tell_of_are_profiles() -> None:
    user = {"id": "U7", "updated": 1700000000, "profile": {"real_name": "X Y", "email": "x@y.org"}}
    for kind in ("team_join", "user_change", "user_profile_changed"):
        record = event({"type": kind, "user": user})
        assert record.fingerprint == parsed("slack.user", user).fingerprint
        assert [p.address for p in people(record, Role.ALIAS)] == ["x@y.org"]


def test_words_of_events_that_are_not_known_are_kept() -> None:
    pinned = {"type": "message", "channel": "C2", "message": {"text": "the pinned words"}}
    record = event({"type": "pin_added", "user": "U1", "channel_id": "C2", "item": pinned})
    assert "the pinned words" in record.body
    limited = parsed(
        "slack.event", {"type": "app_rate_limited", "team_id": "T9", "token": "secret"}
    )
    assert "team_id: T9" in limited.body
    assert "secret" not in limited.body


def test_message_that_another_one_shows() -> None:
    rich = {"type": "rich_text_section", "elements": [{"type": "text", "text": "in blocks"}]}
    inner = {"message": {"blocks": [{"type": "rich_text", "elements": [rich]}]}}
    shown = {
        "author_name": "Bob",
        "message_blocks": [inner],
        "files": [{"id": "F1", "name": "a.pdf"}],
    }
    record = message(user="U1", text="look", attachments=[shown])
    assert record.body.split("\n")[:3] == ["look", "Bob", "in blocks"]
    assert [one.filename for one in record.attachments] == ["a.pdf"]
    again = message(user="U1", text="look", attachments=[{**shown, "text": "in text"}])
    assert "in blocks" not in again.body
    names = [{"type": "usergroup", "usergroup_id": "S1"}, {"type": "broadcast", "range": "here"}]
    names.append({"type": "channel", "channel_id": "C3"})
    section = {"type": "rich_text_section", "elements": names}
    assert message(user="U1", text="", blocks=[section]).body.strip() == "@S1@here#C3"


def test_changed_message_without_an_edit_is_dated_by_its_event() -> None:
    old = {"type": "message", "ts": TS, "user": "U1", "text": "link"}
    changed = {"type": "message", "subtype": "message_changed", "channel": "C1", "message": old}
    record = event({**changed, "ts": "1700000001.000000"})
    assert record.chat is not None
    assert record.chat.version_at == AT.replace(second=21)
    assert "form_damaged" in codes(parsed("slack.event_previous", {"event": changed}))


def test_reactions_and_other_events() -> None:
    item = {"type": "message", "channel": "C2", "ts": TS}
    reaction = {"user": "U1", "reaction": "tada", "item": item, "event_ts": "1700000005.000000"}
    added = event({"type": "reaction_added", **reaction})
    removed = event({"type": "reaction_removed", **reaction})
    assert (added.kind, added.message_id, added.body) == (
        Kind.REACTION, f"slack:C2/{TS}", ":tada:",
    )  # fmt: skip
    assert added.fingerprint != removed.fingerprint
    joined = event({"type": "member_joined_channel", "user": "U1", "channel": "C2"})
    assert (joined.kind, joined.message_id) == (Kind.CHAT_EVENT, "slack:event/Ev1")
    assert [p.role for p in joined.participants] == [Role.JOINED]
    assert joined.sent_at == AT.replace(second=29)
    renamed = event({"type": "channel_rename", "channel": {"id": "C1", "name": "all"}})
    assert renamed.chat is not None
    assert renamed.chat.conversation == Conversation("C1", "all")
    assert (renamed.body, renamed.participants) == ("all", ())
    changed = event({"type": "user_change", "user": {"id": "U1"}})
    assert [p.address for p in changed.participants] == ["slack:U1"]
    odd = event({}, Context("slack", received_ms=1_700_000_000_000), event_id=None, event_time=None)
    assert (odd.kind, odd.message_id, odd.subject, odd.sent_at) == (
        Kind.UNKNOWN, "", "unknown", AT,
    )  # fmt: skip
    assert odd.chat is not None
    assert odd.chat.conversation is None


def _filled(value: Any, key: str = "") -> Any:
    """Fill the blanks of a sample: times by the key's name, everything else a letter."""
    if isinstance(value, dict):
        return {name: _filled(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, key) for one in value]
    if value == "":
        return TS if key == "ts" or key.endswith("_ts") else "" if key == "subtype" else "X1"
    return value


SAMPLES = sorted(EVENTS.glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_kind_of_event(path: Path) -> None:
    sample = _filled(json.loads(path.read_bytes()))
    inner = sample.get("event", {})
    record = parsed("slack.event", sample)
    kind, subtype = inner.get("type"), inner.get("subtype")
    assert "form_damaged" not in codes(record), record.defects
    if kind not in ("message", "app_mention"):
        assert record.kind is (_KINDS.get(kind, Kind.CHAT_EVENT) if kind else Kind.UNKNOWN)
    elif subtype == "message_deleted":
        assert record.kind is Kind.DELETION
    else:
        assert record.kind in (Kind.IM, Kind.CHAT_EVENT)
        assert (record.kind is Kind.IM) == (not str(subtype).startswith(_SYSTEM))


_KINDS = {
    **dict.fromkeys(("reaction_added", "reaction_removed"), Kind.REACTION),
    **dict.fromkeys(("team_join", "user_change", "user_profile_changed"), Kind.PROFILE),
}
_SYSTEM = (
    "channel_", "group_", "ekm_", "bot_add", "bot_remove", "pinned", "reminder",
)  # fmt: skip


@pytest.mark.parametrize("archive", REAL, ids=lambda path: path.parent.name)
def test_real_messages(archive: Path) -> None:
    """Counts are taken from the files themselves."""
    said = days_of(archive)
    members = members_of(archive)
    names = {one["id"]: Person(name_of(one), "", side_of(one)) for one in members["users.json"]}
    context = Context("slack", room=ROOM, people=names)
    records = [parsed("slack.message", one, context) for one in said]
    system = ("channel_join", "pinned_item", "bot_add", "bot_remove")
    expected = Counter("chat_event" if m.get("subtype") in system else "im" for m in said)
    assert Counter(str(record.kind) for record in records) == expected
    assert all(record.defects == () for record in records)
    assert [record.date_raw for record in records] == [m["ts"] for m in said]
    joins = sum(len(people(record, Role.JOINED)) for record in records)
    assert joins == sum(m.get("subtype") == "channel_join" for m in said)
    versions = [record for record in records if record.chat and record.chat.version_at]
    assert len(versions) == sum("edited" in m for m in said)
    files = sum(len(record.attachments) for record in records)
    assert files == sum("file" in m or "files" in m for m in said)
    answers = [record for record in records if record.chat and record.chat.answers]
    assert len(answers) == sum(m.get("thread_ts", m["ts"]) != m["ts"] for m in said)
    words = [m["text"].split()[0] for m in said if m.get("text", "")[:1].isalpha()]
    assert len(words) >= 20
    for m, record in zip(said, records, strict=True):
        if m.get("text", "")[:1].isalpha():
            assert record.body.split()[0].startswith(m["text"].split()[0].partition("&")[0][:3])
