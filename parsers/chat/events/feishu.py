"""Reads the events of Feishu and Lark, version 1 and 2: messages, recalls, reactions, rooms.

A message is named by tenant and message id, for what is said of it names no room. People have their
`open_id`, which every event has. Forms: open.feishu.cn, "Message events" and "Message content".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.events.feishu_content import Content, content_of
from holdfast.parsers.chat.events.fields import all_lines
from holdfast.parsers.chat.people import known_person, receivers
from holdfast.parsers.chat.values import (
    Context,
    Json,
    from_ms,
    from_s,
    items,
    json_of,
    lines,
    mapping,
    path,
    text,
)

CHANNEL = "feishu"
_MESSAGE = ("im.message.receive_v1", "message")
_RECALL = ("im.message.recalled_v1",)
_REACTIONS = {
    "im.message.reaction.created_v1": "reaction_added",
    "im.message.reaction.deleted_v1": "reaction_removed",
}
_MEMBERS = {
    "im.chat.member.user.added_v1": Role.JOINED,
    "im.chat.member.user.deleted_v1": Role.LEFT,
    "im.chat.member.user.withdrawn_v1": Role.LEFT,
    "im.chat.member.bot.added_v1": Role.JOINED,
    "im.chat.member.bot.deleted_v1": Role.LEFT,
    "add_user_to_chat": Role.JOINED,
    "remove_user_from_chat": Role.LEFT,
    "revoke_add_user_from_chat": Role.LEFT,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What the envelope of an event tells."""

    kind: str
    key: str
    tenant: str
    event: Json
    context: Context
    at_raw: str
    is_old: bool
    """Of version 1."""

    def named(self, message: str) -> str:
        """Return the name of a message in all channels."""
        return f"feishu:{self.tenant}/{message}" if message else ""

    @property
    def room(self) -> Conversation | None:
        """The room that the event names, else the one that the context knows."""
        event = self.event
        key = (
            text(path(event, "message", "chat_id"))
            or text(event.get("chat_id"))
            or text(event.get("open_chat_id"))
        )
        known = self.context.conversation
        if not key or (known is not None and known.key == key):
            return known
        return Conversation(
            key, text(path(event, "after_change", "name")) or text(event.get("name"))
        )


def read_event(raw: bytes, context: Context) -> Said:
    """Return one event, with the envelope around it."""
    told = _told(mapping(json_of(raw)), context)
    if told.kind in _MESSAGE:
        return _old_message(told) if told.is_old else _message(told)
    if told.kind in _RECALL:
        return _recall(told)
    if told.kind in _REACTIONS:
        return _reaction(told)
    return _other(told)


def _told(outer: Json, context: Context) -> _Told:
    header, event = mapping(outer.get("header")), mapping(outer.get("event"))
    is_old = not header
    kind = text(event.get("type")) if is_old else text(header.get("event_type"))
    if not kind:
        raise ValueError("an event without a type")
    return _Told(
        kind=kind,
        key=text(outer.get("uuid")) if is_old else text(header.get("event_id")),
        tenant=text(header.get("tenant_key")) or text(event.get("tenant_key")) or context.tenant,
        event=event,
        context=context,
        at_raw=text(outer.get("ts")) if is_old else text(header.get("create_time")),
        is_old=is_old,
    )


def _message(told: _Told) -> Said:
    message = mapping(told.event.get("message"))
    key, stamp = text(message.get("message_id")), text(message.get("create_time"))
    if not key:
        raise ValueError("a message without an id")
    names = {
        text(one.get("key")): text(one.get("name"))
        for one in map(mapping, items(message.get("mentions")))
    }
    content = content_of(text(message.get("message_type")), text(message.get("content")), names)
    updated = from_ms(message.get("update_time"))
    at, root = from_ms(stamp), text(message.get("root_id"))
    headers = [("Feishu-Type", text(message.get("message_type")))]
    headers.append(("Feishu-Answers", told.named(text(message.get("parent_id")))))
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT if content.is_system else Kind.IM,
        name=told.named(key),
        at=at,
        date_raw=stamp,
        subject=content.subject,
        body=content.body,
        source_text=text(message.get("content")),
        conversation=told.room,
        people=(*_people(told, message), *content.people),
        files=content.files,
        version_at=updated if at and updated and updated > at else None,
        answers=told.named(root) if root != key else "",
        headers=tuple((name, value) for name, value in headers if value),
        is_bulk=content.is_system or text(path(told.event, "sender", "sender_type")) != "user",
        defects=content.defects,
    )


def _people(told: _Told, message: Json) -> Iterator[Participant]:
    sender = mapping(told.event.get("sender"))
    key = _open_id(sender.get("sender_id"))
    side = _side(told, sender)
    known = told.context.person(key)
    address = known.address or chat_address(CHANNEL, key)
    yield Participant(Role.FROM, known.name, address, side)
    yield from receivers(CHANNEL, key, told.context)
    for one in map(mapping, items(message.get("mentions"))):
        if _open_id(one.get("id")):
            yield _person(told, Role.MENTION, one, one.get("id"))


