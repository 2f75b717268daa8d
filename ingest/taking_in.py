"""Takes in what a source gives: sealed as fast as it comes, and filed behind.

What a server gives is safe before anybody looks into it: a message that is slow to read holds up no
connection. Filing begins when everything is sealed, or when something has waited for `GIVE_WAY_S`.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Condition, Event, Lock
from typing import TYPE_CHECKING

from holdfast.core.custody import Offer, Unkept
from holdfast.ingest.batch_writer import BatchWriter
from holdfast.ingest.bulk import noted, rare_collection
from holdfast.ingest.pipeline import accept
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.sealed_files import SealedFile, unspooled
from holdfast.ingest.recovery import (
    Attendance,
    SealedRange,
    file_sealed,
    oldest_sealed_ms,
    sealed_size,
)
from holdfast.storage.catalogue.batches import batch_ends
from holdfast.storage.catalogue.ledger import Accepted
from holdfast.storage.catalogue.unkept import note_unkept
from holdfast.storage.frames import discard, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdfast.core.custody import Intake
    from holdfast.core.errors import HoldfastError
    from holdfast.ingest.readers.offers import Fetched
    from holdfast.ingest.sources.bench import Bench
    from holdfast.storage.catalogue.filing import FiledDraft

COMMIT_ITEMS = 512
COMMIT_BYTES = 32 * 1024 * 1024
COMMIT_S = 0.5
"""A batch is sealed at whichever comes first."""
GIVE_WAY_S = 3.0
"""So long filing leaves the processors to what still comes."""
AHEAD_BYTES = 256 * 1024 * 1024
"""So much may be sealed and not filed; then the source waits. `Bench.ahead` says how many items."""
LOOK_S = 0.2
"""Between two looks at what has waited long enough."""


@dataclass(slots=True)
class _Batch:
    """What is sealed together."""

    offers: list[Offer] = field(default_factory=list)
    files: list[SealedFile] = field(default_factory=list)
    unkept: list[Unkept] = field(default_factory=list)
    size_bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Tell whether it has waited, or grown, enough."""
        count = len(self.offers) + len(self.unkept)
        is_old = time.monotonic() - self.began >= COMMIT_S
        return count >= COMMIT_ITEMS or self.size_bytes >= COMMIT_BYTES or (is_old and count > 0)

    def discard(self) -> None:
        """Remove the files of large originals on their way into the vault."""
        for offer in self.offers:
            discard(offer.prepared)

    def abandon(self) -> None:
        """Remove all files of a batch that is not to be written."""
        self.discard()
        for file in self.files:
            file.path.unlink(missing_ok=True)


