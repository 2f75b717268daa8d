"""Reads one message of WhatsApp's text exports, continuation lines included.

The export has no ids: a message is named by its chat and a hash of its time, sender, text and
ordinal among equal ones, so that exports that overlap give the same names. Context: `room`, `zone`,
`members` (senders of a small chat), and of `extra` `order` of dates and `ordinal`.
"""

from __future__ import annotations

import hashlib
import re

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.local_times import at_zone
from holdfast.parsers.chat.values import Context, lines, number, text
from holdfast.parsers.chat.whatsapp_lines import Line, line_of, unknown_word
from holdfast.parsers.chat.whatsapp_lines import beginning as beginning_of
from holdfast.parsers.chat.whatsapp_words import (
    EXPORTER,
    attached_file,
    came_or_went,
    is_call,
    is_deleted,
    is_marked,
    is_notice,
    is_omitted,
    is_poll,
    unmarked,
    without_edited,
)

CHANNEL = SCHEME = "whatsapp"
_PHONE = re.compile(r"\+[\d \u00a0\u202f().\-\u2010-\u2015]{6,30}")
_NAMED = re.compile(r"@\u2068([^\u2066-\u2069\n]{1,150})\u2069|@(\d{8,15})\b")
_LOOKED_AT = 2000
"""Continuation lines that are looked at for beginnings of messages among them."""


def read_message(raw: bytes, context: Context) -> Said:
    """Return one message, or what the program noted."""
    whole, defects = _decoded(raw)
    line = line_of(whole, text(context.extra.get("order")))
    if line is None:
        raise ValueError("no beginning of a message")
    at, zone_defects = at_zone(line.local, context.zone)
    said, is_edited = without_edited(line.text)
    kind = kind_of(line, context.room.get("name", ""))
    file = attached_file(said)
    files = (ChatFile(file, file),) if file else ()
    if not file and is_omitted(said):
        files = (ChatFile("omitted"),)
    return Said(
        channel=CHANNEL,
        kind=kind,
        name=name_of(line, context.room.get("key", ""), number(context.extra.get("ordinal"))),
        at=at,
        date_raw=whole[:60].partition(" - ")[0].partition("]")[0],
        body=unmarked(said).strip(),
        source_text=lines(line.sender, unmarked(line.text).strip()),
        conversation=context.conversation,
        people=_people(line, kind, context),
        files=files,
        version_at=at if is_edited else None,
        distinct=context.zone,
        headers=(("WhatsApp-Kind", "poll"),) if is_poll(said) else (),
        is_bulk=kind is Kind.CHAT_EVENT,
        defects=(*defects, *zone_defects, *_unclear(whole)),
    )


def name_of(line: Line, chat: str, ordinal: int) -> str:
    """Return the name of a message; the same again whatever phone and language wrote the export."""
    parts = (line.time, line.sender, unmarked(line.text).strip(), str(ordinal))
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"whatsapp:{chat}/{digest}"


def person_of(role: Role, name: str, chat: str) -> Participant:
    """Return somebody by the name that the phone has for them; without one it has the number.

    A name is known within its chat only: another phone may call somebody else so.
    """
    shown = name.removeprefix("~").strip() or name
    if _PHONE.fullmatch(shown):
        digits = "".join(filter(str.isdecimal, shown))
        if 7 <= len(digits) <= 15:
            return Participant(role, shown, chat_address("phone", f"+{int(digits)}"))
    is_known = shown.casefold() not in EXPORTER
    return Participant(role, shown, chat_address(SCHEME, f"{chat}/{name}") if is_known else "")


def kind_of(line: Line, chat_name: str) -> Kind:
    """Return what a line is: iOS gives what the program notes the name of the chat as sender."""
    if is_deleted(line.text):
        return Kind.DELETION
    is_noted = is_marked(line.text) or not line.sender
    if not is_noted:
        return Kind.IM
    if is_call(line.text):
        return Kind.CALL
    if not line.sender or is_notice(line.text) or came_or_went(line.text):
        return Kind.CHAT_EVENT
    is_message = is_omitted(line.text) or attached_file(line.text) or is_poll(line.text)
    return Kind.IM if is_message or line.sender != chat_name else Kind.CHAT_EVENT


def _decoded(raw: bytes) -> tuple[str, tuple[Defect, ...]]:
    try:
        return raw.decode(), ()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), (Defect("charset_damaged"),)


def _people(line: Line, kind: Kind, context: Context) -> tuple[Participant, ...]:
    chat = context.room.get("key", "")
    if kind is Kind.CHAT_EVENT:
        moved = came_or_went(line.text)
        if moved is None:
            return ()
        by = (person_of(Role.FROM, moved.by, chat),) if moved.by else ()
        return (*by, *(person_of(moved.role, one, chat) for one in moved.who))
    people = [person_of(Role.FROM, line.sender, chat)] if line.sender else []
    others = [one for one in context.members if one != line.sender]
    people += [person_of(Role.TO, one, chat) for one in others]
    for found in _NAMED.finditer(line.text):
        name = found[1] or f"+{found[2]}"
        people.append(person_of(Role.MENTION, unmarked(name).strip(), chat))
    return tuple(people)


def _unclear(whole: str) -> tuple[Defect, ...]:
    """Return a defect for a line that could begin a message, but not as the others of the file."""
    for one in whole.split("\n", _LOOKED_AT)[1:]:
        if beginning_of(one) is not None or unknown_word(one) is not None:
            return (Defect("chat_line_unclear", one[:100]),)
    return ()
