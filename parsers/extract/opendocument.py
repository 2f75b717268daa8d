"""OpenDocument texts and presentations (ISO/IEC 26300)."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.parsers.extract.container import Container
from holdfast.parsers.extract.markup import Vocabulary, texts_of
from holdfast.parsers.extract.outcome import Extracted, Unreadable, of_pieces

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_WORDS = Vocabulary(
    texts=frozenset({f"{_TEXT}p", f"{_TEXT}h"}),
    breaks={
        f"{_TEXT}p": "\n",
        f"{_TEXT}h": "\n",
        f"{_TEXT}line-break": "\n",
        f"{_TEXT}tab": "\t",
        f"{_TEXT}s": " ",
        f"{_TABLE}table-cell": "\t",
        f"{_TABLE}table-row": "\n",
    },
)
_MANIFEST = "META-INF/manifest.xml"


def read_opendocument(raw: bytes) -> Extracted:
    """Return the text of the content, and of headers and footers, which the styles hold."""
    container = Container(raw)
    if "content.xml" not in container.names:
        raise Unreadable("extract_failed", "no content.xml")
    if _MANIFEST in container.names and _is_encrypted(container):
        raise Unreadable("extract_encrypted", "OpenDocument encryption")
    return of_pieces(_texts(container))


def _is_encrypted(container: Container) -> bool:
    """ISO/IEC 26300-3 section 4.4: encrypted entries are listed with how they were encrypted."""
    return any(b"encryption-data" in piece for piece in container.pieces(_MANIFEST))


def _texts(container: Container) -> Iterator[str]:
    for name in ("content.xml", "styles.xml"):
        if name in container.names:
            yield from texts_of(container, name, _WORDS)
