"""What an object store says of its objects, as values; asks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Head:
    """What the server says of one version of an object."""

    size: int
    etag: str
    checksum: str
    """SHA-256 as the server computed it, base64; of a multipart upload the one over the sums of its
    parts, with their number. Empty where a server keeps none."""
    version: str
    """Empty in a bucket without versions."""
    modified_at: datetime
    lock_mode: str = ""
    """`GOVERNANCE`, `COMPLIANCE`, or empty."""
    retain_until: datetime | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A whole object."""

    data: bytes
    etag: str
    version: str
    """Empty in a bucket without versions."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes from within an object."""

    data: bytes
    total: int
    """Length of the whole object."""
    etag: str


@dataclass(frozen=True, slots=True)
class Pin:
    """Which of the objects that ever had a key is meant; empty for the present one."""

    version: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One object, or one version of it, in a listing."""

    key: str
    size: int
    modified_at: datetime
    version: str = ""


def head_of(answer: dict[str, Any]) -> Head:
    """Return the facts in an answer to HeadObject."""
    version = answer.get("VersionId", "")
    until = answer.get("ObjectLockRetainUntilDate")
    return Head(
        size=answer["ContentLength"],
        etag=answer.get("ETag", ""),
        checksum=answer.get("ChecksumSHA256", ""),
        version="" if version == "null" else version,
        modified_at=answer["LastModified"],
        lock_mode=answer.get("ObjectLockMode", ""),
        retain_until=until and until.astimezone(UTC),
        is_held=answer.get("ObjectLockLegalHoldStatus") == "ON",
    )
