"""Zip containers of Office files, judged before anything in them is unpacked.

Must not write member names or contents to disk, and must not open containers inside containers.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator

from holdfast.parsers.extract.outcome import Unreadable

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
MAX_RATIO = 100
SMALL_BYTES = 4 * 1024 * 1024
"""A member so small may have any ratio: empty tables and white images compress well."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
"""Stream of an OLE file that holds an encrypted Office file."""
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED_FLAG = 1
_PIECE_BYTES = 65536
_ZIP_TROUBLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
)
"""What the standard library raises for damaged or unusual members."""
_DIGITS = re.compile(r"(\d{1,9})")


class Container:
    """A zip file whose directory has been found harmless."""

    def __init__(self, raw: bytes) -> None:
        """Read and judge the directory.

        Raises:
            Unreadable: Not a zip file, encrypted, or a bomb by number, size, ratio or overlap.
        """
        if raw.startswith(_OLE):  # [MS-OFFCRYPTO] 2.3: an encrypted Office file is an OLE file
            is_locked = ENCRYPTED_PACKAGE in raw
            raise Unreadable("extract_encrypted" if is_locked else "extract_failed", "OLE file")
        if raw.count(b"PK\x01\x02") > MAX_ENTRIES:
            raise Unreadable("extract_limit", f"more than {MAX_ENTRIES} entries")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
        except _ZIP_TROUBLE as trouble:
            raise Unreadable("extract_failed", f"zip: {trouble}") from trouble
        _judge(self._zip.infolist(), len(raw))
        self.names = frozenset(self._zip.namelist())

    def matching(self, pattern: str) -> list[str]:
        """Return the members whose whole name matches, numbers in their names in order."""
        expression = re.compile(pattern)
        found = [name for name in self.names if expression.fullmatch(name)]
        return sorted(found, key=_natural)

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member from front to back.

        Raises:
            Unreadable: The data are damaged, or compressed in a way that is not known.
        """
        try:
            with self._zip.open(name) as member:
                while piece := member.read(_PIECE_BYTES):
                    yield piece
        except _ZIP_TROUBLE as trouble:
            raise Unreadable("extract_failed", f"{name}: {trouble}") from trouble


def _judge(entries: list[zipfile.ZipInfo], raw_bytes: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > MAX_UNPACKED_BYTES:
        raise Unreadable("extract_limit", f"unpacks to {total} bytes")
    if total > SMALL_BYTES and total > MAX_RATIO * raw_bytes:
        raise Unreadable("extract_limit", f"unpacks to {total} bytes from {raw_bytes}")
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise Unreadable("extract_encrypted", "zip encryption")
        if entry.file_size > max(SMALL_BYTES, MAX_RATIO * entry.compress_size):
            raise Unreadable("extract_limit", f"a member unpacks to {entry.file_size} bytes")
    _refuse_overlap(entries)


def _refuse_overlap(entries: list[zipfile.ZipInfo]) -> None:
    """Bombs of one compressed block that many members share (CVE-2024-0450)."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise Unreadable("extract_limit", "members overlap")
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size


def _natural(name: str) -> list[str | int]:
    """Sort `slide2` before `slide10`: pieces at odd places are numbers."""
    return [int(p) if at % 2 else p for at, p in enumerate(_DIGITS.split(name))]
