"""Yields the people of a file, one at a time: of vCards, CSV and workbooks; it writes nothing."""

from __future__ import annotations

import codecs
import csv
import hashlib
import mmap
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from holdfast.core.errors import Refused, Unavailable
from holdfast.core.persons import Person
from holdfast.ingest.readers.offers import portable
from holdfast.ingest.readers.rows import (
    CsvHeader,
    IsHeader,
    csv_header,
    rows_below,
    sheet_rows,
    sheet_tables,
)
from holdfast.parsers.people.card_lines import cards
from holdfast.parsers.people.columns import columns_of, is_directory
from holdfast.parsers.people.rows import Reading, read_cells
from holdfast.parsers.people.vcards import read_card

SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
_MOST_ROW_BYTES = 64 << 10
_MOST_LINE_BYTES = 1 << 20
_SYSTEM = re.compile(r"[a-z][a-z0-9_]{1,15}")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a person decided about the files."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Header → field of `parsers.people.columns.FIELDS`; `-` leaves a column out."""
    country: str = ""
    """Calling code of telephone numbers that name none; digits."""
    system: str = "crm"
    """Whose ids are in the column `external_id`."""


MOST_CONTENT = 10_000
"""Bytes of a card that a problem shows."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is held of the bytes of a card once it is read: a chunk of whole cards may be large."""

    digest: hashlib._Hash
    """SHA-256 over all of them, to be copied and gone on with."""
    text: str
    """Their beginning, at most `MOST_CONTENT` bytes."""


