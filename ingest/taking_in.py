"""Takes in what a source gives: sealed as fast as it comes, and filed behind.

What a server gives is safe before anybody looks into it: a message that is slow to read holds up no
connection. Filing begins when everything is sealed, or when something has waited for `GIVE_WAY_S`.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Condition, Event
from typing import TYPE_CHECKING

from holdfast.core.custody import Offer, Unkept
from holdfast.ingest.batch_writer import BatchWriter
from holdfast.ingest.bulk import noted, rare_collection
from holdfast.ingest.pipeline import accept
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.sealed_files import SealedFile, opened
from holdfast.ingest.recovery import Attendance, SealedRange, file_sealed, oldest_sealed_ms
from holdfast.storage.catalogue.ledger import Accepted
from holdfast.storage.catalogue.unkept import note_unkept
from holdfast.storage.durable import unavailable
from holdfast.storage.frames import discard, prepare

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from holdfast.core.custody import Intake
    from holdfast.ingest.jail import Pool
    from holdfast.ingest.pipeline import Desk
    from holdfast.ingest.readers.offers import Fetched
    from holdfast.storage.catalogue.filing import FiledDraft

COMMIT_ITEMS = 512
COMMIT_BYTES = 32 * 1024 * 1024
COMMIT_S = 2.0
"""A batch is sealed at whichever comes first."""
GIVE_WAY_S = 3.0
"""So long filing leaves the processors to what still comes."""
AHEAD_ITEMS = 20_000
"""So many may be sealed and not filed; then the source waits."""
LOOK_S = 0.2
"""Between two looks whether something has waited for so long."""


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


@dataclass(slots=True)
class Taking:
    """One run over what one source gives; call `run` once, in the thread that made the pool."""

    desk: Desk
    pool: Pool
    intake: Intake
    spool: Path
    on_progress: Callable[[Progress], None]
    progress: Progress = field(default_factory=Progress)
    _files: dict[bytes, SealedFile] = field(default_factory=dict)
    """Large originals on their way, by content id."""
    _is_over: Event = field(default_factory=Event)
    _counts: Condition = field(default_factory=Condition)
    """Held to count, and to tell the counts: several threads do."""
    _ahead: int = 0
    """Items that are sealed and not filed."""

    def run(self, offers: Iterable[Fetched | Unkept]) -> Progress:
        """Seal and file everything that is offered; return the counts.

        Raises:
            Unavailable: A batch could not be written; everything accepted before stays, and what
                was not filed is filed by whoever comes next.
        """
        try:
            with rare_collection(), self._sealing(offers) as sealing:
                while not wait([sealing], LOOK_S).done:
                    if self._is_overdue():
                        self._file(self.desk.store.now_ms() - int(GIVE_WAY_S * 1000))
                    self._show()
                sealing.result()
                self._file(None)
        finally:
            for file in self._files.values():
                file.path.unlink(missing_ok=True)
        return self.progress

    @contextmanager
    def _sealing(self, offers: Iterable[Fetched | Unkept]) -> Iterator[Future[None]]:
        """Seal in a thread of its own, which ends with whoever waits for it."""
        with ThreadPoolExecutor(1, thread_name_prefix="sealing") as thread:
            try:
                yield thread.submit(self._seal, offers)
            finally:
                self._is_over.set()
                with self._counts:
                    self._counts.notify_all()

    def _is_overdue(self) -> bool:
        store = self.desk.store
        oldest = oldest_sealed_ms(store)
        return oldest is not None and store.now_ms() - oldest > GIVE_WAY_S * 1000

    def _file(self, before_ms: int | None) -> None:
        within = SealedRange(batch=self.intake.batch_id, before_ms=before_ms)
        attendance = Attendance(self._after_batch, self._count_filed, self._files)
        file_sealed(self.desk, self.pool, within, attendance)

    def _after_batch(self, _filed: int) -> None:
        self.desk.sequencer.run()
        self._show()

    def _show(self) -> None:
        """Tell how far it is; may end the run by raising, at an instant when nothing is lost."""
        with self._counts:
            self.on_progress(self.progress)

    def _count_filed(self, done: FiledDraft) -> None:
        with self._counts:
            self.progress.count_filed(done)
            self.progress.finish(done.draft.size_bytes)
            self._ahead -= 1
            self._counts.notify_all()

    def _seal(self, offers: Iterable[Fetched | Unkept]) -> None:
        batch = _Batch()
        with BatchWriter(self._accept) as writer:
            try:
                for one in offers:
                    if self._is_over.is_set():
                        return
                    self._add(one, batch)
                    if batch.is_due():
                        self._await_filing()
                        full, batch = batch, _Batch()
                        writer.take_over(full)
                full, batch = batch, _Batch()
                writer.take_over(full)
                writer.finish()
            finally:
                _discard(batch)

    def _await_filing(self) -> None:
        """Go on when filing is not too far behind: whoever comes next must not wait for it."""
        with self._counts:
            self._counts.wait_for(lambda: self._ahead < AHEAD_ITEMS or self._is_over.is_set())

    def _add(self, one: Fetched | Unkept, batch: _Batch) -> None:
        if isinstance(one, Unkept):
            batch.unkept.append(one)
            with self._counts:
                self.progress.offer(0)
            return
        offered, body = one.offered, one.body
        with self._counts:
            self.progress.offer(offered.length)
        if isinstance(body, SealedFile):
            prepared = prepare(_raw(body), spool=self.spool)
            batch.files.append(body)
        else:
            prepared = prepare(body, spool=None)
        facts = replace(offered.facts, trust=self.intake.trust)
        batch.offers.append(Offer(offered.key, facts, prepared, noted(offered)))
        batch.size_bytes += prepared.size_bytes

    def _accept(self, batch: _Batch) -> None:
        for file in batch.files:
            if self._files.setdefault(file.content_id, file) is not file:
                file.path.unlink(missing_ok=True)  # the same bytes again
        try:
            note_unkept(batch.unkept, self.intake, self.desk.store)
            accepted = Accepted()
            if batch.offers:
                accepted = accept(batch.offers, self.intake, self.desk)
        finally:
            _discard(batch)
        self._settle(batch, accepted)

    def _settle(self, batch: _Batch, accepted: Accepted) -> None:
        """Count what has its end already: what could not be had, and what came unchanged."""
        new = sum(one.prepared.size_bytes for one in accepted.offers)
        kept = {one.prepared.content_id for one in accepted.offers}
        for file in batch.files:
            if file.content_id not in kept:
                self._files.pop(file.content_id, None)
                file.path.unlink(missing_ok=True)
        with self._counts:
            for one in batch.unkept:
                self.progress.count_unkept(one.end)
            self.progress.unchanged += accepted.unchanged
            self._ahead += len(accepted.sealed)
            self.progress.done += len(batch.unkept) + accepted.unchanged
            self.progress.bytes_done += batch.size_bytes - new
        self._show()


def _raw(file: SealedFile) -> mmap.mmap:
    try:
        return opened(file.path, file.key, file.size_bytes, file.content_id)
    except OSError as error:
        raise unavailable(error, "reading a spooled message") from error


def _discard(batch: _Batch) -> None:
    for offer in batch.offers:
        discard(offer.prepared)
