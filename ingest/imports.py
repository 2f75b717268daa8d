"""Runs one import, from its paths to its audit event; its parts decide everything else."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import HoldfastError, NotFound, Unavailable
from holdfast.core.identity import public_id
from holdfast.core.records import Trust
from holdfast.ingest.bulk import Import
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.chats.tree import ChatRules
from holdfast.ingest.readers.contents import PlanRules
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.recovery import Attendance, SealedRange, file_sealed, raise_damage
from holdfast.parsers.chat.values import context_of
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.batches import (
    close_batch,
    ensure_custodian,
    ensure_source,
    open_batch,
)
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.ledger import retryable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdfast.core.custody import Intake
    from holdfast.ingest.jail import Pool
    from holdfast.ingest.pipeline import Desk

_offered = msgspec.json.Decoder(Offered).decode


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to import and how."""

    paths: tuple[Path, ...]
    source: str = ""
    """Name of the source; by default the absolute first path, so that a repeat is the same one."""
    custodian: str = ""
    """Whose mail it is; may be empty."""
    trusts_dates: bool = False
    trusts_reports: bool = False
    """It is the mailbox of a journal, whose reports count as such."""
    mbox_variant: str = "auto"
    """How mbox files quote: `auto`, or one of `readers.mbox.QUOTINGS`."""
    chats: ChatRules = field(default_factory=ChatRules)
    """What a person decided about chat exports and tables."""
    retries: bool = False
    """Offer again what this source could not give before, instead of reading `paths`."""

    @property
    def source_name(self) -> str:
        """Name of the source."""
        return self.source or str(self.paths[0].absolute())


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What one import did."""

    batch: str
    """Public id, for undoing it."""
    source: str
    counts: Progress
    recovered: int = 0
    """Items that an earlier, interrupted run had sealed and that were filed first."""
    not_indexed: int = 0
    """Interactions that the index does not show yet: another process feeds it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would come to."""

    counts: Progress
    columns: dict[str, str]
    """Of the first table: header → what it is taken for."""


def offers_of(options: ImportOptions) -> Iterator[Offered]:
    """Yield everything that the paths offer, in order.

    Raises:
        NotFound: A path does not exist.
        Refused: There is no such variant of mbox.
    """
    for path in options.paths:
        if not path.exists():
            raise NotFound(f"There is no {path}.", next_step="Check the path.")
    rules = PlanRules(quoting=options.mbox_variant, chats=options.chats)
    return itertools.chain.from_iterable(plan(path, rules) for path in options.paths)


def preview(options: ImportOptions) -> Preview:
    """Tell what an import would be offered; reads no message and writes nothing."""
    counts, columns = Progress(), dict[str, str]()
    for offered in offers_of(options):
        counts.offer(offered.length)
        counts.failed += offered.kind == "bad"
        counts.skipped += offered.kind == "skipped"
        counts.quarantined += offered.kind == "unknown"
        columns = columns or _columns(offered)
    return Preview(counts, columns)


def tables_of(options: ImportOptions) -> dict[str, str]:
    """Return what the columns of the first table among the paths are taken for, by header."""
    return preview(options).columns


def _columns(offered: Offered) -> dict[str, str]:
    if offered.facts.form != "table.row":
        return {}
    columns = context_of(offered.facts.context).extra.get("columns", {})
    return {str(header): str(meaning) for header, meaning in columns.items()}


def run_import(
    options: ImportOptions,
    desk: Desk,
    pool: Pool,
    spool: Path,
    on_progress: Callable[[Progress], None],
) -> ImportSummary:
    """Import the paths; what an interrupted run left is finished first.

    Raises:
        NotFound: A path does not exist.
        Unavailable: The archive cannot be written; what was accepted before stays, and the same
            import continues where it was.
        Corrupt: Something that was sealed, now or before, cannot be read again; all else is filed.
    """
    offers = offers_of(options)
    damaged: dict[int, HoldfastError] = {}
    anything = Attendance(damaged=damaged)
    recovered = file_sealed(desk, pool, attendance=anything)
    store = desk.store
    source_id = ensure_source(store, options.source_name, "import")
    custodian_id = ensure_custodian(store, options.custodian) if options.custodian else None
    intake = open_batch(
        store,
        source_id,
        custodian_id=custodian_id,
        trusts_dates=options.trusts_dates,
        paths="\n".join(str(path) for path in options.paths),
    )
    intake = replace(intake, trust=Trust(reports=options.trusts_reports))
    if options.retries:
        offers = map(_offered, retryable(store, source_id))
    counts = Import(desk, pool, intake, spool, on_progress).run(offers)
    left = Attendance(on_filed=counts.count_filed, damaged=damaged)
    file_sealed(desk, pool, SealedRange(batch=intake.batch_id), left)
    recovered += file_sealed(desk, pool, attendance=anything)
    finish_batch(intake, counts, desk)
    raise_damage(damaged)
    batch = public_id("bat", intake.batch_id)
    return ImportSummary(batch, options.source_name, counts, recovered, feed_index(desk))


def finish_batch(intake: Intake, counts: Progress, desk: Desk) -> None:
    """Close a batch, with what it came to in the audit log."""
    store = desk.store
    close_batch(store, intake.batch_id)
    event = Event(
        kind="import",
        subject=public_id("bat", intake.batch_id),
        subject_id=intake.batch_id,
        at_ms=store.now_ms(),
        actor=store.actor,
        context=canonical_digest(msgspec.to_builtins(counts)),
    )
    with writing(store.engine) as connection:
        record_events(connection, [event], store.ids)
    desk.sequencer.run()


def feed_index(desk: Desk) -> int:
    """Bring the index up to date where it is ours to feed; return what is left."""
    try:
        desk.feed.drain()
    except Unavailable:
        return desk.feed.waiting()
    return 0
