"""Moves an archive from one set of engines to another: holds the old one, copies and proves.

Every step may be repeated. Until the last one the old archive is whole and only held; afterwards it
stays where it is, marked as moved, until it is moved back into.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import func, select

from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.settings import Settings
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import ARCHIVE_ID, fact
from holdfast.storage.catalogue.migrations import current, upgrade
from holdfast.storage.catalogue.schema import originals
from holdfast.storage.durable import SystemFiles, replace_file, unavailable
from holdfast.storage.keyring import Keyring, signing_path
from holdfast.storage.moving.marks import (
    LEAVING,
    Arrival,
    Leaving,
    arrival,
    clear,
    hold_writers,
    leaving,
    release_writers,
    set_leaving,
)
from holdfast.storage.moving.sources import Living
from holdfast.storage.moving.tables import count, moving_tables
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.upkeep import finish_segments
from holdfast.wiring.archive import open_archive
from holdfast.wiring.arrivals import (
    Journey,
    Report,
    bring_to,
    catalogue,
    catalogue_if_any,
    finish,
    make_folders,
    prove,
    put_keys,
    refuse_occupied,
    segments_of,
    vault_place,
)
from holdfast.wiring.engines import archive_id, archive_place, log_origin, log_place
from holdfast.wiring.places import KEYRING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from holdfast.storage.checkpoint import Checkpoint
    from holdfast.storage.verify import Tally


@dataclass(frozen=True, slots=True)
class Move:
    """From which settings to which."""

    old: Settings
    new: Settings
    option: str
    """Of the command line, which names the new ones."""
    actor: str

    @property
    def has_same_vault(self) -> bool:
        """Whether the originals are where they are to be."""
        return vault_place(self.old) == vault_place(self.new)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a move would do."""

    rows: dict[str, int]
    """By table."""
    originals_bytes: int
    """Of the records that are copied; 0 when they stay where they are."""
    log_size: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What arrived, as it was proved there."""

    rows: int
    tally: Tally
    log_size: int
    log_root: str


def plan(move: Move) -> Plan:
    """Return what the move would do; nothing is changed anywhere.

    Raises:
        NotFound: There is no archive.
        Refused: Both are the same catalogue.
        Conflict: It has moved already, or something is where it would go.
    """
    with _old_catalogue(move) as engine:
        _refuse_taken(move, archive_id(engine), _mark(engine, move))
        with reading(engine) as connection:
            rows = {str(table.name): count(connection, table) for table in moving_tables()}
            length = select(func.sum(originals.c.length)).where(originals.c.shredded_ms.is_(None))
            size = 0 if move.has_same_vault else int(connection.scalar(length) or 0)
        return Plan(rows, size, _log(move.old, engine).size)


def move_archive(move: Move, on_progress: Report) -> Moved:
    """Move the archive; the same call goes on where an interrupted one ended.

    Raises:
        NotFound: There is no archive.
        Refused: Both are the same catalogue.
        Conflict: It has moved already, or something is where it goes.
        Corrupt: What arrived is not what left; the old archive is held, and whole.
        Unavailable: Something refused; the same again goes on.
    """
    mark = _held(move)
    with _departing(move) as source:
        bring_to(
            Journey(
                settings=move.new,
                source=source,
                keyring=Keyring.open(move.new.keys_folder / KEYRING),
                mark=_arrival(source.archive_id, mark),
                has_same_vault=move.has_same_vault,
                on_progress=on_progress,
            )
        )
        tally = prove(move.new, on_progress)
        total = sum(source.count(str(table.name)) for table in moving_tables())
        note, checkpoint = source.note, source.log.checkpoint
        with writing(source.engine) as connection:
            set_leaving(connection, replace(mark, is_done=True))
    finish(move.new, note)
    _record(move, checkpoint)
    return Moved(total, tally, checkpoint.size, checkpoint.root.hex())


def give_up(move: Move) -> None:
    """Let an archive be written again whose move was not finished; what was copied stays there.

    Raises:
        Conflict: It has moved, or is not on its way.
    """
    with _old_catalogue(move) as engine:
        with reading(engine) as connection:
            mark = leaving(connection)
        if mark is None or mark.is_done:
            raise Conflict("The archive is not on its way anywhere.")
        with writing(engine) as connection:
            release_writers(connection, _guarded())
            clear(connection, LEAVING)


def _held(move: Move) -> Leaving:
    """Hold the old archive's writers off, in an orderly state, unless that is done already."""
    with _old_catalogue(move) as engine:
        mark = _mark(engine, move)
        _refuse_taken(move, archive_id(engine), mark)
    if mark is not None:
        return mark
    _share_keys(move)
    make_folders(move.new)
    with catalogue(move.new) as engine:  # says now what would be in the way later
        if current(engine) is None:
            upgrade(engine)
    with open_archive(move.old, move.actor) as services:
        services.desk.sequencer.run()
        finish_segments(services.vault, services.store)
    mark = Leaving(secrets.token_hex(8), move.option, _catalogue_place(move.new))
    with _old_catalogue(move) as engine, writing(engine) as connection:
        set_leaving(connection, mark)
        hold_writers(connection, _guarded())
    return mark


