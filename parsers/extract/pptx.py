"""PowerPoint presentations (ECMA-376 part 1, PresentationML and DrawingML)."""

from __future__ import annotations

from holdfast.parsers.extract.markup import Vocabulary, read_package
from holdfast.parsers.extract.outcome import Extracted

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/drawingml/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_BREAKS = {"p": "\n", "br": "\n", "tc": "\t", "tr": "\n"}
_WORDS = Vocabulary(
    texts=frozenset({f"{_A}t", f"{_STRICT}t", f"{_P}text"}),
    breaks={f"{space}{name}": text for space in (_A, _STRICT) for name, text in _BREAKS.items()}
    | {f"{_P}text": "\n", f"{_P}cm": "\n"},
)
_MAIN = "ppt/presentation.xml"
_PARTS = (
    r"ppt/slides/slide\d*\.xml",
    r"ppt/notesSlides/notesSlide\d*\.xml",
    r"ppt/comments/[^/]*\.xml",
    r"ppt/diagrams/data\d*\.xml",
)


def read_pptx(raw: bytes) -> Extracted:
    """Return the text of slides, tables, notes, comments and diagrams, slides by their number."""
    return read_package(raw, _MAIN, _PARTS, _WORDS)
