"""Syncs one account: every folder, every message that the ledger does not know, one batch.

What an earlier run sealed and did not file is filed first. Deletions at the server are noted and
never followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError
from holdfast.core.identity import public_id
from holdfast.core.records import Trust
from holdfast.ingest.bulk import Import
from holdfast.ingest.imap.account import read
from holdfast.ingest.imap.failures import SaidNo
from holdfast.ingest.imap.fetching import WINDOW, FolderFetch, Place, sweep
from holdfast.ingest.imap.gathering import gathered
from holdfast.ingest.imap.link import Link, Renumbered
from holdfast.ingest.imap.names import Folder, chosen, matches
from holdfast.ingest.imap.session import Session
from holdfast.ingest.imap.uid_sets import packed, unpacked
from holdfast.ingest.imports import feed_index, finish_batch
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.offers import Fetched
from holdfast.ingest.recovery import file_sealed
from holdfast.storage.catalogue.accounts import (
    KeptAccount,
    StoredSecret,
    note_ended,
    note_started,
)
from holdfast.storage.catalogue.batches import ensure_custodian, open_batch
from holdfast.storage.catalogue.ledger import known_items
from holdfast.storage.catalogue.mailboxes import (
    KeptMailbox,
    Seen,
    kept_sizes,
    mailboxes_of,
    note_seen,
    note_trouble,
    note_vanished,
)

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.core.custody import Unkept
    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.gathering import Read
    from holdfast.ingest.jail import Pool
    from holdfast.ingest.pipeline import Desk


Job = tuple[Folder, "KeptMailbox | None"]
"""A folder, and how it stood the last time."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every sync works with."""

    desk: Desk
    pool: Pool
    spool: Path
    pause: Callable[[float], None]
    """Waits so many seconds; the server asked for it."""
    on_progress: Callable[[Progress], None] = lambda progress: None


@dataclass(slots=True)
class Synced:
    """What one run over one source came to."""

    source: str
    counts: Progress = field(default_factory=Progress)
    batch: str = ""
    """Public id; empty when there was nothing new."""
    folders: int = 0
    at_server: int = 0
    """Messages in the folders that were looked at."""
    expunged: int = 0
    """Messages that the server had the last time and has no more; what was taken of them stays."""
    resets: list[str] = field(default_factory=list)
    """Folders whose UIDs began anew."""
    vanished: list[str] = field(default_factory=list)
    """Folders that the server lists no more."""
    troubled: dict[str, str] = field(default_factory=dict)
    """Folders that could not be read, with the cause."""
    unmatched: list[str] = field(default_factory=list)
    """Patterns that no folder matches."""
    recovered: int = 0
    not_indexed: int = 0
    error: HoldfastError | None = None
    """Why the run ended early; what it took until then stays."""

    @property
    def is_whole(self) -> bool:
        """Everything the server has is kept or accounted for."""
        lacking = self.counts.failed + self.counts.quarantined
        return not (self.error or self.troubled or lacking)


def sync_account(kept: KeptAccount, bench: Bench, *, reconciles: bool = False) -> Synced:
    """Take from a source what the archive does not have; repeat it as often as you like.

    Args:
        kept: The source.
        bench: Of an open archive.
        reconciles: Compare the sizes of all that is kept with the server's as well, and fetch anew
            what differs.

    Raises:
        Unavailable: The archive cannot be written. What goes wrong with the server is in the
            result.
    """
    desk = bench.desk
    sweep(bench.spool)
    done = Synced(kept.name)
    done.recovered = file_sealed(desk, bench.pool)
    note_started(desk.store, kept.source_id)
    stored = StoredSecret(desk.store, kept.source_id)
    with Link(read(kept.settings), stored.latest(), bench.pause, stored) as link:
        offers = _Pass(kept, link, bench, done, reconciles).offers()
        first = next(offers, None)
        if first is not None:
            _take(kept, bench, done, chain([first], offers))
    done.not_indexed = feed_index(desk)
    note_ended(desk.store, kept.source_id, done.error.cause if done.error else "")
    desk.sequencer.run()
    return done


