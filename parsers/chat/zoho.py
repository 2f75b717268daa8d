"""Reads notes of Zoho CRM as its API gives them.

A note has `id`, `Note_Title`, `Note_Content`, the record that it is on as `Parent_Id`, and who
wrote it: https://www.zoho.com/crm/developer/docs/api/v6/get-notes.html. Contacts and leads are
outside and known by their ids, `zoho:3652397000000558001`; users are staff, by their addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.values import Context, Json, from_iso, json_of, mapping, path, text

CHANNEL = "zoho"
_PEOPLE = frozenset({"Contacts", "Leads"})


def read_note(raw: bytes, context: Context) -> Said:
    """Return one note.

    Raises:
        ValueError: It has no id.
    """
    note = mapping(json_of(raw))
    key, written = text(note.get("id")), text(note.get("Created_Time"))
    if not key:
        raise ValueError("a note without an id")
    made, changed = from_iso(written), from_iso(text(note.get("Modified_Time")))
    return Said(
        channel=CHANNEL,
        kind=Kind.NOTE,
        name=":".join((CHANNEL, "/".join(filter(None, (context.tenant, "note", key))))),
        at=made,
        date_raw=written,
        subject=text(note.get("Note_Title")),
        body=text(note.get("Note_Content")),
        people=(*_writers(note), *_parent(note)),
        version_at=changed if changed != made else None,
        headers=tuple(_headers(note)),
    )


def _module(note: Mapping[str, Json]) -> str:
    return text(path(note, "Parent_Id", "module", "api_name")) or text(note.get("$se_module"))


def _writers(note: Mapping[str, Json]) -> Iterator[Participant]:
    for role, name in ((Role.FROM, "Created_By"), (Role.OWNER, "Owner")):
        one = mapping(note.get(name))
        address = text(one.get("email")) or chat_address(CHANNEL, _user(one))
        if address:
            yield Participant(role, text(one.get("name")), address, "staff")


def _user(one: Mapping[str, Json]) -> str:
    key = text(one.get("id"))
    return f"user/{key}" if key else ""


def _parent(note: Mapping[str, Json]) -> Iterator[Participant]:
    parent = mapping(note.get("Parent_Id"))
    key = text(parent.get("id"))
    if key and _module(note) in _PEOPLE:
        yield Participant(Role.TO, text(parent.get("name")), chat_address(CHANNEL, key), "outside")


def _headers(note: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    parent = mapping(note.get("Parent_Id"))
    on = " ".join(filter(None, (_module(note), text(parent.get("id")), text(parent.get("name")))))
    if on:
        yield "Zoho-Parent", on
