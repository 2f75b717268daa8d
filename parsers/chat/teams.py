"""Reads a chatMessage of Teams, as Graph writes it and as the PowerShell export tool does.

A message is named by its chat, or its team and channel, and its id, which is unique only there: so
one that several people's folders hold, or that comes by a notification too, is one record.
https://learn.microsoft.com/graph/api/resources/chatmessage
"""

from __future__ import annotations

import re

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.people import known_person, receivers
from holdfast.parsers.chat.reactions import Listed, listed_reaction
from holdfast.parsers.chat.teams_events import SCHEME, RoomEvent, event_of, identity_of
from holdfast.parsers.chat.teams_text import (
    attached_files,
    body_of,
    hosted_files,
    people_mentioned,
    quoted_id,
)
from holdfast.parsers.chat.values import (
    Context,
    Json,
    any_case,
    from_iso,
    items,
    json_of,
    lines,
    mapping,
    text,
)

CHANNEL = SCHEME
_PAIR = re.compile(r"19:([0-9a-fA-F-]{36})_([0-9a-fA-F-]{36})@unq\.gbl\.spaces")
_SYSTEM_TYPES = frozenset(("systemEventMessage", "chatEvent", "typing"))
_STAFF = frozenset(("aadUser", "onPremiseAadUser"))


def read_message(raw: bytes, context: Context) -> Said:
    """Return one chatMessage: a message, a deletion without text, or what the room notes."""
    message = _message_of(raw)
    if is_event(message):
        return _event(message, context)
    if message.get("deletedDateTime") and not _has_content(message):
        return _deletion(message, context)
    return _message(message, context)


def read_deletion(raw: bytes, context: Context) -> Said:
    """Return that a message was deleted, from a copy of it that still has its text."""
    return _deletion(_message_of(raw), context)


def read_reaction(raw: bytes, context: Context) -> Said:
    """Return one reaction from the list of a message."""
    said = mapping(any_case(json_of(raw)))
    user = identity_of(mapping(said.get("user")))
    who = known_person(
        Role.FROM, SCHEME, text(user.get("id")), context, text(user.get("displayName"))
    )
    stamp = text(said.get("createdDateTime"))
    named = who if who.address or who.name else None
    one = Listed(_emoji(said), named, 1, from_iso(stamp), stamp)
    return listed_reaction(CHANNEL, one, context)


def message_name(message: Json, context: Context) -> str:
    """Return the name of a message in its room."""
    return _named(message, context, text(message.get("id")))


def room_key(message: Json) -> str:
    """Return what a room is known by: its chat, or its team and channel; empty for neither."""
    channel = mapping(message.get("channelIdentity"))
    team, inner = text(channel.get("teamId")), text(channel.get("channelId"))
    return f"{team}/{inner}" if inner else text(message.get("chatId"))


def pair_of(room: str) -> tuple[str, ...]:
    """Return the two people of a chat between two, which its id names; nobody for others."""
    found = _PAIR.fullmatch(room)
    return (found[1], found[2]) if found else ()


def is_event(message: Json) -> bool:
    """Tell whether the room speaks, not a person."""
    kind = text(message.get("messageType"))
    body = text(mapping(message.get("body")).get("content"))
    is_marked = body.lower().startswith("<systemeventmessage")
    return kind in _SYSTEM_TYPES or is_marked or bool(message.get("eventDetail"))


def is_deleted_with_text(message: Json) -> bool:
    """Tell whether a message was deleted and its text is still there."""
    return bool(message.get("deletedDateTime")) and not is_event(message) and _has_content(message)


def _message_of(raw: bytes) -> Json:
    message = mapping(any_case(json_of(raw)))
    if not text(message.get("id")):
        raise ValueError("a message without an id")
    return message


def _has_content(message: Json) -> bool:
    content = text(mapping(message.get("body")).get("content"))
    return bool(content.strip()) or bool(items(message.get("attachments")))


def _room(message: Json, context: Context) -> Conversation | None:
    key, known = room_key(message), context.conversation
    if not key:
        return known
    return Conversation(key, known.name if known and known.key == key else "")


def _named(message: Json, context: Context, key: str) -> str:
    room = _room(message, context)
    return f"teams:{room.key if room else ''}/{key}"


def _sender(message: Json, context: Context) -> Participant | None:
    who = mapping(message.get("from"))
    one = identity_of(who)
    key = text(one.get("id"))
    if not key and not text(one.get("displayName")):
        return None
    known = context.person(key)
    side = known.side or _side(who, one, context)
    name = text(one.get("displayName")) or known.name
    return Participant(Role.FROM, name, known.address or chat_address(SCHEME, key), side)


