"""Keep the audit log as C2SP tlog-tiles and publish signed checkpoints; knows no events.

Layout (c2sp.org/tlog-tiles): `checkpoint`, `tile/<level>/<n>[.p/<width>]`, `tile/entries/<n>[…]`.
An append writes and syncs tiles, then replaces the checkpoint. What a crash leaves behind the last
checkpoint is overwritten by the next append, so that the same leaves always give the same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.core.errors import Conflict, Corrupt, NotFound, Refused
from holdfast.storage.audit_proofs import MAX_LEAF_BYTES, RecordProof, format_proof
from holdfast.storage.checkpoint import Checkpoint, check_origin, open_checkpoint, sign_checkpoint
from holdfast.storage.durable import Files
from holdfast.storage.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    many_inclusion_proofs,
    root_hash,
)
from holdfast.storage.tile_files import CHECKPOINT, FolderFiles, LogFiles, log_files
from holdfast.storage.tile_layout import TILE_WIDTH, Tile, bundles, grown, joined_edges, tiles_of
from holdfast.storage.tile_reader import RESTORE, TileReader

_ROOTS_AT_ONCE = 256


class TileLog:
    """One append-only log; one process appends at a time, any number read."""

    def __init__(
        self,
        place: Path | LogFiles,
        signer: Ed25519PrivateKey,
        origin: str,
        files: Files | None = None,
    ) -> None:
        """Open the log that `create` made.

        Args:
            place: Its folder, or its files elsewhere.
            signer: The log's key.
            origin: The log's name.
            files: How to write to the folder.

        Raises:
            Corrupt: The checkpoint is missing, not signed by this key, or not that of the tiles.
            Unavailable: The disk refused.
        """
        self._files = _files(place, files)
        self._signer = signer
        self._public = signer.public_key()
        self._origin = origin
        self._reader = TileReader(self._files)
        self._note = b""
        self._checkpoint = Checkpoint(origin, 0, EMPTY_ROOT)
        self._edges: list[list[bytes]] = []
        self._tail: list[bytes] = []
        self.refresh()

    @staticmethod
    def create(
        place: Path | LogFiles,
        signer: Ed25519PrivateKey,
        origin: str,
        files: Files | None = None,
    ) -> None:
        """Make an empty log: its place and the signed checkpoint of size 0, durably.

        Raises:
            Conflict: A log is there already.
            Refused: The origin cannot stand in a signed note.
            Unavailable: The disk refused.
        """
        check_origin(origin)
        _files(place, files).begin(sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), signer))

    @property
    def checkpoint(self) -> Checkpoint:
        """The last checkpoint that was published."""
        return self._checkpoint

    @property
    def note(self) -> bytes:
        """The last checkpoint as signed note."""
        return self._note

    @property
    def size(self) -> int:
        """Number of entries under the last checkpoint."""
        return self._checkpoint.size

    def refresh(self) -> None:
        """Read the published checkpoint and the right edge of the tree again; errors as opening."""
        note = _published(self._files)
        checkpoint = open_checkpoint(note, self._public, self._origin)
        edges = self._reader.edges(checkpoint.size)
        if joined_edges(edges) != checkpoint.root:
            raise Corrupt(
                "The audit log's tiles do not have the root that was signed.",
                next_step=RESTORE,
                size=checkpoint.size,
            )
        last, width = divmod(checkpoint.size, TILE_WIDTH)
        self._tail = self._reader.entries_of(last, checkpoint.size) if width else []
        self._note, self._checkpoint, self._edges = note, checkpoint, edges

    def append(self, leaves: Sequence[bytes]) -> Checkpoint:
        """Add the leaves in order and publish the new checkpoint; durable when this returns.

        After Unavailable, or a crash, the same leaves may be appended again if `size` is unchanged.

        Raises:
            Refused: A leaf is longer than 65,535 bytes.
            Conflict: Another process has published since; `refresh` first.
            Corrupt: The published checkpoint was removed or replaced by one that is not ours.
            Unavailable: The disk refused; the old checkpoint still stands, or the new one does.
        """
        if any(len(leaf) > MAX_LEAF_BYTES for leaf in leaves):
            raise Refused("A leaf is longer than 65,535 bytes.")
        if not leaves:
            return self._checkpoint
        self._check_unchanged()
        size = self.size + len(leaves)
        edges, tiles = grown(self._edges, self.size, [leaf_hash(leaf) for leaf in leaves])
        checkpoint = Checkpoint(self._origin, size, joined_edges(edges))
        note = sign_checkpoint(checkpoint, self._signer)
        tiles |= bundles(self._tail, self.size, leaves)
        self._files.write({tile.path: data for tile, data in tiles.items()})
        self._files.publish(note, self._note)
        self._note, self._checkpoint, self._edges = note, checkpoint, edges
        self._tail = [*self._tail, *leaves][-(size % TILE_WIDTH) :] if size % TILE_WIDTH else []
        self._remove_partials(tiles)
        return checkpoint

    def entry(self, index: int) -> bytes:
        """Return one entry, compared with its leaf hash.

        Raises:
            NotFound: The log is not that long.
            Corrupt: The entry or its hash was altered.
        """
        self._check_index(index)
        return self._reader.entry(index, self.size)

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """Yield the entries from `start` to the end of the log, each compared with its hash."""
        size = self.size
        for index in range(start // TILE_WIDTH, (size + TILE_WIDTH - 1) // TILE_WIDTH):
            skipped = max(start - index * TILE_WIDTH, 0)
            yield from self._reader.entries_of(index, size)[skipped:]

    def inclusion(self, index: int) -> list[bytes]:
        """Return the inclusion proof of an entry under the last checkpoint, after checking it.

        Raises:
            NotFound: The log is not that long.
            Corrupt: The tiles no longer give a proof.
        """
        self._check_index(index)
        subtree = self._reader.subtrees(self.size)
        proof = inclusion_proof(index, self.size, subtree)
        if not is_included(subtree(0, index), index, self.size, proof, self._checkpoint.root):
            raise Corrupt("The audit log gives no proof.", next_step=RESTORE, index=index)
        return proof

    def inclusions(self, entries: Mapping[int, bytes]) -> dict[int, list[bytes]]:
        """Return the inclusion proofs of many entries by index, best of neighbours together.

        Args:
            entries: Index → what the caller holds the entry to be.

        Raises:
            NotFound: The log is not that long.
            Corrupt: An entry is another one, or the tiles no longer give a proof.
        """
        for index in entries:
            self._check_index(index)
        indexes = sorted(entries)
        subtree = self._reader.subtrees(self.size)
        proofs = dict(zip(indexes, many_inclusion_proofs(indexes, self.size, subtree), strict=True))
        last_tile = -1
        for index, proof in proofs.items():
            leaf = leaf_hash(entries[index])
            is_right = leaf == subtree(0, index)
            if index // TILE_WIDTH != last_tile:  # all others of it share what is proven here
                last_tile = index // TILE_WIDTH
                is_right = is_included(leaf, index, self.size, proof, self._checkpoint.root)
            if not is_right:
                raise Corrupt(
                    f"Entry {index} of the audit log is not what the catalogue says.",
                    next_step="Run 'holdfast verify'.",
                    index=index,
                )
        return proofs

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the log of `old` entries begins that of `new`, after checking it.

        Raises:
            NotFound: The log is not that long.
            Corrupt: The tiles no longer give a proof.
        """
        if not 0 <= old <= new <= self.size:
            raise NotFound("The log is not that long.", size=self.size)
        subtree = self._reader.subtrees(self.size)
        proof = consistency_proof(old, new, subtree) if old else []
        roots = root_hash(old, subtree), root_hash(new, subtree)
        is_signed = new != self.size or roots[1] == self._checkpoint.root
        if not is_signed or not is_consistent(old, new, *roots, proof):
            raise Corrupt("The audit log gives no proof.", next_step=RESTORE, size=new)
        return proof

    def proof(self, index: int, extra: bytes = b"") -> bytes:
        """Return the `.tlog-proof` text of an entry under the last checkpoint; errors as above."""
        hashes = tuple(self.inclusion(index))
        return format_proof(RecordProof(index, hashes, self._note, extra))

    def check_extends(self, kept: Checkpoint) -> None:
        """Compare with a checkpoint that somebody kept.

        Raises:
            Corrupt: The log was cut, rolled back, or rewritten behind that checkpoint.
        """
        if kept.size > self.size:
            raise Corrupt(
                f"The audit log was cut from {kept.size} to {self.size} entries.",
                next_step=RESTORE,
                size=self.size,
                kept_size=kept.size,
            )
        if root_hash(kept.size, self._reader.subtrees(self.size)) != kept.root:
            raise Corrupt(
                f"The first {kept.size} entries of the audit log were rewritten.",
                next_step=RESTORE,
                kept_size=kept.size,
            )

    def roots(self, sizes: Iterable[int]) -> Iterator[bytes]:
        """Yield the root over the first entries for each of these sizes, none above `size`.

        Neighbours share what is read, so give them in order.

        Raises:
            Corrupt: A tile is missing or damaged.
        """
        subtree = self._reader.subtrees(self.size)
        for number, size in enumerate(sizes, 1):
            yield root_hash(size, subtree)
            if number % _ROOTS_AT_ONCE == 0:  # what was read is let go
                subtree = self._reader.subtrees(self.size)

    def copy_to(self, folder: Path) -> None:
        """Write the files of the last checkpoint into a local folder, the checkpoint last.

        Raises:
            Unavailable: The disk refused; what is there is no log yet.
        """
        files = FolderFiles(folder)
        for tile in tiles_of(self.size):
            files.write({tile.path: self._reader.content(tile)})
        files.write({CHECKPOINT: self._note})

    def verify(self) -> int | None:
        """Return the first bad index of what is on disk, or None; see `verify_tiles`."""
        return verify_tiles(self._files, self._public, self._origin)

    def _check_unchanged(self) -> None:
        note = _published(self._files)
        if note != self._note:
            open_checkpoint(note, self._public, self._origin)
            raise Conflict("Another process has extended the audit log.", next_step="Try again.")

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise NotFound("The log has no such entry.", index=index, size=self.size)

    def _remove_partials(self, tiles: Iterable[Tile]) -> None:
        """Remove what full tiles have replaced; what a crash leaves of it harms nobody."""
        for tile in tiles:
            if tile.width == TILE_WIDTH:
                self._files.forget_partials(tile.path)


def verify_tiles(place: Path | LogFiles, public: Ed25519PublicKey, origin: str) -> int | None:
    """Recompute a log from its entries, with bounded memory.

    Args:
        place: Folder of the log or of a copy of it, or its files elsewhere.
        public: The log's key.
        origin: The log's name.

    Returns:
        The first index whose entry or hash is altered, missing or added; 0 also when the files
        agree with each other but not with the signed root; None when everything is right.

    Raises:
        Corrupt: The checkpoint is missing, malformed or not signed by this key.
        Unavailable: The disk refused.
    """
    files = log_files(place)
    checkpoint = open_checkpoint(_published(files), public, origin)
    fault, root = TileReader(files).recomputed(checkpoint.size)
    if fault is None and root != checkpoint.root:
        return 0
    return fault


def _files(place: Path | LogFiles, files: Files | None) -> LogFiles:
    return FolderFiles(place, files) if isinstance(place, Path) else place


def _published(files: LogFiles) -> bytes:
    note = files.read(CHECKPOINT)
    if note is None:
        raise Corrupt(
            "The audit log's checkpoint is missing.", next_step=RESTORE, folder=files.place
        )
    return note
