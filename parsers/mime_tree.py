"""Finds the parts of a message as ranges of its buffer; decodes no content but nested messages.

RFC 2046 section 5 and RFC 3501 section numbers. Iterative, linear in bytes times depth, capped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from holdfast.parsers.defects import Defects
from holdfast.parsers.headers import Header, read_header
from holdfast.parsers.parameters import Parameterised, parse_parameters
from holdfast.parsers.transfer import IDENTITY, Buffer, decoded, encoding_of

MAX_DEPTH = 50
"""Multiparts and messages inside one another that are opened."""

MAX_PARTS = 10_000
"""Parts of one original that are listed; the last one then holds all the rest."""

MAX_UNPACKED_BYTES = 64 << 20
"""Encoded bytes of nested messages that are undone in memory, in sum."""

_TYPE = re.compile(r"[\w!#$&.+^-]{1,100}/[\w!#$&.+^-]{1,200}")
_LINE_REST = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_LIKELY_BOUNDARY = re.compile(
    rb"(?:\A|\n)--([^\s][^\r\n]{0,199}?)[ \t]*\r?\nContent-[A-Za-z-]{3,30}[ \t]*:"
)
_LIKELY_WITHIN_BYTES = 64 << 10
_MESSAGE_START = re.compile(rb"\s{0,8}(?:From [^\n]{0,200}\n)?[A-Za-z][A-Za-z0-9-]{0,60}[ \t]*:")
_WINDOW = 1 << 20
_MESSAGE_TYPES = ("message/rfc822", "message/global", "message/news", "message/rfc2822")


@dataclass(slots=True)
class Part:
    """One node of the tree; `[start, end)` is its content as transferred."""

    buffer: Buffer
    header: Header
    start: int
    end: int
    path: str
    """RFC 3501 section number; a message's own multipart has that of its message."""
    depth: int
    content_type: Parameterised
    disposition: Parameterised
    encoding: str
    owner: int
    """Index of the message this part belongs to: that of its root part."""
    group: int = -1
    """Index of the nearest multipart/alternative around it, -1 for none."""
    is_root: bool = False
    """The outermost part of its message."""
    shape: str = "leaf"
    """`leaf`, `multipart` or `message`."""
    outside: tuple[tuple[int, int], ...] = field(default=())
    """Preamble and epilogue of a multipart."""

    @property
    def filename(self) -> str:
        """As the sender gave it, decoded; Content-Disposition first (RFC 2183 section 2.3)."""
        return self.disposition.get("filename") or self.content_type.get("name")


@dataclass(frozen=True, slots=True)
class _Task:
    """A range still to be read."""

    buffer: Buffer
    start: int
    end: int
    path: str
    depth: int
    owner: int
    group: int = -1
    default_type: str = "text/plain"


@dataclass(slots=True)
class _Walk:
    defects: Defects
    parts: list[Part] = field(default_factory=list)
    tasks: list[_Task] = field(default_factory=list)
    budget: int = MAX_UNPACKED_BYTES
    opens_messages: bool = True


@dataclass(frozen=True, slots=True)
class _Split:
    """A multipart cut at its delimiter lines."""

    ranges: tuple[tuple[int, int], ...]
    outside: tuple[tuple[int, int], ...]
    is_closed: bool


def read_tree(
    buffer: Buffer, start: int, defects: Defects, *, opens_messages: bool = True
) -> list[Part]:
    """Return all parts of the message at `start`, outermost first, in order of appearance.

    Args:
        buffer: What holds the message; it is read to its end.
        start: Of the first field.
        defects: Takes what is wrong with the structure.
        opens_messages: Else nested messages are leaves, and their parts are not looked for.
    """
    walk = _Walk(defects, opens_messages=opens_messages)
    walk.tasks.append(_Task(buffer, start, len(buffer), "", 0, -1))
    while walk.tasks:
        _visit(walk, walk.tasks.pop())
    return walk.parts


