"""Syncs one account: every folder, every message that the ledger does not know, one batch.

Messages are sealed as they come and filed behind. What an earlier run left sealed is filed first.
Deletions at the server are noted and never followed.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError
from holdfast.core.identity import public_id
from holdfast.core.records import Trust
from holdfast.ingest.imap.account import read
from holdfast.ingest.imap.fetching import Unspooled, sweep
from holdfast.ingest.imap.found import Found
from holdfast.ingest.imap.link import Link
from holdfast.ingest.imap.plan import read_plan
from holdfast.ingest.imap.walking import Walk
from holdfast.ingest.imports import feed_index, finish_batch
from holdfast.ingest.progress import Progress
from holdfast.ingest.recovery import file_sealed, raise_damage
from holdfast.ingest.sources.bench import Ask, Bench
from holdfast.ingest.taking_in import Taking
from holdfast.storage.catalogue.accounts import KeptAccount, StoredSecret, note_started
from holdfast.storage.catalogue.batches import open_account_batch
from holdfast.storage.catalogue.source_schedule import note_settled, woken_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from holdfast.core.custody import Unkept
    from holdfast.ingest.readers.offers import Fetched


@dataclass(slots=True)
class Synced:
    """What one run over one source came to."""

    source: str
    counts: Progress = field(default_factory=Progress)
    batch: str = ""
    """Public id; empty when there was nothing new."""
    found: Found = field(default_factory=Found)
    recovered: int = 0
    not_indexed: int = 0
    damaged: dict[int, HoldfastError] = field(default_factory=dict)
    """Why originals that were sealed just now could not be read again, by ledger item."""
    error: HoldfastError | None = None
    """Why the run ended early; what it took until then stays."""
    is_cut: bool = False
    """Its time was up; the next run goes on."""

    @property
    def folders_lacking(self) -> int:
        """Folders that could not be read, and patterns of which there are none."""
        return len(self.found.troubled) + len(self.found.missing)

    @property
    def is_whole(self) -> bool:
        """Everything the server has is kept or accounted for."""
        lacking = self.counts.failed + self.counts.quarantined
        return not (self.error or self.found.troubled or self.found.lack or lacking)


def sync_account(kept: KeptAccount, bench: Bench, ask: Ask | None = None) -> Synced:
    """Take from a source what the archive does not have; repeat it as often as you like.

    Args:
        kept: The source.
        bench: Of an open archive.
        ask: What to look at.

    Raises:
        Corrupt: What was sealed just now cannot be read again; all else was taken and filed.
        Unavailable: The archive cannot be written. What goes wrong with the server is in the
            result.
    """
    desk, asked = bench.desk, ask or Ask()
    sweep(bench.spool)
    done = Synced(kept.name)
    done.recovered = file_sealed(desk, bench.pool, bench.recovers)
    note_started(desk.store, kept.source_id)
    heard = woken_folders(desk.store, kept.source_id)
    stored = StoredSecret(desk.store, kept.source_id)
    account, plan = read(kept.settings), read_plan(kept.plan)
    with Link(account, stored.latest(), bench.pause, stored, bench.tries) as link:
        walk = Walk(kept.source_id, plan, link, bench, asked)
        offers = _offers(walk, done)
        first = next(offers, None)
        if first is not None:
            with closing(offers):
                _take(kept, bench, done, chain([first], offers), walk.course.is_stopped.set)
    done.found, done.is_cut = walk.found, walk.course.is_cut
    note_settled(desk.store, kept.source_id, walk.course.settled, heard)
    done.not_indexed = feed_index(desk)
    desk.sequencer.run()
    raise_damage(done.damaged)  # it is the archive that fails, not the source
    return done


def _offers(walk: Walk, done: Synced) -> Generator[Fetched | Unkept]:
    """Yield what is new; ends early, and says so, where the server fails.

    Raises:
        Unspooled: It is the archive that fails.
    """
    try:
        yield from walk.offers()
    except Unspooled:
        raise
    except HoldfastError as error:
        done.error = error


def _take(
    kept: KeptAccount,
    bench: Bench,
    done: Synced,
    offers: Iterator[Fetched | Unkept],
    stop: Callable[[], None],
) -> None:
    desk = bench.desk
    intake = open_account_batch(desk.store, kept, kept.name)
    intake = replace(intake, trust=Trust(reports=read(kept.settings).is_journal))
    taking = Taking(bench, intake)
    done.counts = taking.run(offers, stop)
    done.recovered += file_sealed(desk, bench.pool, bench.recovers)
    finish_batch(intake, done.counts, desk)
    done.damaged = taking.damaged
    done.batch = public_id("bat", intake.batch_id)
