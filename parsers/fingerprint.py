"""Names what a message says, apart from how it travelled; equal for copies that took other routes.

SHA-256 over fields in the order From, Date, Subject, To and Cc, body, attachments. Each field is
written as the count of its values, 8 bytes big-endian, then each value as its length in bytes,
8 bytes big-endian, and its UTF-8 bytes, so that no two lists of fields have the same form.

* From: addresses, white space removed at both ends and case folded, without repeats, sorted.
* Date: seconds since 1970 as decimal digits when the Date field can be read, else the field with
  runs of white space made one space. Never a Received field.
* Subject, body: decoded, runs of white space made one space, none at both ends.
* To and Cc: as From, both fields together.
* Attachments: SHA-256 of each decoded attachment in lower-case hex, sorted, repeats kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from holdfast.core.kinds import Role
from holdfast.core.records import Attachment, Participant

DOMAIN = b"holdfast fingerprint 1\n"
"""What the hash begins with: a changed form gets another number."""


def fingerprint(
    participants: Sequence[Participant],
    date: datetime | str,
    subject: str,
    body: str,
    attachments: Sequence[Attachment],
) -> bytes:
    """Return the 32 bytes of the fingerprint; `date` is text where it could not be read."""
    stamp = str(int(date.timestamp())) if isinstance(date, datetime) else _plain(date)
    fields = (
        _keys(participants, (Role.FROM,)),
        [stamp],
        [_plain(subject)],
        _keys(participants, (Role.TO, Role.CC)),
        [_plain(body)],
        sorted(attachment.sha256.hex() for attachment in attachments),
    )
    digest = hashlib.sha256(DOMAIN)
    for values in fields:
        digest.update(_framed(values))
    return digest.digest()


def _framed(values: Sequence[str]) -> bytes:
    out = [len(values).to_bytes(8, "big")]
    for value in values:
        raw = value.encode("utf-8")
        out += (len(raw).to_bytes(8, "big"), raw)
    return b"".join(out)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _keys(participants: Iterable[Participant], roles: tuple[Role, ...]) -> list[str]:
    return sorted({person.key for person in participants if person.role in roles})
