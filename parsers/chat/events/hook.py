"""Reads typed events of business systems: messages, calls, visits, tickets, orders, forms.

Which of their values is which of our fields says the map in the context; see `fields`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.events.fields import (
    MAX_LINES,
    Mapped,
    all_lines,
    direction_of,
    kind_of,
    mapped,
)
from holdfast.parsers.chat.events.instants import instant_of, seconds_of
from holdfast.parsers.chat.events.persons import Scheme, people_of
from holdfast.parsers.chat.values import Context, Json, json_of, lines, mapping, number, text
from holdfast.parsers.defects import Defects

_SIDES = {"in": ("outside", "staff"), "out": ("staff", "outside"), "internal": ("staff", "staff")}
"""Of the sender and of the receiver, by direction."""


def read_event(raw: bytes, context: Context) -> Said:
    """Return the record of one event."""
    value = json_of(raw)
    if not isinstance(value, dict):
        raise ValueError("an event that is no object")
    fields = mapped(value, context)
    return typed(value, fields, kind_of(fields, context), context)


def typed(value: Json, fields: Mapped, kind: Kind, context: Context) -> Said:
    """Return the record of an event whose kind is known."""
    defects = Defects()
    if fields.is_cut:
        defects.add("event_values_cut")
    if kind is Kind.UNKNOWN:
        defects.add("event_kind_unknown", fields.first("kind")[:100])
    at, changed = (_instant(fields.first(one), context, defects) for one in ("at", "changed_at"))
    room = fields.first("conversation")
    files = tuple(_files(fields))
    people = tuple(_people(fields, context, defects))
    headers = tuple(_headers(fields, context, defects))
    body = lines(*fields.texts("body")) or _whole(value, defects)
    return Said(
        channel=context.channel or "hook",
        kind=kind,
        name=_name(fields, kind, context),
        at=at or changed,
        received_at=context.received_at,
        date_raw=fields.first("at"),
        subject=fields.first("subject"),
        body=body,
        conversation=Conversation(room, fields.first("conversation_name")) if room else None,
        people=people,
        files=files,
        version_at=changed if at and changed and changed > at else None,
        distinct=_distinct(fields),
        headers=headers,
        defects=defects.values(),
    )


def _name(fields: Mapped, kind: Kind, context: Context) -> str:
    """Return what names the event in all channels; empty without an id."""
    key = fields.first("id")
    if not key:
        return ""
    inside = fields.first("conversation") if kind is Kind.IM else kind.value
    return f"{context.channel or 'hook'}:{inside}/{key}"


def _instant(written: str, context: Context, defects: Defects) -> datetime | None:
    at, is_without_zone = instant_of(written, context.zone)
    if is_without_zone:
        defects.add("date_no_zone", written[:100])
    if at is None and written:
        defects.add("date_unreadable", written[:100])
    return at


def _people(fields: Mapped, context: Context, defects: Defects) -> Iterator[Participant]:
    extra = context.extra
    scheme = Scheme(text(extra.get("scheme")) or "hook", text(extra.get("country")))
    direction = direction_of(fields, context)
    if fields.first("direction") and not direction:
        defects.add("event_direction_unknown", fields.first("direction")[:100])
    sender, receiver = _SIDES.get(direction, ("", ""))
    yield from people_of(Role.FROM, fields.values["from"], scheme, sender)
    yield from people_of(Role.TO, fields.values["to"], scheme, receiver)
    yield from people_of(Role.TO, fields.values["participants"], scheme)
    yield from people_of(Role.OWNER, fields.values["owner"], scheme, "staff")


def _files(fields: Mapped) -> Iterator[ChatFile]:
    for given in fields.values["attachments"]:
        for one in given if isinstance(given, list) else (given,):
            known = mapping(one) or {"url": one}
            url = text(known.get("url"))
            key = text(known.get("id")) or url or text(known.get("name"))
            if key:
                name = text(known.get("name")) or text(known.get("filename"))
                media = text(known.get("media_type")) or text(known.get("mime"))
                size = number(known.get("size_bytes")) or number(known.get("size"))
                yield ChatFile(key, name or url.rpartition("/")[2], media, size)


def _headers(fields: Mapped, context: Context, defects: Defects) -> Iterator[tuple[str, str]]:
    direction = direction_of(fields, context) or fields.first("direction")
    if direction:
        yield "Direction", direction
    written = fields.first("duration_s")
    seconds = seconds_of(written)
    if seconds is not None:
        yield "Duration-S", str(seconds)
    elif written:
        defects.add("duration_unreadable", written[:100])
    for one in fields.values["external_ids"]:
        yield from _external(one)


def _external(value: Json) -> Iterator[tuple[str, str]]:
    """Yield other numbers: of an object with the name of the system that gave each."""
    if isinstance(value, dict):
        yield from (("External-Id", f"{name}: {text(one)}") for name, one in value.items())
    else:
        for one in value if isinstance(value, list) else (value,):
            if text(one):
                yield "External-Id", text(one)


def _whole(value: Json, defects: Defects) -> str:
    found = all_lines(value)
    if len(found) > MAX_LINES:
        defects.add("event_values_cut")
    return "\n".join(found[:MAX_LINES])


def _distinct(fields: Mapped) -> str:
    """Return what tells two states of one thing apart that have the same text."""
    digest = hashlib.sha256()
    for name, values in fields.values.items():
        digest.update(repr((name, [repr(one) for one in values])).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
