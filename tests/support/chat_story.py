"""A story in a chat room: messages, edits, a deletion and reactions; and what must become of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalogue_kit import new_store
from chat_filing import ChatFiling, Item, all_records
from holdfast.parsers.chat.values import Context
from holdfast.storage.catalogue.conversations import lines_of, rooms
from holdfast.storage.store import Store
from slack_kit import PEOPLE

T0 = 1_700_000_000


def ts(second: int) -> str:
    return f"{T0 + second}.000100"


def said(second: int, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "ts": ts(second), "user": "U1", "text": text, **more}


def happened(second: int, **event: Any) -> Item:
    stamp = ts(second)
    outer = {"event_id": f"Ev{second}", "event_time": T0 + second}
    inner = {"channel": "C1", "event_ts": stamp, **event}
    return Item("slack.event", {**outer, "event": inner}, Context("slack", "T1", people=PEOPLE))


def edited(second: int, new: str, original: int) -> Item:
    changed = said(original, new, edited={"user": "U1", "ts": ts(second)})
    return happened(
        second, type="message", subtype="message_changed", ts=ts(second), message=changed
    )


def deleted(second: int, original: int) -> Item:
    return happened(second, type="message", subtype="message_deleted", deleted_ts=ts(original))


ANN = {"real_name": "Ann Acker", "email": "ann@x.org"}
FIRST = Item("slack.message", said(0, "first"))
STORY = [
    FIRST,
    Item("slack.message", said(1, "second", thread_ts=ts(0))),
    edited(5, "first, mended", 0),
    edited(6, "first, mended twice", 0),
    deleted(9, 1),
    happened(
        7, type="reaction_added", user="U2", reaction="ok", item={"channel": "C1", "ts": ts(0)}
    ),
    happened(2, type="member_joined_channel", user="U2"),
    happened(8, type="member_left_channel", user="U2"),
    happened(3, type="channel_rename", channel={"id": "C1", "name": "second name"}),
    happened(4, type="channel_rename", channel={"id": "C1", "name": "third name"}),
    Item("slack.user", {"id": "U1", "updated": T0, "profile": ANN}),
]  # fmt: skip


def shown(store: Store) -> list[tuple[object, ...]]:
    """Return what people see of the records, without ids of the archive."""
    return sorted(
        (
            one.message_id, one.kind, one.subject, one.body, str(one.at), one.marks,
            one.conversation,
            tuple((p.role.value, p.name, p.address, bool(p.contact_id)) for p in one.participants),
        )
        for one in all_records(store)
    )  # fmt: skip


def every_version_is_kept(store: Store) -> None:
    """F36: file the story; an edit adds a version, a deletion says so, and neither takes any away.

    Raises:
        AssertionError: Words that were said are gone, or are not said to be what they were.
    """
    file = ChatFiling(store)
    for item in STORY:
        file(item)
    records = all_records(store)
    bodies = {one.id: one.body for one in records}
    for said_once in ("first", "first, mended", "first, mended twice", "second"):
        assert said_once in bodies.values(), f"{said_once!r} was overwritten"
    marks = {(one.kind, one.body): one.marks for one in records}
    assert marks["im", "first"] == ("edited",)
    assert marks["im", "first, mended"] == ("edited", "version")
    assert marks["im", "first, mended twice"] == ("edited", "version")
    assert marks["im", "second"] == ("deleted",)
    assert marks["deletion", ""] == ("aside",)
    (found,) = rooms(store, "third")
    lines = lines_of(store, found.id).lines
    first = next(one for one in lines if one.versions)
    assert (len(first.versions), len(first.later)) == (2, 1)
    assert [bodies[one] for one in (first.id, *first.versions)] == [
        "first", "first, mended", "first, mended twice",
    ]  # fmt: skip
    second = next(one for one in lines if bodies[one.id] == "second")
    assert len(second.later) == 1


def order_does_not_matter(folder: Path, order: Sequence[Item], sizes: int) -> None:
    """F36: file the story in its order, and in another, so many at a time; both look the same.

    Raises:
        AssertionError: What people see depends on what came first.
    """
    for name in ("whole", "mixed"):
        (folder / name).mkdir()
    whole, mixed = new_store(folder / "whole"), new_store(folder / "mixed")
    ChatFiling(whole)(*STORY)
    file = ChatFiling(mixed)
    for at in range(0, len(order), sizes):
        file(*{item.raw: item for item in order[at : at + sizes]}.values())
    assert _told(mixed) == _told(whole), "the order of events shows"
    assert [one.name for one in rooms(mixed, "C1")] == ["third name"], "an older name came back"


def _told(store: Store) -> object:
    """Return what is shown, and the versions of each line in their order."""
    bodies = {one.id: one.body for one in all_records(store)}
    (room,) = rooms(store, "C1")
    lines = lines_of(store, room.id).lines
    return shown(store), [[bodies[n] for n in (one.id, *one.versions)] for one in lines]