def _visit(walk: _Walk, task: _Task) -> None:
    header = read_header(task.buffer, task.start, task.end, walk.defects)
    index = len(walk.parts)
    is_root = task.owner < 0
    owner = index if is_root else task.owner
    part = Part(
        buffer=task.buffer,
        header=header,
        start=min(header.body_at, task.end),
        end=task.end,
        path=task.path,
        depth=task.depth,
        content_type=_content_type(header, task.default_type, walk.defects),
        disposition=_parameterised(header, "content-disposition", walk.defects),
        encoding=_encoding(header, walk.defects),
        owner=owner,
        group=task.group,
        is_root=is_root,
    )
    walk.parts.append(part)
    name = part.content_type.value
    if name.startswith("multipart/"):
        _open_multipart(walk, part, index)
    elif is_root:
        part.path = f"{part.path}.1".lstrip(".")
    if part.shape == "leaf" and walk.opens_messages and is_message(part):
        _open_message(walk, part)


_NO_PARAMETERS = Parameterised("", ())


def _content_type(header: Header, default: str, defects: Defects) -> Parameterised:
    found = _parameterised(header, "content-type", defects)
    if not found.value:
        return Parameterised(default, found.parameters)
    if _TYPE.fullmatch(found.value):
        return found
    defects.add("content_type_invalid", found.value[:100])
    guess = "text/plain" if found.value in ("text", "plain", "plain/text") else ""
    if found.value == "html":
        guess = "text/html"
    return Parameterised(guess or default, found.parameters)


def _parameterised(header: Header, name: str, defects: Defects) -> Parameterised:
    values = header.by_name.get(name)
    if not values:
        return _NO_PARAMETERS
    found = parse_parameters(header.text(values[0]))
    for code in found.codes:
        defects.add(code, name)
    return found


def _encoding(header: Header, defects: Defects) -> str:
    values = header.by_name.get("content-transfer-encoding")
    if not values:
        return ""
    label = values[0].partition(";")[0].partition("(")[0].strip(" \t\"'.,").lower()
    encoding = encoding_of(label)
    if not encoding and label not in IDENTITY:
        defects.add("transfer_encoding_unknown", label[:100])
    return encoding


def _open_multipart(walk: _Walk, part: Part, index: int) -> None:
    split = _split(part, walk)
    if split is None:
        if part.is_root:
            part.path = f"{part.path}.1".lstrip(".")
        part.content_type = Parameterised("text/plain", part.content_type.parameters)
        return
    part.shape = "multipart"
    part.outside = split.outside
    if not split.is_closed:
        walk.defects.add("mime_no_end_boundary", part.path)
    kind = part.content_type.value
    group = index if kind == "multipart/alternative" else part.group
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    tasks = [
        _Task(part.buffer, start, end, f"{part.path}.{number}".lstrip("."), part.depth + 1,
              part.owner, group, default)
        for number, (start, end) in enumerate(split.ranges, 1)
    ]  # fmt: skip
    walk.tasks.extend(reversed(tasks))


def _split(part: Part, walk: _Walk) -> _Split | None:
    """Cut a multipart; None when it stays closed (no boundary in it, or a limit)."""
    if part.depth >= MAX_DEPTH:
        walk.defects.add("mime_depth_limit", str(MAX_DEPTH))
        return None
    boundary = part.content_type.get("boundary").rstrip()
    room = MAX_PARTS - len(walk.parts) - len(walk.tasks)
    if boundary:
        split = _cut(part, boundary.encode("utf-8", "replace"), room, walk.defects)
        if split.ranges:
            return split
    head = part.buffer[max(part.start - 1, 0) : min(part.end, part.start + _LIKELY_WITHIN_BYTES)]
    likely = _LIKELY_BOUNDARY.search(head)
    if likely:  # it matches a delimiter line, so there is something to cut
        walk.defects.add("mime_boundary_wrong", part.path)
        return _cut(part, likely[1], room, walk.defects)
    if part.start < part.end:
        walk.defects.add("mime_no_boundary", part.path)
    return None


