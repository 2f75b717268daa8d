"""Find where the records of a CSV file lie, byte for byte."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

from holdfast.ingest.readers.chats.json_spans import Span
from holdfast.parsers.chat.csv_cells import cells


def header_of(head: bytes) -> list[str]:
    """Return the cells of the first record, in lower case; none where this is no CSV."""
    first = next(row_spans(head), None)
    if first is None:
        return []
    line = head[first.start : first.end].decode("utf-8", "replace").replace("\0", "")
    try:
        return [cell.strip().lower() for cell in cells(line)]
    except ValueError:
        return []


def row_spans(buffer: bytes | mmap.mmap) -> Iterator[Span]:
    """Yield each record that is not blank, without its line end (RFC 4180).

    A quote that is open takes in the lines that follow, to the end of the file at most.
    """
    start = 3 if buffer[:3] == b"\xef\xbb\xbf" else 0
    at, quotes, size = start, 0, len(buffer)
    while at < size:
        end = buffer.find(b"\n", at)
        end = size if end < 0 else end
        quotes += bytes(buffer[at:end]).count(b'"')
        at = end + 1
        if quotes % 2 and at < size:
            continue
        stop = end
        while stop > start and buffer[stop - 1] in b"\r\n":
            stop -= 1
        if stop > start:
            yield Span(b"", start, stop)
        start, quotes = at, 0