def excerpt_of(raw: bytes) -> Excerpt:
    """Return what is held of a card."""
    return Excerpt(hashlib.sha256(raw), raw[:MOST_CONTENT].decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Card:
    """One card or row, and where it stands."""

    file: str
    """Its name, `portable`."""
    place: str
    """`card 3`, `row 3`, `Sheet1!3`."""
    excerpt: Excerpt
    person: Person | None
    reason: str = ""
    """Why nobody was made out."""
    at: int = 0
    """Bytes of the file up to its end, as far as that can be told."""


class _Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    columns: dict[str, str] = {}
    country: str = ""
    system: str = ""


def rules_of(mapping: str, country: str = "", system: str = "") -> Rules:
    """Return the rules of a saved mapping and of what was said beside it, which counts more.

    Raises:
        Refused: The mapping is none, the country no calling code, or the system no name of one.
    """
    try:
        saved = msgspec.json.decode(mapping or "{}", type=_Mapping)
    except msgspec.MsgspecError as error:
        step = 'Write it as {"columns": {"Kunde": "company"}}.'
        raise Refused(f"The mapping is none: {error}.", next_step=step) from error
    code = (country or saved.country).removeprefix("+")
    if code and not (code.isascii() and code.isdigit() and len(code) <= 3):
        raise Refused(f"{code[:20]!r} is no calling code.", next_step="Write it as 49 or 86.")
    name = system or saved.system or "crm"
    if not _SYSTEM.fullmatch(name):
        raise Refused(f"{name[:20]!r} names no system.", next_step="Write it as crm or erp_2.")
    return Rules(saved.columns, code, name)


def cards_of(path: Path, rules: Rules) -> Iterator[Card]:
    """Yield every card of a file in order; what is none comes with its reason.

    Raises:
        Unavailable: The file cannot be read.
    """
    try:
        if path.name.lower().endswith(SHEETS):
            yield from _sheets(path, rules)
        elif _is_vcard(path):
            yield from _vcards(path, rules)
        else:
            yield from _csv(path, rules)
    except OSError as error:
        name = portable(str(path))
        raise Unavailable(f"{name} cannot be read: {error.strerror}.") from error


def columns_found(path: Path, rules: Rules) -> dict[str, str]:
    """Return header → field of a table; empty for vCards and for what is no table of people."""
    is_header = _header_of(rules)
    if path.name.lower().endswith(SHEETS):
        with _mapped(path) as content:
            tables = sheet_tables(sheet_rows(content) or (), is_header)
        headers = [one for _, one, _ in tables]
        return {h: f for one in headers for h, f in columns_of(one, rules.columns).items()}
    if _is_vcard(path):
        return {}
    with _mapped(path) as content:
        header = csv_header(content, is_header)
    return columns_of(header.headers, rules.columns) if header else {}


def _is_vcard(path: Path) -> bool:
    if path.name.lower().endswith((".vcf", ".vcard")):
        return True
    with path.open("rb") as file:
        head = file.read(4096)
    return b"BEGIN:VCARD" in head.upper().replace(b"\0", b"")


def _vcards(path: Path, rules: Rules) -> Iterator[Card]:
    at = 0
    for cut in cards(_lines(path)):
        at += len(cut.raw)
        person, reason = None, cut.reason
        if not reason:
            try:
                person = read_card(cut.raw, rules.country)
            except ValueError as error:
                reason = str(error)
        excerpt = excerpt_of(cut.raw)
        yield Card(portable(path.name), f"card {cut.number}", excerpt, person, reason, at)


def _lines(path: Path) -> Iterator[bytes]:
    """Yield lines with their ends, none of more than a megabyte; of UTF-16 too, as UTF-8."""
    with path.open("rb") as file:
        head = file.read(3)
        file.seek(3 if head == codecs.BOM_UTF8 else 0)
        if not head.startswith(_UTF_16):
            yield from iter(lambda: file.readline(_MOST_LINE_BYTES), b"")
            return
    with path.open(encoding="utf-16", errors="replace", newline="") as text:
        for line in iter(lambda: text.readline(_MOST_LINE_BYTES), ""):
            yield line.encode()


@contextmanager
def _mapped(path: Path) -> Iterator[bytes | mmap.mmap]:
    with path.open("rb") as file:
        if not path.stat().st_size:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content


def _csv(path: Path, rules: Rules) -> Iterator[Card]:
    with _mapped(path) as content:
        header = csv_header(content, _header_of(rules))
        if header is None:
            head = excerpt_of(bytes(content[:200]))
            yield Card(portable(path.name), "row 1", head, None, _NO_TABLE, len(content))
            return
        yield from _csv_cards(
            portable(path.name), content, (header, _reading(header.headers, rules))
        )


_NO_TABLE = "no columns of people are known"


def _header_of(rules: Rules) -> IsHeader:
    return lambda headers: is_directory(headers, rules.columns)


def _reading(headers: Sequence[str], rules: Rules) -> Reading:
    columns = columns_of(headers, rules.columns)
    return Reading(headers, columns, rules.country, rules.system)


def _csv_cards(
    name: str, content: bytes | mmap.mmap, known: tuple[CsvHeader, Reading]
) -> Iterator[Card]:
    header, reading = known
    for number, row, at in rows_below(content, header, _MOST_ROW_BYTES):
        text = row.decode(header.encoding, "replace")
        if text.replace(header.delimiter, "").replace('"', "").strip():
            cells = _cells(text, header.delimiter)
            yield _row(name, f"row {number}", row, cells, (reading, at))


def _cells(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of one row; None where a quote is never closed or it is none."""
    if len(text) >= _MOST_ROW_BYTES:
        return None
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _row(
    name: str, place: str, raw: bytes, cells: Sequence[str] | None, known: tuple[Reading, int]
) -> Card:
    reading, at = known
    excerpt = excerpt_of(raw)
    if cells is None:
        return Card(name, place, excerpt, None, "no row of a table: a quote is never closed", at)
    try:
        return Card(name, place, excerpt, read_cells(cells, reading), at=at)
    except ValueError as error:
        return Card(name, place, excerpt, None, str(error), at)


def _sheets(path: Path, rules: Rules) -> Iterator[Card]:
    with _mapped(path) as content:
        rows = sheet_rows(content)
        size = len(content)
    if rows is None:
        reason = "damaged, or too large for a workbook"
        yield Card(portable(path.name), "file", excerpt_of(b""), None, reason, size)
        return
    is_any = False
    for sheet, headers, below in sheet_tables(rows, _header_of(rules)):
        is_any, reading = True, _reading(headers, rules)
        for number, cells in below:
            text = "\t".join(cells).encode("utf-8", "replace")
            yield _row(portable(path.name), f"{sheet}!{number}", text, cells, (reading, size))
    if not is_any:
        yield Card(portable(path.name), "file", excerpt_of(b""), None, _NO_TABLE, size)
