"""Contacts, their addresses and their trails as answers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from holdfast.api.shapes.common import Instant, Shape
from holdfast.api.shapes.records import ParticipantShape, participant
from holdfast.core.identity import public_id

if TYPE_CHECKING:
    from holdfast.api.masks import Mask
    from holdfast.core.records import Record
    from holdfast.storage.catalogue.contacts import Contact, Identity

CONTACT_ID = Field(examples=["con_0d5z3k8n9q2rt"])


class IdentityShape(Shape):
    """One address of a contact."""

    id: str = Field(examples=["idn_0d5z3k8n9q2rt"])
    kind: str = Field(examples=["mail", "wecom", "phone", "salesforce"])
    value: str
    name: str
    valid_from_at: Instant | None
    """From when it is this contact's; empty: always."""
    valid_to_at: Instant | None
    first_contact_at: Instant | None
    last_contact_at: Instant | None
    messages: int | None
    """Over the whole archive, as are the times; null for who sees only a part of it."""


class ContactShape(Shape):
    """A person."""

    id: str = CONTACT_ID
    name: str
    state: str
    company_domain: str
    company_name: str
    is_internal: bool
    owner: str
    """Login of who looks after it."""
    identities: list[IdentityShape]
    first_contact_at: Instant | None
    last_contact_at: Instant | None
    merged: list[str]
    version: int


class ContactsAnswer(Shape):
    """Contacts that a text may mean."""

    contacts: list[ContactShape]


class RoomShape(Shape):
    """The room that it was said in."""

    id: str
    name: str


class TrailEntry(Shape):
    """One interaction on a trail."""

    id: str
    kind: str
    channel: str
    at: Instant
    direction: str
    subject: str
    snippet: str
    participants: list[ParticipantShape]
    thread_id: str
    conversation: RoomShape | None
    attachments: int
    is_bulk: bool
    marks: list[str]
    """Of chat: `edited`, `recalled`, `deleted`."""
    response_seconds: int | None = None
    """How long it took to answer what stands before it in the thread; null: it answers nothing that
    the asker may see, or another of the same side."""
    restricted: bool
    """Numbers in it are hidden from whoever asks."""
    links: dict[str, str]


class TrailAnswer(Shape):
    """One page of a trail, newest first."""

    total: int
    entries: list[TrailEntry]
    next: str | None


def contact_shape(one: Contact, mask: Mask) -> ContactShape:
    """Show a contact."""
    return ContactShape(
        id=public_id("con", one.id),
        name=mask.text(one.name),
        state=one.state,
        company_domain=one.company_domain,
        company_name=mask.text(one.company_name),
        is_internal=one.is_internal,
        owner=one.owner,
        identities=[identity_shape(identity, mask) for identity in one.identities],
        first_contact_at=one.first_contact_at if mask.sees_all else None,
        last_contact_at=one.last_contact_at if mask.sees_all else None,
        merged=[public_id("con", other) for other in one.merged],
        version=one.version,
    )


def identity_shape(one: Identity, mask: Mask) -> IdentityShape:
    """Show one address."""
    return IdentityShape(
        id=public_id("idn", one.id),
        kind=one.kind,
        value=mask.text(one.value),
        name=mask.text(one.name),
        valid_from_at=one.valid_from_at,
        valid_to_at=one.valid_to_at,
        first_contact_at=one.first_contact_at if mask.sees_all else None,
        last_contact_at=one.last_contact_at if mask.sees_all else None,
        messages=one.messages if mask.sees_all else None,
    )


def trail_entry(record: Record, mask: Mask, response_s: int | None = None) -> TrailEntry:
    """Show an interaction on a trail."""
    shown = mask.record(record)
    name = public_id("msg", record.id)
    room: dict[str, Any] | None = None
    if record.conversation_id:
        room = {"id": public_id("cnv", record.conversation_id), "name": shown.conversation}
    return TrailEntry(
        id=name,
        kind=str(record.kind),
        channel=record.channel,
        at=record.at,
        direction=record.direction,
        subject=shown.subject,
        snippet=" ".join(shown.body[:400].split())[:160],
        participants=[participant(one) for one in shown.participants],
        thread_id=public_id("thr", record.thread_id),
        conversation=None if room is None else RoomShape(**room),
        attachments=len(record.attachments),
        is_bulk=record.is_bulk,
        marks=list(record.marks),
        response_seconds=response_s,
        restricted=shown is not record and shown != record,
        links={
            "self": f"/api/v1/records/{name}",
            "raw": f"/api/v1/records/{name}/original",
            "ui": f"/records/{name}",
        },
    )
