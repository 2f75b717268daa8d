"""Reads an item that is itself the content of a file that a chat message carries."""

from __future__ import annotations

import hashlib

from holdfast.core.kinds import Kind
from holdfast.core.records import TextState
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.people import people_from
from holdfast.parsers.chat.values import Context, from_ms, number, text
from holdfast.parsers.defects import Defects
from holdfast.parsers.sniff import HEAD_BYTES, sniff


def read_file(raw: bytes, context: Context) -> Said:
    """Return the record of a file; it has the name of its message, where that is known.

    Of `context.extra` count `message`, `filename`, `media_type`, `at_ms`, `md5`, and `people` as
    `people.people_from` takes them.
    """
    extra, defects = context.extra, Defects()
    filename = text(extra.get("filename"))
    declared = text(extra.get("media_type")) or "application/octet-stream"
    stated = text(extra.get("md5")).lower()
    if stated and stated != hashlib.md5(raw, usedforsecurity=False).hexdigest():
        defects.add("media_hash_differs", stated[:40])
    media = sniff(raw[:HEAD_BYTES], declared, filename)
    content = hashlib.sha256(raw).digest()
    file = ChatFile(content.hex(), filename, media, len(raw), content, TextState.UNSUPPORTED)
    return Said(
        channel=context.channel,
        kind=Kind.FILE,
        name=text(extra.get("message")),
        at=from_ms(number(extra.get("at_ms"))),
        received_at=context.received_at,
        conversation=context.conversation,
        people=people_from(extra.get("people")),
        files=(file,),
        subject=filename,
        distinct=context.item,
        defects=defects.values(),
    )
