"""Read a tlog-tiles log and recompute it; never writes and checks no signature."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.core.errors import Corrupt
from holdfast.storage.merkle import HASH_BYTES, Subtree, folded, leaf_hash, node_hash
from holdfast.storage.tile_files import log_files
from holdfast.storage.tile_layout import (
    ENTRIES,
    TILE_WIDTH,
    Tile,
    hashes_at,
    joined_edges,
    packed,
    tile_at,
    unpacked,
)

if TYPE_CHECKING:
    from holdfast.storage.tile_files import LogFiles

_REMEMBERED_TILES = 512  # of at most 511 hashes: 17 MB
RESTORE = "Keep the folder as it is, and restore the log from a backup or from its anchor."


class TileReader:
    """The files of one log, as those of a given size."""

    def __init__(self, place: Path | LogFiles) -> None:
        self._files = log_files(place)

    def hashes(self, level: int, index: int, size: int) -> list[bytes]:
        """Return the hashes of a tile; Corrupt if it is missing or has another length."""
        tile = tile_at(level, index, size)
        found = self._found_hashes(tile)
        if len(found) != tile.width or len(found[-1]) != HASH_BYTES:
            raise self._damaged(tile)
        return found

    def edges(self, size: int) -> list[list[bytes]]:
        """Return for each level the hashes of its last tile, empty where that is full."""
        edges = []
        level = 0
        while count := hashes_at(level, size):
            is_open = count % TILE_WIDTH
            edges.append(self.hashes(level, count // TILE_WIDTH, size) if is_open else [])
            level += 1
        return edges

    def entries_of(self, index: int, size: int) -> list[bytes]:
        """Return the entries of a bundle, each compared with its leaf hash.

        Raises:
            Corrupt: The bundle is missing or damaged, or its tile is.
        """
        tile = tile_at(ENTRIES, index, size)
        entries = self._found_entries(tile)
        if list(map(leaf_hash, entries)) != self.hashes(0, index, size):
            raise self._damaged(tile)
        return entries

    def entry(self, index: int, size: int) -> bytes:
        """Return one entry; Corrupt as `entries_of`."""
        return self.entries_of(index // TILE_WIDTH, size)[index % TILE_WIDTH]

    def subtrees(self, size: int) -> Subtree:
        """Return the look-up of complete subtrees that proofs are made from.

        It remembers the tiles that it has read, and what it made of them: one look-up for many
        proofs, best in the order of the log.
        """
        seen: dict[tuple[int, int], list[list[bytes]]] = {}

        def subtree(height: int, index: int) -> bytes:
            level, within = divmod(height, 8)
            first = index << within
            place = level, first // TILE_WIDTH
            if place not in seen:
                if len(seen) >= _REMEMBERED_TILES:
                    seen.clear()
                seen[place] = [self.hashes(*place, size)]
            rows = seen[place]
            while len(rows) <= within:
                pairs = zip(rows[-1][::2], rows[-1][1::2], strict=False)  # an odd one is no subtree
                rows.append([node_hash(left, right) for left, right in pairs])
            return rows[within][first % TILE_WIDTH >> within]

        return subtree

    def recomputed(self, size: int) -> tuple[int | None, bytes]:
        """Recompute every tile from the entries, one at a time.

        Returns:
            The first index whose entry or hash is not what the rest says, or None; and the root
            over the entries before the fault, or over all.
        """
        rows: list[list[bytes]] = []
        fault = None
        for index in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
            entries = self._found_entries(tile_at(ENTRIES, index, size))
            fault = self._raised(rows, [leaf_hash(entry) for entry in entries], index, size)
            if fault is not None:
                return fault, joined_edges(rows)
        for level in range(1, len(rows)):
            fault = self._fault(level, hashes_at(level, size) // TILE_WIDTH, rows[level], size)
            if fault is not None:
                break
        return fault, joined_edges(rows)

    def _raised(
        self, rows: list[list[bytes]], computed: list[bytes], index: int, size: int
    ) -> int | None:
        """Compare a level's tile with what was computed, and hand full ones to the level above."""
        level = 0
        while True:
            if level == len(rows):
                rows.append([])
            rows[level] = rows[level] + computed if level else computed
            if level == 0 or len(rows[level]) == TILE_WIDTH:
                fault = self._fault(level, index, rows[level], size)
                if fault is not None:
                    return fault
            if len(rows[level]) < TILE_WIDTH:
                return None
            computed = [folded(rows[level])]
            rows[level] = []
            level += 1
            index //= TILE_WIDTH

    def _fault(self, level: int, index: int, computed: list[bytes], size: int) -> int | None:
        """Return the first leaf under the first hash that differs; None if all are equal."""
        tile = tile_at(level, index, size)
        if tile.width == 0 and not computed:
            return None
        stored = self._found_hashes(tile)
        if stored == computed and len(stored) == tile.width:
            return None
        pairs = zip(stored, computed, strict=False)
        same = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
        place = min(len(stored), len(computed), tile.width - 1) if same is None else same
        return (index * TILE_WIDTH + place) << 8 * level

    def _found_hashes(self, tile: Tile) -> list[bytes]:
        data = self.content(tile)
        return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]

    def _found_entries(self, tile: Tile) -> list[bytes]:
        return unpacked(self.content(tile))

    def content(self, tile: Tile) -> bytes:
        """Return the file, empty if it is missing; a partial one may have become full meanwhile."""
        data = self._files.read(tile.path)
        return self._cut_from_full(tile) if data is None else data

    def _cut_from_full(self, tile: Tile) -> bytes:
        full = Tile(tile.level, tile.index, TILE_WIDTH)
        if tile == full:
            return b""
        data = self.content(full)
        if tile.level == ENTRIES:
            return packed(unpacked(data)[: tile.width])
        return data[: tile.width * HASH_BYTES]

    def _damaged(self, tile: Tile) -> Corrupt:
        return Corrupt("A tile of the audit log is damaged.", next_step=RESTORE, tile=tile.path)
