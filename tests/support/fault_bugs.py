"""Seeded bugs that a fault harness must catch; planted from outside, no product code knows them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from holdfast.core.custody import Unkept
from holdfast.core.ports import Clock
from holdfast.ingest import bulk, imports, taking_in
from holdfast.ingest.imap.fetching import Place
from holdfast.ingest.imap.uid_sets import unpacked
from holdfast.ingest.imap.walking import Walk
from holdfast.ingest.orders import Report
from holdfast.ingest.pipeline import Desk
from holdfast.ingest.readers.offers import Fetched
from holdfast.ingest.smtp.arriving import Arriving
from holdfast.ingest.smtp.committing import Letter
from holdfast.ingest.smtp.session import JournalSession
from holdfast.parsers.rfc822 import parse
from holdfast.storage import durable, frames, local_vault
from holdfast.storage.catalogue import engine, failures
from holdfast.storage.catalogue.mailboxes import KeptMailbox


class HoardingFiles(durable.SystemFiles):
    """Says that bytes are durable while they are still in the memory of the process."""

    def __init__(self) -> None:
        self._hoard: dict[int, list[bytes]] = {}

    def write(self, descriptor: int, data: bytes) -> int:
        self._hoard.setdefault(descriptor, []).append(data)
        return len(data)

    def fsync(self, descriptor: int) -> None:
        pass

    def close(self, descriptor: int) -> None:
        for data in self._hoard.pop(descriptor, []):
            os.write(descriptor, data)
        os.close(descriptor)


class CarelessFiles(durable.SystemFiles):
    """Writes, and says that the bytes are durable without asking the disk."""

    def fsync(self, descriptor: int) -> None:
        pass


class NamelessFiles(durable.SystemFiles):
    """Makes the bytes durable and forgets the names: no folder is ever synced."""

    def fsync_folder(self, folder: Path) -> None:
        pass


class DeafFiles(durable.SystemFiles):
    """Does not hear that the disk refuses."""

    def write(self, descriptor: int, data: bytes) -> int:
        with suppress(OSError):
            os.write(descriptor, data)
        return len(data)

    def fsync(self, descriptor: int) -> None:
        with suppress(OSError):
            os.fsync(descriptor)


class StubbornFiles(durable.SystemFiles):
    """Tries a failed fsync once more, and believes the second answer."""

    def fsync(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError:
            os.fsync(descriptor)


def acknowledge_before_writing() -> None:
    """The vault keeps what it accepted in memory until its segment is closed."""
    _give_vault(HoardingFiles)


def acknowledge_before_fsync() -> None:
    """The vault does not wait for the disk."""
    _give_vault(CarelessFiles)


def retry_fsync() -> None:
    """The vault retries a failed fsync."""
    _give_vault(StubbornFiles)


def ignore_the_disk() -> None:
    """The vault passes over what the disk refuses."""
    _give_vault(DeafFiles)


def forget_the_unreadable() -> None:
    """What cannot be read is counted, and no ledger row says so."""
    for taker in (bulk, taking_in):
        taker.note_unkept = lambda items, intake, store: None  # type: ignore[attr-defined]


def forget_folders() -> None:
    """Nobody syncs a folder: new names are durable by luck only."""
    durable.SystemFiles.fsync_folder = NamelessFiles.fsync_folder  # type: ignore[method-assign,assignment]


def commit_without_fsync() -> None:
    """The catalogue's transactions are not durable when they return."""
    engine._PRAGMAS = tuple(  # type: ignore[assignment]
        one.replace("synchronous=FULL", "synchronous=OFF") for one in engine._PRAGMAS
    )


def trust_the_cache() -> None:
    """Neither vault nor catalogue waits for the disk, so that neither hears what it refuses."""
    acknowledge_before_fsync()
    commit_without_fsync()


def refuse_without_index() -> None:
    """An import ends with the trouble of the index, as if it were one of keeping."""

    def feeding(desk: Desk) -> int:
        desk.feed.drain()
        return 0

    imports.feed_index = feeding


def ignore_the_spool() -> None:
    """What a large message finds no room for is left out of it."""

    def spooled(pieces: Iterator[bytes], folder: Path) -> Path:
        path = folder / f"{secrets.token_hex(16)}.frames"
        with path.open("xb", buffering=0) as spool:
            for piece in pieces:
                with suppress(OSError):
                    spool.write(piece)
        return path

    frames._spooled = spooled


