"""Workers compare all of a mailbox once a week: what the server did not tell is found then."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import ACTOR, settings_in
from holdfast.core.errors import Refused
from holdfast.ingest.imap.plan import Plan
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.jobs.task import Workshop
from holdfast.ingest.work import Runner
from holdfast.settings import Settings
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from imap_kit import added, ends, letter, plain_account, synced
from imap_script import Script, honest, refusing, scripted
from source_kit import at, kept_of, planned, runs

WEEK_MS = 7 * 24 * 3600 * 1000


def work(settings: Settings) -> str:
    """Do what is due as a worker does; return why the newest run ran."""
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        runner = Runner(Workshop(services.desk, pool, services.spool), {"sync": KINDS["sync"]}, "w")
        runner.look()
        runner.run_due()
    return runs(settings)[0].why


def due(settings: Settings, *, days_ago: int) -> None:
    """Let the source be due, and compared so long ago."""
    kept = kept_of(settings)
    before = (kept.succeeded_ms or kept.added_ms) - days_ago * WEEK_MS // 7
    at(settings, next_ms=None, started_ms=0, reconciled_ms=before, failures=0)


@pytest.mark.parametrize("every_s", [7 * 24 * 3600.0, 0.0], ids=["weekly", "never"])
def test_what_the_server_did_not_tell_is_found_and_repaired_once_a_week(
    tmp_path: Path, every_s: float
) -> None:
    settings = settings_in(tmp_path)
    with scripted(Script({1: letter(1), 2: letter(2)})) as script:
        added(settings, plain_account(script.port), "secret")
        planned(settings, reconcile_s=every_s)
        assert work(settings) == "schedule"  # what was never taken is taken first
        script.mail[2] = letter(2) + b"and more of it\r\n"  # under the same UID: no run looks there
        due(settings, days_ago=6)
        assert work(settings) == "schedule"
        assert ends(settings) == {"filed": 2}
        due(settings, days_ago=7)
        before = kept_of(settings).reconciled_ms
        is_weekly = bool(every_s)
        assert work(settings) == ("reconcile" if is_weekly else "schedule")
    assert ends(settings) == {"filed": 3 if is_weekly else 2}
    after = kept_of(settings).reconciled_ms
    assert (after != before) == is_weekly
    at(settings, next_ms=None, started_ms=0)
    with scripted(Script({})):
        assert work(settings) == "schedule"  # whatever it came to, it is not due again


def test_comparison_that_failed_is_made_at_the_next_run(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with scripted(Script({1: letter(1)})) as script:
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        due(settings, days_ago=8)
        before = kept_of(settings).reconciled_ms
        script.twist = refusing
        assert work(settings) == "reconcile"
        assert (kept_of(settings).trouble, kept_of(settings).reconciled_ms) == ("sign_in", before)
        script.twist = honest
        at(settings, next_ms=None, failures=0)
        assert work(settings) == "reconcile"
    assert kept_of(settings).reconciled_ms != before


def test_too_frequent_comparisons_are_refused() -> None:
    assert Plan(reconcile_s=0).reconcile_s == 0
    with pytest.raises(Refused, match="too short"):
        Plan(reconcile_s=60)
