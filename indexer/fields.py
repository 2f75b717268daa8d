"""The fields that every engine has, and what they hold; it knows no engine."""

from __future__ import annotations

import hashlib

from holdfast.core.query import Part
from holdfast.indexer.documents import ATTACHMENT, BODY, FILENAME, PEOPLE, PEOPLE_FIELDS, SUBJECT

TEXT_FIELDS = (SUBJECT, BODY, ATTACHMENT, FILENAME, PEOPLE, *PEOPLE_FIELDS.values())
"""Fields with positions."""

HEADER = "header"
"""One row of tokens with positions."""

EXACT_FIELDS = ("phone", "pinyin")
"""Fields of tokens without positions."""

TERMS = "terms"
"""One `field:value` for each exact value."""

FIELDS_OF_PART = {
    Part.ANY: (SUBJECT, BODY, ATTACHMENT, FILENAME, PEOPLE),
    Part.CONTENT: (SUBJECT, BODY, ATTACHMENT),
    Part.SUBJECT: (SUBJECT,),
    Part.BODY: (BODY,),
    Part.ATTACHMENT: (ATTACHMENT,),
    Part.FILENAME: (FILENAME,),
    Part.WITH: (PEOPLE,),
    Part.FROM: (PEOPLE_FIELDS["from"],),
    Part.TO: (PEOPLE_FIELDS["to"],),
    Part.CC: (PEOPLE_FIELDS["cc"],),
    Part.BCC: (PEOPLE_FIELDS["bcc"],),
    Part.ENVELOPE: (PEOPLE_FIELDS["envelope"],),
    Part.EXPANDED: (PEOPLE_FIELDS["expanded"],),
    Part.OPEN_ANY: (SUBJECT, BODY, ATTACHMENT, FILENAME, PEOPLE_FIELDS["open_with"]),
    Part.OPEN_WITH: (PEOPLE_FIELDS["open_with"],),
}

COLLAPSE_FIELDS = {"thread": "thread", "message_id": "message"}

TEXT_GAP = 100_000
"""Positions between two texts of one field: no proximity reaches from one into the next."""

MAX_EXACT_CHARS = 4000
"""Longer exact values are named by their hash: engines refuse terms of about 32 KiB."""


def facet_field(facet: str) -> str:
    """Return the name of the field that holds a facet's values."""
    return f"facet_{facet}"


def message_group(message_id: str) -> int:
    """Return 63 bits that stand for a Message-ID; 0 for none."""
    if not message_id:
        return 0
    digest = hashlib.blake2b(message_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1 or 1