def _cut(part: Part, boundary: bytes, room: int, defects: Defects) -> _Split:
    ranges: list[tuple[int, int]] = []
    buffer, last = part.buffer, part.start
    preamble_end, begun = part.start, False
    for at, after, is_end in _delimiters(part, boundary):
        before = max(_line_end_before(buffer, at), last)
        if begun:
            ranges.append((last, before))
        else:
            preamble_end = before
        if is_end:
            return _Split(tuple(ranges), ((part.start, preamble_end), (after, part.end)), True)
        begun, last = True, after
        if len(ranges) + 1 >= room:
            defects.add("mime_part_limit", str(MAX_PARTS))
            break
    if begun:
        ranges.append((last, part.end))
    return _Split(tuple(ranges), ((part.start, preamble_end),), False)


def _line_end_before(buffer: Buffer, at: int) -> int:
    """The line end before a delimiter belongs to it (RFC 2046 section 5.1.1)."""
    before = buffer[max(at - 2, 0) : at]
    return at - (2 if before == b"\r\n" else before.endswith(b"\n"))


def _delimiters(part: Part, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, next line, is it the last) of every delimiter line."""
    needle = b"--" + boundary
    buffer, at, end = part.buffer, part.start, part.end
    while True:
        at = find(buffer, needle, at, end)
        if at < 0:
            return
        rest = at + len(needle)
        match = _LINE_REST.match(buffer, rest, end)
        if match and (at == part.start or buffer[at - 1 : at] == b"\n"):
            yield at, match.end(), bool(match[1])
            rest = match.end()
        at = rest


def find(buffer: Buffer, needle: bytes, start: int, end: int) -> int:
    """Return where `needle` first stands in `[start, end)`, -1 if nowhere; linear for both kinds.

    `mmap.find` compares byte by byte; windows of bytes are searched by the fast way instead.
    """
    if isinstance(buffer, bytes):
        return buffer.find(needle, start, end)
    while start < end:
        window = buffer[start : min(start + _WINDOW + len(needle) - 1, end)]
        found = window.find(needle)
        if found >= 0:
            return start + found
        start += _WINDOW
    return -1


def is_message(part: Part) -> bool:
    """Tell whether the part is a message of its own, by its type or by its name and content."""
    name = part.content_type.value
    if name in _MESSAGE_TYPES:
        return not part.is_root or part.start < part.end
    if not part.filename.lower().endswith(".eml"):
        return False
    if not name.startswith(("application/", "message/", "text/")):
        return False
    head = decoded(part.buffer, part.start, min(part.end, part.start + 400), part.encoding, [])
    return _MESSAGE_START.match(head) is not None


def _open_message(walk: _Walk, part: Part) -> None:
    if part.depth >= MAX_DEPTH:
        walk.defects.add("mime_depth_limit", str(MAX_DEPTH))
        return
    if len(walk.parts) + len(walk.tasks) >= MAX_PARTS:
        walk.defects.add("mime_part_limit", str(MAX_PARTS))
        return
    buffer, start, end = part.buffer, part.start, part.end
    if part.encoding:
        if end - start > walk.budget:
            walk.defects.add("message_size_limit", part.path)
            return
        walk.budget -= end - start
        damage: list[str] = []
        buffer = decoded(buffer, start, end, part.encoding, damage)
        start, end = 0, len(buffer)
        for code in damage:
            walk.defects.add(code, part.path)
    part.shape = "message"
    start = skip_envelope_line(buffer, start, end)
    walk.tasks.append(_Task(buffer, start, end, part.path, part.depth + 1, -1))


_ENVELOPE = re.compile(
    rb"(?:[\r\n]*>?From (?![ \t]*:)[^\r\n]*\r?\n)?(?:[ \t]{0,99}\r?\n){0,999}"
)  # bounded: each turn takes memory


def skip_envelope_line(buffer: Buffer, start: int, end: int) -> int:
    """Step over empty lines and an mbox From_ line before the first field, if one follows."""
    match = _ENVELOPE.match(buffer, start, end)
    if match and match.end() > start and _MESSAGE_START.match(buffer, match.end(), end):
        return match.end()
    return start
