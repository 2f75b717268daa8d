"""Workers that die lose nothing, double nothing, and a job that kills them is set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import ACTOR, settings_in
from fault_mail import offering
from fault_workers import import_under_kills
from holdfast.ingest.work import EmbeddedWork
from holdfast.settings import Settings
from holdfast.storage.catalogue.job_lists import job_view
from holdfast.wiring import create_archive, open_archive
from work_kinds import TEST_KINDS, ChildPlan, crew, runs, until

MESSAGES = 400
KILLS = 3


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return settings_in(tmp_path)
    config = request.getfixturevalue("postgres_server").empty_database()
    return settings_in(tmp_path, catalogue={"url": config.url, "password": config.password})


def test_import_whose_workers_are_killed_is_whole_and_single(
    settings: Settings, tmp_path: Path
) -> None:
    offered = offering(tmp_path / "offer", MESSAGES, body_bytes=4_000)
    told = import_under_kills(settings, offered, KILLS, seed=1)
    assert told.verdict.is_good, told.verdict
    assert told.kills == KILLS
    assert told.job.state == "done"


def test_kills_find_out_a_job_that_is_done_before_its_work(tmp_path: Path) -> None:
    offered = offering(tmp_path / "offer", MESSAGES, body_bytes=4_000)
    told = import_under_kills(settings_in(tmp_path), offered, 1, seed=1, kind="hasty_import")
    assert told.verdict.lost


def test_f51_poison_is_tried_three_times_and_others_are_done(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    folder = tmp_path / "runs"
    folder.mkdir()
    with (
        open_archive(settings, ACTOR) as services,
        crew(services.store, ChildPlan(settings, ("poison", "note"))) as running,
    ):
        work = EmbeddedWork(services.store, TEST_KINDS)
        payloads = {name: {"folder": str(folder), "name": name} for name in ("p", "a", "b", "c")}
        poison = work.submit("poison", payloads.pop("p"), "p")
        others = [work.submit("note", payload, name) for name, payload in payloads.items()]
        ended = {poison: "dead", **dict.fromkeys(others, "done")}
        until(lambda: all(job_view(services.store, j).state == s for j, s in ended.items()))
        assert "ended its worker 3 times" in job_view(services.store, poison).last_error
        assert runs(folder) == {"p": 3, "a": 1, "b": 1, "c": 1}
        assert [e for e in running.events if e["event"] == "worker.ended" and e["status"] == -9]
