"""Takes one record of CSV apart by the names of its columns."""

from __future__ import annotations

import csv

from holdfast.parsers.chat.values import Context, items, text

csv.field_size_limit(1 << 30)


def cells(line: str, delimiter: str = ",") -> list[str]:
    """Return the cells of one record, whose quoted cells may hold line ends.

    Raises:
        ValueError: It is none, or more than one; `csv.Error` itself is no `ValueError`.
    """
    try:
        rows = list(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise ValueError(f"it is no row: {error}") from error
    if len(rows) != 1 or not rows[0]:
        raise ValueError("it is no single row")
    return rows[0]


def cells_of(raw: bytes, context: Context) -> dict[str, str]:
    """Return the cells of a record by the lower-case names in `context.extra.headers`.

    Raises:
        ValueError: It is not one record, or most of its cells are missing.
    """
    headers = [text(one).strip().lower() for one in items(context.extra.get("headers"))]
    found = cells(raw.decode("utf-8", "replace"))
    if len(found) < min(len(headers), 10):
        raise ValueError("a row with too few cells")
    return dict(zip(headers, found, strict=False))
