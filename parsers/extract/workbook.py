"""Spreadsheets of every Office format; must not compute: the stored values are the text."""

from __future__ import annotations

import io
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, load_workbook

from holdfast.parsers.extract.container import Container
from holdfast.parsers.extract.markup import Vocabulary, texts_of
from holdfast.parsers.extract.outcome import Extracted, Unreadable, of_pieces

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_THREADED = "{http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments}"
_WORDS = Vocabulary(
    texts=frozenset({f"{_S}t", f"{_A}t", f"{_THREADED}text"}),
    breaks={f"{_S}comment": "\n", f"{_A}p": "\n", f"{_THREADED}threadedComment": "\n"},
)
_REMARKS = (
    r"xl/comments/?[^/]*\.xml",
    r"xl/threadedComments/[^/]*\.xml",
    r"xl/drawings/drawing\d*\.xml",
)
_OLE = b"\xd0\xcf\x11\xe0"


def read_workbook(raw: bytes) -> Extracted:
    """Return every sheet of an xlsx, xlsb or ods file, and comments and text boxes of an xlsx."""
    container = Container(raw)
    return of_pieces(_texts(raw, container))


def read_old_workbook(raw: bytes) -> Extracted:
    """Return every sheet of an xls file; some are of a newer format under the old name."""
    if not raw.startswith(_OLE):
        return read_workbook(raw)
    return of_pieces(_texts(raw, None))


def _texts(raw: bytes, container: Container | None) -> Iterator[str]:
    try:
        workbook = load_workbook(io.BytesIO(raw))
        for name in workbook.sheet_names:
            yield f"{name}\n"
            yield from _rows(workbook, name)
    except PasswordError as trouble:
        raise Unreadable("extract_encrypted", str(trouble)) from trouble
    except (CalamineError, ValueError, OSError) as trouble:
        raise Unreadable("extract_failed", f"workbook: {trouble}") from trouble
    if container is not None:
        for pattern in _REMARKS:
            for name in container.matching(pattern):
                yield from texts_of(container, name, _WORDS)
                yield "\n"


def _rows(workbook: CalamineWorkbook, name: str) -> Iterator[str]:
    for row in workbook.get_sheet_by_name(name).iter_rows():
        cells = [_shown(value) for value in row]
        if any(cells):
            yield "\t".join(cells).rstrip("\t") + "\n"


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