def _take(
    kept: KeptAccount, bench: Bench, done: Synced, offers: Iterator[Fetched | Unkept]
) -> None:
    desk = bench.desk
    custodian = ensure_custodian(desk.store, kept.custodian) if kept.custodian else None
    intake = open_batch(desk.store, kept.source_id, custodian_id=custodian, paths=kept.name)
    intake = replace(intake, trust=Trust(reports=read(kept.settings).is_journal))
    importing = Import(desk, bench.pool, intake, bench.spool, bench.on_progress)
    done.counts = importing.run(offers)
    done.recovered += file_sealed(desk, bench.pool)
    finish_batch(intake, done.counts, desk)
    done.batch = public_id("bat", intake.batch_id)


@dataclass(frozen=True, slots=True)
class _Pass:
    """One walk over the folders."""

    kept: KeptAccount
    link: Link
    bench: Bench
    done: Synced
    reconciles: bool
    lock: Lock = field(default_factory=Lock)
    """Of `done`, which several connections fill."""

    def offers(self) -> Iterator[Fetched | Unkept]:
        """Yield what is new, folder by folder; ends early, and says so, where the server fails."""
        try:
            before = mailboxes_of(self.bench.desk.store, self.kept.source_id)
            jobs = [(folder, before.get(folder.key)) for folder in self._folders()]
            more = min(self.link.account.connections, len(jobs)) - 1
            with ExitStack() as links:
                openers = [partial(self._beside, links) for _ in range(more)]
                yield from gathered(jobs, [lambda: self._guarded, *openers])
        except HoldfastError as error:
            self.done.error = error

    def _beside(self, links: ExitStack) -> Read[Job] | None:
        """Return what reads over one more connection; None where the server allows none."""
        link = self.link.another()
        links.callback(link.__exit__)
        return replace(self, link=link)._guarded if link.is_let_in() else None

    def _guarded(self, job: Job) -> Iterator[Fetched | Unkept]:
        folder, before = job
        try:
            yield from self._folder(folder, before)
        except (SaidNo, Renumbered) as error:
            self._trouble(folder, error)

    def _folders(self) -> Sequence[Folder]:
        account: Account = self.link.account
        listed = self.link.ask(Session.folders)
        for pattern in (*account.folders, *account.excludes):
            if not any(matches(one, pattern) for one in listed):
                self.done.unmatched.append(pattern)
        names = {one.key for one in listed if one.is_selectable}
        gone = note_vanished(self.bench.desk.store, self.kept.source_id, names)
        self.done.vanished.extend(gone)
        return chosen(listed, account.folders, account.excludes)

    def _folder(self, folder: Folder, before: KeptMailbox | None) -> Iterator[Fetched | Unkept]:
        examined = self.link.examine(folder)
        uids = self.link.ask(Session.uids)
        self._note(Seen(folder.key, examined.uidvalidity, len(uids), packed(uids)), uids, before)
        place = Place(folder, examined.uidvalidity)
        fetch = FolderFetch(self.link, place, self.bench.spool)
        yield from fetch.items(self._unknown(place, uids))
        if self.reconciles:
            keys = [place.key(uid) for uid in uids]
            sizes = kept_sizes(self.bench.desk.store, self.kept.source_id, keys)
            kept = {uid: sizes[key] for uid, key in zip(uids, keys, strict=True) if key in sizes}
            yield from fetch.items(fetch.differing(kept))

    def _unknown(self, place: Place, uids: Sequence[int]) -> list[int]:
        """Return what the ledger has no end of, or one that may be better now."""
        unknown: list[int] = []
        for start in range(0, len(uids), WINDOW):
            keys = {place.key(uid): uid for uid in uids[start : start + WINDOW]}
            known = known_items(self.bench.desk.store, self.kept.source_id, list(keys))
            unknown.extend(uid for key, uid in keys.items() if key not in known)
        return unknown

    def _note(self, seen: Seen, uids: Sequence[int], before: KeptMailbox | None) -> None:
        store, source_id = self.bench.desk.store, self.kept.source_id
        if before is not None and before.uidvalidity == seen.uidvalidity:
            gone = len(set(unpacked(before.uids)).difference(uids))
            seen = replace(seen, expunged=gone)
        is_reset = note_seen(store, source_id, seen)
        with self.lock:
            if is_reset:
                self.done.resets.append(seen.name)
            self.done.folders += 1
            self.done.at_server += seen.messages
            self.done.expunged += seen.expunged

    def _trouble(self, folder: Folder, error: HoldfastError) -> None:
        self.done.troubled[folder.name] = error.cause
        note_trouble(self.bench.desk.store, self.kept.source_id, folder.key, error.cause)
