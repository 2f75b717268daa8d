"""Runs a watched folder as a source, by schedule and by news; what it takes, `taking` does."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import HoldfastError
from holdfast.ingest.folder.names import left_by_name
from holdfast.ingest.folder.place import read
from holdfast.ingest.folder.taking import Taken, ending_of, taken
from holdfast.ingest.folder.watching import watch
from holdfast.ingest.imports import feed_index
from holdfast.ingest.sources.running import run_course
from holdfast.storage.catalogue.accounts import note_started
from holdfast.storage.catalogue.source_runs import FAILED, PARTIAL, WHOLE, EndedRun
from holdfast.storage.catalogue.source_schedule import hasten

if TYPE_CHECKING:
    from holdfast.ingest.sources.bench import Ask, Bench
    from holdfast.ingest.sources.watching import Post, Watch
    from holdfast.storage.catalogue.accounts import Ending, KeptAccount

RETRY_S = 5.0
"""News that could not be noted is noted again after so long."""


def run_folder(kept: KeptAccount, bench: Bench, ask: Ask) -> Taken:
    """Take what lies in the folder, and keep what came of it.

    Raises:
        Taken: Another process runs it now.
        Unavailable: The archive cannot be written.
    """
    return run_course(kept, bench, ask.why, _Course(kept, bench))


@dataclass(frozen=True, slots=True)
class _Course:
    """See `ingest.sources.running.Course`."""

    kept: KeptAccount
    bench: Bench

    def take(self) -> Taken:
        desk = self.bench.desk
        note_started(desk.store, self.kept.source_id)
        done = taken(self.kept, self.bench)
        done.not_indexed = feed_index(desk)
        desk.sequencer.run()
        return done

    def broken(self, error: HoldfastError) -> Taken:
        return Taken(self.kept.name, error=error)

    def ending(self, done: Taken) -> Ending:
        return ending_of(self.kept, done, self.bench)

    def ended(self, done: Taken, ending: Ending | None) -> EndedRun:
        outcome = FAILED if done.error else WHOLE if done.is_whole else PARTIAL
        trouble, error = ("", "") if ending is None else (ending.trouble, ending.error)
        facts = {"files": done.files, "left": done.left, "recovered": done.recovered}
        counts = {**asdict(done.counts), **facts, "batch": done.batch}
        return EndedRun(outcome, msgspec.json.encode(counts).decode(), trouble, error)


@dataclass(slots=True)
class Sentry:
    """Makes the source due when something new lies in its folder."""

    post: Post
    watch: Watch
    _told: set[tuple[object, ...]] = field(default_factory=set)

    def run(self) -> None:
        """Watch until it is over."""
        watch(read(self.post.kept.settings).folder, self._look, self.post.over.is_set)

    def _look(self) -> float | None:
        there = self._there()
        if there - self._told:
            try:
                hasten(self.watch.store, self.post.kept.source_id)
            except HoldfastError as error:
                self.watch.note({"event": "watch.waits", "cause": error.cause})
                return RETRY_S
            self.watch.tell()
        self._told = there
        return None

    def _there(self) -> set[tuple[object, ...]]:
        """Return each file that may be taken, as it is now; nothing where that cannot be seen."""
        found: set[tuple[object, ...]] = set()
        try:
            with os.scandir(read(self.post.kept.settings).folder) as entries:
                for one in entries:
                    if not left_by_name(one.name) and one.is_file(follow_symlinks=False):
                        status = one.stat(follow_symlinks=False)
                        mark = status.st_ino, status.st_size, status.st_mtime_ns
                        found.add((one.name, *mark))
        except OSError:  # the next run by schedule says why
            return set()
        return found
