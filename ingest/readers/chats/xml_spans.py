"""Find where elements of an XML file lie, byte for byte, without building them.

Entities are refused: a document that defines some is no export, and those of others would grow.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

_PIECE = 1 << 16


class NotXml(ValueError):
    """The document is damaged, or defines entities; what was yielded before stands."""


@dataclass(frozen=True, slots=True)
class Element:
    """Bytes `[start, end)` of an element, its tags included."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class _Marks:
    parser: expat.XMLParserType
    wanted: Collection[str]
    found: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, start, place of the end tag."""
    _open: list[int] = field(default_factory=list)

    def begin(self, _name: str, _attributes: object) -> None:
        self._open.append(self.parser.CurrentByteIndex)

    def end(self, name: str) -> None:
        start = self._open.pop()
        if name in self.wanted:
            self.found.append((name, start, self.parser.CurrentByteIndex))

    def refuse(self, *_: object) -> None:
        raise NotXml("it defines entities")


def elements(buffer: bytes | mmap.mmap, wanted: Collection[str]) -> Iterator[Element]:
    """Yield the elements of these names in the order in which they end.

    Raises:
        NotXml: The document is damaged, or defines entities.
    """
    parser = expat.ParserCreate()
    marks = _Marks(parser, wanted)
    parser.StartElementHandler, parser.EndElementHandler = marks.begin, marks.end
    parser.EntityDeclHandler = marks.refuse
    size = len(buffer)
    for at in range(0, size + 1, _PIECE):
        try:
            parser.Parse(bytes(buffer[at : at + _PIECE]), at + _PIECE > size)
        except expat.ExpatError as error:
            yield from _taken(buffer, marks)
            raise NotXml(str(error)) from error
        yield from _taken(buffer, marks)


def _taken(buffer: bytes | mmap.mmap, marks: _Marks) -> Iterator[Element]:
    found, marks.found = marks.found, []
    for name, start, at in found:
        end = buffer.find(b">", at)
        yield Element(name, start, end + 1 if end >= 0 else len(buffer))
