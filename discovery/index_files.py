"""Writes the tables of a package: `index.csv`, `index.jsonl`, `exceptions.csv`.

JSON Lines hold exact values. Cells of CSV are made safe for spreadsheets, in a way that can be
undone but for control characters and the cut of very long cells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from holdfast.discovery.export_records import Trouble

BOM = b"\xef\xbb\xbf"
"""Without it spreadsheets read UTF-8 as the code page of their country."""
MAX_CELL_CHARS = 32_000
"""Spreadsheets take 32,767 characters a cell, and lose the rest or the row."""
CUT = "…"
_FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20'"
"""What a formula can begin with, full-width forms included (OWASP, CSV Injection), and the
apostrophe itself, so that every leading one is ours."""
_RISKY = frozenset(_FORMULA)
_PICTURES = {code: 0x2400 + code for code in range(32)} | {0x7F: 0x2421}
_json = msgspec.json.Encoder().encode

COLUMNS = (
    "number", "id", "file", "sha256", "size", "date_utc", "date_local", "captured_utc", "from",
    "to", "cc", "bcc", "envelope", "subject", "custodians", "sources", "folders", "labels",
    "attachments", "attachment_files", "attachment_sha256", "variants", "is_duplicate",
    "shares_message_id", "message_id", "edrm_mih", "thread_id", "kind", "direction", "lang",
    "tags", "holds", "defects", "is_fully_indexed",
)  # fmt: skip
EXCEPTION_COLUMNS = ("number", "id", "file", "problem", "is_missing", "detail")


def cell(value: object) -> str:
    """Return the value as one safe cell: no formula, no control character, no endless text.

    A leading apostrophe is always ours: take it away to have the value again.
    """
    text = value if isinstance(value, str) else _plain(value)
    if not text or (text.isalnum() and len(text) <= MAX_CELL_CHARS):
        return text
    is_risky = text[0] in "\t\r\n" or text.lstrip()[:1] in _RISKY
    if not text.isprintable():
        text = text.translate(_PICTURES)
    if len(text) > MAX_CELL_CHARS:
        text = text[:MAX_CELL_CHARS] + CUT
    return f"'{text}" if is_risky else text


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def csv_row(values: Iterable[object]) -> bytes:
    """Return one line of CSV (RFC 4180), every cell quoted."""
    cells = '","'.join(cell(value).replace('"', '""') for value in values)
    return f'"{cells}"\r\n'.encode("utf-8", "replace")


def csv_head(columns: Sequence[str]) -> bytes:
    """Return the first line of a table."""
    return BOM + csv_row(columns)


def json_line(value: object) -> bytes:
    """Return one line of JSON Lines."""
    return _json(value) + b"\n"


def index_row(value: Mapping[str, Any], zone: ZoneInfo) -> bytes:
    """Return the line of `index.csv` for a line of `index.jsonl`; dates also in the zone."""
    first, *others = value["originals"] or [value["text"] or {}]
    files = value["attachments"]
    local = datetime.fromisoformat(value["at"]).astimezone(zone)
    shown = {
        **value,
        "file": first.get("file", ""),
        "sha256": first.get("sha256", ""),
        "date_utc": value["at"],
        "date_local": local.isoformat(sep=" ", timespec="seconds"),
        "captured_utc": value["captured_at"],
        **{role: _joined(map(_person, value[role])) for role in ("from", "to", "cc", "bcc")},
        "envelope": _joined(f"{one['role']}: {_person(one)}" for one in value["envelope"]),
        "attachments": _joined(one["name"] or one["type"] for one in files),
        "attachment_files": _joined(one["file"] for one in files if one["file"]),
        "attachment_sha256": _joined(one["sha256"] for one in files if one["sha256"]),
        "variants": _joined(one["file"] for one in others),
    }
    several = ("custodians", "sources", "folders", "labels", "tags", "holds", "defects")
    shown |= {name: _joined(value[name]) for name in several}
    return csv_row([shown[name] for name in COLUMNS])


def _person(one: Mapping[str, str]) -> str:
    name, address = one["name"], one["address"]
    return f"{name} <{address}>" if name and address else name or address


def _joined(values: Iterable[str]) -> str:
    return "; ".join(values)


def exception_row(trouble: Trouble) -> bytes:
    """Return the line of `exceptions.csv`."""
    return csv_row(
        (
            trouble.number, trouble.id, trouble.file, trouble.problem, trouble.is_missing,
            trouble.detail,
        )
    )  # fmt: skip


@dataclass(slots=True)
class Counts:
    """What a package holds, as its certificate states it."""

    hits: int = 0
    """Records that the frozen query result has."""
    exported: int = 0
    gone: int = 0
    """Hits that were no longer in the archive when the package was made."""
    originals: int = 0
    families: int = 0
    """Records with attachments: each is a family of a message and its parts."""
    attachments: int = 0
    duplicates: int = 0
    """Records that were captured more than once."""
    held: int = 0
    unindexed: int = 0
    """Exported records that are not fully indexed."""
    unindexed_in_scope: int = 0
    """Records within the scope, hits or not, that no search can have seen whole."""
    waiting_for_index: int = 0
    """Records that no search found yet when the result was frozen."""
    defects: int = 0
    errors: int = 0
    """Files and records that are missing, and named in `exceptions.csv`."""
    bytes: int = 0
    """Of all originals."""

    def values(self) -> dict[str, int]:
        """Return them by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(slots=True)
class Tally:
    """Counts records while the package is made."""

    counts: Counts = field(default_factory=Counts)
    is_partial: bool = False

    def add(self, value: Mapping[str, Any], troubles: Iterable[Trouble]) -> None:
        """Count one record that is in the package, and its troubles."""
        counts = self.counts
        counts.exported += 1
        counts.originals += len(value["originals"])
        counts.bytes += sum(one["size"] for one in value["originals"])
        counts.attachments += len(value["attachments"])
        counts.families += bool(value["attachments"])
        counts.duplicates += value["is_duplicate"]
        counts.held += bool(value["holds"])
        counts.unindexed += not value["is_fully_indexed"]
        counts.defects += bool(value["defects"])
        for trouble in troubles:
            self.note(trouble)

    def note(self, trouble: Trouble) -> None:
        """Count one trouble."""
        self.counts.gone += trouble.problem == "record_gone"
        self.counts.errors += trouble.is_missing
        self.is_partial = self.is_partial or trouble.makes_partial
