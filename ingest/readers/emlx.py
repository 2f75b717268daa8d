"""Separate an Apple Mail file into the message and what the program noted about it; no I/O.

The first line is the length of the message in bytes; an XML property list follows the message.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

MAX_PLIST_BYTES = 1 << 20
_MAX_COUNT_LINE_BYTES = 32

# Bit numbers of the `flags` integer; those not listed are counters, or only of use on screen.
_FLAGS = {
    0: "read",
    1: "deleted",
    2: "answered",
    3: "encrypted",
    4: "flagged",
    6: "draft",
    8: "forwarded",
    9: "redirected",
    23: "signed",
    24: "junk",
    25: "not_junk",
}


@dataclass(frozen=True, slots=True)
class Emlx:
    """A message, and the notes about it."""

    raw: bytes
    flags: tuple[str, ...]
    note: str
    """`date-received=<Unix seconds>`, where the list has it: the program's word, not trusted."""


def split_emlx(data: bytes) -> Emlx | None:
    """Return the message with its notes; None when the length line is missing or says too much.

    `data` may be a mapping; of the message one copy is made.
    """
    start = data.find(b"\n", 0, _MAX_COUNT_LINE_BYTES) + 1
    digits = data[:start].strip()
    if not digits.isdigit() or start + int(digits) > len(data):
        return None
    end = start + int(digits)
    notes = _plist(data[max(end, len(data) - MAX_PLIST_BYTES) :])
    stated = notes.get("flags")
    bits = stated if isinstance(stated, int) else 0
    received = notes.get("date-received")
    note = f"date-received={received}" if isinstance(received, int | float) else ""
    flags = tuple(name for bit, name in _FLAGS.items() if bits >> bit & 1)
    return Emlx(data[start:end], flags, note)


def _plist(tail: bytes) -> dict[str, object]:
    try:
        found = plistlib.loads(tail.strip(), fmt=plistlib.FMT_XML)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, ExpatError):
        return {}  # the message is whole without it
    return found if isinstance(found, dict) else {}
