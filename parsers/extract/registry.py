"""Which module reads which type; must not look into files itself."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.core.records import TextState
from holdfast.parsers.extract.outcome import Extracted, Unreadable, of_failure
from holdfast.parsers.extract.text import read_html, read_text

Extractor = Callable[[bytes], Extracted]


# The libraries behind these cost a command's start more than most commands ever use of them.
def _pdf() -> Extractor:
    from holdfast.parsers.extract.pdf import read_pdf

    return read_pdf


def _docx() -> Extractor:
    from holdfast.parsers.extract.docx import read_docx

    return read_docx


def _pptx() -> Extractor:
    from holdfast.parsers.extract.pptx import read_pptx

    return read_pptx


def _workbook() -> Extractor:
    from holdfast.parsers.extract.workbook import read_workbook

    return read_workbook


def _old_workbook() -> Extractor:
    from holdfast.parsers.extract.workbook import read_old_workbook

    return read_old_workbook


def _opendocument() -> Extractor:
    from holdfast.parsers.extract.opendocument import read_opendocument

    return read_opendocument


def _html() -> Extractor:
    return read_html


def _text() -> Extractor:
    return read_text


_OOXML = "application/vnd.openxmlformats-officedocument."
_MACRO = ".macroenabled.12"
_OPENDOCUMENT = "application/vnd.oasis.opendocument."

_BY_TYPE: dict[str, Callable[[], Extractor]] = {
    "application/pdf": _pdf,
    "application/x-pdf": _pdf,
    f"{_OOXML}wordprocessingml.document": _docx,
    f"{_OOXML}wordprocessingml.template": _docx,
    f"application/vnd.ms-word.document{_MACRO}": _docx,
    f"{_OOXML}presentationml.presentation": _pptx,
    f"{_OOXML}presentationml.slideshow": _pptx,
    f"application/vnd.ms-powerpoint.presentation{_MACRO}": _pptx,
    f"{_OOXML}spreadsheetml.sheet": _workbook,
    f"application/vnd.ms-excel.sheet{_MACRO}": _workbook,
    f"application/vnd.ms-excel.sheet.binary{_MACRO}": _workbook,
    "application/vnd.ms-excel": _old_workbook,
    f"{_OPENDOCUMENT}spreadsheet": _workbook,
    f"{_OPENDOCUMENT}text": _opendocument,
    f"{_OPENDOCUMENT}presentation": _opendocument,
    "text/html": _html,
    "application/xhtml+xml": _html,
    "application/json": _text,
    "application/xml": _text,
    "application/javascript": _text,
    "application/sql": _text,
    "application/yaml": _text,
    "application/x-yaml": _text,
    "application/csv": _text,
    "application/x-sh": _text,
    "application/x-subrip": _text,
    "message/delivery-status": _text,
    "message/disposition-notification": _text,
}
_BY_ENDING: dict[str, Callable[[], Extractor]] = {
    "pdf": _pdf,
    "docx": _docx,
    "docm": _docx,
    "dotx": _docx,
    "pptx": _pptx,
    "pptm": _pptx,
    "ppsx": _pptx,
    "xlsx": _workbook,
    "xlsm": _workbook,
    "xlsb": _workbook,
    "xls": _old_workbook,
    "ods": _workbook,
    "odt": _opendocument,
    "odp": _opendocument,
    "html": _html,
    "htm": _html,
    **dict.fromkeys(
        ("txt", "csv", "tsv", "log", "md", "json", "xml", "yaml", "yml", "ini", "sql", "srt"),
        _text,
    ),
}
_SAYS_NOTHING = frozenset(
    {
        "",
        "application/octet-stream",
        "application/x-unknown",
        "application/zip",
        "application/x-zip-compressed",
        "application/x-ole-storage",
        "application/x-cfb",
        "application/force-download",
        "application/download",
    }
)
"""Types with which senders label anything; the file name is asked."""
_NOT_PLAIN = frozenset({"text/rtf", "text/richtext"})


def can_extract(media_type: str, filename: str) -> bool:
    """Return whether there is a reader for this type, or else for this file name.

    The reader is loaded by this: ask before a child is forked that is to extract.
    """
    return _reader_for(media_type, filename) is not None


def is_text(media_type: str, filename: str) -> bool:
    """Return whether this is read as plain text, by what reads bodies too."""
    return _reader_for(media_type, filename) is read_text


def extract(media_type: str, filename: str, raw: bytes) -> Extracted:
    """Return the text of a file, or why there is none.

    Args:
        media_type: As sniffed, lower case, without parameters.
        filename: Asked where the type says nothing.
        raw: The decoded file.
    """
    reader = _reader_for(media_type, filename)
    if reader is None:
        return Extracted("", TextState.UNSUPPORTED)
    try:
        return reader(raw)
    except Unreadable as trouble:
        return of_failure(trouble)


def _reader_for(media_type: str, filename: str) -> Extractor | None:
    media_type = media_type.partition(";")[0].strip().lower()
    load = _BY_TYPE.get(media_type)
    if load is None and media_type in _SAYS_NOTHING:
        load = _BY_ENDING.get(filename.rpartition(".")[2].strip().lower())
    elif load is None and media_type.startswith("text/") and media_type not in _NOT_PLAIN:
        load = _text
    return load() if load else None
