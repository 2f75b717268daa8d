"""Name and fill the files of a log as c2sp.org/tlog-tiles says; pure, touches no disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.storage.merkle import EMPTY_ROOT, folded, node_hash, peak_ranges

TILE_WIDTH = 256
"""Hashes in a full tile, and entries in a full bundle."""
ENTRIES = -1
"""Stands for the level of an entry bundle."""

_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """One file of the log."""

    level: int
    """0 for leaf hashes and upwards; `ENTRIES` for the entries themselves."""
    index: int
    width: int
    """1 to 256."""

    @property
    def path(self) -> str:
        """Path below the log's folder."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        parts = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            parts.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        partial = f".p/{self.width}" if self.width < TILE_WIDTH else ""
        return f"tile/{level}/{'/'.join(parts)}{partial}"


def hashes_at(level: int, size: int) -> int:
    """Return how many hashes the level holds for a log of this size."""
    return size >> 8 * level


def tile_at(level: int, index: int, size: int) -> Tile:
    """Return the tile, as wide as it is in a log of this size."""
    count = hashes_at(max(level, 0), size)
    return Tile(level, index, min(TILE_WIDTH, count - index * TILE_WIDTH))


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every file that a log of this size needs beside its checkpoint."""
    level = ENTRIES
    while count := hashes_at(max(level, 0), size):
        for index in range((count + TILE_WIDTH - 1) // TILE_WIDTH):
            yield tile_at(level, index, size)
        level += 1


def grown(
    edges: Sequence[Sequence[bytes]], size: int, leaf_hashes: Sequence[bytes]
) -> tuple[list[list[bytes]], dict[Tile, bytes]]:
    """Append leaf hashes to a log of `size` entries, of which only its right edge is known.

    Args:
        edges: For each level the hashes of its last tile, unless that is full.
        size: Entries before.
        leaf_hashes: In order.

    Returns:
        The new edges, and the content of every tile that is new or wider than before.
    """
    levels = [list(edge) for edge in edges]
    tiles: dict[Tile, bytes] = {}
    fresh = list(leaf_hashes)
    level = 0
    while fresh:
        if level == len(levels):
            levels.append([])
        first = hashes_at(level, size) // TILE_WIDTH
        row = levels[level] + fresh
        fresh = []
        for number, start in enumerate(range(0, len(row), TILE_WIDTH), first):
            hashes = row[start : start + TILE_WIDTH]
            tiles[Tile(level, number, len(hashes))] = b"".join(hashes)
            if len(hashes) == TILE_WIDTH:
                fresh.append(folded(hashes))
        levels[level] = row[len(row) // TILE_WIDTH * TILE_WIDTH :]
        level += 1
    return levels, tiles


def joined_edges(edges: Sequence[Sequence[bytes]]) -> bytes:
    """Return the root of the log whose right edge is given."""
    root: bytes | None = None
    for edge in edges:
        for start, end in reversed(peak_ranges(0, len(edge))):
            peak = folded(edge[start:end])
            root = peak if root is None else node_hash(peak, root)
    return EMPTY_ROOT if root is None else root


def packed(entries: Sequence[bytes]) -> bytes:
    """Return the entries as they stand in a bundle, each at most 65,535 bytes."""
    return b"".join(
        [part for entry in entries for part in (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)]
    )


def unpacked(bundle: bytes) -> list[bytes]:
    """Return the entries of a bundle; bytes that are no whole entry come last, as they are."""
    entries = []
    position = 0
    while position < len(bundle):
        start = position + _LENGTH_BYTES
        end = start + int.from_bytes(bundle[position:start], "big")
        is_whole = end <= len(bundle) and start <= len(bundle)
        entries.append(bundle[start:end] if is_whole else bundle[position:])
        position = end if is_whole else len(bundle)
    return entries


def bundles(tail: Sequence[bytes], size: int, leaves: Sequence[bytes]) -> dict[Tile, bytes]:
    """Return the bundles that hold `leaves`, appended to a log of `size` entries.

    Args:
        tail: Entries of the last bundle, unless that is full.
        size: Entries before.
        leaves: In order.
    """
    entries = [*tail, *leaves]
    first = size // TILE_WIDTH
    made = {}
    for number, start in enumerate(range(0, len(entries), TILE_WIDTH), first):
        some = entries[start : start + TILE_WIDTH]
        made[Tile(ENTRIES, number, len(some))] = packed(some)
    return made