def _guarded() -> list[str]:
    return [str(table.name) for table in moving_tables() if table.name != "archive_facts"]


@contextmanager
def _old_catalogue(move: Move) -> Iterator[Engine]:
    """Open the catalogue that the archive leaves."""
    if _catalogue_place(move.old) == _catalogue_place(move.new):
        raise Refused(
            "Both settings name the same catalogue.",
            next_step="Name settings with another catalogue: a database, or another data folder.",
        )
    with catalogue_if_any(move.old) as engine:
        if engine is None:
            raise NotFound(f"There is no archive in {archive_place(move.old)}.")
        yield engine


def _catalogue_place(settings: Settings) -> str:
    return settings.catalogue.url or str(settings.data.resolve())


@contextmanager
def _departing(move: Move) -> Iterator[Living]:
    with _old_catalogue(move) as engine:
        log = _log(move.old, engine)
        opened = segments_of(move.old, engine)
        yield Living(engine, archive_id(engine), opened, log, log_place(move.old))


def _log(settings: Settings, engine: Engine) -> TileLog:
    signer = Keyring.open(settings.keys_folder / KEYRING).signing_key()
    return TileLog(log_place(settings), signer, log_origin(engine))


def _mark(engine: Engine, move: Move) -> Leaving | None:
    """Return the mark of the move that was begun; None before it.

    Raises:
        Conflict: The archive has moved, or is on its way to another place.
    """
    with reading(engine) as connection:
        mark = leaving(connection)
        has_arrived = arrival(connection) is None
    if not has_arrived:
        raise Conflict("The archive here is not whole.", next_step="Finish bringing it in first.")
    if mark is None:
        return None
    if mark.place != _catalogue_place(move.new):
        way = "has moved" if mark.is_done else "is on its way"
        raise Conflict(f"The archive {way} to {mark.place}.", next_step=f"See {mark.option}.")
    if mark.is_done and not _is_arriving(move, _arrival(archive_id(engine), mark)):
        raise Conflict(
            f"The archive has moved to {mark.place} already.",
            next_step=f"Use it there, with {mark.option}; 'reindex --full' makes its index.",
        )
    return mark


def _arrival(archive: str, mark: Leaving) -> Arrival:
    return Arrival(f"archive {archive} {mark.token}", "the 'holdfast migrate' that began it")


def _is_arriving(move: Move, wanted: Arrival) -> bool:
    with catalogue_if_any(move.new) as engine:
        if engine is None:
            return False
        with reading(engine) as connection:
            mark = arrival(connection)
        return mark is not None and mark.origin == wanted.origin


def _refuse_taken(move: Move, archive: str, mark: Leaving | None) -> None:
    """Raise Conflict unless the new places are empty, ours already, or hold what we once left."""
    if mark is not None and _is_arriving(move, _arrival(archive, mark)):
        return
    with catalogue_if_any(move.new) as engine:
        if engine is not None:
            with reading(engine) as connection:
                left, held = leaving(connection), fact(connection, ARCHIVE_ID)
            if left is not None and left.is_done and held == archive:
                return
    refuse_occupied(move.new, old=move.old)


def _share_keys(move: Move) -> None:
    """Let the new settings find the same keys: those of the old ones, or a copy."""
    old, new = move.old.keys_folder, move.new.keys_folder
    if old.resolve() == new.resolve():
        return
    names = [KEYRING, signing_path(old / KEYRING).name]
    try:
        contents = {name: (old / name).read_bytes() for name in names}
        if not (new / KEYRING).exists():
            put_keys(new, contents, lambda fresh: Keyring.open(fresh / KEYRING).signing_key())
            return
        if (new / names[1]).read_bytes() != contents[names[1]]:
            raise Conflict(
                f"The keys in {new} are another archive's.",
                next_step="Name another folder as keys.path.",
            )
        replace_file(SystemFiles(), new / KEYRING, contents[KEYRING])
    except OSError as error:
        raise unavailable(error, "copying the keys") from error


def _record(move: Move, checkpoint: Checkpoint) -> None:
    with open_archive(move.new, move.actor) as services:
        store = services.store
        context = canonical_digest(["migrate", checkpoint.size, checkpoint.root.hex()])
        event = Event("migrate", "", None, store.now_ms(), store.actor, context)
        with writing(store.engine) as connection:
            record_events(connection, [event], store.ids)
