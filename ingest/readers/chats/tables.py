"""Name the rows of a table — CSV, workbook or JSON lines — whose columns a person or we know.

A row of CSV keeps its very bytes. A row of a workbook has none: its original is a JSON object of
header and cell, and the capture says which file, sheet and row it is of. Rows that say nothing, or
whose digits a spreadsheet has lost, end as failed with their reason, and can be had as a file.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers.chats.tree import ChatRules, Member, Spot, Tree, passed_over
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.rows import (
    HEADER_ROWS,
    CsvHeader,
    IsHeader,
    csv_header,
    lines_of,
    rows_below,
    sheet_rows,
    sheet_tables,
)
from holdfast.parsers.chat.table_columns import columns_of, is_table
from holdfast.parsers.chat.table_rows import read_row
from holdfast.parsers.chat.values import Context, context_text

_HEAD_BYTES = 64 << 10
_CSV = (".csv", ".tsv", ".txt")
SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
"""Names of workbooks; most are ZIP archives."""
_LINES = (".jsonl", ".ndjson")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a person decided about a table, saved as JSON; what is empty, headers tell."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Header → field of `parsers.chat.table_columns.FIELDS`; `-` leaves a column out."""
    kind: str = ""
    channel: str = ""
    zone: str = ""
    order: str = ""
    country: str = ""
    """Calling code of numbers that have none; 86 without it."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """What all rows of a table have in common."""

    spot: Spot
    context: Context
    told: str
    """The context as their captures hold it."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table whose columns are known."""

    spot: Spot
    headers: Sequence[str]
    rules: ChatRules
    mapping: Meaning
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    def rows(self) -> _Rows:
        extra: dict[str, Any] = {"columns": columns_of(self.headers, self.mapping.columns)}
        if self.encoding:
            extra |= {"headers": list(self.headers), "encoding": self.encoding}
            extra |= {"delimiter": self.delimiter}
        told = {"kind": self.mapping.kind, "country": self.mapping.country}
        told["order"] = self.mapping.order or self.rules.order
        extra |= {name: value for name, value in told.items() if value}
        context = Context(
            channel=self.mapping.channel,
            tenant=self.rules.tenant,
            zone=self.mapping.zone or self.rules.zone,
            extra=extra,
        )
        return _Rows(self.spot, context, context_text(context))


class TableExport:
    """Tables of calls, visits, messages and the like."""

    name = "table"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the name, and by headers that say when, and who or what."""
        if len(tree.members) != 1:
            return False
        member = next(iter(tree.members.values()))
        if not may_be_table(member.name):
            return False
        mapping = mapping_of(tree.rules)
        with member.mapped() as (_, content):
            headers = _headers(member, content, _header_of(mapping))
        return headers is not None and (bool(mapping.columns) or is_table(headers))

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield a row each; blank rows and what stands above the header are no rows."""
        for member in tree.members.values():
            with member.mapped() as (spot, content):
                yield from _table_offers(member, spot, content, tree.rules)


def may_be_table(name: str) -> bool:
    """Tell by a name whether a file may be a table."""
    return name.lower().endswith((*_CSV, *SHEETS, *_LINES))


def mapping_of(rules: ChatRules) -> Meaning:
    """Return the saved mapping; an empty one without any.

    Raises:
        ValueError: It is none.
    """
    if not rules.mapping:
        return Meaning()
    try:
        return msgspec.json.decode(rules.mapping, type=Meaning)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the mapping is none: {error}") from error


def _headers(
    member: Member, content: bytes | mmap.mmap, is_header: IsHeader
) -> Sequence[str] | None:
    name = member.name.lower()
    if name.endswith(SHEETS):
        table = next(sheet_tables(sheet_rows(content) or (), is_header), None)
        return table[1] if table else None
    if name.endswith(_LINES):
        return _line_headers(content)
    header = csv_header(content, is_header)
    return header.headers if header else None


def _header_of(mapping: Meaning) -> IsHeader:
    """Return what tells a header: by its words, or by the columns that a person named."""
    named = set(mapping.columns)
    return lambda headers: is_table(headers) or bool(named and named <= set(headers))


def _table_offers(
    member: Member, spot: Spot, content: bytes | mmap.mmap, rules: ChatRules
) -> Iterator[Offered]:
    name, mapping = member.name.lower(), mapping_of(rules)
    is_header = _header_of(mapping)
    if name.endswith(SHEETS):
        rows = sheet_rows(content)
        if rows is None:
            yield passed_over(spot, "damaged:workbook", is_unknown=True)
            return
        for sheet, headers, below in sheet_tables(rows, is_header):
            yield from _sheet_offers(_Table(spot, headers, rules, mapping, sheet=sheet), below)
    elif name.endswith(_LINES):
        headers = _line_headers(content) or []
        yield from _line_offers(_Table(spot, headers, rules, mapping), content)
    elif header := csv_header(content, is_header):
        table = _Table(spot, header.headers, rules, mapping, header.encoding, header.delimiter)
        yield from _csv_offers(table, header, content)


def _offer(rows: _Rows, raw: bytes, place: str) -> Offered:
    """Return a row with its bytes; or, where it cannot be one, why."""
    spot = rows.spot
    key = f"table:{spot.trail}@{place}~{hashlib.sha256(raw).hexdigest()[:16]}"
    facts = CaptureFacts(
        folder=spot.folder,
        container_sha256=spot.sha256,
        member=f"{spot.member}@{place}" if spot.member else place,
        form="table.row",
        context=rows.told,
    )
    offered = Offered(key, spot.container, "row", 0, len(raw), facts, raw=raw)
    try:
        read_row(raw, rows.context)
    except (ValueError, KeyError, TypeError, LookupError) as error:
        reason = f"bad_row: {error}"[:300]
        return replace(offered, kind="bad", facts=replace(facts, note=reason))
    return offered


def _csv_offers(table: _Table, header: CsvHeader, content: bytes | mmap.mmap) -> Iterator[Offered]:
    """Yield the rows below the header, each with its own bytes, quoted line ends included."""
    rows, delimiter = table.rows(), header.delimiter.encode()
    for number, row, _ in rows_below(content, header):
        if row.strip().strip(delimiter).strip():
            yield _offer(rows, row, f"row {number}")


def _line_headers(content: bytes | mmap.mmap) -> list[str] | None:
    headers: dict[str, None] = {}
    for raw in bytes(content[:_HEAD_BYTES]).splitlines()[:HEADER_ROWS]:
        try:
            row = msgspec.json.decode(raw)
        except msgspec.MsgspecError:
            continue
        if isinstance(row, dict):
            headers.update(dict.fromkeys(str(name) for name in row))
    return list(headers) or None


def _line_offers(table: _Table, content: bytes | mmap.mmap) -> Iterator[Offered]:
    rows = table.rows()
    for number, line in enumerate(lines_of(content), 1):
        raw = line.rstrip(b"\r\n")
        if raw.strip():
            yield _offer(rows, raw, f"line {number}")


def _sheet_offers(table: _Table, read: Sequence[tuple[int, list[str]]]) -> Iterator[Offered]:
    rows = table.rows()
    for number, cells in read:
        row = {h: c for h, c in zip(table.headers, cells, strict=False) if h and c.strip()}
        if row:
            yield _offer(rows, _encode(row), f"{table.sheet}!{number}")
