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
import re
import struct
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
    stamp = str(int(date.timestamp())).encode() if isinstance(date, datetime) else _plain(date)
    fields = (
        _keys(participants, (Role.FROM,)),
        [stamp],
        [_plain(subject)],
        _keys(participants, (Role.TO, Role.CC)),
        [_plain(body)],
        sorted(attachment.sha256.hex().encode() for attachment in attachments),
    )
    written = [DOMAIN]
    for values in fields:
        written.append(_count(len(values)))
        for value in values:
            written += (_count(len(value)), value)
    return hashlib.sha256(b"".join(written)).digest()


_count = struct.Struct(">Q").pack
_SPACES = re.compile(rb"  +")
_AS_SPACE = bytes(0x20 if chr(byte).isspace() else byte for byte in range(128)) + bytes(128)


def _plain(text: str) -> bytes:
    if not text.isascii():
        return " ".join(text.split()).encode()
    return _SPACES.sub(b" ", text.encode().translate(_AS_SPACE)).strip()


def _keys(participants: Iterable[Participant], roles: tuple[Role, ...]) -> list[bytes]:
    return sorted({person.key.encode() for person in participants if person.role in roles})