def _person(told: _Told, role: Role, one: Json, ids: Json) -> Participant:
    found = known_person(role, CHANNEL, _open_id(ids), told.context, text(one.get("name")))
    return Participant(role, found.name, found.address, found.side or _side(told, one))


def _open_id(ids: Json) -> str:
    """Return the id of a person, who may be named by several ids or by one."""
    known = mapping(ids)
    named = (known.get(one) for one in ("open_id", "user_id", "union_id"))
    return next((text(one) for one in named if text(one)), "") if known else text(ids)


def _side(told: _Told, one: Json) -> str:
    """Return on which side somebody is: of another tenant is outside."""
    if text(one.get("sender_type")) in ("app", "bot"):
        return "bot"
    tenant = text(one.get("tenant_key"))
    if not tenant:
        return ""
    return "staff" if tenant == told.tenant else "outside"


def _old_message(told: _Told) -> Said:
    """Return a message of version 1, which has its text apart from its mark-up."""
    event = told.event
    key = text(event.get("open_message_id"))
    if not key:
        raise ValueError("a message without an id")
    body = text(event.get("text"))
    content = Content(body)
    kind = text(event.get("msg_type"))
    if kind != "text":
        content = content_of(kind, _old_content(event), {}, is_plain=True)
    sender = text(event.get("user_open_id")) or text(event.get("open_id"))
    root = text(event.get("root_id"))
    return Said(
        channel=CHANNEL,
        kind=Kind.IM,
        name=told.named(key),
        at=from_s(told.at_raw.partition(".")[0]),
        date_raw=told.at_raw,
        subject=text(event.get("title")) or content.subject,
        body=lines(body, content.body) if content.body != body else body,
        conversation=told.room,
        people=(
            known_person(Role.FROM, CHANNEL, sender, told.context),
            *receivers(CHANNEL, sender, told.context),
        ),
        files=content.files,
        answers=told.named(root) if root != key else "",
        headers=(("Feishu-Type", kind),),
        defects=content.defects,
    )


def _old_content(event: Json) -> Json:
    keys = ("image_key", "file_key", "file_name", "image_keys", "duration")
    return {key: event[key] for key in keys if key in event}


def _recall(told: _Told) -> Said:
    event = told.event
    key = text(event.get("message_id"))
    if not key:
        raise ValueError("a recall that names no message")
    by = text(event.get("recall_type"))
    stamp = text(event.get("recall_time")) or told.at_raw
    return Said(
        channel=CHANNEL,
        kind=Kind.RECALL if by in ("message_owner", "") else Kind.DELETION,
        name=told.named(key),
        at=from_ms(stamp),
        date_raw=stamp,
        subject=by,
        source_text="recalled",
        conversation=told.room,
        distinct=stamp,
        is_bulk=True,
    )


def _reaction(told: _Told) -> Said:
    event, subject = told.event, _REACTIONS[told.kind]
    who = _open_id(event.get("user_id")) or text(event.get("app_id"))
    emoji = text(path(event, "reaction_type", "emoji_type"))
    stamp = text(event.get("action_time")) or told.at_raw
    side = "bot" if text(event.get("operator_type")) == "app" else ""
    person = known_person(Role.FROM, CHANNEL, who, told.context)
    return Said(
        channel=CHANNEL,
        kind=Kind.REACTION,
        name=told.named(text(event.get("message_id"))),
        at=from_ms(stamp),
        date_raw=stamp,
        subject=subject,
        body=f":{emoji}:",
        conversation=told.room,
        people=(Participant(Role.FROM, person.name, person.address, side or person.side),),
        distinct=f"{subject} {who} {emoji} {stamp}",
        is_bulk=True,
    )


def _other(told: _Told) -> Said:
    """Return what the room tells of itself, and every event that is not known here."""
    event = told.event
    people = [*_members(told)]
    operator = _open_id(event.get("operator_id")) or _open_id(event.get("operator"))
    if operator:
        people.append(known_person(Role.FROM, CHANNEL, operator, told.context))
    is_room = told.kind.startswith("im.chat.") or told.kind in _MEMBERS or "_chat" in told.kind
    before, after = (mapping(event.get(one)) for one in ("before_change", "after_change"))
    changed = (f"{name}: {text(before.get(name))} → {text(one)}" for name, one in after.items())
    is_known = is_room or told.kind.startswith(("im.", "p2p_chat_create"))
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT if is_known else Kind.UNKNOWN,
        name=f"feishu:event/{told.key}" if told.key else "",
        at=_stamp(told),
        date_raw=told.at_raw,
        subject=told.kind,
        body=lines(text(event.get("name")), *changed) if is_known else "\n".join(all_lines(event)),
        conversation=told.room,
        people=tuple(people),
        distinct=told.kind,
        is_bulk=True,
        defects=() if is_known else (Defect("event_kind_unknown", told.kind[:100]),),
    )


def _stamp(told: _Told) -> datetime | None:
    return from_s(told.at_raw.partition(".")[0]) if told.is_old else from_ms(told.at_raw)


def _members(told: _Told) -> Iterator[Participant]:
    role = _MEMBERS.get(told.kind, Role.MEMBER)
    for one in map(mapping, items(told.event.get("users"))):
        yield _person(told, role, one, one.get("user_id") or one.get("open_id"))
