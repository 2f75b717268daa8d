"""Folders that workers take from: by schedule, by news, one at a time, and not while paused."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import ACTOR, findings, found, message, opened, settings_in
from folder_kit import SOURCE, Dropping, dropping
from holdfast.core.errors import Refused
from holdfast.ingest.folder.source import FolderSource
from holdfast.ingest.folder.taking import Taken
from holdfast.ingest.sources.bench import Ask, Bench
from holdfast.ingest.sources.health import health
from holdfast.ingest.sources.leasing import RUN, holding
from holdfast.ingest.sources.leasing import Taken as Busy
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.source_schedule import due_sources, pause, resume
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from source_kit import at, kept_of, runs, watching, worker
from work_kinds import until


@pytest.fixture
def drop(tmp_path: Path) -> Dropping:
    return dropping(settings_in(tmp_path), tmp_path / "in")


def state(drop: Dropping) -> str:
    with opened(drop.settings) as services:
        (one,) = health(services.store)
    return one.state


def sync(drop: Dropping, ask: Ask) -> Taken:
    with parser_pool(drop.settings) as pool, open_archive(drop.settings, ACTOR) as services:
        bench = Bench(services.desk, pool, services.spool, lambda seconds: None)
        return FolderSource().sync(find_account(services.store, SOURCE), bench, ask)


def test_worker_takes_what_lies_there_and_what_comes(drop: Dropping) -> None:
    drop.put("first.eml", message(1))
    assert state(drop) == "waiting"
    with worker(drop.settings):
        until(lambda: kept_of(drop.settings, SOURCE).succeeded_ms)
        assert found(drop.settings, "source:drop") == 1
        drop.put("second.eml", message(2))  # news, for the next look by schedule is far
        until(lambda: found(drop.settings, "source:drop") == 2)
        until(lambda: drop.names("done") == {"first.eml", "second.eml"})
    newest, *_ = runs(drop.settings, SOURCE)
    assert (newest.why, newest.outcome, newest.trouble) == ("schedule", "whole", "")
    assert '"new":1' in newest.counts
    assert state(drop) == "ok"
    assert findings(drop.settings) == []


def test_folder_that_nobody_takes_from_is_late_and_a_paused_one_rests(drop: Dropping) -> None:
    at(drop.settings, added_ms=0)
    assert state(drop) == "late"
    source = kept_of(drop.settings, SOURCE).source_id
    with opened(drop.settings) as services:
        assert due_sources(services.store, ["folder"]) == [source]
        pause(services.store, source)
        assert due_sources(services.store, ["folder"]) == []
        assert [(one.state, one.lag_s) for one in health(services.store)] == [("paused", 0)]
        resume(services.store, source)
        assert due_sources(services.store, ["folder"]) == [source]


def test_folder_that_is_away_is_in_trouble_until_it_is_back(drop: Dropping) -> None:
    drop.folder.rmdir()
    assert sync(drop, Ask(why="schedule")).error is not None
    kept = kept_of(drop.settings, SOURCE)
    assert (kept.trouble, kept.failures, kept.next_ms is not None) == ("folder", 1, True)
    assert state(drop) == "folder"
    assert runs(drop.settings, SOURCE)[0].outcome == "failed"
    drop.folder.mkdir()
    drop.put("one.eml", message(1))
    assert sync(drop, Ask(why="schedule")).counts.new == 1
    assert state(drop) == "ok"
    with opened(drop.settings) as services:
        assert due_sources(services.store, ["folder"]) == []  # the next run is appointed


def test_two_never_run_one_folder_at_once(drop: Dropping) -> None:
    drop.put("one.eml", message(1))
    source = kept_of(drop.settings, SOURCE).source_id
    with opened(drop.settings) as services, holding(services.store, f"{RUN}{source}"):
        with pytest.raises(Busy):
            sync(drop, Ask())
        assert drop.names() == {"one.eml"}
    assert sync(drop, Ask()).counts.new == 1


def test_what_a_folder_has_not_is_refused(drop: Dropping) -> None:
    with pytest.raises(Refused, match="no mailbox"):
        sync(drop, Ask(folders=("INBOX",)))


def test_news_makes_a_folder_due_once_for_each_file(drop: Dropping) -> None:
    assert sync(drop, Ask()).error is None
    with opened(drop.settings) as services:
        store = services.store
        with watching(services) as watched:
            (drop.folder / "result.eml.result.json").write_bytes(b"{}")
            drop.put("one.eml", message(1))
            until(lambda: watched.rings)
            until(lambda: due_sources(store, ["folder"]))
    assert sync(drop, Ask(why="schedule")).counts.new == 1
