"""Reads messages, contacts and chats of an export of Telegram Desktop.

Ids are unique within a chat only; in chats of two and in small groups only within an account, too.
So the key of such a room holds the account, as far as the export tells: see `room_of` of the
reader. Times are seconds since 1970; exports before 2021 have local times alone.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.local_times import at_zone, naive_iso
from holdfast.parsers.chat.people import known_person, receivers
from holdfast.parsers.chat.reactions import Listed, listed_reaction, place_in
from holdfast.parsers.chat.telegram_text import (
    SCHEME,
    body_of,
    full_name,
    mentions_in,
    person_key,
    plain,
)
from holdfast.parsers.chat.values import (
    Context,
    Json,
    from_s,
    items,
    json_of,
    lines,
    mapping,
    number,
    text,
)

CHANNEL = SCHEME
_CALLS = frozenset(("phone_call",))
_JOINS = frozenset(("create_group", "invite_members", "invite_to_group_call"))
_JOINS_ALONE = frozenset(("join_group_by_link", "join_group_by_request", "joined_telegram"))
_LEAVES = frozenset(("remove_members",))
_KNOWN = frozenset(
    {"id", "type", "date", "date_unixtime", "actor", "actor_id", "action", "text", "text_entities"}
    | {"members", "photo", "photo_file_size", "file", "file_size", "thumbnail", "width", "height"}
)
NOT_INCLUDED = "(File"
"""How the place of a file that was left out begins."""


def read_message(raw: bytes, context: Context) -> Said:
    """Return one message or service message; `context` has the room, and a chat's members."""
    message = mapping(json_of(raw))
    kind = text(message.get("type"))
    if kind == "service":
        return _service(message, context)
    if not any(key in message for key in ("id", "date", "date_unixtime")):
        raise ValueError("a message without an id and a time")
    at, zone_defects = _at(message, "date", context)
    edited, _ = _at(message, "edited", context)
    key = person_key(message.get("from_id"))
    people = [_sender(message, key, context), *receivers(SCHEME, key, context)]
    root = number(message.get("reply_to_message_id"))
    is_elsewhere = bool(message.get("reply_to_peer_id"))
    return Said(
        channel=CHANNEL,
        kind=Kind.IM if kind == "message" else Kind.UNKNOWN,
        name=_named(context, text(message.get("id"))),
        at=at,
        date_raw=_date_raw(message),
        body=body_of(message),
        source_text=plain(message.get("text")),
        conversation=context.conversation,
        people=(*people, *mentions_in(message)),
        files=_files(message),
        version_at=edited,
        answers=_named(context, str(root)) if root and not is_elsewhere else "",
        headers=_headers(message),
        distinct=_distinct(message, context, zone_defects),
        is_bulk=people[0].side == "bot" or "channel" in text(context.extra.get("type")),
        defects=zone_defects,
    )


def read_reaction(raw: bytes, context: Context) -> Said:
    """Return the reaction of one person from the list of a message, or of those not named there."""
    said, place = mapping(json_of(raw)), place_in(context)
    what = text(said.get("emoji")) or text(said.get("document_id")) or text(said.get("type"))
    recent = items(said.get("recent"))
    if place < 0:
        unnamed = number(said.get("count")) - len(recent)
        return listed_reaction(CHANNEL, Listed(what, None, unnamed), context)
    by = mapping(recent[place])
    who = known_person(
        Role.FROM, SCHEME, person_key(by.get("from_id")), context, text(by.get("from"))
    )
    at, defects = _at(by, "date", context)
    named = who if who.address or who.name else None
    return listed_reaction(CHANNEL, Listed(what, named, 1, at, _date_raw(by), defects), context)


