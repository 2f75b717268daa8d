"""Reads archived messages of WeCom as its SDK gives them, one decrypted JSON object each.

A message is named by its `msgid`, so that one that comes by an export and by a bridge is one
record. Form: https://developer.work.weixin.qq.com/document/path/91774.
"""

from __future__ import annotations

import json
import re

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.values import (
    Context,
    Json,
    distinct,
    from_ms,
    items,
    json_of,
    mapping,
    text,
)
from holdfast.parsers.chat.wecom_bodies import Content, body_of, content_of
from holdfast.parsers.defects import Defects

CHANNEL = "wecom"
FORM = "wecom.message"
FEW = 20
"""So many people at most are named with each message of a group."""
_OUTSIDE = re.compile(r"w[mo][A-Za-z0-9_-]{16,}")
_BOT = re.compile(r"wb[A-Za-z0-9_-]{16,}")
_KINDS = {
    "agree": Kind.CONSENT,
    "disagree": Kind.CONSENT,
    "meeting_voice_call": Kind.CALL,
    "voiptext": Kind.CALL,
    "meeting_notification": Kind.CHAT_EVENT,
}


def read_message(raw: bytes, context: Context) -> Said:
    """Return one message; what is still encrypted becomes a record that says so."""
    message = mapping(json_of(raw))
    if not text(message.get("msgid")):
        raise ValueError("a message without a msgid")
    if "encrypt_chat_msg" in message and "msgtype" not in message:
        return _encrypted(message, context)
    if text(message.get("action")) == "switch":
        return _switch(message, context)
    if text(message.get("action")) == "recall" or text(message.get("msgtype")) == "revoke":
        return _recall(message, context)
    if text(message.get("msgtype")) in ("agree", "disagree"):
        return _consent(message, context)
    return _message(message, context)


def name_of(msgid: str) -> str:
    """Return the name that records know a message by."""
    return f"wecom:{msgid}" if msgid else ""


def side_of(key: str) -> str:
    """Return on which side an id is: the vendor gives long ids to outsiders and to robots."""
    if _OUTSIDE.fullmatch(key):
        return "outside"
    return "bot" if _BOT.fullmatch(key) else "staff"


def person(role: Role, key: str, context: Context) -> Participant:
    """Return whom WeCom calls so."""
    known = context.person(key)
    address = known.address or chat_address(CHANNEL, key)
    return Participant(role, known.name, address, known.side or side_of(key))


def room_of(message: Json, context: Context) -> Conversation | None:
    """Return the group, or what two people exchange: then their ids in order are its key."""
    key = text(message.get("roomid"))
    if not key:
        key = ",".join(sorted(_everybody(message)))
    name = context.room.get("name", "") if context.room.get("key") == key else ""
    return Conversation(key, name) if key else None


def people_of(message: Json, context: Context) -> tuple[Participant, ...]:
    """Return the sender, and the receivers where they are few."""
    sender, to = text(message.get("from")), _receivers(message)
    people = [person(Role.FROM, sender, context)] if sender else []
    if len(to) < FEW or not text(message.get("roomid")):
        people += [person(Role.TO, one, context) for one in to if one != sender]
    return tuple(people)


def _receivers(message: Json) -> tuple[str, ...]:
    return distinct(map(text, items(message.get("tolist"))))


def _everybody(message: Json) -> tuple[str, ...]:
    return distinct((text(message.get("from")), *_receivers(message)))


def _headers(message: Json) -> tuple[tuple[str, str], ...]:
    to = _receivers(message)
    many = " ".join(to) if len(to) >= FEW and text(message.get("roomid")) else ""
    named = {
        "WeCom-Type": text(message.get("msgtype")),
        "WeCom-Action": text(message.get("action")),
        "WeCom-Voice-Id": text(message.get("voiceid")) or text(message.get("voipid")),
        "WeCom-To": many,
    }
    return tuple((name, value) for name, value in named.items() if value)


def _message(message: Json, context: Context) -> Said:
    kind = text(message.get("msgtype"))
    content = content_of(message)
    sender = text(message.get("from"))
    known = _KINDS.get(kind, Kind.IM if content.is_known else Kind.UNKNOWN)
    return Said(
        channel=CHANNEL,
        kind=known,
        name=name_of(text(message.get("msgid"))),
        at=from_ms(message.get("msgtime")),
        date_raw=text(message.get("msgtime")),
        subject=content.subject or ("" if content.is_known else kind),
        body=content.body,
        source_text=_source(message, content),
        conversation=room_of(message, context),
        people=people_of(message, context),
        files=tuple(content.files),
        headers=_headers(message),
        is_bulk=bool(sender) and person(Role.FROM, sender, context).side == "bot",
        defects=content.defects.values(),
    )


def _source(message: Json, content: Content) -> str:
    """Return what tells this text from another: of plain text the words, else the whole body."""
    body = body_of(message)
    if text(message.get("msgtype")) == "text" and isinstance(mapping(body).get("content"), str):
        return content.body
    kept = body if isinstance(body, dict) and body is not message else message
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def _recall(message: Json, context: Context) -> Said:
    """Return the recall of an earlier message, under the name of that one."""
    own = text(message.get("msgid"))
    before = text(mapping(message.get("revoke")).get("pre_msgid"))
    defects = Defects()
    if not before:
        defects.add("chat_target_missing", own)
    return Said(
        channel=CHANNEL,
        kind=Kind.RECALL,
        name=name_of(before or own),
        at=from_ms(message.get("msgtime")),
        date_raw=text(message.get("msgtime")),
        conversation=room_of(message, context),
        people=people_of(message, context),
        distinct=own,
        headers=_headers(message),
        is_bulk=True,
        defects=defects.values(),
    )


def _consent(message: Json, context: Context) -> Said:
    kind = text(message.get("msgtype"))
    said = mapping(message.get(kind))
    who = text(said.get("userid")) or text(message.get("from"))
    at = said.get(f"{kind}_time") or message.get("msgtime")
    people = people_of(message, context)
    if who and who != text(message.get("from")):
        people = (person(Role.MENTION, who, context), *people)
    return Said(
        channel=CHANNEL,
        kind=Kind.CONSENT,
        name=name_of(text(message.get("msgid"))),
        at=from_ms(at),
        date_raw=text(at),
        subject=kind,
        body=f"{kind} {who}",
        conversation=room_of(message, context),
        people=people,
        headers=_headers(message),
        is_bulk=True,
    )


def _switch(message: Json, context: Context) -> Said:
    """Return that somebody came to another corporation: such a message has no room."""
    who = text(message.get("user"))
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT,
        name=name_of(text(message.get("msgid"))),
        at=from_ms(message.get("time")),
        date_raw=text(message.get("time")),
        subject="switch",
        body=f"switch {who}",
        people=(person(Role.FROM, who, context),) if who else (),
        headers=_headers(message),
        is_bulk=True,
    )


def _encrypted(message: Json, context: Context) -> Said:
    """Return a record of a message that could not be decrypted: its original can be, later."""
    defects = Defects()
    defects.add("wecom_encrypted", f"key {text(message.get('publickey_ver'))}")
    stamp = text(message.get("msgid")).split("_")[1:2]
    return Said(
        channel=CHANNEL,
        kind=Kind.UNKNOWN,
        name=name_of(text(message.get("msgid"))),
        at=from_ms(stamp[0]) if stamp else None,
        received_at=context.received_at,
        date_raw=stamp[0] if stamp else "",
        distinct="encrypted",
        defects=defects.values(),
    )
