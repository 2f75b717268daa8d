"""Opens one archive for one process: every part of it, by the settings, and closes it again.

It must not decide what a command means; it opens, hands over and closes.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, insert

from holdfast.core.errors import Corrupt
from holdfast.core.identity import IdFactory
from holdfast.core.ports import SearchIndex
from holdfast.ingest.anchoring import Anchoring
from holdfast.ingest.index_home import Home
from holdfast.ingest.indexing import IndexFeed
from holdfast.ingest.pipeline import Desk
from holdfast.settings import Settings
from holdfast.storage.audit import Sequencer
from holdfast.storage.catalogue.companies import add_internal
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.migrations import upgrade
from holdfast.storage.catalogue.schema import writers
from holdfast.storage.checkpoint import open_checkpoint
from holdfast.storage.durable import SystemFiles, replace_file, unavailable
from holdfast.storage.governance.clocks import advance
from holdfast.storage.keyring import Keyring
from holdfast.storage.moving.marks import refuse_marked
from holdfast.storage.rights.actors import actor_pid
from holdfast.storage.store import Store
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.upkeep import KeptVault
from holdfast.wiring.anchoring import anchoring
from holdfast.wiring.engines import (
    SystemClock,
    index_home,
    log_origin,
    log_place,
    open_catalogue,
    open_vault,
    refuse_missing,
)
from holdfast.wiring.places import CHECKPOINT, KEYRING, LOG_LOCK, SPOOL


@dataclass(frozen=True, slots=True)
class Services:
    """One open archive; close it by leaving `open_archive`."""

    settings: Settings
    store: Store
    vault: KeptVault
    home: Home
    log: TileLog
    desk: Desk
    anchoring: Anchoring

    @property
    def index(self) -> SearchIndex:
        """The index in use; raises Unavailable while it cannot be read."""
        return self.home.index()

    @property
    def spool(self) -> Path:
        """Folder for large originals on their way."""
        return self.settings.data / SPOOL


@contextmanager
def open_archive(settings: Settings, actor: str) -> Iterator[Services]:
    """Open an archive for one process.

    Args:
        settings: Of the archive.
        actor: Who acts, by name; the audit log gets an opaque id.

    Raises:
        NotFound: There is no archive.
        Conflict: The archive has moved, or has not arrived whole.
        Unavailable: A part is missing, locked or of another version.
    """
    with ExitStack() as closing:  # the last first, and all of them whatever one of them says
        engine = open_catalogue(settings)
        closing.callback(engine.dispose)
        refuse_missing(settings, engine)
        refuse_marked(engine)
        upgrade(engine)
        clock = SystemClock()
        keyring = Keyring.open(settings.keys_folder / KEYRING)
        vault = open_vault(settings, engine, clock)
        closing.callback(vault.close)
        ids = _lease_ids(engine)
        store = Store(engine, vault, keyring, ids, clock, actor_pid(engine, ids, actor))
        for domain in settings.archive.internal_domains:
            add_internal(store, domain)
        home = index_home(settings, store)
        closing.callback(home.close)
        log = _open_log(settings, engine, keyring)
        feed = IndexFeed(store, home, settings.index.commit_every_s)
        desk = Desk(store, Linker(), feed, _sequencer(settings, engine, log))
        outside = anchoring(settings, clock)
        yield Services(settings, store, vault, home, log, desk, outside)
        with suppress(Corrupt):  # every act that must be numbered has said so; verify reports it
            desk.sequencer.run()


def _open_log(settings: Settings, engine: Engine, keyring: Keyring) -> TileLog:
    """Open the log and hold it against the checkpoint that is kept apart from the data."""
    signer = keyring.signing_key()
    kept = settings.keys_folder / CHECKPOINT
    note = kept.read_bytes() if kept.exists() else b""  # first: another process may extend both
    log = TileLog(log_place(settings), signer, log_origin(engine))
    if note:
        log.check_extends(open_checkpoint(note, signer.public_key(), log_origin(engine)))
    return log


def _sequencer(settings: Settings, engine: Engine, log: TileLog) -> Sequencer:
    kept = settings.keys_folder / CHECKPOINT

    def keep(note: bytes) -> None:
        try:
            replace_file(SystemFiles(), kept, note)
        except OSError as error:
            raise unavailable(error, "keeping the checkpoint") from error

    return Sequencer(engine, log, settings.data / LOG_LOCK, keep)


def _lease_ids(engine: Engine) -> IdFactory:
    with writing(engine) as connection:
        advance(connection, time.time_ns() // 1_000_000)
        number = connection.scalars(
            insert(writers)
            .values(
                started_ms=time.time_ns() // 1_000_000,
                process=f"{socket.gethostname()}:{os.getpid()}",
            )
            .returning(writers.c.number)
        ).one()
    return IdFactory(number, lambda: time.time_ns() // 1_000_000)
