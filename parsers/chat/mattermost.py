"""Reads posts, reactions, users and rooms of a Mattermost bulk export.

Such an export has no ids of posts: a post is named by its room, its instant and its writer, which
stay when it is edited. Form: https://docs.mattermost.com/onboard/bulk-loading-data.html.
"""

from __future__ import annotations

import hashlib
import re

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.people import known_person, receivers
from holdfast.parsers.chat.values import (
    Context,
    Json,
    distinct,
    from_ms,
    items,
    json_of,
    lines,
    mapping,
    number,
    text,
)

CHANNEL = "mattermost"
_MENTION = re.compile(r"@([a-z0-9][a-z0-9._-]{0,63})")
_MOST_MENTIONS = 1000
_NOT_PEOPLE = frozenset(("all", "channel", "here"))
_WORDS = ("pretext", "author_name", "title", "text", "fallback", "footer")
_LISTED = ("added", "removed")


def post_name(room: str, at: Json, writer: str, tenant: str = "") -> str:
    """Return the name of a post; empty where its instant is not known."""
    digest = hashlib.sha256(writer.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    where = f"{tenant}/{room}" if tenant else room
    return f"mattermost:{where}/{number(at)}-{digest}" if number(at) else ""


def mentioned(message: str) -> tuple[str, ...]:
    """Return the names that a text calls, each once."""
    found = (one.rstrip("._-") for one in _MENTION.findall(message)[:_MOST_MENTIONS])
    return distinct(one for one in found if one not in _NOT_PEOPLE)


def post_of(line: Json) -> Json:
    """Return the post of a line of the export, or the post itself where it is a reply."""
    kind = text(line.get("type"))
    return mapping(line.get(kind)) if kind in ("post", "direct_post") else line


def side_of(user: Json) -> str:
    """Return on which side a user is: guests are outside."""
    return "outside" if "guest" in text(user.get("roles")) else "staff"


def full_name(user: Json) -> str:
    """Return the name that people know a user by."""
    names = " ".join(filter(None, (text(user.get("first_name")), text(user.get("last_name")))))
    found = (names, text(user.get("display_name")), text(user.get("nickname")))
    return next((one for one in found if one.strip()), text(user.get("username")))


def read_post(raw: bytes, context: Context) -> Said:
    """Return a post, or a reply; `context` has the room and `extra.root`, the post replied to."""
    post = post_of(mapping(json_of(raw)))
    writer, message = text(post.get("user")), text(post.get("message"))
    room = context.conversation
    if room is None or from_ms(post.get("create_at")) is None:
        raise ValueError("a post without a room or an instant")
    kind, props = text(post.get("type")), mapping(post.get("props"))
    is_event = kind.startswith("system_")
    is_bot = _is_true(props.get("from_webhook")) or _is_true(props.get("from_bot"))
    people = _people(post, props, context)
    if not is_event:
        people += receivers(CHANNEL, writer, context)
        calls = [one for one in mentioned(message) if one in context.people]
        people += [known_person(Role.MENTION, CHANNEL, one, context) for one in calls]
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT if is_event else Kind.IM,
        name=post_name(room.key, post.get("create_at"), writer, context.tenant),
        at=from_ms(post.get("create_at")),
        date_raw=text(post.get("create_at")),
        subject=kind if is_event else "",
        body=lines(message, *_attached(props)),
        source_text=message,
        conversation=room,
        people=tuple(people),
        files=tuple(_file(one) for one in items(post.get("attachments"))),
        version_at=from_ms(post.get("edit_at")),
        answers=text(context.extra.get("root")),
        distinct=kind,
        headers=(("Mattermost-Type", kind),) if kind else (),
        is_bulk=is_event or is_bot,
    )


def read_reaction(raw: bytes, context: Context) -> Said:
    """Return a reaction; `context.extra.message` is the name of its post."""
    said = mapping(json_of(raw))
    user, name = text(said.get("user")), text(said.get("emoji_name"))
    if not name:
        raise ValueError("a reaction without an emoji")
    return Said(
        channel=CHANNEL,
        kind=Kind.REACTION,
        name=text(context.extra.get("message")),
        at=from_ms(said.get("create_at")),
        date_raw=text(said.get("create_at")),
        body=f":{name}:",
        conversation=context.conversation,
        people=(known_person(Role.FROM, CHANNEL, user, context),),
        distinct=f"{user} {name} {number(said.get('create_at'))}",
        is_bulk=True,
    )


def read_user(raw: bytes, context: Context) -> Said:
    """Return a user or a robot as a profile: the mail address leads to one person."""
    line = mapping(json_of(raw))
    is_bot = text(line.get("type")) == "bot"
    user = mapping(line.get("bot" if is_bot else "user"))
    key = text(user.get("username"))
    if not key:
        raise ValueError("a user without a name")
    name, side = full_name(user), "bot" if is_bot else side_of(user)
    people = [Participant(Role.SELF, name, chat_address(CHANNEL, key), side)]
    if "@" in text(user.get("email")):
        people.append(Participant(Role.ALIAS, name, text(user.get("email")), side))
    return Said(
        channel=CHANNEL,
        kind=Kind.PROFILE,
        name=f"mattermost:user/{key}",
        at=None,
        received_at=context.received_at,
        subject=name,
        body=lines(name, text(user.get("position")), text(user.get("description"))),
        people=tuple(people),
        distinct=f"{name} {text(user.get('email'))} {side}",
        is_bulk=True,
    )


def read_room(raw: bytes, context: Context) -> Said:
    """Return a channel or a direct one with the members that `context` names."""
    line = mapping(json_of(raw))
    room = mapping(line.get(text(line.get("type"))))
    known = context.conversation
    if known is None:
        raise ValueError("a room without a name")
    told = [text(one) for one in items(room.get("members"))] or list(context.members)
    return Said(
        channel=CHANNEL,
        kind=Kind.CONVERSATION,
        name=f"mattermost:{known.key}",
        at=None,
        received_at=context.received_at,
        subject=known.name,
        body=lines(known.name, text(room.get("header")), text(room.get("purpose"))),
        conversation=Conversation(known.key, known.name),
        people=tuple(known_person(Role.MEMBER, CHANNEL, one, context) for one in told),
        distinct=" ".join(sorted(told)),
        is_bulk=True,
    )


def _is_true(value: Json) -> bool:
    return value is True or value == "true"


def _people(post: Json, props: Json, context: Context) -> list[Participant]:
    kind, writer = text(post.get("type")), text(post.get("user"))
    role = Role.FROM
    if kind.startswith("system_join"):
        role = Role.JOINED
    elif kind.startswith("system_leave"):
        role = Role.LEFT
    shown = text(props.get("override_username"))
    people = [known_person(role, CHANNEL, writer, context, shown)] if writer else []
    for word, moved in zip(_LISTED, (Role.JOINED, Role.LEFT), strict=True):
        other = text(props.get(f"{word}Username"))
        if other:
            people.append(known_person(moved, CHANNEL, other, context))
    return people


def _file(attachment: Json) -> ChatFile:
    path = text(mapping(attachment).get("path"))
    return ChatFile(path, path.rpartition("/")[2])


def _attached(props: Json) -> list[str]:
    """Return the words of the cards that programs attach to a post."""
    found: list[str] = []
    for one in map(mapping, items(props.get("attachments"))):
        found += [text(one.get(word)) for word in _WORDS]
        for cell in map(mapping, items(one.get("fields"))):
            found.append(f"{text(cell.get('title'))} {text(cell.get('value'))}".strip())
    return list(dict.fromkeys(found))
