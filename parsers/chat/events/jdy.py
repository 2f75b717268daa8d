"""Reads what forms of Jiandaoyun (简道云) push: an entry that was made, changed or removed.

Form: hc.jiandaoyun.com, "数据推送". Fields are named by their aliases or `_widget_…`; a map in the
context says which of them are people, numbers and times, as for `hook` events.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.events.fields import Mapped, all_lines, kind_of, mapped
from holdfast.parsers.chat.events.hook import typed
from holdfast.parsers.chat.events.instants import instant_of
from holdfast.parsers.chat.events.persons import Scheme, person_of
from holdfast.parsers.chat.values import Context, Json, json_of, mapping, text

CHANNEL = "jdy"
_OWN = frozenset(
    {"_id", "appId", "entryId", "formName", "creator", "updater", "deleter", "createTime"}
    | {"updateTime", "deleteTime", "creatorName", "flowState"}
)
_REMOVED = ("data_remove", "data_delete")


def read_event(raw: bytes, context: Context) -> Said:
    """Return one push."""
    value = json_of(raw)
    if not isinstance(value, dict) or not text(value.get("op")):
        raise ValueError("a push without an op")
    op, entry = text(value["op"]), mapping(value.get("data"))
    fields = mapped(value, context)
    kind = _kind(op, fields, context)
    said = typed(value, fields, kind, context)
    at, changed = _times(op, entry, context.zone)
    key, form = text(entry.get("_id")), text(entry.get("formName"))
    place = f"{text(entry.get('appId'))}/{text(entry.get('entryId'))}"
    own = {name: one for name, one in entry.items() if name not in _OWN}
    return dataclasses.replace(
        said,
        channel=CHANNEL,
        name=f"jdy:{place}/{key}" if key else "",
        at=said.at or at,
        version_at=said.version_at or changed,
        subject=said.subject or form or op,
        body=said.body if fields.texts("body") else "\n".join(all_lines(own)),
        conversation=said.conversation or (Conversation(place, form) if form else None),
        people=(*said.people, *_people(op, entry)),
        distinct=f"{op} {said.distinct}",
        headers=(*said.headers, ("Jdy-Op", op)),
    )


def _kind(op: str, fields: Mapped, context: Context) -> Kind:
    """Return what an entry is: a form, unless the map of its source says more."""
    if op in _REMOVED:
        return Kind.DELETION
    if op == "form_update":
        return Kind.CHAT_EVENT
    return kind_of(fields, context) if fields.first("kind") else Kind.FORM


def _times(op: str, entry: Json, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return when the entry was made, and when this version of it was; of a removal, its time."""
    made, changed, removed = (
        instant_of(entry.get(name), zone)[0] for name in ("createTime", "updateTime", "deleteTime")
    )
    if op in _REMOVED:
        return removed, None
    is_later = made is not None and changed is not None and changed > made
    return made or changed, changed if op == "data_update" or is_later else None


def _people(op: str, entry: Json) -> Iterator[Participant]:
    doer = {"data_update": "updater", "data_remove": "deleter"}.get(op, "creator")
    who = mapping(entry.get(doer)) or mapping(entry.get("creator"))
    scheme = Scheme(CHANNEL)
    # The id that people are known by is the user name: `_id` is of the database.
    person = person_of(Role.FROM, {"name": who.get("name"), "id": who.get("username")}, scheme)
    if person is not None:
        yield dataclasses.replace(person, side="staff")
