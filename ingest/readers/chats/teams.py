"""Name the items of a Teams export: pages of Graph's export API, or what the PowerShell tool wrote.

The tool's folders are `users/{id}` and `teams/{id}`. A chat of two lies in the folder of each: its
messages have one name, so that they become one record. Pages of Graph are known by their content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.ingest.readers.chats.json_spans import NotJson, Span, elements
from holdfast.ingest.readers.chats.leftovers import ended_by_rule, ended_unknown
from holdfast.ingest.readers.chats.reactions import Around, listed_items
from holdfast.ingest.readers.chats.tree import Item, Member, Tree, damaged, offered, passed_over
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.teams import (
    CHANNEL,
    is_deleted_with_text,
    message_name,
    pair_of,
    room_key,
)
from holdfast.parsers.chat.teams_directory import side_of, team_id, user_id, user_name
from holdfast.parsers.chat.values import (
    Context,
    Json,
    Person,
    any_case,
    from_iso,
    items,
    json_of,
    mapping,
)
from holdfast.parsers.chat.values import text as text_of

_MESSAGES = re.compile(r"(?:.*/)?(?:users|teams)/[^/]+/messages_[^/]*\.json")
_LISTS = {
    "teams.user": re.compile(r"(?:.*/)?(?:usersList\.json|teams/[^/]+/teamMembers_[^/]*\.json)"),
    "teams.room": re.compile(r"(?:.*/)?(?:teamsList\.json|teams/[^/]+/channels_[^/]*\.json)"),
    "teams.meeting": re.compile(r"(?:.*/)?users/[^/]+/meetings_[^/]*\.json"),
    "teams.message": _MESSAGES,
}
_BOOKKEEPING = re.compile(r"(?:.*/)?(?:teamsSettings|teamInstalledApps_[^/]*)\.json")
_TEAM = re.compile(r"(?:.*/)?teams/([^/]+)/[^/]+")
_HEAD_BYTES = 1 << 16
_LOOKED_AT = 50
"""Files of unknown names whose beginnings are read."""
_PAGE = re.compile(
    rb'(?i)"messageType"\s*:.*"(?:chatId|channelIdentity)"\s*:|#Collection\(chatMessage\)',
    re.DOTALL,
)
_FEW = 20


class TeamsExport:
    """An export of Teams messages."""

    name = "teams"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the tool's names, else by the beginning of a file."""
        if any(_MESSAGES.fullmatch(path) for path in tree.members):
            return True
        found = [one for path, one in tree.members.items() if path.lower().endswith(".json")]
        return any(_is_page(one) for one in found[:_LOOKED_AT])

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield everything: lists of users and rooms, meetings, messages.

        A deleted message that still has its text comes twice: its deletion is a record of its own.
        """
        known = _Known.read(tree)
        for path, one in tree.members.items():
            form = _form_of(path, one)
            if form:
                yield from _elements(one, form, known, _team_of(path))
            elif _BOOKKEEPING.fullmatch(path):
                yield ended_by_rule(one, "teams_bookkeeping")
            else:
                yield ended_unknown(one, "teams_file_unknown")


@dataclass(slots=True)
class _Known:
    """What the lists of the export say."""

    people: dict[str, Person] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    """Key of a room → its name."""
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Id of a team → ids of its members."""
    tenant: str = ""

    @staticmethod
    def read(tree: Tree) -> _Known:
        known = _Known(tenant=tree.rules.tenant)
        for path, one in tree.members.items():
            form = next((form for form, name in _LISTS.items() if name.fullmatch(path)), "")
            if form == "teams.user":
                known.add_users(_listed(one), _team_of(path))
            elif form == "teams.room":
                known.add_rooms(_listed(one), _team_of(path))
        return known

    def add_users(self, users: Iterable[Json], team: str) -> None:
        for user in users:
            key = user_id(user)
            if key and (key not in self.people or not team):
                self.people[key] = Person(user_name(user), "", side_of(user))
            if team and key:
                self.members[team] = (*self.members.get(team, ()), key)

    def add_rooms(self, rooms: Iterable[Json], team: str) -> None:
        for room in rooms:
            name = text_of(room.get("displayName")) or text_of(room.get("name"))
            self.rooms[f"{team}/{text_of(room.get('id'))}" if team else team_id(room)] = name
            self.tenant = self.tenant or text_of(room.get("tenantId"))

    def context(self, form: str, said: Json, team: str) -> Context:
        if form != "teams.room":
            return self.of_message(said) if form == "teams.message" else self.alone()
        members = self.members.get(team or team_id(said), ())
        if not team:
            return Context(CHANNEL, self.tenant, people=self.those(members), members=members)
        key = text_of(said.get("id"))
        room = self.room(f"{team}/{key}" if key else "")
        is_open = text_of(said.get("membershipType")) in ("standard", "")
        members = members if is_open else ()
        people = self.those(members)
        return Context(CHANNEL, self.tenant, room=room, people=people, members=members)

    def alone(self) -> Context:
        return Context(channel=CHANNEL, tenant=self.tenant)

    def of_message(self, said: Json) -> Context:
        key = room_key(said)
        members = self.members.get(key.partition("/")[0], ()) if "/" in key else ()
        members = members if len(members) <= _FEW else ()
        named = {*pair_of(key), *members, *_ids_in(said)}
        room, people = self.room(key), self.those(sorted(named))
        return Context(CHANNEL, self.tenant, room=room, people=people, members=members)

    def room(self, key: str) -> Mapping[str, str]:
        team = self.rooms.get(key.partition("/")[0], "") if "/" in key else ""
        names = [one for one in (team, self.rooms.get(key, "")) if one]
        return {"key": key, "name": " / ".join(names)} if key else {}

    def those(self, keys: Iterable[str]) -> dict[str, Person]:
        return {key: self.people[key] for key in keys if key in self.people}


