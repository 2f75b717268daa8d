"""What an archive is brought in from: the contract, and a living catalogue; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.migrations import current
from holdfast.storage.moving.log_copy import log_tiles
from holdfast.storage.moving.tables import Digest, Values, columns, count, digest, rows, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from holdfast.storage.moving.segment_files import OpenSegment
    from holdfast.storage.tile_files import LogFiles
    from holdfast.storage.tlog_tiles import TileLog


class Source(Protocol):
    """A whole archive that stays as it is while it is read."""

    @property
    def archive_id(self) -> str:
        """32 hex digits."""
        ...

    @property
    def version(self) -> str:
        """Of the tables."""
        ...

    @property
    def note(self) -> bytes:
        """The audit log's checkpoint."""
        ...

    @property
    def open_segment(self) -> OpenSegment:
        """Opens a segment by name."""
        ...

    def tiles(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of every file of the log under the checkpoint."""
        ...

    def columns(self, table: str) -> tuple[str, ...]:
        """Name the values of a row, those of its key first."""
        ...

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        ...

    def rows(self, table: str, after: Values) -> Iterator[Values]:
        """Yield the rows in order, from behind the key `after`."""
        ...

    def digest(self, table: str) -> Digest:
        """Return what the rows come to, without the places of originals."""
        ...


@dataclass(frozen=True, slots=True)
class Living:
    """An archive as it is kept, whose writers are held off."""

    engine: Engine
    archive_id: str
    open_segment: OpenSegment
    log: TileLog
    log_files: LogFiles

    @property
    def version(self) -> str:
        return current(self.engine) or ""

    @property
    def note(self) -> bytes:
        return self.log.note

    def tiles(self) -> Iterator[tuple[str, bytes]]:
        return log_tiles(self.log_files, self.log.size)

    def columns(self, table: str) -> tuple[str, ...]:
        return columns(tables_of(self.engine).tables[table])

    def count(self, table: str) -> int:
        with reading(self.engine) as connection:
            return count(connection, tables_of(self.engine).tables[table])

    def rows(self, table: str, after: Values) -> Iterator[Values]:
        with reading(self.engine) as connection:
            yield from rows(connection, tables_of(self.engine).tables[table], after)

    def digest(self, table: str) -> Digest:
        with reading(self.engine) as connection:
            return digest(connection, tables_of(self.engine).tables[table])
