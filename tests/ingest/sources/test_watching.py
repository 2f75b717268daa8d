"""Sources that run by themselves: mail is found a moment after it came, whoever is killed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import update

from archive_kit import ACTOR, findings, found, opened, settings_in
from holdfast.ingest.imap.running import run_account
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.jobs.task import Workshop
from holdfast.ingest.sources.bench import Ask, Bench
from holdfast.ingest.sources.leasing import holding
from holdfast.ingest.work import EmbeddedWork, Runner
from holdfast.storage.catalogue.accounts import find_account, remove_account
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.leases import lease_holder
from holdfast.storage.catalogue.schema import accounts
from holdfast.storage.catalogue.source_schedule import (
    due_sources,
    hasten,
    note_woken,
    pause,
    woken_folders,
)
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from imap_kit import SOURCE, Patience, account_of, added, ends, letter, synced
from imap_tap import tapped
from server_dovecot import Dovecot
from source_kit import kept_of, planned, runs, watching, worker
from work_kinds import until


def test_mail_is_searchable_a_moment_after_it_came_whichever_worker_is_killed(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("fresh")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        account = account_of(user, port=tap.port, tls="none", folders=("INBOX",))
        added(settings, account, dovecot_server.password)
        with worker(settings) as first:
            until(lambda: tap.of(b"IDLE"))
            first.kill()
        user.append("INBOX", letter(2))
        with worker(settings):
            until(lambda: found(settings, "source:mail") == 2)
            user.append("INBOX", letter(3, subject="arrived just now"))
            until(lambda: found(settings, "subject:arrived"))
    newest, *_ = runs(settings)
    assert (newest.why, newest.outcome, newest.error) == ("mail", "whole", "")
    assert tap.of(b"UID SEARCH UID 3:*")
    assert ends(settings) == {"filed": 3}
    assert findings(settings) == []


def test_news_is_noted_by_folder_and_idling_begins_anew(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("anew-idle")
    user.append("INBOX", letter(1))
    user.append("Sent", letter(2))
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        added(settings, account_of(user, port=tap.port, tls="none"), dovecot_server.password)
        synced(settings)
        with opened(settings) as services:
            source = find_account(services.store, SOURCE).source_id
            with watching(services, again_s=0.3) as watch:
                until(lambda: len(woken_folders(services.store, source)) == 2)
                until(lambda: len(tap.of(b"DONE")) > 3)
            assert watch.rings >= 2
            assert due_sources(services.store, ["imap"]) == [source]
            assert lease_holder(services.store, f"watch/{source}") == ""
        done = synced(settings, why="mail", news=frozenset({"INBOX", "Sent"}))
        assert done.counts.offered == 0
        with opened(settings) as services:
            assert due_sources(services.store, ["imap"]) == []


def test_encrypted_connection_hears_news_and_its_end(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("idle-tls")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        added(settings, account_of(user, port=tap.port), dovecot_server.password)
        synced(settings)
        planned(settings, watches=1)
        synced(settings)
        with opened(settings) as services:
            source = find_account(services.store, SOURCE).source_id
            with watching(services) as watch:
                until(lambda: watch.rings == 2)  # by who watches, and as the source is due
                user.append("INBOX", letter(2))
                until(lambda: watch.rings >= 3)
                tap.cuts_at.append(tap.down_bytes)
                user.append("INBOX", letter(3))
                until(lambda: watch.events)
            (lost, *_) = watch.events
            assert (lost["event"], lost["trouble"]) == ("watch.lost", "unreachable")
            assert woken_folders(services.store, source)


def test_paused_source_is_neither_watched_nor_due(tmp_path: Path, dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("paused")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    synced(settings)
    with opened(settings) as services:
        source = find_account(services.store, SOURCE).source_id
        with watching(services) as watch:
            until(lambda: watch.rings)
            pause(services.store, source)
            until(lambda: not lease_holder(services.store, f"watch/{source}"))
        assert due_sources(services.store, ["imap"]) == []


def shown_by_ps() -> list[bytes]:
    """Arguments and environment of all processes, as far as they may be read."""
    found: list[bytes] = []
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            with suppress(OSError):  # it has ended
                found.append(path.read_bytes())
    return found


def test_f28_wrong_password_is_tried_once_and_then_left_alone(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("refused")
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        added(settings, account_of(user, port=tap.port), "wrong-open-sesame")
        with worker(settings) as running:
            until(lambda: kept_of(settings).failures)
            until(lambda: b"job.done" in running.log.read_bytes())
            assert not any(b"open-sesame" in said for said in shown_by_ps())
    kept = kept_of(settings)
    assert (kept.trouble, kept.failures, tap.connections) == ("sign_in", 1, 1)
    assert kept.next_ms is not None
    assert kept.started_ms is not None
    assert kept.next_ms - kept.started_ms > 25 * 60 * 1000
    assert b"wrong-open-sesame" not in running.log.read_bytes()


def test_run_that_takes_long_is_cut_and_goes_on_when_others_had_their_turn(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("sliced")
    user.append("INBOX", *(letter(n) for n in range(4)))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        store = services.store
        source = find_account(store, SOURCE).source_id
        bench = Bench(services.desk, pool, services.spool, Patience(), is_over=lambda: True)
        done = run_account(find_account(store, SOURCE), bench, Ask())
        assert (done.is_cut, done.counts.new) == (True, 1)
        whole = Bench(services.desk, pool, services.spool, Patience())
        assert run_account(find_account(store, SOURCE), whole, Ask()).counts.new == 3
        done = run_account(find_account(store, SOURCE), bench, Ask())
        assert (done.is_cut, done.found.folders) == (False, 1)  # nothing new: it goes to the end
        hasten(store, source)
        shop = Workshop(services.desk, pool, services.spool)
        events: list[dict[str, object]] = []
        kinds = {"sync": KINDS["sync"]}
        runner = Runner(shop, kinds, "here", lambda event: events.append(dict(event)))
        for _ in range(2):  # what is not due is not run
            runner.look()
            runner.run_due()
        note_woken(store, source, "INBOX")
        assert due_sources(store, ["imap"]) == []  # it ran a moment ago
        with writing(store.engine) as connection:
            connection.execute(update(accounts).values(started_ms=0))
        user.append("INBOX", letter(4))
        runner.look()
        runner.run_due()
        with holding(store, f"source/{source}"):
            hasten(store, source)
            runner.look()
            runner.run_due()
        pause(store, source)
        runner.run_due()
        remove_account(store, SOURCE)
        work = EmbeddedWork(store)
        work.submit("sync", {"source": source}, "after the end")
        runner.run_due()
    assert [event["event"] for event in events] == ["job.done"] * 4
    assert ends(settings) == {"filed": 5}
