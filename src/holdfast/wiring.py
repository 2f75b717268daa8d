"""Puts one archive together: the only place that picks implementations and opens them.

It must not decide what a command means; it opens, hands over and closes.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, func, insert, select

from holdfast.core.errors import Corrupt, NotFound, Unavailable
from holdfast.core.identity import IdFactory
from holdfast.core.ports import SearchIndex
from holdfast.indexer.tantivy_index import TantivyIndex
from holdfast.ingest.imports import ImportOptions, ImportSummary, run_import
from holdfast.ingest.index_home import IndexHome
from holdfast.ingest.indexing import IndexFeed
from holdfast.ingest.jail import Limits, Pool, PoolConfig
from holdfast.ingest.pipeline import Desk
from holdfast.ingest.progress import Progress
from holdfast.ingest.rebuild import analysis_bench, rebuild
from holdfast.ingest.workbench import workbench
from holdfast.settings import Settings
from holdfast.storage.audit import Sequencer, actor_event, record_events
from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.companies import add_internal
from holdfast.storage.catalogue.engine import open_sqlite, reading, writing
from holdfast.storage.catalogue.facts import ARCHIVE_ID, fact, settle_fact
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.migrations import upgrade
from holdfast.storage.catalogue.schema import audit_actors, originals, writers
from holdfast.storage.checkpoint import open_checkpoint
from holdfast.storage.durable import SystemFiles, make_folder, replace_file, unavailable
from holdfast.storage.keyring import Keyring, signing_path
from holdfast.storage.local_vault import LocalVault, LocalVaultConfig
from holdfast.storage.store import Store
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.upkeep import finish_segments

CATALOGUE = "catalogue.sqlite3"
INDEX = "index"
LOG = "log"
SPOOL = "spool"
KEYRING = "keyring.json"
CHECKPOINT = "checkpoint"
"""Copy of the last checkpoint, beside the keyring: it tells when the log was cut or rolled back."""
LOG_LOCK = "log.lock"
_MIB = 1024 * 1024


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """One open archive; close it by leaving `open_archive`."""

    settings: Settings
    store: Store
    vault: LocalVault
    home: IndexHome
    log: TileLog
    desk: Desk

    @property
    def index(self) -> SearchIndex:
        """The index in use; raises Unavailable while it cannot be read."""
        return self.home.index()

    @property
    def spool(self) -> Path:
        """Folder for large originals on their way."""
        return self.settings.data / SPOOL


def create_archive(settings: Settings) -> None:
    """Make the folders, the catalogue, the keyring and the log of a new archive.

    Repeating it is harmless; what a killed run left undone is done.

    Raises:
        Unavailable: The catalogue was written by a newer program, or a folder cannot be made.
    """
    data = settings.data
    try:
        for folder in (data, data / SPOOL, settings.keys_folder):
            make_folder(SystemFiles(), folder)
    except OSError as error:
        raise unavailable(error, "making the archive's folders") from error
    engine = open_sqlite(data / CATALOGUE)
    try:
        upgrade(engine)
        _name_archive(engine)
        _create_parts(settings, engine)
    finally:
        engine.dispose()


def _create_parts(settings: Settings, engine: Engine) -> None:
    keyring = settings.keys_folder / KEYRING
    if not keyring.exists():
        _refuse_lost_keys(engine, keyring)
        _remove_half_made_keys(settings)
        Keyring.create(keyring)
    LocalVault.create(_vault_config(settings, engine))
    log = settings.data / LOG
    if not (log / "checkpoint").exists():
        _refuse_lost_log(settings)
        TileLog.create(log, Keyring.open(keyring).signing_key(), _origin(engine))


@contextmanager
def open_archive(settings: Settings, actor: str) -> Iterator[Services]:
    """Open an archive for one process.

    Args:
        settings: Of the archive.
        actor: Who acts, by name; the audit log gets an opaque id.

    Raises:
        NotFound: There is no archive in the data folder.
        Unavailable: A part is missing, locked or of another version.
    """
    path = settings.data / CATALOGUE
    if not path.exists():
        raise NotFound(
            f"There is no archive in {settings.data}.",
            next_step="Run 'holdfast init', or name the folder with --data.",
        )
    with ExitStack() as closing:  # the last first, and all of them whatever one of them says
        engine = open_sqlite(path)
        closing.callback(engine.dispose)
        upgrade(engine)
        _refuse_lost_originals(settings, engine)
        clock = SystemClock()
        keyring = Keyring.open(settings.keys_folder / KEYRING)
        vault = LocalVault(_vault_config(settings, engine), clock)
        closing.callback(vault.close)
        ids = _lease_ids(engine)
        store = Store(engine, vault, keyring, ids, clock, _actor_id(engine, ids, actor))
        for domain in settings.archive.internal_domains:
            add_internal(store, domain)
        heap_bytes = settings.index.heap_mib * _MIB
        home = IndexHome(
            store, settings.data / INDEX, lambda folder: TantivyIndex(folder, heap_bytes)
        )
        closing.callback(home.close)
        log = _open_log(settings, engine, keyring)
        feed = IndexFeed(store, home, settings.index.commit_every_s)
        desk = Desk(store, Linker(), feed, _sequencer(settings, engine, log))
        yield Services(settings, store, vault, home, log, desk)
        with suppress(Corrupt):  # every act that must be numbered has said so; verify reports it
            desk.sequencer.run()


def import_paths(
    settings: Settings,
    actor: str,
    options: ImportOptions,
    on_progress: Callable[[Progress], None],
) -> ImportSummary:
    """Import into the archive of these settings, which is made when there is none.

    Raises:
        NotFound: A path does not exist.
        Unavailable: The archive cannot be written; the same import continues where it was.
    """
    with parser_pool(settings) as pool:
        create_archive(settings)
        with open_archive(settings, actor) as services:
            finish_segments(services.vault, services.store)
            return run_import(options, services.desk, pool, services.spool, on_progress)


def rebuild_index(settings: Settings, actor: str, on_progress: Callable[[int, int], None]) -> int:
    """Make the index again from the catalogue; return how many interactions it holds.

    Raises:
        NotFound: There is no archive.
        Unavailable: Another process feeds the index, or it cannot be written.
    """
    with (
        Pool(analysis_bench(), PoolConfig(settings.processes, _limits(settings))) as pool,
        open_archive(settings, actor) as services,
    ):
        return rebuild(services.home, services.desk.feed, pool, on_progress)


@contextmanager
def parser_pool(settings: Settings) -> Iterator[Pool]:
    """Start the jailed workers; do it before `open_archive`, so that they see no keys."""
    with Pool(workbench(), PoolConfig(settings.processes, _limits(settings))) as pool:
        yield pool


def _limits(settings: Settings) -> Limits:
    return Limits(
        memory_bytes=settings.limits.parse_memory_mib * _MIB,
        cpu_s=settings.limits.parse_cpu_s,
        wall_s=settings.limits.parse_wall_s,
        may_fork=True,
    )


def _vault_config(settings: Settings, engine: Engine) -> LocalVaultConfig:
    archive_id = bytes.fromhex(_archive_id(engine))
    segment_bytes = settings.vault.segment_mib * _MIB
    return LocalVaultConfig(settings.data, archive_id, segment_bytes)


def _archive_id(engine: Engine) -> str:
    with reading(engine) as connection:
        found = fact(connection, ARCHIVE_ID)
    if found is None:
        raise Unavailable(
            "The archive was not made to the end.", next_step="Run 'holdfast init' again."
        )
    return found


def _origin(engine: Engine) -> str:
    """Name the log for good: what the archive is called in the settings may change."""
    return f"holdfast/{_archive_id(engine)}"


def _open_log(settings: Settings, engine: Engine, keyring: Keyring) -> TileLog:
    """Open the log and hold it against the checkpoint that is kept apart from the data."""
    signer = keyring.signing_key()
    kept = settings.keys_folder / CHECKPOINT
    note = kept.read_bytes() if kept.exists() else b""  # first: another process may extend both
    log = TileLog(settings.data / LOG, signer, _origin(engine))
    if note:
        log.check_extends(open_checkpoint(note, signer.public_key(), _origin(engine)))
    return log


def _sequencer(settings: Settings, engine: Engine, log: TileLog) -> Sequencer:
    kept = settings.keys_folder / CHECKPOINT

    def keep(note: bytes) -> None:
        try:
            replace_file(SystemFiles(), kept, note)
        except OSError as error:
            raise unavailable(error, "keeping the checkpoint") from error

    return Sequencer(engine, log, settings.data / LOG_LOCK, keep)


def _refuse_lost_log(settings: Settings) -> None:
    """Never begin a new log where an earlier one was lost."""
    if (settings.keys_folder / CHECKPOINT).exists():
        raise Corrupt(
            f"The audit log in {settings.data / LOG} is missing.",
            next_step="Restore it from a backup.",
        )


def _name_archive(engine: Engine) -> None:
    with writing(engine) as connection:
        settle_fact(connection, ARCHIVE_ID, secrets.token_hex(16))


def _originals(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(originals)) or 0


def _refuse_lost_keys(engine: Engine, keyring: Path) -> None:
    """Never make a new keyring beside originals that the old one locks."""
    if _originals(engine):
        raise Unavailable(
            f"The keyring {keyring} is missing, and the archive holds originals under it.",
            next_step="Restore the keyring from its backup.",
        )


def _remove_half_made_keys(settings: Settings) -> None:
    """Remove a signing key that signed nothing: making the keyring beside it was killed."""
    is_used = (settings.data / LOG).exists() or (settings.keys_folder / CHECKPOINT).exists()
    if not is_used:
        signing_path(settings.keys_folder / KEYRING).unlink(missing_ok=True)


def _refuse_lost_originals(settings: Settings, engine: Engine) -> None:
    """An empty vault beside a catalogue that is not empty is a disk that is not mounted."""
    segments = _vault_config(settings, engine).segments
    if _originals(engine) and not any(segments.glob("*")):
        raise Unavailable(
            f"The vault in {segments} is empty, and the catalogue knows originals.",
            next_step="Mount the disk that holds it, or restore it.",
        )


def _lease_ids(engine: Engine) -> IdFactory:
    with writing(engine) as connection:
        number = connection.scalars(
            insert(writers)
            .values(
                started_ms=time.time_ns() // 1_000_000,
                process=f"{socket.gethostname()}:{os.getpid()}",
            )
            .returning(writers.c.number)
        ).one()
    return IdFactory(number, lambda: time.time_ns() // 1_000_000)


def _actor_id(engine: Engine, ids: IdFactory, name: str) -> str:
    """Return the opaque id under which the audit log knows this name; the table can be erased."""
    with writing(engine) as connection:
        made = f"act_{secrets.token_hex(8)}"
        insert_missing(connection, audit_actors, [{"pid": made, "name": name}], "name")
        query = select(audit_actors.c.pid).where(audit_actors.c.name == name)
        pid = str(connection.scalars(query).one())
        if pid == made:
            record_events(connection, [actor_event(pid, name, time.time_ns() // 1_000_000)], ids)
        return pid
