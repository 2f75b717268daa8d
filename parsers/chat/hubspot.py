"""Reads activities of HubSpot as its API gives them: calls, mail, meetings, notes, tasks, messages.

An activity is an object with `id`, `properties` and, where they were asked for, `associations`:
https://developers.hubspot.com/docs/api/crm/engagements. Contacts are outside and known by their
ids, `hubspot:151`; owners are staff, `hubspot:owner/42`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.events.persons import phone_address
from holdfast.parsers.chat.values import (
    Context,
    Json,
    from_iso,
    from_ms,
    items,
    json_of,
    lines,
    mapping,
    number,
    path,
    text,
)
from holdfast.parsers.html_text import html_to_text

CHANNEL = "hubspot"
_KINDS = {
    "call": Kind.CALL, "email": Kind.NOTE, "meeting": Kind.MEETING, "note": Kind.NOTE,
    "task": Kind.TASK, "communication": Kind.NOTE,
}  # fmt: skip
"""Mail and messages are notes of them: what was sent is elsewhere, or was typed in by hand."""
_LISTS = ((Role.FROM, "from"), (Role.TO, "to"), (Role.CC, "cc"), (Role.BCC, "bcc"))
_SHOWN = {
    "HubSpot-Status": ("status", "outcome", "disposition"),
    "HubSpot-Type": ("type", "channel_type"),
    "HubSpot-Message-Id": ("message_id",),
}


def read_activity(raw: bytes, context: Context) -> Said:
    """Return one activity.

    Raises:
        ValueError: It is none: without an id, or of no kind that is known.
    """
    whole = mapping(json_of(raw))
    said = mapping(whole.get("properties"))
    sort, key = _sort(said), text(whole.get("id")) or text(said.get("hs_object_id"))
    if not sort or not key:
        raise ValueError("no activity")
    own = {name.removeprefix(f"hs_{sort}_"): text(one) for name, one in said.items()}
    starts = own.get("start_time", "") if sort == "meeting" else ""
    written = starts or text(said.get("hs_timestamp")) or text(whole.get("createdAt"))
    made, changed = _instant(text(whole.get("createdAt"))), _instant(text(whole.get("updatedAt")))
    return Said(
        channel=CHANNEL,
        kind=_KINDS[sort],
        name=":".join((CHANNEL, "/".join(filter(None, (context.tenant, sort, key))))),
        at=_instant(written),
        date_raw=written,
        subject=own.get("title", "") or own.get("subject", ""),
        body=_body(own),
        people=(*_people(sort, own, said), *_contacts(whole, sort, own)),
        version_at=changed if changed != made else None,
        headers=tuple(_headers(whole, own)),
        due_at=_due(sort, own, whole, said),
    )


def _due(
    sort: str, own: Mapping[str, str], whole: Mapping[str, Json], said: Mapping[str, Json]
) -> datetime | None:
    """Return until when a task that is still open is to be done: its time says it."""
    is_open = own.get("status", "").upper() != "COMPLETED" and whole.get("archived") is not True
    return _instant(text(said.get("hs_timestamp"))) if sort == "task" and is_open else None


def _sort(said: Mapping[str, Json]) -> str:
    """Return what an activity is, by the names of its properties."""
    return next((one for one in _KINDS if any(n.startswith(f"hs_{one}_") for n in said)), "")


def _instant(written: str) -> datetime | None:
    return from_iso(written) or from_ms(written)


def _body(own: Mapping[str, str]) -> str:
    rich = own.get("html", "") or own.get("body", "")
    plain = own.get("text", "") or (html_to_text(rich) if "<" in rich else rich)
    span = " - ".join(filter(None, (own.get("start_time", ""), own.get("end_time", ""))))
    notes = own.get("hs_internal_meeting_notes", "")
    seconds = number(own.get("duration", "")) // 1000
    return lines(
        plain, html_to_text(notes) if "<" in notes else notes, span, own.get("location", ""),
        f"{seconds} s" if seconds else "",
    )  # fmt: skip


def _people(sort: str, own: Mapping[str, str], said: Mapping[str, Json]) -> Iterator[Participant]:
    owner = text(said.get("hubspot_owner_id"))
    if owner:
        yield Participant(Role.OWNER, "", chat_address(CHANNEL, f"owner/{owner}"), "staff")
    if sort == "call":
        for role, name in ((Role.FROM, "from_number"), (Role.TO, "to_number")):
            address = phone_address(own.get(name, ""), "")
            if address:
                yield Participant(role, "", address)
    if sort == "email":
        yield from _addressed(own)


def _addressed(own: Mapping[str, str]) -> Iterator[Participant]:
    """Yield who wrote and to whom, by the mail's own fields, else by the properties."""
    try:
        fields = mapping(json_of(own.get("headers", "").encode("utf-8", "surrogatepass")))
    except ValueError:
        fields = {}
    for role, name in _LISTS:
        value = fields.get(name)
        known = [mapping(one) for one in (items(value) or [value])]
        people = [
            (" ".join(filter(None, (text(one.get("firstName")), text(one.get("lastName"))))),
             text(one.get("email")))
            for one in known
        ]  # fmt: skip
        if not any(address for _, address in people):
            people = [("", one.strip()) for one in own.get(f"{name}_email", "").split(";")]
        yield from (Participant(role, called, one) for called, one in people if one)


def _contacts(
    whole: Mapping[str, Json], sort: str, own: Mapping[str, str]
) -> Iterator[Participant]:
    """Yield the contacts whom an activity is of; mail names its people itself, beside these ids."""
    role = Role.FROM if own.get("direction") == "INBOUND" else Role.TO
    role = Role.MENTION if sort == "email" else role
    for key in _associated(whole, "contacts"):
        yield Participant(role, "", chat_address(CHANNEL, key), "outside")


def _associated(whole: Mapping[str, Json], sort: str) -> list[str]:
    found = items(path(whole, "associations", sort, "results"))
    return list(dict.fromkeys(filter(None, (text(mapping(one).get("id")) for one in found))))


def _headers(whole: Mapping[str, Json], own: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, properties in _SHOWN.items():
        value = next((own[one] for one in properties if own.get(one)), "")
        if value:
            yield name, value
    for one in ("companies", "deals", "tickets"):
        keys = " ".join(_associated(whole, one))
        if keys:
            yield f"HubSpot-{one.capitalize()}", keys
    if whole.get("archived") is True:
        yield "HubSpot-Archived", "true"
