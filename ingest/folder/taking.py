"""Takes what lies in a watched folder: claims, copies, imports through the one pipeline, answers.

A result is written only after everything that the file holds has its durable end in the ledger.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError
from holdfast.core.identity import public_id
from holdfast.ingest.bulk import Import
from holdfast.ingest.folder.claims import (
    Claim,
    Copied,
    claim,
    claims_left,
    copy,
    result_beside,
    settle,
    sync_rooms,
)
from holdfast.ingest.folder.looking import BEING_WRITTEN, Look, Outlook, is_being_written
from holdfast.ingest.folder.outcomes import offers_of, tally_of
from holdfast.ingest.folder.place import WatchedFolder, read
from holdfast.ingest.folder.results import MOST_IDS, Result
from holdfast.ingest.folder.rooms import FolderAway, Rooms, mark_in, opened
from holdfast.ingest.imports import feed_index, finish_batch
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.offers import portable
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.sources.troubles import Trouble, after_failure, interval_s
from holdfast.storage.catalogue.accounts import Ending, note_ended, note_started
from holdfast.storage.catalogue.batches import open_account_batch
from holdfast.storage.catalogue.turns import only_one

if TYPE_CHECKING:
    from holdfast.core.custody import Intake
    from holdfast.ingest.sources.bench import Bench
    from holdfast.storage.catalogue.accounts import KeptAccount

ANSWERED = "answered"
EVERY_S = 300.0
"""Between two runs that no news asks for."""
MORE_S = 10.0
"""The same, while a file there is being written."""
SHOWN_EVERY_S = 600.0
"""A watch that finds nothing says so at least this often."""
GROUP_FILES = 128
GROUP_BYTES = 256 << 20
"""So many files are imported at once; copies of them lie in the spool meanwhile."""


@dataclass(slots=True)
class Taken:
    """What one run over one folder came to."""

    source: str
    counts: Progress = field(default_factory=Progress)
    batch: str = ""
    """Public id; empty when nothing was taken."""
    files: Counter[str] = field(default_factory=Counter)
    """State of the result → files."""
    left: Counter[str] = field(default_factory=Counter)
    """Why what lies there was not taken → how many."""
    recovered: int = 0
    not_indexed: int = 0
    again_s: float | None = None
    """When a file that was changed a moment ago may be complete; None where none was."""
    error: HoldfastError | None = None
    """Why the run ended early; what it took until then stays."""

    @property
    def folders_lacking(self) -> int:
        """None: a folder has no folders."""
        return 0

    @property
    def is_whole(self) -> bool:
        """Everything that was taken is kept."""
        stuck = any(reason.startswith("cannot_be_moved") for reason in self.left)
        return not (self.error or stuck or self.files.total() - self.files["done"])

    @property
    def status(self) -> int:
        """Exit status of the run: that of an error, 0, 1 when no file is kept, else 3."""
        if self.error is not None:
            return self.error.exit_status
        if self.is_whole:
            return 0
        return 3 if self.files["done"] + self.files["partial"] or not self.files else 1

    @property
    def is_empty(self) -> bool:
        """There was nothing to take."""
        return not (self.files or self.error or self.recovered)


def take(
    kept: KeptAccount, bench: Bench, outlook: Outlook | None = None, *, waits: bool = True
) -> Taken:
    """Take all that lies complete in the folder of a source; repeat it as often as you like.

    Args:
        kept: The source.
        bench: Of an open archive.
        outlook: What earlier looks saw; without one, this is the first.
        waits: Wait for files that were changed a moment ago, once, as long as they must lie.

    Raises:
        Unavailable: The archive cannot be written; what was taken out of the folder waits in it
            and is taken up by the next run. What goes wrong with the folder is in the result.
    """
    done = taken(kept, bench, outlook, waits=waits)
    is_quiet = done.is_empty and not waits and not kept.last_error
    if not is_quiet or _is_old(kept, bench):  # else a watch that finds nothing writes nothing
        done.not_indexed = feed_index(bench.desk)
        note_started(bench.desk.store, kept.source_id)
        note_ended(bench.desk.store, kept.source_id, ending_of(kept, done, bench))
        bench.desk.sequencer.run()
    return done


def taken(
    kept: KeptAccount, bench: Bench, outlook: Outlook | None = None, *, waits: bool = True
) -> Taken:
    """Do as `take`, and leave it to the caller to note that the source ran."""
    store, done = bench.desk.store, Taken(kept.name)
    lock = bench.spool / f"folder-{kept.source_id}.lock"
    with only_one(store.engine, lock) as is_ours:
        if not is_ours:
            done.error = FolderAway(
                "Another process takes from this folder now.",
                next_step="Wait for its result files, or try again.",
            )
            return done
        done.recovered = file_sealed(bench.desk, bench.pool)
        place = read(kept.settings)
        run = _Run(kept, bench, place, done, outlook or Outlook())
        try:
            with opened(place.folder, keeps=place.keeps) as rooms:
                run.over(rooms, waits=waits)
        except FolderAway as error:
            done.error = error
        finally:
            run.tidy()
        run.close()
    return done


def _is_old(kept: KeptAccount, bench: Bench) -> bool:
    """Tell whether the last success was so long ago that somebody might think it is late."""
    return bench.desk.store.now_ms() - (kept.succeeded_ms or 0) > SHOWN_EVERY_S * 1000


def ending_of(kept: KeptAccount, done: Taken, bench: Bench) -> Ending:
    """Return what a run means for the source."""
    error, now_ms = done.error, bench.desk.store.now_ms()
    if error is not None:
        return after_failure(kept, Trouble.FOLDER, error, now_ms)
    is_more = done.left[BEING_WRITTEN] > 0
    return Ending(now_ms + int((MORE_S if is_more else interval_s(EVERY_S)) * 1000))


@dataclass(slots=True)
class _Run:
    kept: KeptAccount
    bench: Bench
    place: WatchedFolder
    done: Taken
    outlook: Outlook
    intake: Intake | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1 << 62)))

    @property
    def copies(self) -> Path:
        """Where copies lie while they are read; nobody else writes there."""
        return self.bench.spool / f"folder-{self.kept.source_id}"

    def tidy(self) -> None:
        """Remove copies, also those of a run that was killed."""
        shutil.rmtree(self.copies, ignore_errors=True)

    def over(self, rooms: Rooms, *, waits: bool) -> None:
        """Take what is there: first what an earlier run had taken and not brought to its end."""
        self.tidy()
        if not self.place.keeps:
            self._all(rooms, claims_left(rooms))
        look = self._look(rooms)
        if waits and look.unsettled:
            self._all(rooms, self._claims(rooms, look))
            self.bench.pause(self.place.settle_s)
            look = self._look(rooms)
        self._all(rooms, self._claims(rooms, look))
        look.left[BEING_WRITTEN] += len(look.unsettled)
        self.done.left += look.left
        self.done.again_s = look.again_s

    def close(self) -> None:
        """End the batch, if something was taken."""
        if self.intake is not None:
            finish_batch(self.intake, self.done.counts, self.bench.desk)

    def _look(self, rooms: Rooms) -> Look:
        return self.outlook.look(rooms.root, self.place.settle_s, time.monotonic())

    def _claims(self, rooms: Rooms, look: Look) -> Iterator[Claim]:
        """Take the files that are ready out of the folder, one by one."""
        for name in look.ready:
            if is_being_written(rooms.root, name):
                look.left[BEING_WRITTEN] += 1
            elif self.place.keeps:
                if self._is_answered(rooms, name):
                    look.left[ANSWERED] += 1
                else:
                    yield Claim(name, rooms.root, name)
            else:
                try:
                    one = claim(rooms, name)
                except OSError as error:
                    look.left[f"cannot_be_moved:{error.strerror}"] += 1
                    continue
                if one is not None:
                    yield one

    def _is_answered(self, rooms: Rooms, name: str) -> bool:
        """Tell whether the result beside a file that stays speaks of the file as it is now."""
        mark = mark_in(rooms.root, name)
        if self.outlook.answered.get(name) != mark:
            known = result_beside(rooms, name)
            if known is None or known.mark != mark:
                return False
            self.outlook.answered[name] = known.mark
        return True

    def _all(self, rooms: Rooms, claims: Iterator[Claim]) -> None:
        group: list[Copied] = []
        size = 0
        for one in claims:
            copied = copy(one, self.copies / str(next(self._numbers)) / one.name)
            if copied is None:  # it was changed while it was read: it stays claimed
                self.done.left[BEING_WRITTEN] += 1
                continue
            group.append(copied)
            size += copied.mark.size
            if len(group) == GROUP_FILES or size >= GROUP_BYTES:
                self._import(rooms, group)
                group, size = [], 0
        if group:
            self._import(rooms, group)

    def _import(self, rooms: Rooms, group: Sequence[Copied]) -> None:
        desk, bench = self.bench.desk, self.bench
        if self.intake is None:
            self.intake = open_account_batch(desk.store, self.kept, self.place.path)
            self.done.batch = public_id("bat", self.intake.batch_id)
        importing = Import(
            desk, bench.pool, self.intake, bench.spool, bench.on_progress, self.done.counts
        )
        importing.run(chain.from_iterable(map(offers_of, group)))
        self.done.recovered += file_sealed(desk, bench.pool)
        for copied in group:
            result = self._result(copied)
            if settle(rooms, copied.claim, result):
                self.done.files[result.state] += 1
            else:
                self.done.left[BEING_WRITTEN] += 1
            shutil.rmtree(copied.path.parent, ignore_errors=True)
        sync_rooms(rooms)

    def _result(self, copied: Copied) -> Result:
        store = self.bench.desk.store
        tally = tally_of(store, self.kept.source_id, offers_of(copied))
        ids = [public_id("msg", row) for row in tally.interactions]
        return Result(
            source=self.kept.name,
            file=portable(copied.claim.name),
            state=tally.state,
            exit_code=tally.exit_code,
            reason=tally.unkept[0].reason if tally.unkept else "",
            batch=self.done.batch,
            sha256=copied.sha256,
            size_bytes=copied.mark.size,
            modified_ns=copied.mark.modified_ns,
            inode=copied.mark.inode,
            finished_at=store.clock.now().isoformat().replace("+00:00", "Z"),
            counts=tally.counts,
            interactions=len(ids),
            interaction_ids=tuple(ids[:MOST_IDS]),
            unkept=tuple(tally.unkept),
        )
