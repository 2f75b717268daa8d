"""Reads what DingTalk posts: events of its rooms, and messages to a robot.

Robots get the messages that name them, not all of a room. Forms: open.dingtalk.com, "Group session
events" and "Receive messages of a robot".
"""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.events.fields import all_lines
from holdfast.parsers.chat.people import known_person, receivers
from holdfast.parsers.chat.values import (
    Context,
    Json,
    from_ms,
    items,
    json_of,
    lines,
    mapping,
    number,
    text,
)

CHANNEL = "dingtalk"
_ROLES = {"chat_add_member": Role.JOINED, "chat_remove_member": Role.LEFT, "chat_quit": Role.LEFT}
_GROUP = "2"
_PLAIN = ("text", "richText", "picture", "image", "audio", "video", "file")


def read_event(raw: bytes, context: Context) -> Said:
    """Return one event of an app, as it was sealed: keys begin with a capital or a small letter."""
    event = {key[:1].lower() + key[1:]: one for key, one in mapping(json_of(raw)).items()}
    kind = text(event.get("eventType"))
    if not kind:
        raise ValueError("an event without a type")
    stamp = text(event.get("timeStamp"))
    room, title = text(event.get("chatId")), text(event.get("title"))
    is_room = kind.startswith("chat_")
    key = text(event.get("eventId"))
    unknown = Defect("event_kind_unknown", kind[:100])
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT if is_room else Kind.UNKNOWN,
        name=f"dingtalk:event/{key}" if key else "",
        at=from_ms(stamp),
        received_at=context.received_at,
        date_raw=stamp,
        subject=kind,
        body=title if is_room else "\n".join(all_lines(event)),
        conversation=Conversation(room, title) if room else context.conversation,
        people=tuple(_event_people(kind, event, context)),
        distinct=f"{kind} {stamp}",
        is_bulk=True,
        defects=() if is_room else (unknown,),
    )


def _event_people(kind: str, event: Json, context: Context) -> Iterator[Participant]:
    role = _ROLES.get(kind, Role.MENTION)
    named = [text(one) for one in items(event.get("userId"))] or [text(event.get("userId"))]
    if kind == "chat_quit" and not any(named):
        named = [text(event.get("operator"))]
    people = [(role, one) for one in named]
    people += [(Role.FROM, text(event.get("operator"))), (Role.OWNER, text(event.get("owner")))]
    yield from (known_person(role, CHANNEL, one, context) for role, one in people if one)


def read_robot(raw: bytes, context: Context) -> Said:
    """Return one message to a robot."""
    message = mapping(json_of(raw))
    key, room = text(message.get("msgId")), text(message.get("conversationId"))
    kind, stamp = text(message.get("msgtype")), text(message.get("createAt"))
    if not key or not kind:
        raise ValueError("a message without an id or a type")
    content = mapping(message.get("content"))
    is_group = text(message.get("conversationType")) == _GROUP
    title = text(message.get("conversationTitle")) if is_group else ""
    unknown = Defect("content_kind_unknown", kind[:100])
    is_known = kind in _PLAIN
    root = text(message.get("originalMsgId"))
    return Said(
        channel=CHANNEL,
        kind=Kind.IM,
        name=f"dingtalk:{room}/{key}",
        at=from_ms(stamp),
        date_raw=stamp,
        body=lines(
            _body(kind, message, content) if is_known else "\n".join(all_lines(content)),
            *_quoted(message, content),
        ),
        conversation=Conversation(room, title) if room else None,
        people=tuple(_robot_people(message, context)),
        files=tuple(_files(kind, content)),
        answers=f"dingtalk:{room}/{root}" if root else "",
        headers=(("DingTalk-Type", kind),),
        defects=() if is_known else (unknown,),
    )


def _body(kind: str, message: Json, content: Json) -> str:
    if kind == "text":
        return text(mapping(message.get("text")).get("content")).strip()
    if kind == "richText":
        parts = map(mapping, items(content.get("richText")))
        return "".join(text(one.get("text")) for one in parts)
    seconds = number(content.get("duration"))
    if kind == "audio":  # milliseconds, where videos have seconds
        seconds //= 1000
    spoken = f"[{seconds} s]" if seconds else ""
    return lines(text(content.get("recognition")), text(content.get("fileName")), spoken)


def _quoted(message: Json, content: Json) -> Iterator[str]:
    """Yield what is answered: the robot may never have got it."""
    for one in (mapping(message.get("text")), content):
        answered = mapping(one.get("repliedMsg")).get("content")
        for line in all_lines(mapping(answered) or _inner(answered)):
            yield f"> {line.removeprefix('text: ')}"


def _inner(written: Json) -> Json:
    """Return the JSON that stands as text; what is none is a text."""
    try:
        return mapping(json_of(text(written).encode("utf-8", "surrogatepass"))) or text(written)
    except ValueError:
        return text(written)


def _files(kind: str, content: Json) -> Iterator[ChatFile]:
    parts = [content, *map(mapping, items(content.get("richText")))]
    for one in parts:
        # A download code is another one each time; the id of a file stays.
        key = text(one.get("fileId")) or text(one.get("downloadCode"))
        if key:
            kinds = {"video": text(one.get("videoType")), "file": ""}
            ending = kinds.get(kind, "")
            name = text(one.get("fileName")) or (f"video.{ending}" if ending else "")
            yield ChatFile(key, name)


def _robot_people(message: Json, context: Context) -> Iterator[Participant]:
    staff, other = text(message.get("senderStaffId")), text(message.get("senderId"))
    known = known_person(Role.FROM, CHANNEL, staff or other, context)
    side = known.side or ("staff" if staff else "outside")
    yield Participant(Role.FROM, text(message.get("senderNick")), known.address, side)
    yield from receivers(CHANNEL, staff or other, context)
    robot = text(message.get("chatbotUserId"))
    if robot:
        yield Participant(Role.TO, "", chat_address(CHANNEL, robot), "bot")
    for one in map(mapping, items(message.get("atUsers"))):
        key = text(one.get("staffId")) or text(one.get("dingtalkId"))
        if key and text(one.get("dingtalkId")) != robot:
            yield known_person(Role.MENTION, CHANNEL, key, context)