def read_contact(raw: bytes, context: Context) -> Said:
    """Return a contact, or the owner of the account, as a profile: the phone leads to one person.

    The number is written in international form, with or without its `+`.
    """
    person = mapping(json_of(raw))
    key, name = number(person.get("user_id")), full_name(person)
    digits = "".join(filter(str.isdecimal, text(person.get("phone_number"))))
    phone = chat_address("phone", f"+{digits}") if 7 <= len(digits) <= 15 else ""
    if not key and not phone:
        raise ValueError("a contact without an id and a phone")
    known = [chat_address(SCHEME, f"user{key}")] if key else []
    known += [phone] if phone else []
    roles = (Role.SELF, Role.ALIAS)
    at, defects = _at(person, "date", context)
    bio = text(person.get("bio"))
    return Said(
        channel=CHANNEL,
        kind=Kind.PROFILE,
        name=f"telegram:contact/{known[0]}",
        at=at,
        subject=name,
        body=lines(name, text(person.get("phone_number")), text(person.get("username")), bio),
        people=tuple(Participant(*one) for one in zip(roles, [name] * 2, known, strict=False)),
        is_bulk=True,
        defects=defects,
    )


def read_chat(raw: bytes, context: Context) -> Said:
    """Return a room: the beginning of a chat's object, up to its messages, or one without any."""
    head = raw.rstrip()
    if not head.endswith(b"}"):
        head = head.removesuffix(b":").rstrip().removesuffix(b'"messages"').rstrip()
        head = head.removesuffix(b",") + b"}"
    chat = mapping(json_of(head))
    room = context.conversation
    if room is None:
        raise ValueError("a chat without an id")
    name = text(chat.get("name"))
    members = [known_person(Role.MEMBER, SCHEME, one, context) for one in context.members]
    return Said(
        channel=CHANNEL,
        kind=Kind.CONVERSATION,
        name=f"telegram:{room.key}",
        at=None,
        received_at=context.received_at,
        subject=name,
        body=lines(name, text(chat.get("type"))),
        conversation=room,
        people=tuple(members),
        distinct=" ".join(sorted(context.members)),
        is_bulk=True,
    )


def read_other(raw: bytes, context: Context) -> Said:
    """Return what else an account's export holds, as it stands: sessions, settings, lists."""
    return Said(
        channel=CHANNEL,
        kind=Kind.UNKNOWN,
        name="",
        at=None,
        received_at=context.received_at,
        subject=text(context.extra.get("what")),
        body=raw[: 1 << 20].decode("utf-8", "replace"),
        source_text=hashlib.sha256(raw).hexdigest(),  # all bytes tell it from others
        distinct=text(context.extra.get("what")),
        is_bulk=True,
    )


def file_paths(message: Json) -> list[str]:
    """Return where an export has the files of a message, those left out not."""
    found = (message.get(key) for key in ("file", "photo", "contact_vcard"))
    return [text(one) for one in found if text(one) and not text(one).startswith(NOT_INCLUDED)]


def message_name(message: Json, context: Context) -> str:
    """Return the name of a message in its room."""
    return _named(context, text(message.get("id")))


def _named(context: Context, key: str) -> str:
    room = context.conversation
    return f"telegram:{room.key if room else ''}/{key}" if key else ""


def _at(value: Json, name: str, context: Context) -> tuple[datetime | None, tuple[Defect, ...]]:
    """Return the instant by the seconds, else by the local time; 1970 is how none is written."""
    seconds = from_s(value.get(f"{name}_unixtime"))
    local = naive_iso(text(value.get(name)))
    if seconds is not None or local is None or local.year <= 1970:
        return seconds, ()
    return at_zone(local, context.zone)


def _date_raw(message: Json) -> str:
    return text(message.get("date_unixtime")) or text(message.get("date"))


def _distinct(message: Json, context: Context, defects: tuple[Defect, ...]) -> str:
    """Return what keeps equal messages apart, and readings of one by different zones."""
    is_local = bool(defects) or not message.get("date_unixtime")
    place = "" if message.get("id") is not None else context.item
    return f"{place} {context.zone if is_local else ''}".strip()


