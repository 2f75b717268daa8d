"""Runs an archive of WeCom as a source: what its run means, and what the list of runs shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import msgspec

from holdfast.ingest.imap.plan import read_plan
from holdfast.ingest.sources.running import run_course
from holdfast.ingest.sources.troubles import Trouble, after_failure, interval_s, trouble_of
from holdfast.ingest.wecom.pulling import KEPT_DAYS, Pulled, pull
from holdfast.storage.catalogue.accounts import Ending, KeptAccount
from holdfast.storage.catalogue.source_runs import FAILED, PARTIAL, WHOLE, EndedRun

if TYPE_CHECKING:
    from holdfast.core.errors import HoldfastError
    from holdfast.ingest.sources.bench import Ask, Bench


def run_archive(kept: KeptAccount, bench: Bench, ask: Ask) -> Pulled:
    """Pull, and keep what came of it.

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

    def take(self) -> Pulled:
        return pull(self.kept, self.bench, self.ask)

    def broken(self, error: HoldfastError) -> Pulled:
        return Pulled(self.kept.name, error=error)

    def ending(self, done: Pulled) -> Ending | None:
        return ending_of(self.kept, done, self.ask, self.bench.desk.store.now_ms())

    def ended(self, done: Pulled, ending: Ending | None) -> EndedRun:
        outcome = FAILED if done.error else WHOLE if done.is_whole and not done.is_cut else PARTIAL
        trouble, error = ("", "") if ending is None else (ending.trouble, ending.error)
        counts = {
            **asdict(done.counts), "recovered": done.recovered, "is_cut": done.is_cut,
            "cursor": done.cursor, "lag_s": lag_s(done, self.bench.desk.store.now_ms()),
            "closed": done.closed, "batch": done.batch,
        }  # fmt: skip
        return EndedRun(outcome, msgspec.json.encode(counts).decode(), trouble, error)


def lag_s(done: Pulled, now_ms: int) -> int:
    """Return how far the cursor is behind; 0 for a run that took everything there is."""
    is_behind = (done.is_cut or done.error is not None) and done.newest_ms
    return max(now_ms - done.newest_ms, 0) // 1000 if is_behind else 0


def ending_of(kept: KeptAccount, done: Pulled, ask: Ask, now_ms: int) -> Ending | None:
    """Return what a run means for the source; None when it says nothing of the whole of it."""
    if done.error is not None:
        return after_failure(kept, trouble_of(done.error), done.error, now_ms)
    if ask.is_partial:
        return None
    plan = read_plan(kept.plan)
    if done.is_cut:
        behind_s = lag_s(done, now_ms)
        if behind_s <= plan.late_s:
            return Ending(None, is_complete=False)
        cause = f"The cursor is {behind_s / 3600:,.1f} h behind."
        step = f"Run more workers: WeCom forgets after {KEPT_DAYS} days."
        return Ending(None, Trouble.THROTTLED.value, cause, step, is_complete=False)
    next_ms = now_ms + int(interval_s(plan.every_s) * 1000)
    if done.closed:
        many = ", ".join(f"{count} {reason}" for reason, count in sorted(done.closed.items()))
        cause = f"Messages could not be opened and are kept encrypted: {many}."
        step = f"Put the missing keys into the directory of keys within {KEPT_DAYS} days."
        return Ending(next_ms, Trouble.SETTINGS.value, cause, step)
    return Ending(next_ms)
