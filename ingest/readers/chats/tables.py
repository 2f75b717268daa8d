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
    csv_rows,
    encoding_of,
    first_rows,
    lines_of,
    sheet_rows,
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
    columns: Mapping[str, str]
    rules: ChatRules
    mapping: Meaning
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    def rows(self) -> _Rows:
        extra: dict[str, Any] = {"columns": dict(self.columns)}
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
        with member.mapped() as (spot, content):
            headers = _headers(member, spot, content, tree.rules)
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
    member: Member, spot: Spot, content: bytes | mmap.mmap, rules: ChatRules
) -> Sequence[str] | None:
    name = member.name.lower()
    if name.endswith(SHEETS):
        found = sheet_rows(content)
        table = next(_sheet_tables(spot, found, rules), None) if found else None
        return table[0].headers if table else None
    if name.endswith(_LINES):
        return _line_headers(content)
    table_ = _csv_table(spot, content, rules)
    return table_.headers if table_ else None


def _table_offers(
    member: Member, spot: Spot, content: bytes | mmap.mmap, rules: ChatRules
) -> Iterator[Offered]:
    name = member.name.lower()
    if name.endswith(SHEETS):
        rows = sheet_rows(content)
        if rows is None:
            yield passed_over(spot, "damaged:workbook", is_unknown=True)
            return
        for table, cells in _sheet_tables(spot, rows, rules):
            yield from _sheet_offers(table, cells)
    elif name.endswith(_LINES):
        headers = _line_headers(content) or ()
        mapping = mapping_of(rules)
        columns = columns_of(headers, mapping.columns)
        yield from _line_offers(_Table(spot, headers, columns, rules, mapping), content)
    elif found := _csv_table(spot, content, rules):
        yield from _csv_offers(found, content)


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


def _csv_table(spot: Spot, content: bytes | mmap.mmap, rules: ChatRules) -> _Table | None:
    head = bytes(content[:_HEAD_BYTES])
    encoding = encoding_of(head, is_whole=len(head) == len(content))
    text = head.decode(encoding, "replace")
    mapping = mapping_of(rules)
    for delimiter in (",", "\t", ";", "|"):
        for headers in first_rows(text, delimiter):
            columns = columns_of(headers, mapping.columns)
            if is_table(headers) or (mapping.columns and set(mapping.columns) <= set(headers)):
                return _Table(spot, headers, columns, rules, mapping, encoding, delimiter)
    return None


def _csv_offers(table: _Table, content: bytes | mmap.mmap) -> Iterator[Offered]:
    """Yield the rows below the header, each with its own bytes, quoted line ends included."""
    is_below, encoding = False, table.encoding.removesuffix("-sig")
    rows = replace(table, encoding=encoding).rows()
    for number, raw in enumerate(csv_rows(content, table.delimiter.encode()), 1):
        row = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if is_below:
            if row.strip().strip(table.delimiter.encode()).strip():
                yield _offer(rows, row, f"row {number}")
            continue
        above = next(first_rows(row.decode(encoding, "replace"), table.delimiter), [])
        is_below = above == list(table.headers)


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


def _sheet_tables(
    spot: Spot, rows: Sequence[tuple[str, int, list[str]]], rules: ChatRules
) -> Iterator[tuple[_Table, list[tuple[int, list[str]]]]]:
    mapping = mapping_of(rules)
    for sheet in dict.fromkeys(name for name, _, _ in rows):
        own = [(number, cells) for name, number, cells in rows if name == sheet]
        for place, (_, cells) in enumerate(own[:HEADER_ROWS]):
            headers = [cell.strip() for cell in cells]
            if is_table(headers) or (mapping.columns and set(mapping.columns) <= set(headers)):
                columns = columns_of(headers, mapping.columns)
                table = _Table(spot, headers, columns, rules, mapping, sheet=sheet)
                yield table, own[place + 1 :]
                break


def _sheet_offers(table: _Table, read: Sequence[tuple[int, list[str]]]) -> Iterator[Offered]:
    rows = table.rows()
    for number, cells in read:
        row = {h: c for h, c in zip(table.headers, cells, strict=False) if h and c.strip()}
        if row:
            yield _offer(rows, _encode(row), f"{table.sheet}!{number}")
