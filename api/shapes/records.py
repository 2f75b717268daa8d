"""Interactions as answers show them, with their people, files, texts and origins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from holdfast.api.shapes.common import Instant, Shape, from_ms
from holdfast.core.identity import public_id

if TYPE_CHECKING:
    from holdfast.core.records import Record, RecordAttachment, RecordParticipant
    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.catalogue.later_facts import LaterFact

RECORD_ID = Field(examples=["msg_0d5z3k8n9q2rt"], description="Id of an interaction.")


class ParticipantShape(Shape):
    """Somebody who took part."""

    role: str = Field(examples=["from"])
    name: str
    address: str
    contact_id: str | None = Field(examples=["con_0d5z3k8n9q2rt"])


class FileShape(Shape):
    """A file or a message inside the message."""

    filename: str
    type: str = Field(examples=["application/pdf"])
    size_bytes: int
    text_state: str = Field(examples=["extracted"])
    is_message: bool


class RecordShape(Shape):
    """One interaction, without its texts."""

    id: str = RECORD_ID
    kind: str = Field(examples=["email"])
    channel: str = Field(examples=["email"])
    at: Instant
    captured_at: Instant
    direction: str = Field(examples=["in"])
    subject: str
    participants: list[ParticipantShape]
    attachments: list[FileShape]
    thread_id: str = Field(examples=["thr_0d5z3k8n9q2rt"])
    message_id: str
    size_bytes: int
    sources: list[str]
    custodians: list[str]
    folders: list[str]
    labels: list[str]
    tags: list[str]
    sha256: list[str]
    defects: list[str]
    lang: str
    is_bulk: bool
    is_truncated: bool
    is_duplicate: bool
    shares_message_id: bool
    conversation_id: str | None = Field(examples=["cnv_0d5z3k8n9q2rt"])
    """The room of a chat message."""
    conversation: str
    marks: list[str]
    """Of chat: edited, recalled, deleted; version, aside."""


class SmtpShape(Shape):
    """The session that delivered it."""

    peer: str
    sender: str
    recipients: list[str]
    tls: str


class LaterShape(Shape):
    """What changed at the source since the capture."""

    at: Instant
    flags: list[str]
    is_deleted: bool


class CaptureShape(Shape):
    """One occurrence of an original at a source."""

    id: str = Field(examples=["cap_0d5z3k8n9q2rt"])
    source: str
    custodian: str
    folder: str
    flags: list[str]
    captured_at: Instant
    received_at: Instant | None
    sha256: str
    size_bytes: int
    member: str
    smtp: SmtpShape | None
    later: list[LaterShape]


class PartShape(Shape):
    """Where an attachment is in its message, and the hash of its bytes."""

    path: str = Field(examples=["1.2"])
    sha256: str


class RecordDetail(RecordShape):
    """One interaction with its text and where it came from."""

    text: str
    attachment_texts: list[str]
    attachment_parts: list[PartShape]
    """In the order of `attachments`, as the texts are."""
    captures: list[CaptureShape]
    is_masked: bool
    """Telephone, identity and bank numbers are hidden."""


class HeaderShape(Shape):
    """One header field, as it was written, decoded."""

    name: str
    value: str


def participant(one: RecordParticipant) -> ParticipantShape:
    """Show a participant."""
    contact = public_id("con", one.contact_id) if one.contact_id else None
    return ParticipantShape(
        role=one.role.value, name=one.name, address=one.address, contact_id=contact
    )


def file(one: RecordAttachment) -> FileShape:
    """Show an attachment."""
    return FileShape(
        filename=one.filename,
        type=one.media_type,
        size_bytes=one.size_bytes,
        text_state=one.text_state.value,
        is_message=one.is_message,
    )


def facts(record: Record) -> dict[str, object]:
    """Return the values of a `RecordShape`."""
    return {
        "id": public_id("msg", record.id),
        "kind": str(record.kind),
        "channel": record.channel,
        "at": record.at,
        "captured_at": record.captured_at,
        "direction": record.direction,
        "subject": record.subject,
        "participants": [participant(one) for one in record.participants],
        "attachments": [file(one) for one in record.attachments],
        "thread_id": public_id("thr", record.thread_id),
        "message_id": record.message_id,
        "size_bytes": record.size_bytes,
        "sources": record.sources,
        "custodians": record.custodians,
        "folders": record.folders,
        "labels": record.labels,
        "tags": record.tags,
        "sha256": record.sha256s,
        "defects": record.defects,
        "lang": record.lang,
        "is_bulk": record.is_bulk,
        "is_truncated": record.is_truncated,
        "is_duplicate": record.is_duplicate,
        "shares_message_id": record.shares_message_id,
        "conversation_id": conversation_id(record),
        "conversation": record.conversation,
        "marks": list(record.marks),
    }


def conversation_id(record: Record) -> str | None:
    """Return the public id of the room; None for mail."""
    return public_id("cnv", record.conversation_id) if record.conversation_id else None


def record_shape(record: Record) -> RecordShape:
    """Show an interaction without its texts."""
    return RecordShape.model_validate(facts(record))


def capture(one: Capture, later: list[LaterFact]) -> CaptureShape:
    """Show a capture and what changed at its source since."""
    smtp = one.facts.smtp
    return CaptureShape(
        id=public_id("cap", one.id),
        source=one.source,
        custodian=one.custodian,
        folder=one.facts.folder,
        flags=list(one.facts.flags),
        captured_at=one.captured_at,
        received_at=one.facts.received_at,
        sha256=one.sha256,
        size_bytes=one.size_bytes,
        member=one.facts.member,
        smtp=None
        if smtp is None
        else SmtpShape(
            peer=smtp.peer, sender=smtp.sender, recipients=list(smtp.recipients), tls=smtp.tls
        ),
        later=[
            LaterShape(at=from_ms(one.noted_ms), flags=list(one.flags), is_deleted=one.is_deleted)
            for one in later
        ],
    )
