"""Takes one record of CSV apart by the names of its columns."""

from __future__ import annotations

import csv

from holdfast.parsers.chat.values import Context, items, text

csv.field_size_limit(1 << 30)


def cells_of(raw: bytes, context: Context) -> dict[str, str]:
    """Return the cells of a record by the lower-case names in `context.extra.headers`.

    Raises:
        ValueError: It is not one record, or most of its cells are missing.
    """
    headers = [text(one).strip().lower() for one in items(context.extra.get("headers"))]
    try:
        rows = list(csv.reader([raw.decode("utf-8", "replace")]))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if len(rows) != 1 or len(rows[0]) < min(len(headers), 10):
        raise ValueError("a row with too few cells")
    return dict(zip(headers, rows[0], strict=False))
