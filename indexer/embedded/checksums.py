"""Compare the embedded engine's files with the checksums that it wrote into them; opens no index.

Every file of a segment ends in a footer: JSON with version and CRC-32 of all before it, the JSON's
length, and a magic number, both u32 little-endian (tantivy, `src/directory/footer.rs`).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

_TAIL = struct.Struct("<II")
_MAGIC = 1337
_PIECE_BYTES = 1 << 20
_MOST_FOOTER_BYTES = 4096


class _Footer(msgspec.Struct):
    crc: int
    version: dict[str, int]


class _Segment(msgspec.Struct):
    segment_id: str


class _Meta(msgspec.Struct):
    segments: list[_Segment]


_footer = msgspec.json.Decoder(_Footer).decode
_meta = msgspec.json.Decoder(_Meta).decode


def damaged_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and cause of every file of the index that is not what the engine wrote.

    Files of segments that the engine does not name are none of it: a killed writer leaves them half
    written, and the next one removes them.
    """
    try:
        named = {one.segment_id.replace("-", "") for one in _read_meta(folder).segments}
    except (OSError, msgspec.DecodeError) as error:
        yield "meta.json", f"It cannot be read: {error}."
        return
    versions = set()
    held = set()
    for path in sorted(folder.iterdir()):
        segment = path.name.partition(".")[0]
        if segment not in named:
            continue
        held.add(segment)
        footer = _checked(path)
        if footer is None:
            yield path.name, "It is not what the engine wrote."
        else:
            versions.add(msgspec.json.encode(footer.version, order="sorted"))
    if len(versions) > 1:
        yield "segments", "The footers of its files name several versions."
    for segment in sorted(named - held):
        yield segment, "The segment is missing."


def _read_meta(folder: Path) -> _Meta:
    return _meta((folder / "meta.json").read_bytes())


def _checked(path: Path) -> _Footer | None:
    """Return the footer of a file that has the checksum which it names."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - _TAIL.size, 0))
        tail = file.read()
        if len(tail) != _TAIL.size:
            return None
        length, magic = _TAIL.unpack(tail)
        end = size - _TAIL.size - length
        if magic != _MAGIC or length > _MOST_FOOTER_BYTES or end < 0:
            return None
        file.seek(end)
        try:
            footer = _footer(file.read(length))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        file.seek(0)
        crc, left = 0, end
        while left and (piece := file.read(min(left, _PIECE_BYTES))):
            crc = zlib.crc32(piece, crc)
            left -= len(piece)
    return footer if crc == footer.crc and not left else None
