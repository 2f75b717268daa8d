"""Imports items: plans them, has them drafted in the jail, accepts and files them in batches.

One thread writes; as many processes as there are cores parse meanwhile. A killed import continues
where it was: what was accepted stays, what was not is offered again, what was sealed but not filed
is filed first.
"""

from __future__ import annotations

import gc
import hashlib
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.custody import End, Intake, Offer, Unkept
from holdfast.core.ports import Prepared
from holdfast.ingest.batch_writer import BatchWriter
from holdfast.ingest.drafting import Care
from holdfast.ingest.jail import Failed, Killed, read_result
from holdfast.ingest.orders import Made, Order, Report, encode, reports_decoder
from holdfast.ingest.pipeline import accept, process
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.offers import Fetched, Offered, Unreadable, portable
from holdfast.ingest.readers.reading import Reader
from holdfast.ingest.readers.sealed_files import unspooled
from holdfast.storage.catalogue.ledger import known_items
from holdfast.storage.catalogue.unkept import note_unkept
from holdfast.storage.frames import discard, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from holdfast.core.records import Sealed
    from holdfast.ingest.jail import Pool, TaskResult
    from holdfast.ingest.pipeline import Desk
    from holdfast.storage.catalogue.filing import FiledDraft
    from holdfast.storage.catalogue.ledger import Accepted

PLAN_ITEMS = 512
"""Items whose keys are looked up at once."""
TASK_ITEMS = 64
TASK_BYTES = 4 * 1024 * 1024
"""A task for one child ends at whichever comes first."""
LARGE_BYTES = 8 * 1024 * 1024
"""Larger items are prepared by the importing process, through a spool file."""
COMMIT_ITEMS = 512
COMMIT_BYTES = 32 * 1024 * 1024
COMMIT_S = 2.0
"""A batch is committed at whichever comes first, once the one before it is."""
AHEAD = 2
"""So many batches may gather while one is being written; then parsing waits."""
COLLECT_AFTER = 100_000
"""Objects made between two collections while an import runs: batches are large, without cycles."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One item on its way through the jail."""

    offered: Offered
    order: Order
    prepared: Prepared | None = None
    """Set for large items."""
    file: Path | None = None
    """Holds a large item that was fetched; removed when the workers are done with it."""


@dataclass(frozen=True, slots=True)
class _Ready:
    offer: Offer
    made: Made


@dataclass(frozen=True, slots=True)
class _Batch:
    ready: list[_Ready]
    unkept: list[Unkept]


@dataclass(frozen=True, slots=True)
class _Written:
    batch: _Batch
    unchanged: int = 0
    filed: Sequence[FiledDraft] = ()


