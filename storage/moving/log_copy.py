"""Copy the files of an audit log from one place to another, as they are; it signs no entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict
from holdfast.storage.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from holdfast.storage.merkle import EMPTY_ROOT
from holdfast.storage.tile_files import CHECKPOINT
from holdfast.storage.tile_layout import ENTRIES, TILE_WIDTH, Tile, hashes_at, tile_at
from holdfast.storage.tile_reader import TileReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from holdfast.storage.tile_files import LogFiles

_AT_ONCE = 64


def log_names(size: int) -> Iterator[Tile]:
    """Yield every file of a log of this size, as wide as it is then: entries, then hashes."""
    for index in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
        yield tile_at(ENTRIES, index, size)
    level = 0
    while count := hashes_at(level, size):
        for index in range((count + TILE_WIDTH - 1) // TILE_WIDTH):
            yield tile_at(level, index, size)
        level += 1


def log_tiles(files: LogFiles, size: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a log that had this size, though it may grow."""
    reader = TileReader(files)
    for tile in log_names(size):
        yield tile.path, reader.content(tile)


@dataclass(frozen=True, slots=True)
class SignedLog:
    """A log to be written somewhere."""

    tiles: Iterable[tuple[str, bytes]]
    """Name and content of every file."""
    note: bytes
    """Its checkpoint."""
    origin: str
    signer: Ed25519PrivateKey
    """Signs the empty checkpoint that stands until the tiles do."""


def place_log(files: LogFiles, log: SignedLog) -> None:
    """Write tiles and then the checkpoint to where there is no log, or a beginning of this one.

    Raises:
        Conflict: A longer log is there.
        Corrupt: The log of another archive is there.
        Unavailable: It cannot be written now; the same again goes on.
    """
    found = files.read(CHECKPOINT)
    if found == log.note:
        return
    if found is None:
        found = sign_checkpoint(Checkpoint(log.origin, 0, EMPTY_ROOT), log.signer)
        files.begin(found)
    public = log.signer.public_key()
    there, ours = (open_checkpoint(note, public, log.origin) for note in (found, log.note))
    if there.size > ours.size:
        raise Conflict(
            f"The audit log in {files.place} has {there.size} entries, this one {ours.size}.",
            next_step="Name another place.",
        )
    waiting: dict[str, bytes] = {}
    for name, data in log.tiles:
        waiting[name] = data
        if len(waiting) >= _AT_ONCE:
            files.write(waiting)
            waiting = {}
    if waiting:
        files.write(waiting)
    files.publish(log.note, over=found)
