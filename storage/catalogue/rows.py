"""Packs and unpacks column values, and computes the digest that proves a row unchanged.

It runs no statement.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
import zstandard

from holdfast.core.errors import Corrupt
from holdfast.core.kinds import EMAIL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.core.custody import Draft, DraftAttachment, DraftParticipant

_pack = msgspec.msgpack.Encoder().encode
_unpack_headers = msgspec.msgpack.Decoder(tuple[tuple[str, str], ...]).decode
_LOCAL = threading.local()  # a zstd context costs more than a message, and serves one thread only
MAX_HEADERS_BYTES = 256 * 1024 * 1024


def chat_key(name: str) -> bytes:
    """Name a chat message for threads and versions: no Message-ID of a mail has the same key."""
    return hashlib.sha256(_CHAT + name.encode()).digest()[:16]


_CHAT = hashlib.sha256(b"chat").digest()
"""Not UTF-8, so that no text begins with it."""


def message_key(message_id: str, fingerprint: bytes) -> bytes:
    """Name a message for threads: 16 bytes of hash of its Message-ID, or of its fingerprint."""
    if message_id:
        return hashlib.sha256(message_id.encode()).digest()[:16]
    return hashlib.sha256(b"no message id" + fingerprint).digest()[:16]


def pack_headers(headers: Sequence[tuple[str, str]]) -> bytes:
    """Compress all header fields, in order."""
    try:
        compressor: zstandard.ZstdCompressor = _LOCAL.compressor
    except AttributeError:
        compressor = _LOCAL.compressor = zstandard.ZstdCompressor(level=1)
    return compressor.compress(_pack(headers))


def unpack_headers(packed: bytes | None) -> tuple[tuple[str, str], ...]:
    """Read back what `pack_headers` made; nothing where disposal removed it.

    Raises:
        Corrupt: It is not what `pack_headers` made.
    """
    if packed is None:
        return ()
    try:
        decompressor: zstandard.ZstdDecompressor = _LOCAL.decompressor
    except AttributeError:
        decompressor = _LOCAL.decompressor = zstandard.ZstdDecompressor()
    try:
        return _unpack_headers(decompressor.decompress(packed, MAX_HEADERS_BYTES))
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise Corrupt(
            "The header fields in the catalogue are damaged.",
            next_step="Restore the catalogue from a backup; originals are in the vault.",
        ) from error


_LINKS = struct.Struct(">qq")
PERSON_DIGESTED = ("role", "name", "address")
ATTACHMENT_DIGESTED = (
    "path",
    "filename",
    "declared_type",
    "sniffed_type",
    "size_bytes",
    "sha256",
    "text_state",
    "is_inline",
    "is_message",
    "content_id",
)
_person = attrgetter(*PERSON_DIGESTED)
_attachment = attrgetter(*ATTACHMENT_DIGESTED)


def row_digest(
    values: Sequence[object],
    participants: Sequence[DraftParticipant],
    attachments: Sequence[DraftAttachment],
) -> bytes:
    """Digest the rows of one interaction.

    Args:
        values: As `digested_values` gives them.
        participants: In order.
        attachments: In order.
    """
    return plain_digest(
        values, list(map(_person, participants)), list(map(_attachment, attachments))
    )


def plain_digest(
    values: Sequence[object],
    people: Sequence[Sequence[object]],
    files: Sequence[Sequence[object]],
) -> bytes:
    """Digest the rows of one interaction, given as plain values.

    Args:
        values: As `digested_values` gives them.
        people: `PERSON_DIGESTED` of each participant, in order.
        files: `ATTACHMENT_DIGESTED` of each attachment, in order.
    """
    return hashlib.sha256(_pack((values, people, files))).digest()


def filed_digest(rows: bytes, original_id: int, thread_id: int) -> bytes:
    """Digest what the audit log commits to when an interaction is filed.

    Args:
        rows: As `row_digest` gives it.
        original_id: Of the original that the interaction was made from.
        thread_id: That it was filed in; threads that are joined later move it.
    """
    return hashlib.sha256(rows + _LINKS.pack(original_id, thread_id)).digest()


DIGESTED = (
    "kind",
    "parser_version",
    "message_id",
    "message_key",
    "fingerprint",
    "subject",
    "date_raw",
    "sent_ms",
    "sent_at_source",
    "size_bytes",
    "lang",
    "list_id",
    "defects",
    "headers",
    "sealed_text",
)
"""Columns of `interactions` that never change after filing."""


FLAGS_DIGESTED = ("is_bulk", "is_truncated")
_digested = attrgetter(*DIGESTED, *FLAGS_DIGESTED)


def digested_values(row: object) -> list[object]:
    """Take the digested columns from a draft or a database row."""
    *values, is_bulk, is_truncated = _digested(row)
    return [*values, bool(is_bulk), bool(is_truncated)]


DUE_DIGESTED_SINCE = 5
"""Rows of chat that an earlier parser made are digested without `due_ms`."""


@dataclass(frozen=True, slots=True)
class ChatRow:
    """What is digested of a row beside `digested_values`, chiefly of chat."""

    channel: str
    room: str | None
    """Key of the conversation."""
    version_ms: int
    due_ms: int | None
    parser_version: int

    def values(self) -> list[object]:
        """Return it as it is digested; nothing of mail, and no date where none is planned."""
        is_mail = self.channel == EMAIL  # which plans nothing: a date in its row is none of ours
        is_told = is_mail or self.parser_version >= DUE_DIGESTED_SINCE
        due: list[object] = [self.due_ms] if self.due_ms is not None and is_told else []
        return due if is_mail else [self.channel, self.room or "", self.version_ms, *due]


def draft_digest(draft: Draft) -> bytes:
    """Digest a draft as its rows will be digested by `verify`."""
    room = draft.conversation.key if draft.conversation else ""
    chat = ChatRow(
        draft.channel, room, draft.version_ms, draft.due_ms, draft.parser_version
    ).values()
    return row_digest(digested_values(draft) + chat, draft.participants, draft.attachments)