def _sender(message: Json, key: str, context: Context) -> Participant:
    known = context.person(key)
    name = text(message.get("from")) or known.name or text(message.get("author"))
    is_bot = text(context.extra.get("type")) == "bot_chat" and key == text(
        context.extra.get("other")
    )
    return Participant(Role.FROM, name, chat_address(SCHEME, key), "bot" if is_bot else known.side)


def _files(message: Json) -> tuple[ChatFile, ...]:
    """Return the files; their keys must be the same with and without the media beside."""
    found = []
    place = text(message.get("file"))
    if place:
        media = text(message.get("mime_type"))
        name = text(message.get("file_name")) or _base_name(place)
        name = name or text(message.get("media_type")) or "file"
        found.append(ChatFile("file", name, media, number(message.get("file_size"))))
    place = text(message.get("photo"))
    if place:
        size = number(message.get("photo_file_size"))
        found.append(ChatFile("photo", _base_name(place) or "photo", "image/jpeg", size))
    place = text(message.get("contact_vcard"))
    if place:
        found.append(ChatFile("contact", _base_name(place) or "contact.vcf", "text/vcard"))
    return tuple(found)


def _base_name(place: str) -> str:
    return "" if place.startswith(NOT_INCLUDED) else place.rpartition("/")[2]


def _service(message: Json, context: Context) -> Said:
    action = text(message.get("action"))
    at, defects = _at(message, "date", context)
    people = _service_people(message, action, context)
    facts = [
        f"{key}: {plain(value)}"
        for key, value in message.items()
        if key not in _KNOWN and plain(value)
    ]
    said = plain(message.get("text"))
    is_call = action in _CALLS
    return Said(
        channel=CHANNEL,
        kind=Kind.CALL if is_call else Kind.CHAT_EVENT,
        name=_named(context, text(message.get("id"))),
        at=at,
        date_raw=_date_raw(message),
        subject=action,
        body=lines(said, *facts),
        source_text=lines(action, said, *facts),
        conversation=context.conversation,
        people=people,
        files=_files(message),
        distinct=_distinct(message, context, defects),
        is_bulk=not is_call,
        defects=defects,
    )


def _service_people(message: Json, action: str, context: Context) -> tuple[Participant, ...]:
    """Return who did it, and who came or went: the export names those by their names alone."""
    key, name = person_key(message.get("actor_id")), text(message.get("actor"))
    actor = known_person(Role.FROM, SCHEME, key, context, name)
    names = [text(one) for one in items(message.get("members"))]
    role = Role.MENTION
    if action in _JOINS or action in _JOINS_ALONE:
        role = Role.JOINED
    elif action in _LEAVES:
        role = Role.LEFT
    people = [actor]
    if action in _JOINS_ALONE:
        people.append(Participant(role, actor.name, actor.address, actor.side))
    for one in names:
        is_actor = one == name and bool(one)
        people.append(Participant(role, one, actor.address if is_actor else ""))
    if action in _CALLS:
        people += receivers(SCHEME, key, context)
    return tuple(people)


_PLAIN_HEADERS = (
    ("Author", "author"), ("Forwarded-From", "forwarded_from"), ("Saved-From", "saved_from"),
    ("Forwarded-From-Id", "forwarded_from_id"), ("Via-Bot", "via_bot"), ("Media", "media_type"),
    ("Duration-Seconds", "duration_seconds"), ("Edited", "edited"),
    ("Self-Destruct-Seconds", "self_destruct_period_seconds"),
)  # fmt: skip


def _headers(message: Json) -> tuple[tuple[str, str], ...]:
    found = [(name, text(message.get(key))) for name, key in _PLAIN_HEADERS]
    if message.get("reply_to_peer_id"):
        elsewhere = (
            f"{text(message['reply_to_peer_id'])}/{text(message.get('reply_to_message_id'))}"
        )
        found.append(("Reply-To", elsewhere))
    return tuple((name, value) for name, value in found if value)
