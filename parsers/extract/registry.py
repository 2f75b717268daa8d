"""Which module reads which type; must not look into files itself."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.core.records import TextState
from holdfast.parsers.extract.docx import read_docx
from holdfast.parsers.extract.opendocument import read_opendocument
from holdfast.parsers.extract.outcome import Extracted, Unreadable, of_failure
from holdfast.parsers.extract.pdf import read_pdf
from holdfast.parsers.extract.pptx import read_pptx
from holdfast.parsers.extract.text import read_html, read_text
from holdfast.parsers.extract.workbook import read_old_workbook, read_workbook

Extractor = Callable[[bytes], Extracted]

_OOXML = "application/vnd.openxmlformats-officedocument."
_MACRO = ".macroenabled.12"
_OPENDOCUMENT = "application/vnd.oasis.opendocument."

_BY_TYPE: dict[str, Extractor] = {
    "application/pdf": read_pdf,
    "application/x-pdf": read_pdf,
    f"{_OOXML}wordprocessingml.document": read_docx,
    f"{_OOXML}wordprocessingml.template": read_docx,
    f"application/vnd.ms-word.document{_MACRO}": read_docx,
    f"{_OOXML}presentationml.presentation": read_pptx,
    f"{_OOXML}presentationml.slideshow": read_pptx,
    f"application/vnd.ms-powerpoint.presentation{_MACRO}": read_pptx,
    f"{_OOXML}spreadsheetml.sheet": read_workbook,
    f"application/vnd.ms-excel.sheet{_MACRO}": read_workbook,
    f"application/vnd.ms-excel.sheet.binary{_MACRO}": read_workbook,
    "application/vnd.ms-excel": read_old_workbook,
    f"{_OPENDOCUMENT}spreadsheet": read_workbook,
    f"{_OPENDOCUMENT}text": read_opendocument,
    f"{_OPENDOCUMENT}presentation": read_opendocument,
    "text/html": read_html,
    "application/xhtml+xml": read_html,
    "application/json": read_text,
    "application/xml": read_text,
    "application/javascript": read_text,
    "application/sql": read_text,
    "application/yaml": read_text,
    "application/x-yaml": read_text,
    "application/csv": read_text,
    "application/x-sh": read_text,
    "application/x-subrip": read_text,
    "message/delivery-status": read_text,
    "message/disposition-notification": read_text,
}
_BY_ENDING: dict[str, Extractor] = {
    "pdf": read_pdf,
    "docx": read_docx,
    "docm": read_docx,
    "dotx": read_docx,
    "pptx": read_pptx,
    "pptm": read_pptx,
    "ppsx": read_pptx,
    "xlsx": read_workbook,
    "xlsm": read_workbook,
    "xlsb": read_workbook,
    "xls": read_old_workbook,
    "ods": read_workbook,
    "odt": read_opendocument,
    "odp": read_opendocument,
    "html": read_html,
    "htm": read_html,
    **dict.fromkeys(
        ("txt", "csv", "tsv", "log", "md", "json", "xml", "yaml", "yml", "ini", "sql", "srt"),
        read_text,
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
    """Return whether there is a reader for this type, or else for this file name."""
    return _reader_for(media_type, filename) is not None


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
    found = _BY_TYPE.get(media_type)
    if found is None and media_type in _SAYS_NOTHING:
        return _BY_ENDING.get(filename.rpartition(".")[2].strip().lower())
    if found is None and media_type.startswith("text/") and media_type not in _NOT_PLAIN:
        return read_text
    return found
