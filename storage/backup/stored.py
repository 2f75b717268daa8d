"""Read a backup as a whole archive, and check that it is one; it restores nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import Corrupt, NotFound, Unavailable
from holdfast.storage.backup.lists import List, read_list
from holdfast.storage.backup.parts import Part, Parts
from holdfast.storage.catalogue.migrations import HEAD
from holdfast.storage.moving.tables import Digest, Values, kept_columns, pack

if TYPE_CHECKING:
    from holdfast.storage.backup.manifest import Backup
    from holdfast.storage.moving.segment_files import OpenSegment
    from holdfast.storage.segments import Source as SegmentSource


@dataclass(slots=True)
class PartsSource:
    """A segment in parts, as `segments.Source`; holds one part in memory."""

    name: str
    length: int
    parts: Parts
    pieces: tuple[Part, ...]
    _held: tuple[int, bytes] = field(default=(0, b""), init=False)

    def read(self, length: int, offset: int) -> bytes:
        found = bytearray()
        while len(found) < length and offset < self.length:
            start, data = self._at(offset)
            piece = data[offset - start : offset - start + length - len(found)]
            found += piece
            offset += len(piece)
        return bytes(found)

    def close(self) -> None:
        self._held = (0, b"")

    def _at(self, offset: int) -> tuple[int, bytes]:
        start, data = self._held
        if not start <= offset < start + len(data):
            start = 0
            for piece in self.pieces:
                if offset < start + piece.length:
                    self._held = start, self.parts.read(piece)
                    break
                start += piece.length
        return self._held


@dataclass(slots=True)
class Stored:
    """One backup, as `moving.sources.Source`."""

    backup: Backup
    _segments: dict[str, tuple[int, tuple[Part, ...]]] = field(default_factory=dict, init=False)

    @property
    def parts(self) -> Parts:
        """The pieces that the backup is made of."""
        return Parts(self.backup.folder)

    @property
    def archive_id(self) -> str:
        return self.backup.manifest.archive_id

    @property
    def version(self) -> str:
        return self.backup.manifest.catalogue_version

    @property
    def note(self) -> bytes:
        return self.backup.manifest.log.note.encode()

    @property
    def open_segment(self) -> OpenSegment:
        if not self._segments:
            self._segments.update(self._listed())
        return self._opened

    def tiles(self) -> Iterator[tuple[str, bytes]]:
        return ((row[0], row[1]) for row in read_list(self.parts, self.backup.manifest.log.tiles))

    def columns(self, table: str) -> tuple[str, ...]:
        return self.backup.manifest.tables[table].columns

    def count(self, table: str) -> int:
        return self.backup.manifest.tables[table].rows.rows

    def rows(self, table: str, after: Values) -> Iterator[Values]:
        for row in read_list(self.parts, self.backup.manifest.tables[table].rows):
            if not after or row[: len(after)] > after:
                yield row

    def digest(self, table: str) -> Digest:
        result = Digest()
        kept = kept_columns(table, self.columns(table))
        for row in self.rows(table, ()):
            result.add(pack([row[at] for at in kept]))
        return result

    def _listed(self) -> Iterator[tuple[str, tuple[int, tuple[Part, ...]]]]:
        for name, length, pieces in read_list(self.parts, self.backup.manifest.segments):
            yield name, (length, tuple(Part(*piece) for piece in pieces))

    def _opened(self, name: str) -> SegmentSource:
        if name not in self._segments:
            raise NotFound("The segment is not in the backup.", segment=name)
        return PartsSource(name, self._segments[name][0], self.parts, self._segments[name][1])


@dataclass(frozen=True, slots=True)
class Checked:
    """What a backup came to when it was read."""

    parts: int
    bytes: int


def check(
    backup: Backup,
    *,
    is_read: bool,
    on_progress: Callable[[int, int, int], None] = lambda done, total, size: None,
) -> Checked:
    """Make sure that every part of a backup is there, and with `is_read` that it is what it was.

    Raises:
        Corrupt: One is missing, cut or altered; names it.
    """
    parts = Parts(backup.folder)
    wanted = _all_parts(backup, parts)
    size = 0
    for done, part in enumerate(wanted, 1):
        if is_read:
            parts.read(part)
        else:
            parts.check_there(part)
        size += part.length
        on_progress(done, len(wanted), size)
    return Checked(len(wanted), size)


def refuse_newer(backup: Backup) -> None:
    """Raise Unavailable if the tables of the backup are of a version that is not known here."""
    found = backup.manifest.catalogue_version
    if found > HEAD:
        raise Unavailable(
            f"The backup's catalogue has version {found}, this program knows {HEAD}.",
            next_step="Restore it with the newer program that made it.",
        )


def _all_parts(backup: Backup, parts: Parts) -> list[Part]:
    manifest = backup.manifest
    lists: list[List] = [copy.rows for copy in manifest.tables.values()]
    lists += [manifest.segments, manifest.log.tiles]
    wanted = {part: None for one in lists for part in one.parts}
    for name, length, pieces in read_list(parts, manifest.segments):
        found = [Part(*piece) for piece in pieces]
        if sum(piece.length for piece in found) != length:
            raise Corrupt("A segment of the backup is not whole.", segment=name)
        wanted |= dict.fromkeys(found)
    return list(wanted)
