"""Make one backup of an archive while others write to it; the keys are not in it.

Order: the audit log's checkpoint first, then one snapshot of the catalogue, which therefore knows
every event under that checkpoint; then the segments that the snapshot refers to, which only grow.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.core.errors import Conflict, Corrupt, NotFound, Refused
from holdfast.storage.backup.lists import List, ListWriter, keep_list, read_list
from holdfast.storage.backup.manifest import (
    SCHEMA,
    Backup,
    KeyProof,
    LogCopy,
    Manifest,
    TableCopy,
    backups,
    find,
    publish,
    read_manifest,
)
from holdfast.storage.backup.parts import MAX_PART_BYTES, Part, Parts
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.migrations import current
from holdfast.storage.catalogue.schema import originals
from holdfast.storage.checkpoint import open_checkpoint, verifier_key
from holdfast.storage.durable import Files, SystemFiles, make_folder, unavailable
from holdfast.storage.moving.log_copy import log_tiles
from holdfast.storage.moving.tables import columns, count, key_columns, moving_tables, rows
from holdfast.storage.segments import RECORD_HEADER_BYTES, TRAILER_BYTES, SegmentReader

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from holdfast.storage.moving.segment_files import OpenSegment
    from holdfast.storage.store import Store
    from holdfast.storage.tile_files import LogFiles
    from holdfast.storage.tlog_tiles import TileLog

_LOCK = ".lock"
_TRIES = 3
END_BYTES = RECORD_HEADER_BYTES + TRAILER_BYTES
Report = Callable[[str, int, int, int], None]
"""Takes the stage (`originals`, `catalogue`, `log`), steps done, all steps, and bytes."""


@dataclass(frozen=True, slots=True)
class Backing:
    """One archive, and how to back it up."""

    store: Store
    archive_id: str
    open_segment: OpenSegment
    log: TileLog
    log_files: LogFiles
    program: str
    settings: Mapping[str, object]
    on_progress: Report = lambda stage, done, total, size: None
    files: Files = field(default_factory=SystemFiles)


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a backup."""

    backup: Backup
    new_bytes: int
    """Written for this backup; the rest was in the folder already."""


def back_up(backing: Backing, folder: Path) -> Made:
    """Add a backup to the folder; what earlier ones hold is not copied again.

    Nothing of it counts until its manifest is published at the end, so that it may be killed
    anywhere. Segments that compaction removes meanwhile make it begin again.

    Raises:
        Refused: The folder holds backups of another archive.
        Conflict: Another process makes a backup in it.
        Unavailable: A disk refused, or compaction was in the way again and again.
        Corrupt: An original is missing from the vault, or its segment is cut short.
    """
    with _only_one(folder, backing.files):
        parts = Parts(folder, backing.files)
        parts.sweep()
        known = _known_segments(parts, folder, backing.archive_id)
        path = publish(parts.files, folder, _settled(backing, parts, known))
        return Made(read_manifest(path), parts.new_bytes)


def _settled(backing: Backing, parts: Parts, known: Mapping[str, list[Part]]) -> Manifest:
    for _ in range(_TRIES - 1):
        with suppress(NotFound):  # compaction took a segment that the snapshot refers to
            return _copied(backing, parts, known)
    return _copied(backing, parts, known)


@contextmanager
def _only_one(folder: Path, files: Files) -> Iterator[None]:
    try:
        make_folder(files, folder)
        with (folder / _LOCK).open("ab") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    f"Another process makes a backup in {folder}.", next_step="Wait for it."
                ) from None
            yield
    except OSError as error:
        raise unavailable(error, "writing the backup") from error


def _known_segments(parts: Parts, folder: Path, archive_id: str) -> dict[str, list[Part]]:
    """Return what the last backup holds of each segment, as far as its parts are there."""
    if not backups(folder):
        return {}
    try:
        last = find(folder).manifest
        if last.archive_id != archive_id:
            raise Refused(
                f"{folder} holds backups of another archive.", next_step="Name another folder."
            )
        listed = [(name, held) for name, _, held in read_list(parts, last.segments)]
    except Corrupt:  # it is of no use, and this one does not need it
        return {}
    known = {}
    for name, held in listed:
        pieces = [Part(*piece) for piece in held]
        if all(parts.has(piece) for piece in pieces):
            known[name] = pieces
    return known


