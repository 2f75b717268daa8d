"""Runs of sources: one at a time, kept with their ends, the next one appointed by what happened."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from archive_kit import opened, settings_in
from holdfast.core.errors import Conflict, HoldfastError, Refused, Unavailable
from holdfast.ingest.doctor import Patient, State, examine
from holdfast.ingest.imap import syncing
from holdfast.ingest.imap.failures import Busy, SignInRefused
from holdfast.ingest.imap.link import GaveUp
from holdfast.ingest.metrics import ArchiveCollector
from holdfast.ingest.sources.health import health
from holdfast.ingest.sources.leasing import Taken, holding, is_dead, owner_name
from holdfast.ingest.sources.troubles import Trouble, delay_s, interval_s, trouble_of
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.leases import keep_lease, lease_holder, take_lease
from holdfast.storage.catalogue.schema import leases
from holdfast.storage.catalogue.source_runs import KEEP_RUNS, EndedRun, begin_run, end_run, runs_of
from holdfast.storage.catalogue.source_schedule import due_sources, pause, resume
from imap_kit import SOURCE, added, ends, letter, plain_account, synced
from imap_script import Asked, Script, honest, refusing, scripted
from source_kit import at, kept_of, runs


def complaints(settings: Settings) -> list[tuple[State, str, str]]:
    with opened(settings) as services:
        patient = Patient(services.desk, settings.data, settings.keys_folder)
        found = list(examine(patient, heals=False))
    return [(one.state, one.seen, one.next_step) for one in found if one.examined == "sources"]


def metrics(settings: Settings) -> dict[tuple[str, ...], float]:
    with opened(settings) as services:
        families = list(ArchiveCollector(services.store).collect())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.labels.get("source") == SOURCE
    }


def test_runs_are_kept_and_a_failure_is_waited_out_and_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with scripted(Script({1: letter(1)}, refusing)) as script:
        added(settings, plain_account(script.port), "secret")
        assert complaints(settings) == [(State.GOOD, "none is late", "")]
        synced(settings, why="schedule")
        kept = kept_of(settings)
        assert (kept.trouble, kept.failures) == ("sign_in", 1)
        ((state, seen, step),) = complaints(settings)
        assert (state, seen.startswith("mail: sign_in: localhost does not let ann in")) == (
            State.BAD,
            True,
        )
        assert "app password" in step
        told = metrics(settings)
        assert told["holdfast_source_failures", SOURCE] == 1
        assert told["holdfast_source_state", SOURCE, "sign_in"] == 1
        assert told["holdfast_source_runs", SOURCE, "failed", "sign_in"] == 1
        with opened(settings) as services:
            assert due_sources(services.store, ["imap"]) == []
            resume(services.store, kept.source_id)
            assert due_sources(services.store, ["imap"]) == [kept.source_id]
        script.twist = honest
        assert synced(settings).counts.new == 1
    newest, failed = runs(settings)
    assert (newest.why, newest.outcome, newest.trouble) == ("command", "whole", "")
    assert (failed.why, failed.outcome, failed.trouble) == ("schedule", "failed", "sign_in")
    assert '"new":1' in newest.counts
    told = metrics(settings)
    assert told["holdfast_ingest_lag_seconds", SOURCE] < 60
    assert told["holdfast_source_last_success_timestamp", SOURCE] > 1e9
    assert told["holdfast_source_state", SOURCE, "ok"] == 1


def test_source_that_nobody_runs_is_late(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    added(settings, plain_account(143), "secret")
    at(settings, added_ms=0)
    ((state, seen, step),) = complaints(settings)
    assert (state, "has not succeeded for" in seen) == (State.BAD, True)
    assert "holdfast worker" in step
    with opened(settings) as services:
        source = find_account(services.store, SOURCE).source_id
        pause(services.store, source)
        (found,) = health(services.store)
        assert (found.state, found.lag_s, due_sources(services.store, ["imap"])) == (
            "paused",
            0,
            [],
        )
    assert complaints(settings) == [(State.GOOD, "none is late", "")]


def test_folder_that_is_named_and_missing_is_told_and_others_come(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with scripted(Script({1: letter(1)})) as script:
        account = plain_account(script.port, folders=("INBOX", "Gone", "\\Junk"))
        added(settings, account, "secret")
        assert synced(settings).counts.new == 1
    kept = kept_of(settings)
    assert (kept.trouble, kept.failures, kept.last_error) == (
        "folder",
        0,
        "No folder matches Gone.",
    )
    ((state, seen, step),) = complaints(settings)
    assert (state, "Gone" in seen, "source set" in step) == (State.WARNING, True, True)


def test_second_runner_is_refused_and_a_dead_one_is_not_waited_for(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = owner_name().replace(f":{os.getpid()}:", f":{ended.pid}:")
    assert (is_dead(dead), is_dead(owner_name()), is_dead("else:1:2:3")) == (True, False, False)
    with scripted(Script({1: letter(1)})) as script:
        added(settings, plain_account(script.port), "secret")
        source = kept_of(settings).source_id
        with opened(settings) as services, holding(services.store, f"source/{source}"):
            (found,) = health(services.store)
            assert found.state == "running"
            with pytest.raises(Taken):
                synced(settings)
        with opened(settings) as services:
            begin_run(services.store, source, "schedule", dead)
            assert take_lease(services.store, f"source/{source}", dead, 60_000)
        assert synced(settings).counts.new == 1
    assert [one.outcome for one in runs(settings)] == ["whole", "killed"]


def test_lease_is_kept_given_back_and_taken_over(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    added(settings, plain_account(143), "secret")
    with opened(settings) as services:
        store = services.store
        with holding(store, "thing", lease_s=0.3) as held:
            with reading(store.engine) as connection:
                first = connection.execute(leases.select()).one().until_ms
            while True:
                with reading(store.engine) as connection:
                    if connection.execute(leases.select()).one().until_ms > first:
                        break
            assert lease_holder(store, "thing") == held.owner
            assert not take_lease(store, "thing", "other", 1000)
            assert take_lease(store, "thing", "other", 60_000, lambda owner: owner == held.owner)
            while not held.is_lost:
                pass
        assert lease_holder(store, "thing") == "other"
        assert keep_lease(store, "thing", "other", 0)
        assert lease_holder(store, "thing") == ""
        assert take_lease(store, "thing", "third", 1000)


def test_fault_of_ours_stops_one_run_and_keeps_its_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)

    def broken(*_: Any) -> None:
        raise KeyError("of ours")

    with scripted(Script({1: letter(1)})) as script:
        added(settings, plain_account(script.port), "secret")
        with monkeypatch.context() as patch:
            patch.setattr(syncing, "sweep", broken)
            done = synced(settings)
        assert isinstance(done.error, HoldfastError)
        (run,) = runs(settings)
        assert (run.outcome, run.trouble) == ("failed", "fault")
        assert "in broken" in run.error
        assert kept_of(settings).last_error == "A fault of ours ended the run: KeyError."

        def away(*_: Any) -> None:
            raise Unavailable("The disk is full.")

        def stopped(*_: Any) -> None:
            raise KeyboardInterrupt

        for raised, act in ((Unavailable, away), (KeyboardInterrupt, stopped)):
            with monkeypatch.context() as patch:
                patch.setattr(syncing, "sweep", act)
                with pytest.raises(raised):
                    synced(settings)
        assert synced(settings).counts.new == 1
    assert [one.outcome for one in runs(settings)] == ["whole", "stopped", "failed", "failed"]
    assert ends(settings) == {"filed": 1}


def test_old_runs_are_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from holdfast.storage.catalogue import source_runs

    settings = settings_in(tmp_path)
    added(settings, plain_account(143), "secret")
    source = kept_of(settings).source_id
    monkeypatch.setattr(source_runs, "KEEP_RUNS", 3)
    with opened(settings) as services:
        for _ in range(6):
            end_run(
                services.store, begin_run(services.store, source, "mail", ""), EndedRun("whole")
            )
        assert len(runs_of(services.store, source, KEEP_RUNS)) == 6
        monkeypatch.setattr(source_runs, "KEEP_MS", -1000)
        begin_run(services.store, source, "mail", "")
        assert len(runs_of(services.store, source, KEEP_RUNS)) == 3


def test_server_whose_count_is_not_its_list_is_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    def counting(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("STATUS"):
            return answer.replace(b"MESSAGES 2", b"MESSAGES 3")
        return answer

    with scripted(Script({1: letter(1), 2: letter(2)}, counting)) as script:
        added(settings, plain_account(script.port), "secret")
        assert synced(settings, reconciles=True).found.differing == {"INBOX": (3, 2)}
        script.mail[9] = letter(9)
        done = synced(settings, reconciles=True)
        assert (done.found.differing, done.counts.new) == ({}, 1)


def test_failed_items_are_asked_for_again_and_nothing_else(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with scripted(Script({1: letter(1), 2: letter(2)})) as script:
        added(settings, plain_account(script.port), "secret")
        script.said_sizes[2] = 10
        assert synced(settings).counts.quarantined == 1
        script.said_sizes.clear()
        script.mail[3] = letter(3)
        done = synced(settings, why="backfill", only_failed=True)
        assert (done.counts.offered, done.counts.new) == (1, 1)
    assert ends(settings) == {"filed": 2}


def caused(error: HoldfastError, cause: BaseException) -> HoldfastError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (SignInRefused("no"), Trouble.SIGN_IN),
        (SignInRefused("the token has expired"), Trouble.TOKEN),
        (caused(Refused("x"), ssl.SSLCertVerificationError()), Trouble.CERTIFICATE),
        (caused(GaveUp("later"), Busy("later")), Trouble.THROTTLED),
        (caused(GaveUp("[OVERQUOTA] no"), Busy("")), Trouble.QUOTA),
        (Refused("no way to sign in"), Trouble.SETTINGS),
        (Conflict("x"), Trouble.SETTINGS),
        (GaveUp("gone"), Trouble.UNREACHABLE),
        (ValueError("x"), Trouble.FAULT),
    ],
)
def test_errors_are_told_apart(error: BaseException, trouble: Trouble) -> None:
    assert trouble_of(error) is trouble


def test_delays_double_to_a_limit_and_heed_what_a_service_asks() -> None:
    for trouble in Trouble:
        for failures in (1, 2, 50):
            wait_s = delay_s(trouble, failures)
            assert 15 <= wait_s <= 24 * 3600
    assert delay_s(Trouble.SIGN_IN, 1) >= 1800
    assert delay_s(Trouble.UNREACHABLE, 1) < delay_s(Trouble.UNREACHABLE, 9)
    asked = "THROTTLED. Suggested Backoff Time: 7200000 Milliseconds"
    assert 7200 <= delay_s(Trouble.THROTTLED, 1, asked) < 8000
    assert delay_s(Trouble.THROTTLED, 1, "back-off time 4000 s") >= 4000
    assert 270 <= interval_s(300) <= 330