def _ids_in(value: Json, depth: int = 0) -> set[str]:
    """Return the ids of all users whom a message names, wherever."""
    if depth > 20:
        return set()
    if isinstance(value, list):
        return {key for one in value for key in _ids_in(one, depth + 1)}
    found = set()
    for name, one in mapping(value).items():
        if name == "user":
            found.add(text_of(mapping(one).get("id")))
        found |= _ids_in(one, depth + 1) if isinstance(one, dict | list) else set()
    return found


def _team_of(path: str) -> str:
    found = _TEAM.fullmatch(path)
    return found[1] if found else ""


def _form_of(path: str, one: Member) -> str:
    for form, name in _LISTS.items():
        if name.fullmatch(path):
            return form
    is_page = path.lower().endswith(".json") and not _BOOKKEEPING.fullmatch(path) and _is_page(one)
    return "teams.message" if is_page else ""


def _is_page(one: Member) -> bool:
    return _PAGE.search(one.begins(_HEAD_BYTES)) is not None


def _listed(one: Member) -> list[Json]:
    whole = any_case(one.json())
    listed = whole if isinstance(whole, list) else mapping(whole).get("value")
    return [mapping(each) for each in items(listed)]


def _elements(one: Member, form: str, known: _Known, team: str) -> Iterator[Offered]:
    with one.mapped() as (spot, content):
        is_empty = True
        try:
            for start, end in elements(content, b"value"):
                is_empty = False
                raw = bytes(content[start:end])
                said = _said(raw)
                context = known.context(form, said, team)
                is_said = form == "teams.message"
                as_of = _as_of(said) if is_said else None
                yield offered(spot, content, Item(form, context, start, len(raw), as_of))
                if is_said:
                    name = message_name(said, context)
                    around = Around("teams.reaction", context, name, as_of, known.people)
                    yield from listed_items(spot, content, Span(b"", start, end), around)
                if form == "teams.message" and is_deleted_with_text(said):
                    again = Context(
                        context.channel, context.tenant, "deleted", context.room, context.people
                    )
                    yield offered(spot, content, Item("teams.deletion", again, start, len(raw)))
        except NotJson as error:
            is_empty = False
            yield damaged(spot, "json", error)
        if is_empty:
            yield passed_over(spot, "empty_list")


def _as_of(said: Json) -> datetime | None:
    """Return when a message was as it is here: a reaction that comes or goes is a modification."""
    told = [mapping(one).get("createdDateTime") for one in items(said.get("reactions"))]
    found = (from_iso(one) for one in (said.get("lastModifiedDateTime"), *told))
    return max((at for at in found if at), default=None)


def _said(raw: bytes) -> Json:
    try:
        return mapping(any_case(json_of(raw)))
    except (ValueError, RecursionError):
        return {}
