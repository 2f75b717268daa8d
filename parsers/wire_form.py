"""Brings an original into lines of ASCII-compatible bytes; changes nothing of the ordinary ones.

Mail saved by desktop programs may be UTF-16, begin with a byte order mark, empty lines or an mbox
From_ line, or end its lines with CR alone.
"""

from __future__ import annotations

from holdfast.parsers.defects import Defects
from holdfast.parsers.mime_tree import skip_envelope_line
from holdfast.parsers.transfer import Buffer

MAX_CONVERTED_BYTES = 32 << 20
"""Bytes of an original in a foreign form that are read; converting needs memory for a copy."""

_PROBE_BYTES = 64 << 10
_UTF8_MARK = b"\xef\xbb\xbf"


def as_lines(raw: Buffer, defects: Defects) -> Buffer:
    """Return the buffer itself, or a converted copy when it is UTF-16 or has CR line ends only."""
    head = raw[:_PROBE_BYTES]
    codec = _utf16_of(head)
    if codec:
        defects.add("message_utf16")
        text = str(_capped(raw, defects), codec, "replace").removeprefix("\ufeff")
        return text.encode("utf-8", "replace")
    if b"\r" in head and b"\n" not in head:
        if len(raw) > len(head) and b"\n" in raw[: 16 * _PROBE_BYTES]:
            return raw
        defects.add("line_ends_cr")
        return _capped(raw, defects).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw


def _utf16_of(head: bytes) -> str:
    if head.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if head.startswith(b"\xfe\xff"):
        return "utf-16-be"
    if len(head) < 8 or b"\0" not in head[:4]:
        return ""
    sample = head[:16]  # no longer: names of fields are ASCII, values need not be
    if not any(sample[1::2]) and all(sample[0::2]):
        return "utf-16-le"
    return "utf-16-be" if not any(sample[0::2]) and all(sample[1::2]) else ""


def _capped(raw: Buffer, defects: Defects) -> bytes:
    if len(raw) > MAX_CONVERTED_BYTES:
        defects.add("conversion_size_limit", str(MAX_CONVERTED_BYTES))
    return raw[:MAX_CONVERTED_BYTES]


def message_start(buffer: Buffer, defects: Defects) -> int:
    """Return where the first field is: after a byte order mark, empty lines, a From_ line."""
    start = 0
    if buffer[:3] == _UTF8_MARK:
        defects.add("leading_mark")
        start = 3
    after = skip_envelope_line(buffer, start, len(buffer))
    if after > start:
        is_line = buffer[start : start + 80].lstrip(b"\r\n>").startswith(b"From ")
        defects.add("leading_from_line" if is_line else "leading_blank_lines")
    return after