@dataclass(slots=True)
class Import:
    """One run over one source; call `run` once."""

    desk: Desk
    pool: Pool
    intake: Intake
    spool: Path
    on_progress: Callable[[Progress], None]
    progress: Progress = field(default_factory=Progress)
    _tasks: dict[int, list[_Job]] = field(default_factory=dict)
    _ready: list[_Ready] = field(default_factory=list)
    _ready_bytes: int = 0
    _unkept: list[Unkept] = field(default_factory=list)
    _oldest: float = 0.0
    _reader: Reader = field(default_factory=Reader)
    _writer: BatchWriter[_Batch, _Written] = field(init=False)

    def __post_init__(self) -> None:
        self._writer = BatchWriter(self._write)

    def run(self, offers: Iterable[Offered | Fetched | Unkept]) -> Progress:
        """Import everything that is offered; return the counts.

        Args:
            offers: References that workers can read, items with their bytes, or items whose bytes
                could not be had.

        Raises:
            Unavailable: A batch could not be written; everything accepted before stays, and the
                same import continues later.
        """
        self.pool.forget()  # a run before this one may have ended half way
        with self._reader, rare_collection(), self._writer:
            for task in self._planned(offers):
                self._submit(task)
                self._take(self.pool.poll())
            while self._tasks:
                self._take(self.pool.poll(COMMIT_S))
            self._commit()
            self._count(self._writer.finish())
        return self.progress

    def _planned(self, offers: Iterable[Offered | Fetched | Unkept]) -> Iterator[list[_Job]]:
        """Cut the offers into tasks; what is known or cannot be read is settled here."""
        task: list[_Job] = []
        task_bytes = 0
        for chunk in _chunks(offers, PLAN_ITEMS):
            keys = [one.key for one in chunk if isinstance(one, Offered)]
            known = known_items(self.desk.store, self.intake.source_id, keys)
            for one in chunk:
                job = self._begun(one, known)
                if job is None:
                    continue
                task.append(job)
                task_bytes += min(job.offered.length, LARGE_BYTES)
                if len(task) >= TASK_ITEMS or task_bytes >= TASK_BYTES:
                    yield task
                    task, task_bytes = [], 0
        if task:
            yield task

    def _begun(
        self, one: Offered | Fetched | Unkept, known: dict[str, bytes | None]
    ) -> _Job | None:
        if isinstance(one, Offered):
            return self._job(one, known.get(one.key, b""))
        if isinstance(one, Fetched):
            return self._fetched(one)
        self.progress.offer(0)
        self._note_unkept(one)
        self.progress.finish(0)
        return None

    def _fetched(self, item: Fetched) -> _Job:
        """Take an item with its bytes; whether it is known is for `accept` to see."""
        self.progress.offer(item.offered.length)
        if isinstance(item.body, bytes):
            return _Job(item.offered, Order(None, raw=item.body, facts=item.offered.facts))
        file = item.body
        prepared = prepare(unspooled(file), spool=self.spool)
        spooled = replace(item.offered, container=portable(str(file.path)), length=file.size_bytes)
        order = Order(
            spooled, key=prepared.key, file_key=file.key, file_id=file.content_id,
            facts=item.offered.facts,
        )  # fmt: skip
        return _Job(item.offered, order, prepared, file.path)

    def _job(self, offered: Offered, known: bytes | None) -> _Job | None:
        self.progress.offer(offered.length)
        end = _ENDS.get(offered.kind)
        if end is not None:
            self._settle_unkept(offered, end, offered.facts.note, is_retryable=False)
            return None
        if offered.length > LARGE_BYTES or offered.layers:
            return self._read_here(offered, known or b"")
        return _Job(offered, Order(offered, known=known or b""))

    def _read_here(self, offered: Offered, known: bytes) -> _Job | None:
        """Read what a worker cannot: it may not write the spool files that archives need."""
        item = self._reader.read(offered)
        if isinstance(item, Unreadable):
            self._settle_unkept(offered, End.QUARANTINED, item.reason, is_retryable=item.retryable)
            return None
        if known and hashlib.sha256(item.raw).digest() == known:
            self.progress.unchanged += 1
            self.progress.finish(offered.length)
            return None
        read = replace(offered, facts=item.facts)
        if offered.length <= LARGE_BYTES:
            return _Job(read, Order(None, raw=bytes(item.raw), facts=item.facts))
        prepared = prepare(item.raw, spool=self.spool)
        if offered.layers:
            order = Order(None, raw=bytes(item.raw), key=prepared.key, facts=item.facts)
            return _Job(read, order, prepared)
        return _Job(read, Order(offered, key=prepared.key), prepared)

    def _submit(self, task: list[_Job]) -> None:
        self._tasks[self.pool.submit(encode([self._trusting(job.order) for job in task]))] = task

    def _trusting(self, order: Order) -> Order:
        return replace(order, trust=self.intake.trust) if self.intake.trust.reports else order

    def _take(self, results: Sequence[TaskResult]) -> None:
        for result in results:
            task = self._tasks.pop(result.task_id)
            reports = read_result(result.outcome, reports_decoder)
            if isinstance(reports, Failed | Killed) or len(reports) != len(task):
                self._retry(task, _why(reports))
                continue
            for job, report in zip(task, reports, strict=True):
                self._settle(job, report)
        if self._is_due():
            self._commit()

    def _is_due(self) -> bool:
        items, size = len(self._ready), self._ready_bytes
        if not self._writer.is_free:
            return items >= AHEAD * COMMIT_ITEMS or size >= AHEAD * COMMIT_BYTES
        is_old = bool(items) and time.monotonic() - self._oldest >= COMMIT_S
        return is_old or items >= COMMIT_ITEMS or size >= COMMIT_BYTES

    def _retry(self, task: list[_Job], why: str) -> None:
        """Halve the task until the culprit is alone; then touch it with more care."""
        if len(task) > 1:
            middle = len(task) // 2
            self._submit(task[:middle])
            self._submit(task[middle:])
            return
        job = task[0]
        care = job.order.care + 1
        if care > Care.BYTES:
            self._drop(job)
            reason = f"cannot_be_read: {why}"
            self._settle_unkept(job.offered, End.QUARANTINED, reason, is_retryable=True)
            return
        self._submit([replace(job, order=replace(job.order, care=care, why=why))])

    def _drop(self, job: _Job) -> None:
        if job.prepared is not None:
            discard(job.prepared)
        _remove(job.file)

    def _settle(self, job: _Job, report: Report) -> None:
        offered = job.offered
        if report.is_unchanged:
            self.progress.unchanged += 1
            self.progress.finish(offered.length)
        elif report.unreadable or report.draft is None:
            self._drop(job)
            reason = report.unreadable or "worker_gave_nothing"
            self._settle_unkept(offered, End.QUARANTINED, reason, is_retryable=report.is_retryable)
        else:
            _remove(job.file)
            if not self._ready:
                self._oldest = time.monotonic()
            prepared = job.prepared or Prepared(
                report.content_id, report.size_bytes, report.key, report.frames
            )
            facts = report.facts or offered.facts
            if facts.trust != self.intake.trust:
                facts = replace(facts, trust=self.intake.trust)
            offer = Offer(offered.key, facts, prepared, noted(offered))
            self._ready.append(_Ready(offer, Made(report.draft, report.cut)))
            self._ready_bytes += prepared.size_bytes

    def _settle_unkept(
        self, offered: Offered, end: End, reason: str, *, is_retryable: bool
    ) -> None:
        note = noted(offered)
        self._note_unkept(Unkept(offered.key, end, reason, is_retryable, note))
        self.progress.finish(offered.length)

    def _note_unkept(self, item: Unkept) -> None:
        self._unkept.append(item)
        self.progress.count_unkept(item.end)

    def _commit(self) -> None:
        """Hand over what is ready, to be accepted and filed: then it survives anything."""
        batch = _Batch(self._ready, self._unkept)
        self._ready, self._unkept, self._ready_bytes = [], [], 0
        self._count(self._writer.take_over(batch))
        self.on_progress(self.progress)

    def _write(self, batch: _Batch) -> _Written:
        note_unkept(batch.unkept, self.intake, self.desk.store)
        if not batch.ready:
            return _Written(batch)
        accepted = accept([item.offer for item in batch.ready], self.intake, self.desk)
        filed = process(_with_drafts(accepted, batch.ready), self.desk)
        self.desk.sequencer.run()
        for item in batch.ready:
            discard(item.offer.prepared)
        return _Written(batch, accepted.unchanged, filed)

    def _count(self, written: _Written | None) -> None:
        if written is None:
            return
        self.progress.unchanged += written.unchanged
        for done in written.filed:
            self.progress.count_filed(done)
        for item in written.batch.ready:
            self.progress.finish(item.offer.prepared.size_bytes)


