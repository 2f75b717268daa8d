"""Name the items of a Mattermost bulk export: posts, replies, reactions, people and rooms.

A line of the export is the original of its post. Replies and reactions stand inside it and are
originals of their own, for each is a thing said.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from holdfast.ingest.readers.chats.json_lines import line_spans
from holdfast.ingest.readers.chats.json_spans import NotJson, Span, begin, member, spans
from holdfast.ingest.readers.chats.media import media_of, offered_file, part_of
from holdfast.ingest.readers.chats.tree import Item, Member, Spot, Tree, offered, passed_over
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.mattermost import (
    CHANNEL,
    full_name,
    mentioned,
    post_name,
    post_of,
    side_of,
)
from holdfast.parsers.chat.values import (
    Context,
    Json,
    Person,
    items,
    json_of,
    mapping,
    number,
    text,
)

_ENDINGS = (".jsonl", ".ndjson", ".json")
_HEAD_BYTES = 64 << 10
_POSTS = ("post", "direct_post")
_ROOMS = ("channel", "direct_channel")
_PEOPLE = ("user", "bot")
_KNOWN = frozenset((*_POSTS, *_ROOMS, *_PEOPLE))
_BOOKKEEPING = frozenset(("version", "role", "scheme", "emoji", "team", "custom_profile_attribute"))
_FEW = 20
"""Members of a room of so many at most are named with each post."""


class MattermostBulk:
    """What `mmctl export` writes."""

    name = "mattermost"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the first lines of a file."""
        return any(map(_is_lines, tree.members.values()))

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield everything: bookkeeping is passed over by name; files follow their posts."""
        media = media_of(tree)
        run = _Run(tree.rules.tenant, media)
        files = [one for one in tree.members.values() if _is_lines(one)]
        for one in files:
            run.learn(one)
        for one in files:
            yield from _lines(one, run)
        for path, one in media.items():
            if one not in files and path not in run.used:
                yield offered_file(one, Context(CHANNEL, run.tenant, extra={"filename": one.name}))


def _is_lines(one: Member) -> bool:
    """Tell whether the first lines are those of an export; as a rule the first is its version."""
    if not one.name.lower().endswith(_ENDINGS):
        return False
    head = one.begins(_HEAD_BYTES)
    for span in [span for _, span in zip(range(3), line_spans(head), strict=False)]:
        kind = _type_of(head, span)
        if kind == "version" or (kind in _KNOWN and b'"%s"' % kind.encode() in head):
            return True
    return False


def _type_of(content: bytes | mmap.mmap, span: Span) -> str:
    """Return what a line says that it holds; empty where it holds no such thing, or is cut."""
    named: dict[bytes, Span] = {}
    try:
        if content[span.start : span.start + 1] == b"{":
            for one in spans(content, span.start):
                named[one.key] = one
    except NotJson:
        pass  # the head of a file may end within a line
    found = named.get(b"type")
    kind = bytes(content[found.start + 1 : found.end - 1]) if found else b""
    has_body = kind in named or len(named) == 1
    return kind.decode("ascii", "replace") if has_body and kind != b"type" else ""


@dataclass(slots=True)
class _Run:
    """What the directories of an export say."""

    tenant: str
    media: Mapping[str, Member]
    people: dict[str, Person] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    """Key → name."""
    members: dict[str, list[str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def learn(self, one: Member) -> None:
        """Read people and rooms, which stand before the posts."""
        with one.mapped() as (_, content):
            for span in line_spans(content):
                if _type_of(content, span) in (*_PEOPLE, *_ROOMS):
                    self._learn(mapping(_json(content, span)))

    def _learn(self, line: Json) -> None:
        kind = text(line.get("type"))
        said = mapping(line.get(kind))
        if kind in _ROOMS:
            self.rooms[_room_key(kind, said)] = text(said.get("display_name"))
            return
        name = text(said.get("username"))
        side = "bot" if kind == "bot" else side_of(said)
        self.people[name] = Person(full_name(said), "", side)
        for team in map(mapping, items(said.get("teams"))):
            for room in map(mapping, items(team.get("channels"))):
                key = f"{text(team.get('name'))}/{text(room.get('name'))}"
                self.members.setdefault(key, []).append(name)

    def context(self, room: str, members: Iterable[str], named: Iterable[str]) -> Context:
        """Return what is known of a room and of some people."""
        there = tuple(members)
        people = {one: self.people[one] for one in (*there, *named) if one in self.people}
        told = {"key": room, "name": self.rooms.get(room, "")} if room else {}
        return Context(CHANNEL, self.tenant, room=told, people=people, members=there)


def _json(content: bytes | mmap.mmap, span: Span) -> Json:
    try:
        return json_of(bytes(content[span.start : span.end]))
    except ValueError:
        return None


def _room_key(kind: str, said: Json) -> str:
    """Return the key of a room: team and name, or whom a direct one is between."""
    if kind.startswith("direct"):
        told = items(said.get("channel_members")) or items(said.get("members"))
        return ",".join(sorted(map(text, told)))
    name = text(said.get("channel")) if kind == "post" else text(said.get("name"))
    return f"{text(said.get('team'))}/{name}"


def _lines(one: Member, run: _Run) -> Iterator[Offered]:
    with one.mapped() as (spot, content):
        for span in line_spans(content):
            line = mapping(_json(content, span))
            kind = text(line.get("type"))
            if kind in _POSTS:
                yield from _post(spot, content, span, (run, line))
            elif kind in _ROOMS:
                yield _room(spot, content, span, (run, line))
            elif kind in _PEOPLE:
                yield _item(spot, content, span, "mattermost.user", Context(CHANNEL, run.tenant))
            elif kind in _BOOKKEEPING:
                yield passed_over(part_of(spot, span), f"mattermost_{kind}")
            else:
                reason = f"mattermost_line: {kind[:40]}" if kind else "damaged:json"
                yield passed_over(part_of(spot, span), reason, is_unknown=True)


def _item(
    spot: Spot, content: bytes | mmap.mmap, span: Span, form: str, context: Context
) -> Offered:
    return offered(spot, content, Item(form, context, span.start, span.end - span.start))


def _room(spot: Spot, content: bytes | mmap.mmap, span: Span, known: tuple[_Run, Json]) -> Offered:
    run, line = known
    kind = text(line.get("type"))
    said = mapping(line.get(kind))
    key = _room_key(kind, said)
    there = run.members.get(key) or [text(one) for one in items(said.get("members"))]
    return _item(spot, content, span, "mattermost.room", run.context(key, there, ()))


def _post(
    spot: Spot, content: bytes | mmap.mmap, span: Span, known: tuple[_Run, Json]
) -> Iterator[Offered]:
    run, line = known
    kind, post = text(line.get("type")), post_of(line)
    room = _room_key(kind, post)
    members = items(post.get("channel_members")) or run.members.get(room, ())
    there = [text(one) for one in members] if len(members) <= _FEW else []
    named = (text(post.get("user")), *mentioned(text(post.get("message"))))
    context = run.context(room, there, named)
    yield _item(spot, content, span, "mattermost.post", context)
    inside = member(content, span.start, kind.encode())
    if inside is not None and content[inside.start : inside.start + 1] == b"{":
        yield from _attached(spot, content, inside, (context, post, run))
        root = post_name(room, post.get("create_at"), text(post.get("user")), run.tenant)
        for reply in _listed(content, inside, b"replies"):
            yield from _reply(spot, content, reply, (run, context, root))


def _reply(
    spot: Spot,
    content: bytes | mmap.mmap,
    span: Span,
    known: tuple[_Run, Context, str],
) -> Iterator[Offered]:
    run, around, root = known
    post = mapping(_json(content, span))
    named = (text(post.get("user")), *mentioned(text(post.get("message"))))
    room = around.room.get("key", "")
    context = run.context(room, around.members, named)
    told = replace(context, extra={"root": root})
    yield _item(spot, content, span, "mattermost.post", told)
    if post:
        yield from _attached(spot, content, span, (told, post, run))


def _attached(
    spot: Spot,
    content: bytes | mmap.mmap,
    span: Span,
    known: tuple[Context, Json, _Run],
) -> Iterator[Offered]:
    """Yield the reactions to a post, and the files that it has in the export."""
    context, post, run = known
    name = post_name(
        context.room.get("key", ""), post.get("create_at"), text(post.get("user")), run.tenant
    )
    for one in _listed(content, span, b"reactions"):
        user = text(mapping(_json(content, one)).get("user"))
        people = {user: run.people[user]} if user in run.people else {}
        told = Context(
            CHANNEL, run.tenant, room=context.room, people=people, extra={"message": name}
        )
        yield _item(spot, content, one, "mattermost.reaction", told)
    for at, file in enumerate(map(mapping, items(post.get("attachments")))):
        path = text(file.get("path"))
        found = next((key for key in (f"data/{path}", path) if key in run.media), None)
        if path and found is not None:
            run.used.add(found)
            extra = {
                "message": name, "filename": path.rpartition("/")[2],
                "at_ms": number(post.get("create_at")),
            }  # fmt: skip
            item = f"{name}/{at}"
            yield offered_file(
                run.media[found],
                Context(CHANNEL, run.tenant, item=item, room=context.room, extra=extra),
            )


def _listed(content: bytes | mmap.mmap, span: Span, name: bytes) -> Iterator[Span]:
    """Yield the values of a list inside an object; none where it is null."""
    found = member(content, span.start, name)
    if found is not None and content[found.start : found.start + 1] == b"[":
        yield from spans(content, begin(content, found.start))
