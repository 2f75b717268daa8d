"""Spreadsheets of every Office format; must not compute: the stored values are the text."""

from __future__ import annotations

import io
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineWorkbook, load_workbook

from holdfast.parsers.extract.container import ENCRYPTED_PACKAGE, Container
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
_WORKBOOK_START = b"\x09\x08\x10\x00\x00\x06\x05\x00"
"""Record BOF of the workbook globals of BIFF8."""
_WORKBOOK_START_BYTES = 20
_FILE_PASS = b"\x2f\x00"


def read_workbook(raw: bytes) -> Extracted:
    """Return every sheet of an xlsx, xlsb or ods file, and comments and text boxes of an xlsx."""
    container = Container(raw)
    return of_pieces(_texts(raw, container))


def read_old_workbook(raw: bytes) -> Extracted:
    """Return every sheet of an xls file; some are of a newer format under the old name."""
    if not raw.startswith(_OLE):
        return read_workbook(raw)
    if _is_encrypted(raw):
        raise Unreadable("extract_encrypted", "encrypted workbook")
    return of_pieces(_texts(raw, None))


def _is_encrypted(raw: bytes) -> bool:
    """[MS-OFFCRYPTO] 2.3 under the old name; or [MS-XLS] 2.4.117: FilePass right after BOF."""
    start = raw.find(_WORKBOOK_START)
    after = start + _WORKBOOK_START_BYTES
    return ENCRYPTED_PACKAGE in raw or (start >= 0 and raw[after : after + 2] == _FILE_PASS)


def _texts(raw: bytes, container: Container | None) -> Iterator[str]:
    try:
        workbook = load_workbook(io.BytesIO(raw))
        for name in workbook.sheet_names:
            yield f"{name}\n"
            yield from _rows(workbook, name)
    except BaseException as trouble:
        if not _is_damage(trouble):
            raise
        raise Unreadable("extract_failed", f"workbook: {trouble}") from trouble
    if container is not None:
        for pattern in _REMARKS:
            for name in container.matching(pattern):
                yield from texts_of(container, name, _WORDS)
                yield "\n"


def _is_damage(trouble: BaseException) -> bool:
    """Calamine panics on cut OLE files; a panic is a BaseException whose class has no address."""
    is_panic = type(trouble).__name__ == "PanicException"
    return is_panic or isinstance(trouble, (CalamineError, ValueError, OSError))


def _rows(workbook: CalamineWorkbook, name: str) -> Iterator[str]:
    for row in workbook.get_sheet_by_name(name).iter_rows():
        cells = [_shown(value) for value in row]
        if any(cells):
            yield "\t".join(cells).rstrip("\t") + "\n"


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
