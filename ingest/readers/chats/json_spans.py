"""Find where the values of a JSON document lie, byte for byte, without building them.

So each message of an export keeps the very bytes that stood there, and a document of any size takes
no memory beside the map of its file.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,]', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*+")
_DEEPEST = 1000


class NotJson(ValueError):
    """The document ends early, or is none; what was yielded before stands."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `[start, end)` of one value inside a list or an object."""

    key: bytes
    """As written between the quotes; empty in a list."""
    start: int
    end: int


def begin(buffer: bytes | mmap.mmap, at: int = 0) -> int:
    """Return where the value at `at` begins, after white space and a byte order mark."""
    if at == 0 and buffer[:3] == b"\xef\xbb\xbf":
        at = 3
    found = _SPACE.match(buffer, at)
    return found.end() if found else at


def spans(buffer: bytes | mmap.mmap, at: int) -> Iterator[Span]:
    """Yield the values of the list or the object that begins at `at`, in their order.

    Raises:
        NotJson: There is none, it is nested too deeply, or it does not end.
    """
    opening = bytes(buffer[at : at + 1])
    if opening not in (b"[", b"{"):
        raise NotJson("neither a list nor an object")
    is_object, depth, start, key, last = opening == b"{", 0, at + 1, b"", b""
    for token in _TOKEN.finditer(buffer, at + 1):
        found = token[0]
        if found[:1] == b'"':
            last = found if depth == 0 else last
        elif found in (b"[", b"{"):
            depth += 1
            if depth > _DEEPEST:
                raise NotJson("nested too deeply")
        elif depth and found in (b"]", b"}"):
            depth -= 1
        elif depth == 0 and found == b":" and is_object:
            key, start = last[1:-1], token.end()
        elif depth == 0 and found != b":":
            yield from _value(buffer, key, start, token.start())
            key, start = b"", token.end()
            if found != b",":
                return
    raise NotJson("it ends early")


def _value(buffer: bytes | mmap.mmap, key: bytes, start: int, end: int) -> Iterator[Span]:
    start = begin(buffer, start) if start else start
    while end > start and buffer[end - 1] in b" \t\r\n":
        end -= 1
    if end > start:
        yield Span(key, start, end)


def member(buffer: bytes | mmap.mmap, at: int, name: bytes) -> Span | None:
    """Return the value called `name` of the object at `at`; None without one.

    Raises:
        NotJson: As `spans`, as far as it has to look.
    """
    return next((one for one in spans(buffer, at) if one.key == name), None)


def begins(buffer: bytes | mmap.mmap, at: int, name: bytes) -> int:
    """Return where the value called `name` of the object at `at` begins; -1 without one.

    What comes after that is not looked at, so that a document that ends early is read as far as it
    goes.

    Raises:
        NotJson: It is no object, is nested too deeply, or ends before.
    """
    if bytes(buffer[at : at + 1]) != b"{":
        raise NotJson("no object")
    depth, last = 0, b""
    for token in _TOKEN.finditer(buffer, at + 1):
        found = token[0]
        if depth == 0 and found == b":" and last == b'"%b"' % name:
            return begin(buffer, token.end())
        last = found
        if found in (b"[", b"{"):
            depth += 1
            if depth > _DEEPEST:
                raise NotJson("nested too deeply")
        elif found in (b"]", b"}"):
            depth -= 1
            if depth < 0:
                return -1
    raise NotJson("it ends early")
