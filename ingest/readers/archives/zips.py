"""List the entries of a ZIP archive without trusting it; expands nothing.

The list is read as a stream, entry after entry, so that a million of them take little memory.
Overlapping entries (CVE-2024-0450) refuse the whole archive. Layout: PKWARE APPNOTE 6.3.10, 4.3.
"""

from __future__ import annotations

import os
import stat
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.ingest.readers.archives.expansion import Limits, Unpackable
from holdfast.ingest.readers.offers import Layer

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_METHODS = {0: "stored", 8: "deflate", 12: "zip_bz2", 14: "zip_lzma"}
_ENCRYPTED = 0x1
_UTF8 = 0x800
_BLOCK_BYTES = 1 << 20
_MAX_RECORD_BYTES = _CENTRAL.size + 3 * 0xFFFF
_ALL_32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive."""

    name: str
    at: int
    """Where its local header is; its position in keys."""
    layer: Layer
    reason: str = ""
    """Why it cannot be read; empty when it can."""
    is_passed_over: bool = False
    """A link: `reason` is a rule, not a fault."""


@dataclass(frozen=True, slots=True)
class _Directory:
    """The central directory."""

    start: int
    length: int
    count: int
    shift: int
    """What must be added to stated offsets: bytes before the archive, and its place in the file."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One line of the central directory."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    local: int
    mode: int


def decoded(name: bytes) -> str:
    """Return a member name as text: UTF-8, else GB18030, else code page 437."""
    for charset in ("utf-8", "gb18030"):
        try:
            return name.decode(charset)
        except UnicodeDecodeError:
            continue
    return name.decode("cp437")


def entries(fd: int, begin: int, end: int, limits: Limits) -> Iterator[Entry]:
    """Yield the files of the archive at `[begin, end)` in the order of its directory.

    Raises:
        Unpackable: The archive as a whole is damaged, too large, or has overlapping entries; this
            is known before the first entry is given.
    """
    directory = _directory(fd, begin, end)
    if directory.count > limits.max_members:
        raise Unpackable("member_limit")
    _check_overlap(fd, directory)
    for record in _records(fd, directory):
        if record.name.endswith(b"/") and record.size == 0:
            continue
        yield _entry(fd, directory, record, limits)


def _entry(fd: int, directory: _Directory, record: _Record, limits: Limits) -> Entry:
    local = directory.shift + record.local
    start = _data_start(fd, local)
    method = _METHODS.get(record.method, "")
    layer = Layer(method, start, record.packed, record.size, record.crc)
    name = decoded(record.name)
    if stat.S_ISLNK(record.mode):
        return Entry(name, local, layer, "archive_link", is_passed_over=True)
    reason = ""
    if record.flags & _ENCRYPTED:
        reason = "encrypted"
    elif not method:
        reason = f"format_not_supported_yet:zip_method_{record.method}"
    elif record.size > max(1 << 20, limits.max_ratio * record.packed):
        reason = "ratio_limit"
    return Entry(name, local, layer, reason)


def _directory(fd: int, begin: int, end: int) -> _Directory:
    tail_at = max(begin, end - _END.size - 0xFFFF)
    tail = os.pread(fd, end - tail_at, tail_at)
    found = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END.size + 4)
    if found < 0:
        raise Unpackable("damaged:zip")
    _, disk, _, _, count, length, offset, _ = _END.unpack_from(tail, found)
    stop = tail_at + found
    if disk not in (0, 0xFFFF):
        raise Unpackable("format_not_supported_yet:zip_split")
    if _ALL_32 in (length, offset) or count == 0xFFFF:
        at = stop - _LOCATOR64.size - _END64.size
        fixed = os.pread(fd, _END64.size, at) if at >= begin else b""
        if fixed.startswith(b"PK\x06\x06") and len(fixed) == _END64.size:
            *_, count, length, offset = _END64.unpack(fixed)
            stop = at
    start = stop - length
    if start < begin or start - offset < begin:
        raise Unpackable("damaged:zip")
    return _Directory(start, length, count, start - offset)


def _records(fd: int, directory: _Directory) -> Iterator[_Record]:
    position, stop = directory.start, directory.start + directory.length
    block, block_at = b"", position
    for _ in range(directory.count):
        at = position - block_at
        if at + _MAX_RECORD_BYTES > len(block) and block_at + len(block) < stop:
            block_at, at = position, 0
            block = os.pread(fd, min(_BLOCK_BYTES, stop - position), position)
        if block[at : at + 4] != b"PK\x01\x02" or at + _CENTRAL.size > len(block):
            raise Unpackable("damaged:zip")
        fields = _CENTRAL.unpack_from(block, at)
        name_length, extra_length, comment_length = fields[10:13]
        name_at = at + _CENTRAL.size
        extra_at = name_at + name_length
        yield _record(fields, block[name_at:extra_at], block[extra_at : extra_at + extra_length])
        position += _CENTRAL.size + name_length + extra_length + comment_length


def _record(fields: tuple[int, ...], name: bytes, extra: bytes) -> _Record:
    packed, size, local = fields[8], fields[9], fields[16]
    if _ALL_32 in (packed, size, local):
        size, packed, local = _large(extra, (size, packed, local))
    return _Record(name, fields[3], fields[4], fields[7], packed, size, local, fields[15] >> 16)


def _large(extra: bytes, stated: tuple[int, int, int]) -> tuple[int, int, int]:
    """Replace what does not fit 32 bits from the ZIP64 extra field (APPNOTE 4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == 1:
            values = [
                value for (value,) in struct.iter_unpack("<Q", extra[at + 4 :][: length & ~7])
            ]
            found = [values.pop(0) if n == _ALL_32 and values else n for n in stated]
            return found[0], found[1], found[2]
        at += 4 + length
    return stated


def _data_start(fd: int, local: int) -> int:
    header = os.pread(fd, _LOCAL.size, local)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise Unpackable("damaged:zip")
    name_length, extra_length = _LOCAL.unpack(header)[9:11]
    return local + _LOCAL.size + int(name_length) + int(extra_length)


def _check_overlap(fd: int, directory: _Directory) -> None:
    """Refuse an archive two of whose entries share bytes, or reach into the directory."""
    starts, ends = array("Q"), array("Q")
    for record in _records(fd, directory):
        local = directory.shift + record.local
        if local >= directory.start:
            raise Unpackable("damaged:zip")
        starts.append(local)
        ends.append(_data_start(fd, local) + record.packed)
    order = sorted(range(len(starts)), key=starts.__getitem__)
    following = [*(starts[index] for index in order[1:]), directory.start]
    for index, next_start in zip(order, following, strict=False):  # none, if there are no entries
        if ends[index] > next_start:
            raise Unpackable("overlapping_entries")
