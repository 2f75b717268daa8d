"""Bring a whole archive into an empty catalogue and vault; decides neither from where nor why.

Every chunk of rows is committed together with how far it is, so that a run that was killed anywhere
is gone on with. Until the end the catalogue is marked, and nobody can open it as an archive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, text

from holdfast.core.errors import Conflict, Corrupt, NotFound
from holdfast.core.ports import Placement
from holdfast.storage.catalogue.chunks import by_value, insert_missing, insert_rows, update_rows
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import ARCHIVE_ID, change_fact, fact, settle_fact
from holdfast.storage.catalogue.migrations import current, upgrade
from holdfast.storage.catalogue.schema import metadata
from holdfast.storage.moving.log_copy import SignedLog, place_log
from holdfast.storage.moving.marks import (
    ARRIVED,
    ARRIVING,
    LEAVING,
    Arrival,
    arrival,
    clear,
    leaving,
    release_writers,
    set_arrival,
)
from holdfast.storage.moving.records import copy_records
from holdfast.storage.moving.segment_files import Records
from holdfast.storage.moving.tables import (
    digest,
    key_columns,
    moving_tables,
    self_references,
    tables_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from sqlalchemy import Connection, Engine, Table

    from holdfast.core.ports import Vault
    from holdfast.storage.moving.segment_files import OpenSegment
    from holdfast.storage.moving.sources import Source
    from holdfast.storage.tile_files import LogFiles

_MOST_ROWS = 2000
_MOST_BYTES = 8 * 1024 * 1024
_MOST_RECORDS = 256  # in one group commit
Report = Callable[[str, int, int, int], None]
"""Takes the stage, steps done, all steps, and bytes."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an archive is brought to."""

    engine: Engine
    open_vault: Callable[[], tuple[Vault, OpenSegment]]
    """Makes and opens the vault, and tells how its segments are opened; the catalogue knows the
    archive's id by then."""
    log_files: LogFiles
    signer: Ed25519PrivateKey
    """The archive's own key."""
    spool: Path
    has_same_vault: bool = False
    """The source's records are in it already, and stay where they are."""


def begin(engine: Engine, source: Source, wanted: Arrival) -> None:
    """Mark the catalogue as the target, after making its tables as the source has them.

    What a move away left of the same archive is cleared, but for the places of originals, whose
    records are used again.

    Raises:
        Conflict: Another archive is there, or another arrival is under way.
        Unavailable: The source's tables are of a newer version than this program knows.
    """
    if current(engine) is None:
        upgrade(engine, source.version)
    elif current(engine) != source.version:
        _bring_up(engine, source)
    with writing(engine) as connection:
        mark = arrival(connection)
        if mark is not None:
            if mark.origin != wanted.origin:
                raise Conflict(
                    "Another archive is being brought in there.", next_step=f"Go on: {mark.command}"
                )
            return
        _clear_remains(connection, source)
        settle_fact(connection, ARCHIVE_ID, source.archive_id)
        set_arrival(connection, wanted)


def _bring_up(engine: Engine, source: Source) -> None:
    """Give the tables of what a move away left the version that the source has by now."""
    with writing(engine) as connection:
        if arrival(connection) is None and _are_remains(connection, source):
            release_writers(connection, [table.name for table in moving_tables()])
    upgrade(engine, source.version)


def _are_remains(connection: Connection, source: Source) -> bool:
    left = leaving(connection)
    held = fact(connection, ARCHIVE_ID)
    return held == source.archive_id and left is not None and left.is_done


def _clear_remains(connection: Connection, source: Source) -> None:
    if fact(connection, ARCHIVE_ID) is None:
        return
    if not _are_remains(connection, source):
        raise Conflict(
            "An archive is there already; nothing was changed.",
            next_step="Name an empty folder, database and bucket.",
        )
    release_writers(connection, [table.name for table in moving_tables()])
    for table in reversed(metadata.sorted_tables):
        if table.name not in ("originals", "archive_facts"):
            connection.execute(delete(table))


def bring_in(source: Source, target: Target, on_progress: Report) -> None:
    """Copy everything that is not there yet, and compare it; repeat it after any failure.

    Raises:
        Corrupt: The source is damaged, or what arrived is not what left.
        Unavailable: Something refused; the same again goes on.
    """
    _bring_rows(source, target, on_progress)
    known = tables_of(target.engine)
    for table in moving_tables(known):
        for column in self_references(table):
            _refer(source, target.engine, table, column)
    _settle_numbers(target.engine)
    _compare(source, target.engine, on_progress)
    origin = f"holdfast/{source.archive_id}"
    place_log(target.log_files, SignedLog(source.tiles(), source.note, origin, target.signer))
    upgrade(target.engine)


def complete(engine: Engine) -> None:
    """Let the archive be opened; may be repeated."""
    with writing(engine) as connection:
        mark = arrival(connection)
        if mark is not None:
            change_fact(connection, ARRIVED, mark.origin)
        clear(connection, ARRIVING)
        clear(connection, LEAVING)


def _bring_rows(source: Source, target: Target, on_progress: Report) -> None:
    with reading(target.engine) as connection:
        mark = arrival(connection)
    assert mark is not None  # noqa: S101 - `begin` came first
    tables = moving_tables(tables_of(target.engine))
    names = [table.name for table in tables]
    first = names.index(mark.table) if mark.table else 0
    total = sum(source.count(name) for name in names)
    done = sum(source.count(name) for name in names[:first])
    for table in tables[first:]:
        after = mark.key() if table.name == mark.table else ()
        load = _loader(source, target, table)
        with load:
            for chunk in load.chunks(source.rows(table.name, after)):
                key = chunk[-1][: len(key_columns(table))]
                load.write(chunk, mark.reached(table.name, key))
                done += len(chunk)
                on_progress("copying", min(done, total), total, 0)


