"""Reads what compliance exports of Mattermost hold: rows of `posts.csv`, elements of Actiance XML.

Form: https://docs.mattermost.com/administration-guide/comply/compliance-export.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lxml import etree

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.csv_cells import cells_of
from holdfast.parsers.chat.mattermost import CHANNEL, post_name
from holdfast.parsers.chat.values import Context, from_ms, number, text

_MOVES = {"enter": Role.JOINED, "leave": Role.LEFT, "previously-joined": Role.MEMBER}
_ELEMENT_MOVES = {"ParticipantEntered": Role.JOINED, "ParticipantLeft": Role.LEFT}
CLOSING = b"</Conversation>"


def read_row(raw: bytes, context: Context) -> Said:
    """Return a row of `posts.csv`; `context.extra.headers` names its cells, `part` what is read.

    A row about a deleted post says two things: what was written, and that it is gone.
    """
    row = cells_of(raw, context)
    kind = row.get("post type", "").strip().lower()
    room = _room(row.get("channel id", ""), row.get("channel display name", ""))
    if room is None:
        raise ValueError("a row without a channel")
    if kind in _MOVES:
        return _moved(row, room, _MOVES[kind])
    return _post(row, room, text(context.extra.get("part")))


def read_element(raw: bytes, context: Context) -> Said:
    """Return an element of an Actiance file; of a conversation the beginning is enough."""
    found = _element(raw)
    tag = text(found.tag)
    values = {text(one.tag): one.text or "" for one in found if isinstance(one.tag, str)}
    room = context.conversation
    if tag == "Conversation":
        key = values.get("RoomID", "")
        return _conversation(values, _room(key, text(found.get("Perspective"))))
    if room is None:
        raise ValueError("an element without a room")
    if tag in _ELEMENT_MOVES:
        return _entered(values, room, _ELEMENT_MOVES[tag])
    if tag not in ("Message", "FileTransferStarted", "FileTransferEnded"):
        raise ValueError(f"an element {tag[:40]}")
    return _said(tag, values, room)


def room_key(room_id: str) -> str:
    """Return the id of a room out of `public - ID`."""
    return room_id.rpartition(" - ")[2].strip()


def row_name(row: Mapping[str, str]) -> str:
    """Return the name of the post that a row is of; the old text of one is of the new post."""
    own = row.get("editednewmsgid") or row.get("edited by post id") or row.get("post id", "")
    return f"mattermost:{own.strip()}" if own.strip() else ""


def element_name(values: Mapping[str, str], room: str) -> str:
    """Return the name of a message of an Actiance file, which has ids in newer ones only."""
    own = (values.get("EditedNewMsgId") or values.get("MessageId", "")).strip()
    at, writer = values.get("DateTimeUTC", ""), values.get("LoginName", "")
    return f"mattermost:{own}" if own else post_name(room, at, writer)


def _room(room_id: str, name: str) -> Conversation | None:
    key = room_key(room_id)
    return Conversation(key, name.strip()) if key else None


def _post(row: Mapping[str, str], room: Conversation, part: str) -> Said:
    update = row.get("updated type", "").strip()
    is_gone = part == "deletion"
    written = row.get("post creation time", "")
    changed = row.get("update time", "")
    kind = row.get("post type", "").strip()
    message = row.get("post message", "")
    is_file = kind in ("attachment", "deleted attachment")
    is_event = kind.startswith("system_") or (update == "FileDeleted" and not is_file)
    is_bot = row.get("user type", "").strip() == "bot"
    answers = row.get("replied to post id", "").strip()
    if is_gone or (is_file and (update == "FileDeleted" or kind.startswith("deleted"))):
        at, what = changed or written, Kind.CHAT_EVENT if is_file else Kind.DELETION
    else:
        at, what = written, Kind.CHAT_EVENT if is_event else Kind.FILE if is_file else Kind.IM
    return Said(
        channel=CHANNEL,
        kind=what,
        name=row_name(row),
        at=from_ms(at) or from_ms(written),
        date_raw=at,
        subject=update if is_gone else kind if is_event or is_file else "",
        body="" if is_gone else message,
        source_text=update if is_gone else message,
        conversation=room,
        people=_writer(row, Role.FROM),
        files=(ChatFile(message, message.rpartition("/")[2]),) if is_file else (),
        version_at=from_ms(changed) if update == "EditedNewMsg" else None,
        answers=f"mattermost:{answers}" if answers else "",
        distinct=f"{update} {changed}" if is_gone or is_event or is_file else "",
        headers=_headers(row),
        is_bulk=is_bot or is_event,
    )


def _moved(row: Mapping[str, str], room: Conversation, role: Role) -> Said:
    at = row.get("post creation time", "")
    who = row.get("user email") or row.get("username", "")
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT,
        name=_move_name(room, role, at, who),
        at=from_ms(at),
        date_raw=at,
        subject=row.get("post type", "").strip().lower(),
        body=row.get("post message", ""),
        conversation=room,
        people=_writer(row, role),
        distinct=role.value,
        headers=_headers(row),
        is_bulk=True,
    )


def _move_name(room: Conversation, role: Role, at: str, who: str) -> str:
    digest = hashlib.sha256(who.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"mattermost:{room.key}/{role.value}/{number(at)}-{digest}"


def _writer(row: Mapping[str, str], role: Role) -> tuple[Participant, ...]:
    name, mail = row.get("username", "").strip(), row.get("user email", "").strip()
    side = {"bot": "bot", "guest": "outside"}.get(row.get("user type", "").strip(), "")
    address = mail if "@" in mail else chat_address(CHANNEL, name)
    return (Participant(role, name, address, side),) if address else ()


def _headers(row: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    shown = {
        "Mattermost-Team": row.get("team display name", ""),
        "Mattermost-Channel-Type": row.get("channel type", ""),
        "Mattermost-Update": row.get("updated type", ""),
    }
    return tuple((name, value) for name, value in shown.items() if value)


def _element(raw: bytes) -> etree._Element:
    """Parse one element; entities stay unread, nothing is fetched."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    if raw.startswith(b"<Conversation") and CLOSING not in raw:
        raw += CLOSING
    try:
        return etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error