def _copied(backing: Backing, parts: Parts, known: Mapping[str, list[Part]]) -> Manifest:
    note = backing.log.note
    made_at = backing.store.clock.now()
    with reading(backing.store.engine) as connection:
        tables = _tables(connection, backing, parts)
        ends = _segment_ends(connection)
        keys = _key_proofs(connection)
    segments, segment_bytes = _segments(backing, parts, known, ends)
    log = _log(backing, parts, note)
    parts.settle()
    return Manifest(
        schema=SCHEMA,
        made_at=made_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        program=backing.program,
        archive_id=backing.archive_id,
        catalogue_version=current(backing.store.engine) or "",
        tables=tables,
        segments=segments,
        segment_bytes=segment_bytes,
        log=log,
        keys=keys,
        settings=dict(backing.settings),
    )


def _tables(connection: Connection, backing: Backing, parts: Parts) -> dict[str, TableCopy]:
    moving = moving_tables()
    total = sum(count(connection, table) for table in moving)
    done = 0
    copies = {}
    for table in moving:
        writer = ListWriter(parts, len(key_columns(table)))
        for row in rows(connection, table):
            writer.add(row)
            done += 1
            if done % 1000 == 0:
                backing.on_progress("catalogue", done, total, 0)
        copies[str(table.name)] = TableCopy(columns(table), writer.finish())
    backing.on_progress("catalogue", done, total, 0)
    return copies


def _segment_ends(connection: Connection) -> dict[str, int]:
    """Return where the last record ends that the snapshot refers to, for each segment."""
    query = (
        select(originals.c.segment, func.max(originals.c.offset + originals.c.length))
        .where(originals.c.shredded_ms.is_(None))
        .group_by(originals.c.segment)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _key_proofs(connection: Connection) -> tuple[KeyProof, ...]:
    chosen = (
        select(func.min(originals.c.id))
        .where(originals.c.wrapped_key.is_not(None))
        .group_by(originals.c.key_version)
    )
    query = select(originals.c.key_version, originals.c.content_id, originals.c.wrapped_key)
    found = connection.execute(query.where(originals.c.id.in_(chosen)).order_by("key_version"))
    return tuple(KeyProof(version, cid.hex(), wrapped.hex()) for version, cid, wrapped in found)


def _segments(
    backing: Backing, parts: Parts, known: Mapping[str, list[Part]], ends: Mapping[str, int]
) -> tuple[List, int]:
    writer = ListWriter(parts)
    total_bytes = 0
    for done, (name, end) in enumerate(sorted(ends.items()), 1):
        pieces = _segment(backing, parts, name, end, known.get(name, ()))
        length = sum(piece.length for piece in pieces)
        writer.add([name, length, [[piece.sha256, piece.length] for piece in pieces]])
        total_bytes += length
        backing.on_progress("originals", done, len(ends), total_bytes)
    return writer.finish(), total_bytes


def _segment(
    backing: Backing, parts: Parts, name: str, end: int, held: Sequence[Part]
) -> list[Part]:
    """Keep a segment up to `end`, and its end mark if that follows; `held` is its beginning."""
    pieces = list(held)
    position = sum(piece.length for piece in pieces)
    if position >= end:  # nothing was added that this backup needs
        return pieces
    source = backing.open_segment(name)
    with SegmentReader(source, bytes.fromhex(backing.archive_id)) as segment:
        if source.length == end + END_BYTES and segment.is_complete():
            end = source.length
        if source.length < end:
            raise segment.damage("The segment is shorter than the catalogue says.", source.length)
        while position < end:
            data = source.read(min(MAX_PART_BYTES, end - position), position)
            pieces.append(parts.keep(data))
            position += len(data)
    return pieces


def _log(backing: Backing, parts: Parts, note: bytes) -> LogCopy:
    public = backing.store.keyring.signing_key().public_key()
    origin = f"holdfast/{backing.archive_id}"
    checkpoint = open_checkpoint(note, public, origin)
    kept = keep_list(parts, log_tiles(backing.log_files, checkpoint.size))
    backing.on_progress("log", checkpoint.size, checkpoint.size, 0)
    return LogCopy(
        origin=origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        note=note.decode(),
        verifier_key=verifier_key(origin, public),
        tiles=kept,
    )
