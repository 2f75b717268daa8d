"""Runs an IMAP account as a source: what its run means, and what the list of runs shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import HoldfastError
from holdfast.ingest.imap.plan import read_plan
from holdfast.ingest.imap.syncing import Synced, sync_account
from holdfast.ingest.sources.running import run_course
from holdfast.ingest.sources.troubles import Trouble, after_failure, interval_s, trouble_of
from holdfast.storage.catalogue.accounts import Ending, KeptAccount
from holdfast.storage.catalogue.source_runs import FAILED, PARTIAL, WHOLE, EndedRun

if TYPE_CHECKING:
    from holdfast.ingest.sources.bench import Ask, Bench

COUNTS = (
    "offered", "new", "duplicates", "unchanged", "skipped", "gone", "quarantined", "failed",
)  # fmt: skip

_SHOW = (
    "See what the server shows of the account (Gmail: Settings, Labels, Show in IMAP), or take "
    "other folders: holdfast source set --folder."
)


def run_account(kept: KeptAccount, bench: Bench, ask: Ask) -> Synced:
    """Run an account, and keep what came of it.

    Raises:
        Taken: Another process runs it now.
        Unavailable: The archive cannot be written.
    """
    return run_course(kept, bench, ask.why, _Course(kept, bench, ask))


@dataclass(frozen=True, slots=True)
class _Course:
    """See `ingest.sources.running.Course`."""

    kept: KeptAccount
    bench: Bench
    ask: Ask

    def take(self) -> Synced:
        return sync_account(self.kept, self.bench, self.ask)

    def broken(self, error: HoldfastError) -> Synced:
        return Synced(self.kept.name, error=error)

    def ending(self, done: Synced) -> Ending | None:
        return ending_of(self.kept, done, self.ask, self.bench.desk.store.now_ms())

    def ended(self, done: Synced, ending: Ending | None) -> EndedRun:
        return _ended(done, ending, self.ask)


def ending_of(kept: KeptAccount, done: Synced, ask: Ask, now_ms: int) -> Ending | None:
    """Return what a run means for the source; None when it says nothing of the whole of it."""
    plan = read_plan(kept.plan)
    if done.error is not None:
        return after_failure(kept, trouble_of(done.error), done.error, now_ms)
    if ask.is_partial:
        return None
    if done.is_cut:
        return Ending(None, is_complete=False)
    next_ms = now_ms + int(interval_s(plan.every_s) * 1000)
    is_all = ask.reconciles and not ask.folders
    if done.found.lack:  # nothing of what matters was taken, though all that was asked for came
        lacking = HoldfastError(folder_trouble(done), next_step=_SHOW)
        return replace(after_failure(kept, Trouble.FOLDER, lacking, now_ms), next_ms=next_ms)
    if cause := folder_trouble(done):
        step = "Check that it exists and may be read; else: holdfast source set --exclude."
        return Ending(next_ms, Trouble.FOLDER.value, cause, step, is_reconciled=is_all)
    return Ending(next_ms, is_reconciled=is_all)


def folder_trouble(done: Synced) -> str:
    """Return what is wrong with single folders, as one sentence; empty when nothing is."""
    found = done.found
    unmatched = f"No folder matches {', '.join(found.missing)}." if found.missing else ""
    if found.lack:
        return f"{found.lack} {unmatched}".strip()
    for folder, cause in found.troubled.items():
        return f"{folder}: {cause}"
    if unmatched:
        return unmatched
    if found.vanished:
        return f"The server has no {', '.join(found.vanished)} any more; what it gave stays."
    return ""


def _ended(done: Synced, ending: Ending | None, ask: Ask) -> EndedRun:
    outcome = FAILED if done.error else WHOLE if done.is_whole and not done.is_cut else PARTIAL
    trouble, error = ("", "") if ending is None else (ending.trouble, ending.error)
    if ending is None and ask.news is None and (error := folder_trouble(done)):
        trouble = Trouble.FOLDER.value  # of this backfill: it ails the source no more than before
    return EndedRun(outcome, msgspec.json.encode(run_counts(done)).decode(), trouble, error)


def run_counts(done: Synced) -> Mapping[str, object]:
    """Return what the list of runs shows of one."""
    counts = asdict(done.counts)
    found = done.found
    return {
        **{name: counts[name] for name in COUNTS},
        "bytes": done.counts.bytes_done,
        "folders": found.folders,
        "expunged": found.expunged,
        "flagged": found.flagged,
        "recovered": done.recovered,
        "is_cut": done.is_cut,
        "batch": done.batch,
    }
