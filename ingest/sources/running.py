"""Runs one source once: under its lease, kept in the list of runs, with the next run appointed."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import HoldfastError
from holdfast.ingest.imap.plan import read_plan
from holdfast.ingest.imap.syncing import Ask, Synced, sync_account
from holdfast.ingest.sources.leasing import RUN, holding
from holdfast.ingest.sources.troubles import Trouble, delay_s, interval_s, trouble_of
from holdfast.storage.catalogue.accounts import Ending, KeptAccount, note_ended
from holdfast.storage.catalogue.source_runs import (
    FAILED,
    PARTIAL,
    STOPPED,
    WHOLE,
    EndedRun,
    begin_run,
    end_run,
)

if TYPE_CHECKING:
    from holdfast.ingest.imap.syncing import Bench
    from holdfast.storage.store import Store

COUNTS = (
    "offered", "new", "duplicates", "unchanged", "skipped", "gone", "quarantined", "failed",
)  # fmt: skip


def run_source(kept: KeptAccount, bench: Bench, ask: Ask) -> Synced:
    """Run a source, and keep what came of it.

    Raises:
        Taken: Another process runs it now.
        Unavailable: The archive cannot be written.
    """
    store = bench.desk.store
    with holding(store, f"{RUN}{kept.source_id}") as held:
        run_id = begin_run(store, kept.source_id, ask.why, held.owner)
        try:
            done = sync_account(kept, bench, ask)
        except HoldfastError as error:
            end_run(store, run_id, EndedRun(FAILED, trouble="archive", error=error.cause))
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours, kept with its trace: others run on
            _note_fault(store, kept, run_id, error)
            return Synced(kept.name, error=_fault(error))
        except BaseException:  # the worker is to end
            end_run(store, run_id, EndedRun(STOPPED))
            raise
        ending = ending_of(kept, done, ask, store.now_ms())
        end_run(store, run_id, _ended(done, ending))
        if ending is not None:
            note_ended(store, kept.source_id, ending)
    return done


def ending_of(kept: KeptAccount, done: Synced, ask: Ask, now_ms: int) -> Ending | None:
    """Return what a run means for the source; None when it says nothing of the whole of it."""
    plan = read_plan(kept.plan)
    if done.error is not None:
        trouble = trouble_of(done.error)
        wait_s = delay_s(trouble, kept.failures + 1, done.error.cause)
        next_ms = now_ms + int(wait_s * 1000)
        cause, step = done.error.cause, done.error.next_step
        return Ending(next_ms, trouble.value, cause, step, is_success=False)
    if ask.is_partial:
        return None
    if done.is_cut:
        return Ending(None, is_complete=False)
    next_ms = now_ms + int(interval_s(plan.every_s) * 1000)
    if cause := folder_trouble(done):
        step = "Check that it exists and may be read; else: holdfast source set --exclude."
        return Ending(next_ms, Trouble.FOLDER.value, cause, step)
    return Ending(next_ms)


def folder_trouble(done: Synced) -> str:
    """Return what is wrong with single folders, as one sentence; empty when nothing is."""
    found = done.found
    for folder, cause in found.troubled.items():
        return f"{folder}: {cause}"
    missing = [one for one in found.unmatched if not one.startswith("\\")]
    if missing:
        return f"No folder matches {', '.join(missing)}."
    if found.vanished:
        return f"The server has no {', '.join(found.vanished)} any more; what it gave stays."
    return ""


def _ended(done: Synced, ending: Ending | None) -> EndedRun:
    outcome = FAILED if done.error else WHOLE if done.is_whole and not done.is_cut else PARTIAL
    trouble, error = ("", "") if ending is None else (ending.trouble, ending.error)
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


def _note_fault(store: Store, kept: KeptAccount, run_id: int, error: Exception) -> None:
    trace = "".join(traceback.format_exception(error, limit=-5))
    end_run(store, run_id, EndedRun(FAILED, trouble=Trouble.FAULT.value, error=trace))
    next_ms = store.now_ms() + int(delay_s(Trouble.FAULT, kept.failures + 1) * 1000)
    fault = _fault(error)
    note_ended(
        store,
        kept.source_id,
        Ending(next_ms, Trouble.FAULT.value, fault.cause, fault.next_step, is_success=False),
    )


def _fault(error: Exception) -> HoldfastError:
    return HoldfastError(
        f"A fault of ours ended the run: {type(error).__name__}.",
        next_step="See 'holdfast source logs', and report it.",
    )
