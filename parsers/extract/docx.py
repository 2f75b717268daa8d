"""Word documents (ECMA-376 part 1, WordprocessingML); must not run or follow anything in them."""

from __future__ import annotations

from holdfast.parsers.extract.markup import Vocabulary, read_package
from holdfast.parsers.extract.outcome import Extracted

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_BREAKS = {"p": "\n", "br": "\n", "cr": "\n", "tab": "\t", "tc": "\t", "tr": "\n"}
_WORDS = Vocabulary(
    texts=frozenset(
        {f"{space}{name}" for space in (_W, _STRICT) for name in ("t", "delText")}
        | {f"{_A}t", f"{_M}t"}
    ),
    breaks={f"{space}{name}": text for space in (_W, _STRICT) for name, text in _BREAKS.items()}
    | {f"{_A}p": "\n"},
)
_MAIN = "word/document.xml"
_PARTS = (
    r"word/document\.xml",
    r"word/header\d*\.xml",
    r"word/footer\d*\.xml",
    r"word/footnotes\.xml",
    r"word/endnotes\.xml",
    r"word/comments\.xml",
    r"word/diagrams/data\d*\.xml",
)


def read_docx(raw: bytes) -> Extracted:
    """Return the text of body, tables, text boxes, headers, footers, notes, comments and diagrams.

    Deleted text that is still tracked is text of the file, and kept.
    """
    return read_package(raw, _MAIN, _PARTS, _WORDS)
