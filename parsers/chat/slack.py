"""Reads messages, events, users and rooms of Slack, from exports and from the Events API alike.

A message is named by its channel and its `ts`, so that one that comes both ways is one record. `ts`
is text and is never made a float. Forms: https://slack.com/help/articles/220556107 and
https://docs.slack.dev/reference/events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.events.fields import all_lines
from holdfast.parsers.chat.people import known_person, receivers
from holdfast.parsers.chat.reactions import Listed, listed_reaction, place_in
from holdfast.parsers.chat.slack_text import body_of, mentioned
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

CHANNEL = "slack"
_EVENTS = frozenset(
    {"channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name"}
    | {"channel_archive", "channel_unarchive", "channel_convert_to_private", "group_join"}
    | {"group_leave", "group_topic", "group_purpose", "group_name", "group_archive", "bot_add"}
    | {"group_unarchive", "pinned_item", "bot_remove", "reminder_add", "huddle_thread"}
    | {"channel_posting_permissions", "ekm_access_denied"}
)
"""Subtypes by which the room speaks, not a person."""
_ROLE_OF = {
    "channel_join": Role.JOINED, "group_join": Role.JOINED, "member_joined_channel": Role.JOINED,
    "channel_leave": Role.LEFT, "group_leave": Role.LEFT, "member_left_channel": Role.LEFT,
}  # fmt: skip
_PROFILES = ("team_join", "user_change", "user_profile_changed")
"""Events that hold a user as `users.json` does."""
_GONE = frozenset(("tombstone", "message_deleted"))


def read_message(raw: bytes, context: Context) -> Said:
    """Return one message of an export; `context` has the room, and the people it names.

    Where a workspace keeps them, edits and deletions stand in it as events send them.
    """
    return _message_event(mapping(json_of(raw)), context)


def read_previous(raw: bytes, context: Context) -> Said:
    """Return the message as it was before the edit or the deletion that says so."""
    return _message(before_of(mapping(json_of(raw))), context)


def before_of(message: Json) -> Json:
    """Return the message that an edit or a deletion is about, as it was; an empty one for none."""
    if text(message.get("subtype")) not in ("message_changed", "message_deleted"):
        return {}
    found = (mapping(message.get(one)) for one in ("previous_message", "previous", "original"))
    return next(filter(None, found), {})


def read_reaction(raw: bytes, context: Context) -> Said:
    """Return the reaction of one person from the list of a message, or of those not named there.

    A list can name fewer people than it counts, and says no times.
    """
    said = mapping(json_of(raw))
    name, place = text(said.get("name")), place_in(context)
    users = items(said.get("users"))
    if place < 0:
        unnamed = number(said.get("count")) - len(users)
        return listed_reaction(CHANNEL, Listed(name and f":{name}:", None, unnamed), context)
    who = known_person(Role.FROM, CHANNEL, text(users[place]), context)
    one = Listed(name and f":{name}:", who if who.address else None, 1)
    return listed_reaction(CHANNEL, one, context)


def message_name(message: Json, context: Context) -> str:
    """Return the name of a message in its room."""
    return _named(context, text(message.get("ts")))


def read_event(raw: bytes, context: Context) -> Said:
    """Return one event as the Events API sends it, with the envelope around it."""
    outer = mapping(json_of(raw))
    event = mapping(outer.get("event"))
    kind = text(event.get("type"))
    inside = _in_room(context, event)
    if kind in ("message", "app_mention"):
        return _message_event(event, inside)
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction(event, inside)
    if kind in _PROFILES and text(mapping(event.get("user")).get("id")):
        return _profile(mapping(event.get("user")), context)
    return _other_event(outer, event, inside)


def read_event_previous(raw: bytes, context: Context) -> Said:
    """Return the message as it was before the edit or the deletion that an event tells."""
    event = mapping(mapping(json_of(raw)).get("event"))
    return _message(before_of(event), _in_room(context, event))


def tells_previous(outer: Json) -> bool:
    """Tell whether an event says how a message was before: it may never have reached us."""
    event = mapping(outer.get("event"))
    return text(event.get("type")) == "message" and bool(text(before_of(event).get("ts")))


def read_user(raw: bytes, context: Context) -> Said:
    """Return a user of `users.json` as a profile: the mail address leads to one person."""
    return _profile(mapping(json_of(raw)), context)


def _profile(user: Json, context: Context) -> Said:
    key = text(user.get("id"))
    if not key:
        raise ValueError("a user without an id")
    profile, side = mapping(user.get("profile")), side_of(user)
    name = name_of(user)
    people = [Participant(Role.SELF, name, chat_address(CHANNEL, key), side)]
    if "@" in text(profile.get("email")):
        people.append(Participant(Role.ALIAS, name, text(profile.get("email")), side))
    updated = number(user.get("updated"))
    return Said(
        channel=CHANNEL,
        kind=Kind.PROFILE,
        name=f"slack:user/{key}",
        at=from_ms(updated * 1000),
        received_at=context.received_at,
        subject=name,
        body=lines(name, text(profile.get("title")), text(profile.get("phone"))),
        people=tuple(people),
        version_at=from_ms(updated * 1000),
        is_bulk=True,
    )


def read_room(raw: bytes, context: Context) -> Said:
    """Return a room of `channels.json` and its like, with its members."""
    room = mapping(json_of(raw))
    key = text(room.get("id"))
    if not key:
        raise ValueError("a room without an id")
    name = text(room.get("name"))
    topic, purpose = (text(mapping(room.get(part)).get("value")) for part in ("topic", "purpose"))
    members = [text(one) for one in items(room.get("members"))]
    return Said(
        channel=CHANNEL,
        kind=Kind.CONVERSATION,
        name=f"slack:{key}",
        at=from_ms(number(room.get("created")) * 1000),
        subject=name,
        body=lines(name, topic, purpose),
        conversation=Conversation(key, name),
        people=tuple(known_person(Role.MEMBER, CHANNEL, one, context) for one in members),
        distinct=" ".join(sorted(members)),
        is_bulk=True,
    )


def name_of(user: Json) -> str:
    """Return the name that people know a user by."""
    profile = mapping(user.get("profile"))
    names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"))
    return next((text(one) for one in (*names, user.get("name")) if text(one)), "")


def side_of(user: Json) -> str:
    """Return on which side a user is: guests and members of other workspaces are outside."""
    if user.get("is_bot") is True or text(user.get("id")) == "USLACKBOT":
        return "bot"
    if user.get("is_restricted") is True or user.get("is_ultra_restricted") is True:
        return "outside"
    return "outside" if user.get("is_stranger") is True else "staff"


@dataclass(frozen=True, slots=True)
class _Who:
    """Who wrote a message."""

    sender: Participant
    key: str
    is_bot: bool


def _at(ts: str) -> datetime | None:
    """Return the instant of a `ts`, its microseconds cut to milliseconds."""
    seconds, _, rest = ts.partition(".")
    return from_ms(number(seconds) * 1000 + number(rest[:3].ljust(3, "0"))) if seconds else None


def _named(context: Context, ts: str) -> str:
    room = context.conversation
    return f"slack:{room.key if room else ''}/{ts}" if ts else ""


def _in_room(context: Context, event: Json) -> Context:
    """Return the context with the room that an event names."""
    room = event.get("channel") or mapping(event.get("item")).get("channel")
    key = text(room) or text(mapping(room).get("id"))
    name = text(mapping(room).get("name"))
    if not key:
        return context
    known = dict(context.room) if context.room.get("key") == key else {"key": key}
    return replace(context, channel=CHANNEL, room=known | ({"name": name} if name else {}))


def _who(message: Json, context: Context) -> _Who:
    key = text(message.get("user")) or text(mapping(message.get("comment")).get("user"))
    profile = mapping(message.get("user_profile"))
    known = context.person(key)
    is_bot = bool(message.get("bot_id")) or known.side == "bot"
    name = text(message.get("username")) or text(profile.get("real_name")) or known.name
    if not key:
        bot = text(message.get("bot_id"))
        address = chat_address(CHANNEL, bot) if bot else ""
        return _Who(Participant(Role.FROM, name or "bot", address, "bot"), bot, is_bot=True)
    # A stranger of a shared channel is in no directory, only in the message itself.
    # What a program writes for somebody is no word of theirs, and makes no machine of them.
    side = known.side or ("bot" if is_bot else "outside" if profile else "")
    return _Who(Participant(Role.FROM, name, chat_address(CHANNEL, key), side), key, is_bot)


def _message(message: Json, context: Context) -> Said:
    subtype, ts = text(message.get("subtype")), text(message.get("ts"))
    if _at(ts) is None:
        raise ValueError("a message without a ts")
    who = _who(message, context)
    if subtype in _EVENTS:
        return _room_event(message, who, context)
    source = text(message.get("text"))
    root = text(message.get("thread_ts"))
    edited = text(mapping(message.get("edited")).get("ts"))
    people = [who.sender, *receivers(CHANNEL, who.key, context)]
    people += [known_person(Role.MENTION, CHANNEL, one, context) for one in mentioned(source)]
    return Said(
        channel=CHANNEL,
        kind=Kind.DELETION if subtype in _GONE else Kind.IM,
        name=_named(context, ts),
        at=_at(ts),
        date_raw=ts,
        body=body_of(message, lambda key: context.person(key).name),
        source_text=source,
        conversation=context.conversation,
        people=tuple(people),
        files=_files(message),
        version_at=_at(edited),
        answers=_named(context, root) if root and root != ts else "",
        headers=(("Slack-Subtype", subtype),) if subtype else (),
        is_bulk=who.is_bot,
    )


def _files(message: Json) -> tuple[ChatFile, ...]:
    listed = [*items(message.get("files"))] or [message.get("file")]
    for attached in map(mapping, items(message.get("attachments"))):
        listed += items(attached.get("files"))  # of a message that this one shows
    return tuple(
        ChatFile(
            key=text(one.get("id")) or text(one.get("url_private")),
            name=text(one.get("name")) or text(one.get("title")),
            media_type=text(one.get("mimetype")),
            size_bytes=number(one.get("size")),
        )
        for one in map(mapping, listed)
        if one
    )


def _room_event(message: Json, who: _Who, context: Context) -> Said:
    subtype, ts = text(message.get("subtype")), text(message.get("ts"))
    role = _ROLE_OF.get(subtype, Role.FROM)
    actor = who.sender
    people = [Participant(role, actor.name, actor.address, actor.side)]
    inviter = text(message.get("inviter"))
    if inviter:
        people.append(known_person(Role.FROM, CHANNEL, inviter, context))
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT,
        name=_named(context, ts),
        at=_at(ts),
        date_raw=ts,
        subject=subtype,
        body=body_of(message, lambda key: context.person(key).name),
        source_text=text(message.get("text")),
        conversation=context.conversation,
        people=tuple(people),
        distinct=subtype,
        headers=(("Slack-Subtype", subtype),),
        is_bulk=True,
    )


def _message_event(event: Json, context: Context) -> Said:
    subtype = text(event.get("subtype"))
    if subtype == "message_changed":
        changed = _changed(event)
        if text(changed.get("subtype")) != "tombstone":
            said = _message(changed, context)
            return replace(said, version_at=said.version_at or _at(text(event.get("ts"))))
        event = {**changed, "subtype": "message_deleted", "deleted_ts": changed.get("ts")}
        subtype = "message_deleted"
    if subtype == "message_deleted":
        return _deletion(event, context)
    if subtype == "message_replied":
        event = mapping(event.get("message")) or event
    return _message(event, context)


def _changed(event: Json) -> Json:
    """Return the message as it is now; some exports write it where the edit itself stands."""
    named = text(before_of(event).get("ts")) or text(event.get("ts"))
    return mapping(event.get("message")) or {**event, "subtype": "", "ts": named}


def _deletion(event: Json, context: Context) -> Said:
    before = before_of(event)
    ts = text(event.get("deleted_ts")) or text(before.get("ts")) or text(event.get("ts"))
    who = _who(before, context)
    return Said(
        channel=CHANNEL,
        kind=Kind.DELETION,
        name=_named(context, ts),
        at=_at(text(event.get("event_ts")) or text(event.get("ts"))),
        date_raw=text(event.get("event_ts")) or text(event.get("ts")),
        conversation=context.conversation,
        people=(who.sender,) if before else (),
        body=body_of(before, lambda key: context.person(key).name),
        source_text="deleted",
    )


def _reaction(event: Json, context: Context) -> Said:
    target = mapping(event.get("item"))
    user, name = text(event.get("user")), text(event.get("reaction"))
    kind, stamp = text(event.get("type")), text(event.get("event_ts"))
    return Said(
        channel=CHANNEL,
        kind=Kind.REACTION,
        name=_named(context, text(target.get("ts"))),
        at=_at(stamp),
        date_raw=stamp,
        subject=kind,
        body=f":{name}:",
        conversation=context.conversation,
        people=(known_person(Role.FROM, CHANNEL, user, context),),
        distinct=f"{kind} {user} {name} {stamp}",
        is_bulk=True,
    )


def _words_of(event: Json) -> str:
    """Return all that an event says; its token vouches for it, and is no word."""
    return "\n".join(all_lines({key: one for key, one in event.items() if key != "token"}))


def _other_event(outer: Json, event: Json, context: Context) -> Said:
    """Return what is no message: who came and went, renamed rooms, and types not known here."""
    kind, stamp = text(event.get("type")), text(event.get("event_ts"))
    user = event.get("user")
    key = text(user) or text(mapping(user).get("id"))
    at = _at(stamp) or from_ms(number(outer.get("event_time")) * 1000)
    people = (known_person(_ROLE_OF.get(kind, Role.FROM), CHANNEL, key, context),) if key else ()
    room = context.conversation
    is_of_room = kind in _ROLE_OF or isinstance(event.get("channel"), dict)
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT if kind else Kind.UNKNOWN,
        name=f"slack:event/{text(outer.get('event_id'))}" if outer.get("event_id") else "",
        at=at,
        received_at=context.received_at,
        date_raw=stamp,
        subject=kind or "unknown",
        body=(room.name if room else "") if is_of_room else _words_of(event or outer),
        conversation=room,
        people=people,
        distinct=f"{kind} {stamp} {key}",
        is_bulk=True,
    )
