"""Finds the messages that a message carries as attachments; reads none of them, and judges none."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.core.records import Defect
from holdfast.parsers.defects import Defects
from holdfast.parsers.mime_tree import Part, is_message, read_tree
from holdfast.parsers.transfer import Buffer, decoded
from holdfast.parsers.wire_form import message_start

MAX_CARRIED = 250
"""Messages that are taken out of one."""
MAX_NESTING = 8
"""Messages inside one another that are opened."""
MAX_DECODED_BYTES = 32 << 20
"""Of all that were encoded in transfer; others are not copied."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One attached message."""

    path: str
    """Of its part, unique in the carrying message."""
    start: int
    """Of its bytes in the carrying message; they end before `end`."""
    end: int
    raw: bytes = b""
    """The bytes, where they stood encoded; the range says nothing then."""


def carried_messages(raw: Buffer) -> tuple[tuple[Carried, ...], tuple[Defect, ...]]:
    """Return all messages attached to this one, and to those, in order of appearance.

    What is beyond the limits is counted by a defect `carried_limit`.

    Args:
        raw: The carrying message; as `bytes` or a memory map.
    """
    unheard = Defects()  # whoever parses the message names them
    parts = read_tree(raw, message_start(raw, unheard), unheard)
    found: list[Carried] = []
    nesting = {0: 0}
    left, room = 0, MAX_DECODED_BYTES
    for index, part in enumerate(parts):
        if part.shape != "message":
            left += part.shape == "leaf" and is_message(part)
            continue
        depth = nesting[index + 1] = nesting[part.owner] + 1  # its root follows it
        if depth > MAX_NESTING or len(found) >= MAX_CARRIED:
            left += 1
            continue
        one = _carried(part, raw)
        room -= len(one.raw)
        if room < 0 and one.raw:
            left += 1
        elif part.start < part.end:
            found.append(one)
    return tuple(found), (Defect("carried_limit", str(left)),) if left else ()


def _carried(part: Part, raw: Buffer) -> Carried:
    is_here = part.buffer is raw and not part.encoding
    content = b"" if is_here else decoded(part.buffer, part.start, part.end, part.encoding, [])
    return Carried(part.path, part.start, part.end, content)
