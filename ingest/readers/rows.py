"""Rows of CSV files and workbooks, whatever they are of; it knows no column's meaning."""

from __future__ import annotations

import codecs
import csv
import io
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from holdfast.ingest.jail import Failed, Killed, Limits, read_result, run_once
from holdfast.parsers.charset_guess import guess

MOST_BYTES = 256 << 20
"""Largest workbook; CSV is read row by row, whatever its size."""
HEADER_ROWS = 10
"""A header stands within so many rows; what is above is a title."""
_HEAD_BYTES = 64 << 10
_DELIMITERS = (",", "\t", ";", "|")
IsHeader = Callable[[Sequence[str]], bool]
_rows = msgspec.msgpack.Decoder(list[tuple[str, int, list[str]]])


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """How a CSV file is written, and its header."""

    headers: Sequence[str]
    encoding: str
    delimiter: str


def csv_header(content: bytes | mmap.mmap, is_header: IsHeader) -> CsvHeader | None:
    """Return the first row that is a header, by whichever delimiter; None where none is."""
    head = bytes(content[:_HEAD_BYTES])
    encoding = encoding_of(head, is_whole=len(head) == len(content))
    text = head.decode(encoding, "replace")
    for delimiter in _DELIMITERS:
        for headers in first_rows(text, delimiter):
            if is_header(headers):
                return CsvHeader(headers, encoding.removesuffix("-sig"), delimiter)
    return None


def rows_below(
    content: bytes | mmap.mmap, header: CsvHeader, most_bytes: int | None = None
) -> Iterator[tuple[int, bytes, int]]:
    """Yield the rows below the header: number, bytes, and where they end; as `csv_rows`."""
    is_below, at = False, 0
    for number, raw in enumerate(csv_rows(content, header.delimiter.encode(), most_bytes), 1):
        at += len(raw) + 1
        row = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if is_below:
            yield number, row, at
            continue
        above = next(first_rows(row.decode(header.encoding, "replace"), header.delimiter), [])
        is_below = above == list(header.headers)


def sheet_tables(
    rows: Sequence[tuple[str, int, list[str]]], is_header: IsHeader
) -> Iterator[tuple[str, list[str], list[tuple[int, list[str]]]]]:
    """Yield of each sheet that has a header: its name, the header, and the rows below it."""
    sheets: dict[str, list[tuple[int, list[str]]]] = {}
    for name, number, cells in rows:
        sheets.setdefault(name, []).append((number, cells))
    for sheet, own in sheets.items():
        for place, (_, cells) in enumerate(own[:HEADER_ROWS]):
            headers = [cell.strip() for cell in cells]
            if is_header(headers):
                yield sheet, headers, own[place + 1 :]
                break


def first_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the first rows of a text, as far as they are CSV."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    with suppress(csv.Error):
        for _, row in zip(range(HEADER_ROWS), reader, strict=False):
            yield [cell.strip() for cell in row]


def encoding_of(head: bytes, *, is_whole: bool) -> str:
    """Return the codec of a text by its first bytes, which may end within a character."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    cut = head if is_whole else head[: head.rfind(b"\n") + 1] or head
    try:
        cut.decode("utf-8")
    except UnicodeDecodeError:
        return guess(head)
    return "utf-8"


def csv_rows(
    content: bytes | mmap.mmap, delimiter: bytes, most_bytes: int | None = None
) -> Iterator[bytes]:
    """Yield rows of bytes without their line ends; a quoted cell that is open takes the next in.

    Args:
        content: Of the file.
        delimiter: Between cells.
        most_bytes: A row that is not closed by then is given as it is; the next line begins one.
    """
    held: list[bytes] = []
    size, is_open = 0, False
    for line in lines_of(content):
        held.append(line)
        size += len(line)
        is_open = _is_open(line, delimiter, is_open=is_open)
        if not is_open or (most_bytes is not None and size >= most_bytes):
            yield b"".join(held).rstrip(b"\r\n")
            held, size, is_open = [], 0, False
    if held:
        yield b"".join(held).rstrip(b"\r\n")


def _is_open(line: bytes, delimiter: bytes, *, is_open: bool) -> bool:
    """Tell whether a quoted cell is open behind a line; a quote inside of a cell opens none."""
    at, opening = 0, delimiter + b'"'
    if not is_open and line.startswith(b'"'):
        at, is_open = 1, True
    while True:
        if is_open:
            at = line.find(b'"', at)
            if at < 0:
                return True
            is_doubled = line[at + 1 : at + 2] == b'"'
            at, is_open = (at + 2, True) if is_doubled else (at + 1, False)
        else:
            at = line.find(opening, at)
            if at < 0:
                return False
            at, is_open = at + len(opening), True


def lines_of(content: bytes | mmap.mmap) -> Iterator[bytes]:
    """Yield lines with their ends."""
    start = 0
    while start < len(content):
        at = content.find(b"\n", start)
        end = len(content) if at < 0 else at + 1
        yield bytes(content[start:end])
        start = end


def sheet_rows(content: bytes | mmap.mmap) -> list[tuple[str, int, list[str]]] | None:
    """Return sheet, row and cells of a workbook, read in a child; None where it is none."""
    if len(content) > MOST_BYTES:
        return None
    outcome = run_once(_read_sheets, bytes(content), Limits())
    found = read_result(outcome, _rows)
    return None if isinstance(found, Failed | Killed) else found


def _read_sheets(payload: bytes) -> bytes:
    from holdfast.parsers.extract.sheets import sheet_rows

    return msgspec.msgpack.encode(list(sheet_rows(payload)))
