"""Says what the index of a package tells of one record; pure, reads and writes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.records import TextState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from holdfast.core.records import Record, RecordParticipant
    from holdfast.storage.catalogue.filed_facts import Capture

_HEADER_ROLES = (Role.FROM, Role.TO, Role.CC, Role.BCC)
_UNREAD = (TextState.FAILED, TextState.ENCRYPTED, TextState.TRUNCATED)


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file of the package that holds something of a record."""

    file: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a record is not wholly what a reader may expect; a row of `exceptions.csv`."""

    number: int
    id: str
    file: str
    problem: str
    """`record_gone`, `original_unreadable`, `attachment_unreadable`, `original_withheld`: something
    is missing.
    `not_fully_indexed`: a search may not have seen all of it. `defect`: met while parsing."""
    detail: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether something that was to be exported is not in the package."""
        return self.problem not in {"not_fully_indexed", "defect"}

    @property
    def makes_partial(self) -> bool:
        """Whether the export as a whole can no longer be called complete."""
        return self.problem != "defect"


@dataclass(slots=True)
class Packed:
    """One record and what of it is in the package."""

    number: int
    record: Record
    captures: Sequence[Capture]
    attachments: Sequence[Row[Any]]
    holds: Sequence[str]
    is_masked: bool
    is_withheld: bool = False
    """Its originals may name recipients whom whoever asked may not see: it is packed as text."""
    is_part: bool = False
    """There are captures that are not told of."""
    originals: list[PackedFile] = field(default_factory=list)
    attachment_files: dict[int, PackedFile] = field(default_factory=dict)
    """By ordinal."""
    text: PackedFile | None = None
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Public id of the record."""
        return public_id("msg", self.record.id)

    def note(self, problem: str, file: str = "", detail: str = "") -> None:
        """Note a trouble with this record."""
        self.troubles.append(Trouble(self.number, self.id, file, problem, detail))


def edrm_mih(message_id: str) -> str:
    """Return the EDRM message identification hash: MD5 of the Message-ID in angle brackets.

    Empty without a Message-ID (EDRM Cross Platform Email Duplicate Identification Specification).
    """
    if not message_id:
        return ""
    named = f"<{message_id}>".encode()
    return hashlib.md5(named, usedforsecurity=False).hexdigest()


def unread_parts(record: Record) -> list[str]:
    """Return what of the record a search may not have seen."""
    parts = ["message: too long"] if record.is_truncated else []
    return parts + [
        f"attachment {number}: {one.text_state.value}"
        for number, one in enumerate(record.attachments, 1)
        if one.text_state in _UNREAD
    ]


def stamp(instant: datetime | None) -> str | None:
    """Return the instant in UTC, as ISO 8601 with a Z."""
    return instant.isoformat().replace("+00:00", "Z") if instant else None


def record_value(packed: Packed, mask: Callable[[str], str]) -> dict[str, Any]:
    """Return the line of `index.jsonl`; docs/exports.md describes its fields.

    Where the export is masked no hash of anything unmasked is told: whoever has the masked text
    could try all numbers that fit.
    """
    record = packed.record
    is_open = not (packed.is_masked or packed.is_withheld)
    return {
        "number": packed.number,
        "id": packed.id,
        "kind": record.kind,
        "channel": record.channel,
        "direction": record.direction,
        "originals": [_file(one) for one in packed.originals],
        "text": _file(packed.text) if packed.text else None,
        "size": record.size_bytes,
        "at": stamp(record.at),
        "captured_at": stamp(record.captured_at),
        **{role.value: _people(record, (role,), mask) for role in _HEADER_ROLES},
        "envelope": _envelope(record, mask),
        "subject": mask(record.subject),
        "message_id": record.message_id,
        "edrm_mih": edrm_mih(record.message_id),
        "thread_id": public_id("thr", record.thread_id),
        "lang": record.lang,
        "custodians": record.custodians,
        "sources": record.sources,
        "folders": record.folders,
        "labels": record.labels,
        "captures": [_capture(one, is_open=is_open) for one in packed.captures],
        "attachments": [_attachment(row, packed, mask) for row in packed.attachments],
        "is_duplicate": record.is_duplicate,
        "shares_message_id": record.shares_message_id,
        "conversation_id": public_id("cnv", record.conversation_id)
        if record.conversation_id
        else "",
        "conversation": mask(record.conversation),
        "marks": record.marks,
        "tags": record.tags,
        "holds": packed.holds,
        "defects": record.defects,
        "is_fully_indexed": not unread_parts(record),
    }


def _file(one: PackedFile) -> dict[str, Any]:
    return {"file": one.file, "sha256": one.sha256, "size": one.size_bytes}


def _people(
    record: Record, roles: Iterable[Role], mask: Callable[[str], str]
) -> list[dict[str, str]]:
    return [_person(one, mask) for one in record.participants if one.role in roles]


def _envelope(record: Record, mask: Callable[[str], str]) -> list[dict[str, str]]:
    return [
        {"role": one.role.value, **_person(one, mask)}
        for one in record.participants
        if one.role not in _HEADER_ROLES
    ]


def _person(one: RecordParticipant, mask: Callable[[str], str]) -> dict[str, str]:
    local, at, domain = one.address.rpartition("@")
    address = f"{mask(local)}{at}{domain}" if at else mask(domain)
    return {"name": mask(one.name), "address": address}


def _capture(one: Capture, *, is_open: bool) -> dict[str, Any]:
    return {
        "id": public_id("cap", one.id),
        "source": one.source,
        "custodian": one.custodian,
        "folder": one.facts.folder,
        "captured_at": stamp(one.captured_at),
        "received_at": stamp(one.facts.received_at),
        "sha256": one.sha256 if is_open else "",
    }


def _attachment(row: Row[Any], packed: Packed, mask: Callable[[str], str]) -> dict[str, Any]:
    file = packed.attachment_files.get(row.ordinal)
    return {
        "name": mask(row.filename),
        "type": row.sniffed_type,
        "size": row.size_bytes,
        "sha256": "" if packed.is_masked else row.sha256.hex(),
        "text_state": row.text_state,
        "is_inline": bool(row.is_inline),
        "is_message": bool(row.is_message),
        "file": file.file if file else "",
    }
