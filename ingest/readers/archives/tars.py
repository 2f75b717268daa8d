"""List the members of a tar archive without trusting it; takes nothing out.

POSIX ustar and pax (IEEE 1003.1, pax), GNU long names and base-256 numbers. Everything is bounded:
an extended header is at most 1 MiB, and every step moves forward.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.ingest.readers.archives.expansion import Unpackable
from holdfast.ingest.readers.archives.zips import decoded

_BLOCK = 512
MAX_EXTENDED_BYTES = 1 << 20
_FILES = b"0\x007"
_LINKS = b"12"
_DEVICES = b"346"
_DIRECTORY = b"5"


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member that is not a directory."""

    name: str
    offset: int
    """Of its first byte; the position in keys."""
    length: int
    reason: str = ""
    """Why it is not read; empty when it can be."""
    is_passed_over: bool = False
    """A link or a device: `reason` is a rule, not a fault."""


@dataclass(slots=True)
class _Overrides:
    """What extended headers say about the next member."""

    name: bytes = b""
    size: int = -1
    is_sparse: bool = False


def tar_members(fd: int, begin: int, end: int) -> Iterator[TarMember]:
    """Yield the members of the archive at `[begin, end)` in order.

    Raises:
        Unpackable: Damage at some place; the members before it have been given.
    """
    position, said = begin, _Overrides()
    while position + _BLOCK <= end:
        header = os.pread(fd, _BLOCK, position)
        if not header.strip(b"\x00"):
            return
        size, kind = _checked(header), header[156:157]
        start = position + _BLOCK
        if kind in (b"x", b"g", b"L", b"K"):
            if size > MAX_EXTENDED_BYTES or start + size > end:
                raise Unpackable("damaged:tar")
            _extend(said, kind, os.pread(fd, size, start))
        else:
            size = size if said.size < 0 else said.size
            if start + size > end and kind in _FILES:
                raise Unpackable("damaged:tar")
            if kind != _DIRECTORY:
                yield _member(header, said, start, size)
            if kind in _LINKS + _DEVICES + _DIRECTORY:
                size = 0
            said = _Overrides()
        position = start + -(-size // _BLOCK) * _BLOCK
    if position < end:
        raise Unpackable("damaged:tar")


def _member(header: bytes, said: _Overrides, start: int, size: int) -> TarMember:
    prefix = header[345:500] if header[257:263] == b"ustar\x00" else b""
    plain = b"/".join(part for part in (_until_nul(prefix), _until_nul(header[:100])) if part)
    name, kind = decoded(said.name or plain), header[156:157]
    if kind in _LINKS:
        return TarMember(name, start, 0, "archive_link", is_passed_over=True)
    if kind in _DEVICES:
        return TarMember(name, start, 0, "special_file", is_passed_over=True)
    if kind not in _FILES or said.is_sparse:
        return TarMember(name, start, size, "format_not_supported_yet:tar_member")
    return TarMember(name, start, size)


def _checked(header: bytes) -> int:
    """Return the size that a header states, after checking its sum."""
    stated = _number(header[148:156])
    if stated != sum(header) - sum(header[148:156]) + 8 * 0x20:
        raise Unpackable("damaged:tar")
    return _number(header[124:136])


def _number(field: bytes) -> int:
    """Read an octal number, or a GNU base-256 one.

    Raises:
        Unpackable: Negative, or not a number.
    """
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(_until_nul(field).strip() or b"0", 8)
    except ValueError as error:
        raise Unpackable("damaged:tar") from error


def _extend(said: _Overrides, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        said.name = _until_nul(data)
    if kind != b"x":
        return
    at = 0
    while at < len(data):
        digits, _, _ = data[at : at + 20].partition(b" ")
        if not digits.isdigit() or int(digits) <= len(digits) + 1:
            raise Unpackable("damaged:tar")
        key, _, value = data[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        if key == b"path":
            said.name = value
        elif key == b"size" and value.isdigit() and len(value) < 20:
            said.size = int(value)
        elif key.startswith(b"GNU.sparse"):
            said.is_sparse = True
        at += int(digits)


def _until_nul(field: bytes) -> bytes:
    return field.partition(b"\x00")[0]