def _login(role: Role, values: Mapping[str, str]) -> tuple[Participant, ...]:
    login = values.get("LoginName", "").strip()
    address = login if "@" in login else chat_address(CHANNEL, login)
    return (Participant(role, "", address),) if login else ()


def _said(tag: str, values: Mapping[str, str], room: Conversation) -> Said:
    at, content = values.get("DateTimeUTC", ""), values.get("Content", "")
    path, changed = values.get("FileName", ""), values.get("UpdatedDateTimeUTC", "")
    shown = values.get("UserFileName", "") or path.rpartition("/")[2]
    is_message, is_end = tag == "Message", tag == "FileTransferEnded"
    return Said(
        channel=CHANNEL,
        kind=Kind.IM if is_message else Kind.CHAT_EVENT if is_end else Kind.FILE,
        name=element_name(values, room.key),
        at=from_ms(at),
        date_raw=at,
        subject=values.get("Status", "") if is_end else shown,
        body=content,
        conversation=room,
        people=_login(Role.FROM, values),
        files=() if is_message or is_end else (ChatFile(path or shown, shown),),
        version_at=from_ms(changed) if values.get("UpdatedType") == "EditedNewMsg" else None,
        distinct="" if is_message else f"{tag} {path} {values.get('Status', '')}",
        is_bulk=is_end,
    )


def _entered(values: Mapping[str, str], room: Conversation, role: Role) -> Said:
    at, who = values.get("DateTimeUTC", ""), values.get("LoginName", "")
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT,
        name=_move_name(room, role, at, who),
        at=from_ms(at),
        date_raw=at,
        subject="enter" if role is Role.JOINED else "leave",
        conversation=room,
        people=_login(role, values),
        distinct=role.value,
        is_bulk=True,
    )


def _conversation(values: Mapping[str, str], room: Conversation | None) -> Said:
    if room is None:
        raise ValueError("a conversation without a room")
    at = values.get("StartTimeUTC", "")
    return Said(
        channel=CHANNEL,
        kind=Kind.CONVERSATION,
        name=f"mattermost:{room.key}",
        at=from_ms(at),
        date_raw=at,
        subject=room.name,
        body=room.name,
        conversation=room,
        distinct=f"{room.name} {number(at)}",
        is_bulk=True,
    )