@dataclass(slots=True)
class Taking:
    """One run over what one source gives; call `run` once, in the thread that made the pool."""

    bench: Bench
    intake: Intake
    progress: Progress = field(default_factory=Progress)
    damaged: dict[int, HoldfastError] = field(default_factory=dict)
    """Why an original could not be read again, by ledger item; it stays sealed."""
    _batch: _Batch = field(default_factory=_Batch)
    _handing: Lock = field(default_factory=Lock)
    """Held to add to the batch, and to hand it over."""
    _files: dict[bytes, SealedFile] = field(default_factory=dict)
    """Large originals on their way to be read, by content id."""
    _counts: Condition = field(default_factory=Condition)
    """Held to count: several threads do."""
    _telling: Lock = field(default_factory=Lock)
    _ahead: int = 0
    _ahead_bytes: int = 0
    """Items that are sealed and not filed, as far as is known here, and their size."""
    _is_full: bool = False
    """The source waits for filing."""
    _is_over: Event = field(default_factory=Event)

    def run(
        self, offers: Iterable[Fetched | Unkept], stop: Callable[[], None] = lambda: None
    ) -> Progress:
        """Seal and file everything that is offered; return the counts.

        Args:
            offers: What the source gives.
            stop: Ends a source that has nothing to give at the moment.

        Raises:
            Unavailable: A batch could not be written; everything accepted before stays, and what
                was not filed is filed by whoever comes next.
        """
        try:
            with BatchWriter(self._accept) as writer, rare_collection():
                with self._sealing(offers, writer, stop) as sealing:
                    while not wait([sealing], LOOK_S).done:
                        self._hand_over(writer)
                        self._file_overdue()
                        self._tell()
                    sealing.result()
                self._file(None)
            self._settle_counts()
        finally:
            self._batch.abandon()
            for file in self._files.values():
                file.path.unlink(missing_ok=True)
        return self.progress

    @contextmanager
    def _sealing(
        self,
        offers: Iterable[Fetched | Unkept],
        writer: BatchWriter[_Batch, None],
        stop: Callable[[], None],
    ) -> Iterator[Future[None]]:
        """Seal in a thread of its own, which ends with whoever waits for it."""
        with ThreadPoolExecutor(1, thread_name_prefix="sealing") as thread:
            try:
                yield thread.submit(self._seal, offers, writer)
            finally:
                self._is_over.set()
                stop()
                with self._counts:
                    self._counts.notify_all()

    def _file_overdue(self) -> None:
        if self._is_full:
            self._file(None)
            return
        store = self.bench.desk.store
        before_ms = store.now_ms() - int(GIVE_WAY_S * 1000)
        oldest = oldest_sealed_ms(store)
        if oldest is not None and oldest < before_ms:
            self._file(before_ms)

    def _file(self, before_ms: int | None) -> None:
        within = SealedRange(batch=self.intake.batch_id, before_ms=before_ms)
        attendance = Attendance(self._after_batch, self._count_filed, self._files, self.damaged)
        file_sealed(self.bench.desk, self.bench.pool, within, attendance)

    def _after_batch(self, _filed: int) -> None:
        self.bench.desk.sequencer.run()
        self._tell()

    def _tell(self) -> None:
        """Tell how far it is; may end the run by raising, at an instant when nothing is lost."""
        with self._telling:
            self.bench.on_progress(self.progress)

    def _count_filed(self, done: FiledDraft) -> None:
        with self._counts:
            self.progress.count_filed(done)
            self.progress.finish(done.draft.size_bytes)
            self._ahead -= 1
            self._ahead_bytes -= done.draft.size_bytes
            self._counts.notify_all()

    def _seal(self, offers: Iterable[Fetched | Unkept], writer: BatchWriter[_Batch, None]) -> None:
        for one in offers:
            self._await_filing()
            if self._is_over.is_set():
                return
            self._add(one)
            self._hand_over(writer)
        with self._handing:
            self._begin(writer)
            writer.finish()

    def _hand_over(self, writer: BatchWriter[_Batch, None]) -> None:
        with self._handing:
            if self._batch.is_due():
                self._begin(writer)

    def _begin(self, writer: BatchWriter[_Batch, None]) -> None:
        full, self._batch = self._batch, _Batch()
        try:
            writer.take_over(full)
        except BaseException:  # the one before could not be written, and this one was not begun
            full.abandon()
            raise

    def _await_filing(self) -> None:
        """Go on when filing is not too far behind: whoever comes next must not wait for it."""
        with self._counts:
            while self._is_ahead() and not self._is_over.is_set():
                # Others may have filed what they found sealed: only the ledger knows.
                within = SealedRange(batch=self.intake.batch_id)
                counted = sealed_size(self.bench.desk.store, within, self.damaged)
                self._ahead, self._ahead_bytes = counted
                self._is_full = self._is_ahead()
                if self._is_full:
                    self._counts.wait(LOOK_S)
            self._is_full = False

    def _is_ahead(self) -> bool:
        return self._ahead >= self.bench.ahead or self._ahead_bytes >= AHEAD_BYTES

    def _add(self, one: Fetched | Unkept) -> None:
        if isinstance(one, Unkept):
            with self._handing:
                self._batch.unkept.append(one)
            with self._counts:
                self.progress.offer(0)
            return
        offered, body = one.offered, one.body
        if isinstance(body, SealedFile):
            files, prepared = [body], prepare(unspooled(body), spool=self.bench.spool)
        else:
            files, prepared = [], prepare(body, spool=None)
        facts = replace(offered.facts, trust=self.intake.trust)
        with self._handing:
            self._batch.files += files
            self._batch.offers.append(Offer(offered.key, facts, prepared, noted(offered)))
            self._batch.size_bytes += prepared.size_bytes
        with self._counts:
            self.progress.offer(offered.length)

    def _accept(self, batch: _Batch) -> None:
        for file in batch.files:
            if self._files.setdefault(file.content_id, file) is not file:
                file.path.unlink(missing_ok=True)  # the same bytes again
        store = self.bench.desk.store
        try:
            note_unkept(batch.unkept, self.intake, store)
            accepted = Accepted()
            if batch.offers:
                accepted = accept(batch.offers, self.intake, self.bench.desk)
        finally:
            batch.discard()
        self._settle(batch, accepted)

    def _settle(self, batch: _Batch, accepted: Accepted) -> None:
        """Count what has its end already: what could not be had, and what came unchanged."""
        new = sum(one.prepared.size_bytes for one in accepted.offers)
        kept = {one.prepared.content_id for one in accepted.offers}
        for file in batch.files:
            if file.content_id not in kept and self._files.get(file.content_id) is file:
                del self._files[file.content_id]
                file.path.unlink(missing_ok=True)
        with self._counts:
            for one in batch.unkept:
                self.progress.count_unkept(one.end)
            self.progress.unchanged += accepted.unchanged
            self.progress.done += len(batch.unkept) + accepted.unchanged
            self.progress.bytes_done += batch.size_bytes - new
            self._ahead += len(accepted.sealed)
            self._ahead_bytes += new
        self._tell()

    def _settle_counts(self) -> None:
        """Count what others filed of this batch: whoever finds something sealed may file it."""
        ends = batch_ends(self.bench.desk.store, self.intake.batch_id)
        found = self.progress
        before = found.new + found.duplicates
        found.new = max(found.new, ends.get("filed", 0))
        found.duplicates = max(found.duplicates, ends.get("duplicate", 0))
        found.done += found.new + found.duplicates - before
        if found.done == found.offered:
            found.bytes_done = found.bytes_offered
