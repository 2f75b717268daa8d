"""Plain text and HTML files; must not guess a charset itself."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace

from holdfast.core.records import MAX_INDEXED_CHARS, Defect
from holdfast.parsers.charsets import decode
from holdfast.parsers.extract.outcome import Extracted, of_pieces
from holdfast.parsers.html_text import html_to_text

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE
)
_META_WITHIN_BYTES = 4096
_MAX_BYTES = 4 * MAX_INDEXED_CHARS


def read_text(raw: bytes) -> Extracted:
    """Return a text file as it is, in whatever charset it was written."""
    text, code = _decoded(raw[: _MAX_BYTES + 1], "")
    return _with_defect(of_pieces([text]), code)


def read_html(raw: bytes) -> Extracted:
    """Return the readable text of an HTML file; its own `meta` says the charset."""
    declared = _META_CHARSET.search(raw, 0, _META_WITHIN_BYTES)
    label = declared[1].decode("ascii", "replace") if declared else ""
    html, code = _decoded(raw[: _MAX_BYTES + 1], label)
    return _with_defect(of_pieces([html_to_text(html)]), code)


def _decoded(raw: bytes, label: str) -> tuple[str, str]:
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(codec, "replace"), ""
    return decode(raw, label)


def _with_defect(found: Extracted, code: str) -> Extracted:
    return replace(found, defects=(*found.defects, Defect(code))) if code else found
