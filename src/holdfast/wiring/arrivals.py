"""Opens the places that an archive is brought into, and closes them; knows not where it is from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict, Corrupt
from holdfast.core.identity import IdFactory
from holdfast.settings import FILE_NAME, Settings
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import ARCHIVE_ID, fact
from holdfast.storage.durable import SystemFiles, make_folder, replace_file, unavailable
from holdfast.storage.keyring import Keyring
from holdfast.storage.moving.marks import ARRIVED, Arrival, arrival, clear
from holdfast.storage.moving.receiving import Target, begin, bring_in, complete
from holdfast.storage.moving.segment_files import OpenSegment, in_bucket, in_folder
from holdfast.storage.store import Store
from holdfast.storage.tile_files import CHECKPOINT as PUBLISHED
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.verify import Tally, Verification
from holdfast.wiring.engines import (
    SystemClock,
    archive_place,
    bucket_config,
    is_there,
    log_origin,
    log_place,
    make_vault,
    open_catalogue,
    open_vault,
    vault_config,
)
from holdfast.wiring.places import CATALOGUE, CHECKPOINT, KEYRING, SPOOL
from holdfast.wiring.runs import rebuild_index

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from holdfast.storage.moving.sources import Source
    from holdfast.storage.upkeep import KeptVault

Report = Callable[[str, int, int, int], None]
"""Takes the stage, steps done, all steps, and bytes."""
_BEFORE = "checkpoint.before-restore"
_OURS = frozenset(
    {FILE_NAME, SPOOL, "lost+found", CATALOGUE, f"{CATALOGUE}-wal", f"{CATALOGUE}-shm"}
)
"""May be in a folder that counts as empty; the catalogue was looked into."""


@dataclass(frozen=True, slots=True)
class Journey:
    """An archive on its way to the places of these settings."""

    settings: Settings
    source: Source
    keyring: Keyring
    mark: Arrival
    has_same_vault: bool = False
    on_progress: Report = lambda stage, done, total, size: None


@contextmanager
def catalogue(settings: Settings) -> Iterator[Engine]:
    """Open a catalogue without looking whether an archive is in it."""
    engine = open_catalogue(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def make_folders(settings: Settings) -> None:
    """Make the data folder and the spool."""
    try:
        for folder in (settings.data, settings.data / SPOOL):
            make_folder(SystemFiles(), folder)
    except OSError as error:
        raise unavailable(error, "making the archive's folders") from error


def refuse_occupied(
    settings: Settings, wanted: Arrival | None = None, old: Settings | None = None
) -> None:
    """Let nothing be overwritten; what the same arrival left when it was killed may be there.

    Args:
        settings: Of the places that are to be empty.
        wanted: An arrival that may have begun there.
        old: Of an archive that moves there, which may keep its folder or its vault.

    Raises:
        Conflict: There is something in the catalogue, the data folder, or the bucket.
    """
    with catalogue_if_any(settings) as engine:
        if engine is not None:
            with reading(engine) as connection:
                mark, held = arrival(connection), fact(connection, ARCHIVE_ID)
            if wanted is not None and mark is not None and mark.origin == wanted.origin:
                return
            if mark is not None or held is not None:
                raise _occupied(archive_place(settings))
    is_same_folder = old is not None and old.data.resolve() == settings.data.resolve()
    there = {path.name for path in settings.data.iterdir()} if settings.data.is_dir() else set()
    if there - _OURS and not is_same_folder:
        raise _occupied(str(settings.data))
    has_same_vault = old is not None and vault_place(old) == vault_place(settings)
    if not has_same_vault and log_place(settings).read(PUBLISHED) is not None:
        raise _occupied(vault_place(settings))


def vault_place(settings: Settings) -> str:
    """Say where the originals are, for people."""
    return settings.vault.url or str((settings.data / "segments").resolve())


@contextmanager
def catalogue_if_any(settings: Settings) -> Iterator[Engine | None]:
    """Open the catalogue if an archive, or the beginning of one, is in it; makes no file."""
    if not settings.catalogue.url and not (settings.data / CATALOGUE).exists():
        yield None
        return
    with catalogue(settings) as engine:
        yield engine if is_there(settings, engine) else None


def bring_to(journey: Journey) -> None:
    """Copy a whole archive into its places, up to where only the mark keeps it from being opened.

    Raises:
        Conflict: Another archive is there.
        Corrupt: What arrived is not what left.
        Unavailable: Something refused; the same again goes on.
    """
    settings = journey.settings
    make_folders(settings)
    with ExitStack() as closing:
        engine = closing.enter_context(catalogue(settings))

        def vault() -> tuple[KeptVault, OpenSegment]:
            make_vault(settings, engine)
            made = open_vault(settings, engine, SystemClock())
            closing.callback(made.close)
            return made, segments_of(settings, engine)

        target = Target(
            engine=engine,
            open_vault=vault,
            log_files=log_place(settings),
            signer=journey.keyring.signing_key(),
            spool=settings.data / SPOOL,
            has_same_vault=journey.has_same_vault,
        )
        begin(engine, journey.source, journey.mark)
        bring_in(journey.source, target, journey.on_progress)


def prove(settings: Settings, on_progress: Report) -> Tally:
    """Read the whole archive that arrived, as `verify` does, before it is opened.

    Raises:
        Corrupt: Something is not what it was; names the first.
    """
    with ExitStack() as closing:
        engine = closing.enter_context(catalogue(settings))
        clock = SystemClock()
        vault = open_vault(settings, engine, clock)
        closing.callback(vault.close)
        keyring = Keyring.open(settings.keys_folder / KEYRING)
        store = Store(engine, vault, keyring, IdFactory(0, lambda: 0), clock, "")
        log = TileLog(log_place(settings), keyring.signing_key(), log_origin(engine))
        run = Verification(
            store, log, on_progress=lambda t: on_progress("verifying", t.done, t.total, t.bytes)
        )
        tally = Tally()
        for found in run.run(tally):
            raise Corrupt(f"{found.part} {found.name}: {found.cause}", part=found.part)
    return tally


def finish(settings: Settings, note: bytes) -> None:
    """Let the archive that arrived be opened, and watch its log from this checkpoint on."""
    kept = settings.keys_folder / CHECKPOINT
    try:
        if kept.exists() and kept.read_bytes() != note:  # what a later one says stays as evidence
            replace_file(SystemFiles(), settings.keys_folder / _BEFORE, kept.read_bytes())
        replace_file(SystemFiles(), kept, note)
    except OSError as error:
        raise unavailable(error, "keeping the checkpoint") from error
    with catalogue(settings) as engine:
        complete(engine)


def has_arrived(settings: Settings, wanted: Arrival) -> bool:
    """Tell whether all but the search index of it is there."""
    with catalogue_if_any(settings) as engine:
        if engine is None:
            return False
        with reading(engine) as connection:
            return fact(connection, ARRIVED) == wanted.origin


def index_arrived(settings: Settings, actor: str, on_progress: Callable[[int, int], None]) -> int:
    """Make the index of an archive that has arrived; return how many interactions it holds."""
    held = rebuild_index(settings, actor, on_progress)
    with catalogue(settings) as engine, writing(engine) as connection:
        clear(connection, ARRIVED)
    return held


def put_keys(folder: Path, contents: Mapping[str, bytes], check: Callable[[Path], object]) -> None:
    """Put key files into a folder that has none, all at once and only if `check` allows them.

    Args:
        folder: Where the archive looks for its keys.
        contents: File name → content.
        check: Is given the folder they stand in for the moment; whatever it raises keeps them out.

    Raises:
        Unavailable: The disk refused; the folder is as before.
    """
    fresh = folder.with_name(f".{folder.name}.arriving")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        make_folder(SystemFiles(), fresh)
        for name, data in contents.items():
            replace_file(SystemFiles(), fresh / name, data)
        check(fresh)
        fresh.rename(folder)
        SystemFiles().fsync_folder(folder.parent)
    except OSError as error:
        raise unavailable(error, "putting the keys in place") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def segments_of(settings: Settings, engine: Engine) -> OpenSegment:
    """Return how segments of the vault are read as they are kept."""
    if not settings.vault.url:
        return in_folder(vault_config(settings, engine).segments)
    from holdfast.storage.s3.bucket import Bucket

    return in_bucket(Bucket(bucket_config(settings)))


def _occupied(place: str) -> Conflict:
    return Conflict(
        f"There is something in {place} already; nothing was changed.",
        next_step="Use an empty folder, database and bucket.",
    )
