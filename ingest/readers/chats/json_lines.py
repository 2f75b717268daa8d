"""Find the lines of a file of JSON lines; reads no JSON."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

from holdfast.ingest.readers.chats.json_spans import Span, begin

_SPACE = b" \t\r\n"


def line_spans(buffer: bytes | mmap.mmap) -> Iterator[Span]:
    """Yield each line that is not blank, without white space around it; the last need not end."""
    at, size = begin(buffer), len(buffer)
    while at < size:
        end = buffer.find(b"\n", at)
        end = size if end < 0 else end
        start, stop = at, end
        while start < stop and buffer[start] in _SPACE:
            start += 1
        while stop > start and buffer[stop - 1] in _SPACE:
            stop -= 1
        if stop > start:
            yield Span(b"", start, stop)
        at = end + 1