def _side(who: Json, one: Json, context: Context) -> str:
    """Return on which side a sender is: of another tenant, a guest by phone or Skype is outside."""
    if not who.get("user"):
        return "bot" if who.get("application") or who.get("device") else ""
    kind, tenant = text(one.get("userIdentityType")), text(one.get("tenantId"))
    if tenant and context.tenant and tenant != context.tenant:
        return "outside"
    return "staff" if kind in _STAFF else ("outside" if kind else "")


def _people(message: Json, context: Context) -> tuple[Participant, ...]:
    sender = _sender(message, context)
    key = text(identity_of(mapping(message.get("from"))).get("id"))
    people = [sender] if sender else []
    pair = pair_of(room_key(message))
    if pair:
        people += [
            known_person(Role.TO, SCHEME, one, context) for one in pair if sender and one != key
        ]
    elif sender:
        people += receivers(SCHEME, key, context)
    for one in people_mentioned(message):
        people.append(known_person(Role.MENTION, SCHEME, one.key, context, one.name))
    return tuple(people)


def _message(message: Json, context: Context) -> Said:
    files = _files(message)
    sender = _sender(message, context)
    root = text(message.get("replyToId")) or quoted_id(message)
    return Said(
        channel=CHANNEL,
        kind=Kind.IM,
        name=_named(message, context, text(message.get("id"))),
        at=from_iso(message.get("createdDateTime")),
        date_raw=text(message.get("createdDateTime")),
        subject=text(message.get("subject")),
        body=body_of(message),
        source_text=text(mapping(message.get("body")).get("content")),
        conversation=_room(message, context),
        people=_people(message, context),
        files=files,
        version_at=from_iso(message.get("lastEditedDateTime")),
        answers=_named(message, context, root) if root else "",
        headers=(*_headers(message), *_reactions(message, context)),
        is_bulk=sender is not None and sender.side == "bot",
    )


def _files(message: Json) -> tuple[ChatFile, ...]:
    return (*attached_files(message), *hosted_files(message))


def _deletion(message: Json, context: Context) -> Said:
    stamp = text(message.get("deletedDateTime"))
    sender = _sender(message, context)
    return Said(
        channel=CHANNEL,
        kind=Kind.DELETION,
        name=_named(message, context, text(message.get("id"))),
        at=from_iso(stamp),
        date_raw=stamp,
        source_text="deleted",
        conversation=_room(message, context),
        people=(sender,) if sender else (),
        is_bulk=True,
    )


def _event(message: Json, context: Context) -> Said:
    event: RoomEvent = event_of(mapping(message.get("eventDetail")), context)
    sender = _sender(message, context)
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT,
        name=_named(message, context, text(message.get("id"))),
        at=from_iso(message.get("createdDateTime")),
        date_raw=text(message.get("createdDateTime")),
        subject=event.name,
        body=lines(body_of(message), *event.facts),
        source_text=text(mapping(message.get("body")).get("content")),
        conversation=_room(message, context),
        people=(*((sender,) if sender else ()), *event.people),
        headers=_headers(message),
        is_bulk=True,
    )


_PLAIN_HEADERS = (
    ("Message-Type", "messageType"), ("Importance", "importance"), ("Summary", "summary"),
    ("Locale", "locale"), ("Web-Url", "webUrl"), ("Last-Modified", "lastModifiedDateTime"),
    ("Deleted", "deletedDateTime"),
)  # fmt: skip
_USUAL = frozenset(("message", "normal"))


def _headers(message: Json) -> tuple[tuple[str, str], ...]:
    found = [(name, text(message.get(key))) for name, key in _PLAIN_HEADERS]
    for one in map(mapping, items(message.get("messageHistory"))):
        what = text(one.get("actions"))
        reaction = _reaction(mapping(one.get("reaction")), text(one.get("modifiedDateTime")))
        found.append(("History", f"{what} {reaction}"))
    policy = mapping(message.get("policyViolation"))
    found.append(("Policy-Violation", text(policy.get("dlpAction"))))
    behalf = identity_of(mapping(message.get("onBehalfOf")))
    found.append(("On-Behalf-Of", text(behalf.get("displayName")) or text(behalf.get("id"))))
    return tuple((name, value) for name, value in found if value and value not in _USUAL)


def _reactions(message: Json, context: Context) -> list[tuple[str, str]]:
    """Return the reactions that a notification lists; those of an export are records."""
    found = map(mapping, items(message.get("reactions"))) if context.received_at else ()
    return [("Reaction", _reaction(one, text(one.get("createdDateTime")))) for one in found]


def _reaction(one: Json, when: str) -> str:
    user = identity_of(mapping(one.get("user")))
    who = text(user.get("displayName")) or text(user.get("id"))
    return " ".join(filter(None, (_emoji(one), who, when)))


def _emoji(one: Json) -> str:
    what, shown = text(one.get("reactionType")), text(one.get("displayName"))
    return f"{what} ({shown})" if shown and shown != what else what
