"""Find where the values of a JSON document lie, byte for byte, without building them.

So each message of an export keeps the very bytes that stood there, and a document of any size takes
no memory beside the map of its file.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,"]', re.DOTALL)
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


def spans(buffer: bytes | mmap.mmap, at: int) -> Generator[Span, None, int]:
    """Yield the values of the list or the object that begins at `at`, in order; return its end.

    Raises:
        NotJson: There is none, it is nested too deeply, or it does not end.
    """
    is_object, depth, start, key, last = _opening(buffer, at) == b"{", 0, at + 1, b"", b""
    for token in _TOKEN.finditer(buffer, at + 1):
        found = token[0]
        if found[:1] == b'"':
            if len(found) == 1:  # nothing that follows is outside of the string
                break
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
                return token.end()
    raise NotJson("it ends early")


def whole(buffer: bytes | mmap.mmap) -> Iterator[Span]:
    """Yield the values of the list or the object that is the whole document.

    Raises:
        NotJson: As `spans`; or something stands behind its end.
    """
    end = yield from spans(buffer, begin(buffer))
    if begin(buffer, end) < len(buffer):
        raise NotJson("something stands behind its end")


def elements(buffer: bytes | mmap.mmap, name: bytes) -> Iterator[tuple[int, int]]:
    """Yield the elements of a list, of the list called `name` in a page, or the one object itself.

    Raises:
        NotJson: As `spans` does.
    """
    at = begin(buffer)
    if buffer[at : at + 1] == b"{":
        page = begins(buffer, at, name)
        if page < 0 or buffer[page : page + 1] != b"[":
            inside = [span.end for span in spans(buffer, at)]  # it ends, or this raises
            yield at, buffer.find(b"}", inside[-1] if inside else at) + 1
            return
        at = page
    for span in spans(buffer, at):
        yield span.start, span.end


def _opening(buffer: bytes | mmap.mmap, at: int) -> bytes:
    opening = bytes(buffer[at : at + 1])
    if opening not in (b"[", b"{"):
        raise NotJson("neither a list nor an object")
    return opening


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
        if found == b'"':
            break
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


@dataclass(frozen=True, slots=True)
class Step:
    """A value on the way through a document."""

    path: tuple[bytes, ...]
    """Keys from the root down; empty for the elements of lists."""
    start: int
    end: int
    """-1 where the value is gone into: what is inside comes next."""
    is_left: bool = False
    """The whole of a value that was gone into, after what is inside."""


@dataclass(slots=True)
class _Level:
    path: tuple[bytes, ...]
    is_object: bool
    start: int
    """Where the value that is being read begins; -1 after one that was gone into."""
    opened: int
    """Where it begins itself."""
    key: bytes = b""
    last: bytes = b""


def walk(
    buffer: bytes | mmap.mmap, at: int, enters: Callable[[tuple[bytes, ...]], bool]
) -> Iterator[Step]:
    """Yield the values of the container at `at`, and of those inside that are gone into, in order.

    The document is gone through once, and as far as it goes.

    Raises:
        NotJson: As `spans`.
    """
    opening = bytes(buffer[at : at + 1])
    if opening not in (b"[", b"{"):
        raise NotJson("neither a list nor an object")
    levels, depth = [_Level((), opening == b"{", at + 1, at)], 0
    for token in _TOKEN.finditer(buffer, at + 1):
        found = token[0]
        if found == b'"':
            break
        if depth:
            depth = _deeper(depth, found)
        elif found[:1] in b'":':
            _note(levels[-1], found, token.end())
        elif found in (b"[", b"{"):
            path = (*levels[-1].path, levels[-1].key)
            if len(path) <= _DEEPEST and enters(path):
                yield Step(path, token.start(), -1)
                levels[-1].start = -1
                levels.append(_Level(path, found == b"{", token.end(), token.start()))
            else:
                depth = 1
        else:
            yield from _ended(buffer, levels, token)
            if not levels:
                return
    raise NotJson("it ends early")


def _deeper(depth: int, found: bytes) -> int:
    depth += (found in (b"[", b"{")) - (found in (b"]", b"}"))
    if depth > _DEEPEST:
        raise NotJson("nested too deeply")
    return depth


def _note(level: _Level, found: bytes, end: int) -> None:
    """Note a string, which may be a key, or that what stood before was one."""
    if found != b":":
        level.last = found
    elif level.is_object:
        level.key, level.start = level.last[1:-1], end


def _ended(
    buffer: bytes | mmap.mmap, levels: list[_Level], token: re.Match[bytes]
) -> Iterator[Step]:
    """Yield the value that ends here, and what is left with it."""
    level = levels[-1]
    if level.start >= 0:
        for span in _value(buffer, level.key, level.start, token.start()):
            yield Step((*level.path, span.key), span.start, span.end)
    level.key, level.start = b"", token.end()
    if token[0] != b",":
        levels.pop()
        if levels:
            yield Step(level.path, level.opened, token.end(), is_left=True)
