"""Gives the cells of a workbook as texts, row by row; dates as ISO 8601, numbers without `.0`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from python_calamine import load_workbook


def sheet_rows(raw: bytes) -> Iterator[tuple[str, int, list[str]]]:
    """Yield sheet, number of the row from 1, and its cells.

    Raises:
        Exception: It is no workbook; run it in a child, for its reader is not total.
    """
    workbook = load_workbook(io.BytesIO(raw))
    for name in workbook.sheet_names:
        sheet = workbook.get_sheet_by_name(name)
        for number, row in enumerate(sheet.to_python(skip_empty_area=False), 1):
            cells = [cell_text(value) for value in row]
            if any(cells):
                yield name, number, cells


def cell_text(value: object) -> str:
    """Return a cell as text."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(int(value.total_seconds()))
    return "" if value is None else str(value)
