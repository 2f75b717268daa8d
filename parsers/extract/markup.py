"""Text of the XML in Office files: which elements hold it, break it and hide it.

Must not build a tree, resolve entities, or accept a document type definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from holdfast.parsers.extract.container import Container
from holdfast.parsers.extract.outcome import Extracted, Unreadable, of_pieces

MAX_DEPTH = 512
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Qualified names of one format."""

    texts: frozenset[str]
    """Elements whose characters, at any depth, are text."""
    breaks: Mapping[str, str]
    """Element to what stands for its end."""


def read_package(raw: bytes, main: str, patterns: Sequence[str], words: Vocabulary) -> Extracted:
    """Return the text of an Office Open XML package: of its members, pattern by pattern.

    Args:
        raw: The whole file.
        main: The member without which this is another format.
        patterns: Regular expressions for whole member names; numbers in names count in order.
        words: The format's vocabulary.
    """
    container = Container(raw)
    if main not in container.names:
        raise Unreadable("extract_failed", f"no {main}")
    return of_pieces(_texts_of_all(container, patterns, words))


def _texts_of_all(
    container: Container, patterns: Sequence[str], words: Vocabulary
) -> Iterator[str]:
    for pattern in patterns:
        for name in container.matching(pattern):
            yield from texts_of(container, name, words)
            yield "\n"


def texts_of(container: Container, name: str, words: Vocabulary) -> Iterator[str]:
    """Yield the text of an XML member in document order, piece by piece.

    Fallbacks repeat a text box in older markup and are left out.

    Raises:
        Unreadable: Broken XML, elements deeper than `MAX_DEPTH`, a document type definition, or
            damaged data.
    """
    collector = _Collector(words)
    parser = etree.XMLParser(
        target=collector,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    try:
        for piece in container.pieces(name):
            parser.feed(piece)
            yield collector.take()
        parser.close()
    except etree.XMLSyntaxError as trouble:
        raise Unreadable("extract_failed", f"{name}: {trouble}") from trouble
    yield collector.take()


@dataclass(slots=True)
class _Collector:
    """What the parser calls."""

    words: Vocabulary
    found: list[str] = field(default_factory=list)
    depth: int = 0
    text_depth: int = 0
    hidden_depth: int = 0

    def take(self) -> str:
        text = "".join(self.found)
        self.found.clear()
        return text

    def start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("extract_limit", f"XML deeper than {MAX_DEPTH}")
        if tag == _FALLBACK:
            self.hidden_depth += 1
        elif tag in self.words.texts:
            self.text_depth += 1

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag == _FALLBACK:
            self.hidden_depth -= 1
        elif tag in self.words.texts:
            self.text_depth -= 1
        if not self.hidden_depth and tag in self.words.breaks:
            self.found.append(self.words.breaks[tag])

    def data(self, text: str) -> None:
        if self.text_depth and not self.hidden_depth:
            self.found.append(text)

    def doctype(self, name: str, _public_id: str | None, _system_id: str | None) -> None:
        raise Unreadable("extract_dtd", name)

    def close(self) -> None:
        """Required by the parser; nothing is left to do."""