def believe_commits() -> None:
    """What the catalogue could not commit counts as committed."""
    commit: Any = SQLiteDialect.do_commit

    def committing(self: SQLiteDialect, connection: Any) -> None:
        try:
            commit(self, connection)
        except Exception:  # noqa: BLE001 - of whatever driver
            connection.rollback()

    SQLiteDialect.do_commit = committing  # type: ignore[method-assign,assignment]


def show_the_library() -> None:
    """Failures of the catalogue's driver are told as they come."""
    failures._from_sqlite = lambda error: None


def merge_by_message_id() -> None:
    """A message whose Message-ID is known already is not kept."""
    seen: set[str] = set()
    settle = bulk.Import._settle

    def dropping(self: bulk.Import, job: bulk._Job, report: Report) -> None:
        name = report.draft.message_id if report.draft is not None else ""
        if name and name in seen:
            self.progress.duplicates += 1
            self.progress.finish(job.offered.length)
            return
        seen.add(name)
        settle(self, job, report)

    bulk.Import._settle = dropping  # type: ignore[method-assign]
    add = taking_in.Taking._add

    def passing_over(self: taking_in.Taking, one: Fetched | Unkept) -> None:
        name = _message_id(one)
        if name and name in seen:
            self.progress.offer(0)
            self.progress.duplicates += 1
            self.progress.finish(0)
            return
        seen.add(name)
        add(self, one)

    taking_in.Taking._add = passing_over  # type: ignore[method-assign]


def _message_id(one: Fetched | Unkept) -> str:
    if isinstance(one, Fetched) and isinstance(one.body, bytes):
        return parse(one.body).message_id
    return ""


def drop_the_damaged() -> None:
    """A message in which something could not be read ends as one that was none."""
    settle = bulk.Import._settle

    def dropping(self: bulk.Import, job: bulk._Job, report: Report) -> None:
        if report.draft is not None and report.draft.defects:
            report = replace(report, draft=None, unreadable="damaged")
        settle(self, job, report)

    bulk.Import._settle = dropping  # type: ignore[method-assign]


def give_no_reasons() -> None:
    """What is left out is counted, and the ledger does not say why."""
    note = bulk.note_unkept  # type: ignore[attr-defined]

    def noting(items: Sequence[Unkept], *rest: Any) -> None:
        note([replace(one, reason="") for one in items], *rest)

    bulk.note_unkept = noting  # type: ignore[attr-defined,assignment]


def _give_vault(files: type[durable.SystemFiles]) -> None:
    begin = local_vault.LocalVault.__init__

    def beginning(
        self: local_vault.LocalVault, config: local_vault.LocalVaultConfig, clock: Clock
    ) -> None:
        begin(self, config, clock, files())

    local_vault.LocalVault.__init__ = beginning  # type: ignore[method-assign,assignment]


def answer_before_keeping() -> None:
    """A sender hears 250 when the listener has heard everything, durable or not."""

    async def keep(self: JournalSession, arriving: Arriving) -> str:
        content = bytes(arriving.content())
        self.door.hand_over(Letter(content, self._facts(), lambda trouble: None))
        return "250 2.0.0 Kept"

    JournalSession._keep = keep  # type: ignore[method-assign]


def take_the_listed_for_taken() -> None:
    """What a folder had when it was last listed counts as taken: a cursor that runs ahead."""
    wanted = Walk._wanted

    def unlisted(
        self: Walk, place: Place, uids: Sequence[int], known: KeptMailbox | None
    ) -> Sequence[int]:
        listed = unpacked(known.uids) if known is not None else []
        return wanted(self, place, [one for one in uids if one not in listed], known)

    Walk._wanted = unlisted  # type: ignore[method-assign]


def none() -> None:
    """Nothing is wrong: the known-good control."""


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        none,
        acknowledge_before_writing,
        acknowledge_before_fsync,
        retry_fsync,
        ignore_the_disk,
        forget_the_unreadable,
        forget_folders,
        commit_without_fsync,
        trust_the_cache,
        refuse_without_index,
        ignore_the_spool,
        believe_commits,
        show_the_library,
        merge_by_message_id,
        drop_the_damaged,
        give_no_reasons,
        answer_before_keeping,
        take_the_listed_for_taken,
    )
}
