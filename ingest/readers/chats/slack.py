"""Name the items of a Slack export: messages by day, users, rooms.

Layout: https://slack.com/help/articles/220556107. A folder is a room by its name, or by its id for
direct messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from holdfast.ingest.readers.chats.json_spans import NotJson, whole
from holdfast.ingest.readers.chats.reactions import Around, latest, listed_items
from holdfast.ingest.readers.chats.tree import Item, Member, Tree, damaged, offered, passed_over
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.slack import CHANNEL, before_of, message_name, name_of, side_of
from holdfast.parsers.chat.slack_text import mentioned
from holdfast.parsers.chat.values import (
    Context,
    Json,
    Person,
    from_s,
    items,
    json_of,
    mapping,
    number,
    text,
)

_ROOMS = ("channels.json", "groups.json", "mpims.json", "dms.json")
_USERS = ("users.json", "org_users.json")
_DAY = re.compile(r"([^/]+)/(\d{4}-\d{2}-\d{2})\.json")
_TS = re.compile(rb'"ts"\s*:\s*"(\d{9,11})\.')
_FEW = 20
"""Members of a room of so many at most are named with each message."""


class SlackExport:
    """A workspace export."""

    name = "slack"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the files that every export has."""
        return "users.json" in tree.members and any(room in tree.members for room in _ROOMS)

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield everything: what is no message, user or room is passed over by name."""
        known = _Known.read(tree)
        for path, member in tree.members.items():
            day = _DAY.fullmatch(path)
            if path in _USERS:
                yield from _elements(member, "slack.user", known, "")
            elif path in _ROOMS:
                yield from _elements(member, "slack.room", known, "")
            elif day is not None:
                yield from _elements(member, "slack.message", known, day[1])
            else:
                with member.opened() as spot:
                    yield passed_over(spot, "slack_bookkeeping")


@dataclass(slots=True)
class _Known:
    """What the directories of the export say."""

    people: dict[str, Person] = field(default_factory=dict)
    rooms: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Folder → key and name."""
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Folder of a direct or small private room → ids."""
    tenant: str = ""
    as_of: datetime | None = None
    """When it was made, at least: the latest message, or change of a user or a room, in it."""

    @staticmethod
    def read(tree: Tree) -> _Known:
        known = _Known(tenant=tree.rules.tenant, as_of=from_s(_latest(tree)))
        for path in _USERS:
            for user in map(mapping, items(_json(tree, path))):
                known.tenant = known.tenant or text(user.get("team_id"))
                known.people[text(user.get("id"))] = Person(name_of(user), "", side_of(user))
        for path in _ROOMS:
            for room in map(mapping, items(_json(tree, path))):
                known.add_room(room, is_small=path in ("mpims.json", "dms.json"))
        return known

    def add_room(self, room: Json, *, is_small: bool) -> None:
        key, name = text(room.get("id")), text(room.get("name"))
        folder = name or key
        self.rooms[folder] = {"key": key, "name": name}
        members = tuple(map(text, items(room.get("members"))))
        if is_small and len(members) <= _FEW:
            self.members[folder] = members

    def context(self, form: str, raw: bytes, folder: str) -> Context:
        if form == "slack.user":
            return Context(channel=CHANNEL, tenant=self.tenant)
        try:
            said = mapping(json_of(raw))
        except ValueError:
            said = {}
        if form == "slack.room":
            there = map(text, items(said.get("members")))
            return Context(CHANNEL, self.tenant, people=self._those(there))
        members = self.members.get(folder, ())
        found = [*members, *(one for part in _parts(said) for one in _named_in(part))]
        room = self.rooms.get(folder, {"key": f"{self.tenant}/{folder}", "name": folder})
        return Context(CHANNEL, self.tenant, room=room, people=self._those(found), members=members)

    def _those(self, keys: Iterable[str]) -> dict[str, Person]:
        return {key: self.people[key] for key in keys if key in self.people}


def _parts(said: Json) -> Iterator[Json]:
    """Yield a message, and those that it holds: what it is now, and what it was."""
    yield said
    yield mapping(said.get("message"))
    yield before_of(said)


def _named_in(message: Json) -> Iterator[str]:
    yield text(message.get("user"))
    yield text(message.get("inviter"))
    yield text(mapping(message.get("comment")).get("user"))
    yield from mentioned(text(message.get("text")))


def _latest(tree: Tree) -> int:
    """Return the latest second that an export states: of its last day, or of its directories."""
    matched = {path: _DAY.fullmatch(path) for path in tree.members}
    days = {path: found[2] for path, found in matched.items() if found is not None}
    last = max(days.values(), default="")
    seconds = [0]
    for path in (path for path, day in days.items() if day == last):
        with tree.members[path].mapped() as (_, content):
            seconds.append(latest(content, _TS))
    for path in (*_USERS, *_ROOMS):
        for one in map(mapping, items(_json(tree, path))):
            told = (mapping(one.get(part)).get("last_set") for part in ("topic", "purpose"))
            seconds += map(number, (one.get("created"), *told))
            seconds.append(number(one.get("updated")) if path in _USERS else 0)
    return max(seconds)


def _json(tree: Tree, path: str) -> Json:
    member = tree.members.get(path)
    return member.json() if member else None


def _value(raw: bytes) -> Json:
    try:
        return json_of(raw)
    except ValueError:
        return None


def _says_edit(raw: bytes) -> bool:
    """Tell whether an element is an edit or a deletion: it shows a message as it was then."""
    if b"message_changed" not in raw and b"message_deleted" not in raw:
        return False
    return text(mapping(_value(raw)).get("subtype")) in ("message_changed", "message_deleted")


def _has_before(raw: bytes) -> bool:
    """Tell whether an element says how a message was before: then it holds two versions."""
    return _says_edit(raw) and bool(text(before_of(mapping(_value(raw))).get("ts")))


def _elements(member: Member, form: str, known: _Known, folder: str) -> Iterator[Offered]:
    with member.mapped() as (spot, content):
        try:
            for span in whole(content):
                raw = bytes(content[span.start : span.end])
                context = known.context(form, raw, folder)
                is_said = form == "slack.message" and not _says_edit(raw)
                as_of = known.as_of if is_said else None
                yield offered(spot, content, Item(form, context, span.start, len(raw), as_of))
                if form == "slack.message" and _has_before(raw):
                    again = replace(context, item="previous")
                    yield offered(
                        spot, content, Item("slack.previous", again, span.start, len(raw))
                    )
                if is_said and b'"reactions"' in raw:
                    name = message_name(mapping(_value(raw)), context)
                    around = Around("slack.reaction", context, name, as_of, known.people, "users")
                    yield from listed_items(spot, content, span, around)
        except NotJson as error:
            yield damaged(spot, "json", error)
