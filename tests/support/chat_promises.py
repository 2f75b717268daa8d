"""What every record of a chat keeps, whatever it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from holdfast.core.records import Parsed


def broken_promise(record: Parsed) -> str:
    """Return how a record breaks what all of them promise; empty when it does not."""
    if record.sent_at is not None and record.sent_at.tzinfo is not UTC:
        return "a time that is not UTC"
    try:
        "".join(_texts(record)).encode()
    except UnicodeEncodeError:
        return "a text with half a character"
    return "" if len(record.fingerprint) == 32 and record.chat else "no fingerprint or no channel"


def _texts(record: Parsed) -> Iterator[str]:
    yield from (record.subject, record.body, record.message_id, record.date_raw)
    for pair in record.headers:
        yield from pair
    for person in record.participants:
        yield from (person.name, person.address, person.side)
    for file in record.attachments:
        yield from (file.filename, file.content_id, file.declared_type)
    for defect in record.defects:
        yield defect.code
    if record.chat and record.chat.conversation:
        yield from (record.chat.conversation.key, record.chat.conversation.name)