def _with_drafts(accepted: Accepted, ready: Sequence[_Ready]) -> list[tuple[Sealed, Made]]:
    """Return the captures with the drafts whose text is sealed under the key that was kept.

    Of equal bytes the last key is. Where they stand for another message, as equal lines of a chat
    do, the capture is left out, and is taken up with all that is sealed and not filed.
    """
    kept = {item.offer.prepared.content_id: item.made for item in ready}
    drafts = {id(item.offer): item.made for item in ready}
    found = []
    for sealed, offer in zip(accepted.sealed, accepted.offers, strict=True):
        made = kept[sealed.content_id]
        if drafts[id(offer)].draft.fingerprint == made.draft.fingerprint:
            found.append((sealed, made))
    return found


_ENDS = {"skipped": End.SKIPPED, "unknown": End.QUARANTINED, "bad": End.FAILED}
"""Kinds of offers that are settled unread."""


def noted(offered: Offered) -> str:
    """Return how the reader finds an item again; its content does not go into the ledger."""
    return msgspec.json.encode(replace(offered, raw=b"") if offered.raw else offered).decode()


@contextmanager
def rare_collection() -> Iterator[None]:
    """Collect garbage rarely meanwhile, and never what was there before."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _why(reports: object) -> str:
    if isinstance(reports, Killed):
        return f"{reports.reason.value} {reports.detail}".strip()
    if isinstance(reports, Failed):
        return reports.message
    return "a worker answered with another number of reports"


def _remove(file: Path | None) -> None:
    if file is not None:
        file.unlink(missing_ok=True)


def _chunks(
    offers: Iterable[Offered | Fetched | Unkept], size: int
) -> Iterator[list[Offered | Fetched | Unkept]]:
    """Cut what is offered; what comes with its bytes makes chunks that memory can hold."""
    chunk: list[Offered | Fetched | Unkept] = []
    held_bytes = 0
    for one in offers:
        chunk.append(one)
        held_bytes += one.held_bytes if isinstance(one, Fetched) else 0
        if len(chunk) == size or held_bytes >= TASK_BYTES:
            yield chunk
            chunk, held_bytes = [], 0
    if chunk:
        yield chunk