@dataclass(slots=True)
class _Rows:
    """Writes the rows of most tables."""

    names: tuple[str, ...]
    table: Table
    engine: Engine

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, *_unused: object) -> None:
        """Nothing is open."""

    def chunks(self, rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
        return _cut(rows, _MOST_ROWS, _size)

    def write(self, chunk: list[Sequence[Any]], mark: Arrival) -> None:
        later = self_references(self.table)
        made = [dict(zip(self.names, row, strict=True)) | dict.fromkeys(later) for row in chunk]
        with writing(self.engine) as connection:
            if self.table.name == "archive_facts":
                insert_missing(connection, self.table, made, "name")
            else:
                insert_rows(connection, self.table, made)
            set_arrival(connection, mark)


@dataclass(slots=True)
class _Originals:
    """Writes the rows of originals, each after its record."""

    names: tuple[str, ...]
    table: Table
    target: Target
    vault: Vault
    leaving: Records
    there: Records

    def __enter__(self) -> _Originals:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.leaving.close()
        self.there.close()

    def chunks(self, rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
        length = self.names.index("length")
        return _cut(rows, _MOST_RECORDS, lambda row: int(row[length]))

    def write(self, chunk: list[Sequence[Any]], mark: Arrival) -> None:
        made = [dict(zip(self.names, row, strict=True)) for row in chunk]
        if not self.target.has_same_vault:
            self._move([row for row in made if row["shredded_ms"] is None])
        with writing(self.target.engine) as connection:
            ids = [row["id"] for row in made]
            connection.execute(delete(self.table).where(self.table.c.id.in_(ids)))
            insert_rows(connection, self.table, made)
            set_arrival(connection, mark)

    def _move(self, made: list[dict[str, Any]]) -> None:
        """Give each row the place of its record here, copying those that are not here yet."""
        places = self._held(made)
        fresh = [row for row in made if row["id"] not in places]
        wanted = [(row["content_id"], _place(row)) for row in fresh]
        copied = copy_records(wanted, self.leaving, self.vault, self.target.spool)
        places |= {row["id"]: place for row, place in zip(fresh, copied, strict=True)}
        for row in made:
            place = places[row["id"]]
            row |= {"segment": place.segment, "offset": place.offset, "length": place.length}

    def _held(self, made: list[dict[str, Any]]) -> dict[int, Placement]:
        """Return the places of records that are here since before the archive moved away."""
        ids = [row["id"] for row in made]
        with reading(self.target.engine) as connection:
            found = by_value(connection, select(self.table), self.table.c.id, ids)
        places = {}
        for row in found:
            place = Placement(row.segment, row.offset, row.length)
            with suppress(NotFound, Corrupt):  # it was compacted away, or shredded here
                self.there.record(place, row.content_id)
                places[row.id] = place
        return places


def _loader(source: Source, target: Target, table: Table) -> _Rows | _Originals:
    names = source.columns(table.name)
    if table.name != "originals":
        return _Rows(names, table, target.engine)
    vault, open_segment = target.open_vault()
    archive_id = bytes.fromhex(source.archive_id)
    leaving, there = (Records(way, archive_id) for way in (source.open_segment, open_segment))
    return _Originals(names, table, target, vault, leaving, there)


def _place(row: dict[str, Any]) -> Placement:
    return Placement(row["segment"], row["offset"], row["length"])


def _size(row: Sequence[Any]) -> int:
    return sum(len(value) for value in row if isinstance(value, (str, bytes)))


def _cut(
    rows: Iterable[Sequence[Any]], most: int, size: Callable[[Sequence[Any]], int]
) -> Iterator[list[Sequence[Any]]]:
    chunk: list[Sequence[Any]] = []
    length = 0
    for row in rows:
        if chunk and (len(chunk) >= most or length + size(row) > _MOST_BYTES):
            yield chunk
            chunk, length = [], 0
        chunk.append(row)
        length += size(row)
    if chunk:
        yield chunk


def _refer(source: Source, engine: Engine, table: Table, column: str) -> None:
    """Write the references to rows of the same table, all of which are there now."""
    keys = key_columns(table)
    at = source.columns(table.name).index(column)
    referring = (row for row in source.rows(table.name, ()) if row[at] is not None)
    for chunk in _cut(referring, _MOST_ROWS, _size):
        changes = [{**dict(zip(keys, row, strict=False)), column: row[at]} for row in chunk]
        with writing(engine) as connection:
            update_rows(connection, table, changes, *keys)


def _settle_numbers(engine: Engine) -> None:
    """Let PostgreSQL count on from the highest writer; SQLite does by itself."""
    if engine.dialect.name != "postgresql":
        return
    writers = tables_of(engine).tables["writers"]
    with writing(engine) as connection:
        highest = connection.scalar(select(func.max(writers.c.number))) or 1
        name = "pg_get_serial_sequence('writers', 'number')"
        connection.execute(text(f"SELECT setval({name}, :highest)"), {"highest": highest})


def _compare(source: Source, engine: Engine, on_progress: Report) -> None:
    tables = moving_tables(tables_of(engine))
    for done, table in enumerate(tables, 1):
        left = source.digest(table.name)
        with reading(engine) as connection:
            arrived = digest(connection, table)
        if (left.rows, left.hexadecimal()) != (arrived.rows, arrived.hexadecimal()):
            raise Corrupt(
                f"{left.rows} rows of {table.name} left, {arrived.rows} arrived, or they differ.",
                next_step="Empty the target and begin again.",
                table=table.name,
            )
        on_progress("comparing", done, len(tables), 0)
