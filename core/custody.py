"""Values on the path from an offered item to the catalogue: ledger ends, drafts, contexts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from holdfast.core.chats import Conversation
from holdfast.core.kinds import EMAIL
from holdfast.core.records import NO_TRUST, Trust

if TYPE_CHECKING:
    from holdfast.core.ports import Prepared
    from holdfast.core.records import CaptureFacts


class End(StrEnum):
    """Where a source item stands; what a source offered equals the sum of these."""

    SEEN = "seen"
    SEALED = "sealed"
    FILED = "filed"
    DUPLICATE = "duplicate"
    """Kept as a further capture of an interaction that was already there."""
    SKIPPED = "skipped"
    GONE = "gone"
    FAILED = "failed"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Intake:
    """What all items of one batch have in common."""

    batch_id: int
    source_id: int
    custodian_id: int | None = None
    trusts_dates: bool = False
    trust: Trust = NO_TRUST
    """Noted with each capture."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An item whose bytes were read and prepared for the vault."""

    key: str
    facts: CaptureFacts
    prepared: Prepared
    offered: str
    """How its reader finds it again, as JSON."""
    intake: Intake | None = None
    """Where it goes; None: where all that is offered with it goes."""


@dataclass(frozen=True, slots=True)
class Unkept:
    """An item that ends without an original."""

    key: str
    end: End
    """`skipped`, `gone`, `failed` or `quarantined`."""
    reason: str
    is_retryable: bool
    offered: str


class DraftParticipant(NamedTuple):
    """Row values of one participant; there are many, so that what one costs matters."""

    role: str
    name: str
    address: str
    side: str = ""


@dataclass(frozen=True, slots=True)
class DraftAttachment:
    """Row values of one attachment."""

    path: str
    filename: str
    declared_type: str
    sniffed_type: str
    size_bytes: int
    sha256: bytes
    text_state: str
    is_inline: bool
    is_message: bool
    content_id: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A parsed original as the rows that will be filed, ids and links excepted."""

    kind: str
    parser_version: int
    message_id: str
    message_key: bytes
    """First 16 bytes of the SHA-256 of the Message-ID, or of the fingerprint without one."""
    thread_keys: tuple[bytes, ...]
    """Message keys of the message itself and of all that it refers to."""
    base_subject: str
    is_reply: bool
    fingerprint: bytes
    subject: str
    date_raw: str
    sent_ms: int | None
    sent_at_source: str
    size_bytes: int
    lang: str
    list_id: str
    is_bulk: bool
    is_truncated: bool
    defects: str
    """JSON: list of [code, detail]."""
    headers: bytes
    """All header fields, packed."""
    participants: tuple[DraftParticipant, ...]
    attachments: tuple[DraftAttachment, ...]
    sealed_text: bytes
    """Derived text, sealed under the key of the original."""
    row_digest: bytes
    """SHA-256 over all of the above that the catalogue stores; committed in the audit log."""
    inner_sha256: bytes = b""
    """See `records.Parsed`; it and the people it adds are committed to by an event of their own."""
    is_enveloped: bool = False
    channel: str = EMAIL
    conversation: Conversation | None = None
    version_ms: int = 0
    """When this version of a chat message was written; 0 for the first, and for mail."""
    due_ms: int | None = None
    """See `Chat.due_at`."""


@dataclass(frozen=True, slots=True)
class DerivedText:
    """What is stored, sealed, of the text that parsing found."""

    body: str
    spans: tuple[tuple[str, int, int], ...]
    """Kind, start, end: see `records.Span`."""
    attachments: tuple[str, ...]
    """Text by attachment, in order."""


def original_suffix(facts: CaptureFacts) -> str:
    """Return the suffix of a file with the original in it."""
    if not facts.form:
        return ".eml"
    if facts.form == "table.row":
        return ".csv" if '"encoding"' in facts.context else ".json"
    return _SUFFIXES.get(facts.form, ".json")


_SUFFIXES = {
    "file": ".bin", "mattermost.element": ".xml", "mattermost.row": ".csv",
    "salesforce.email": ".csv", "salesforce.event": ".csv", "salesforce.task": ".csv",
    "wecom.callback": ".xml", "whatsapp.message": ".txt",
}  # fmt: skip
