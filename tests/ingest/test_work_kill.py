"""Workers that die lose nothing, double nothing, and a job that kills them is set aside."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path

import pytest

from archive_kit import ACTOR, settings_in
from fault_mail import offering
from fault_workers import import_under_kills
from holdfast.ingest.metrics import serving
from holdfast.ingest.processes import is_gone
from holdfast.ingest.work import EmbeddedWork
from holdfast.settings import Settings
from holdfast.storage.catalogue.job_lists import job_view
from holdfast.storage.catalogue.jobs import free_gone
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from server_postgres import Missing, Server, running
from work_kinds import HELD_KINDS, TEST_KINDS, ChildPlan, crew, runs, serve_child, until

pytestmark = pytest.mark.unmeasured

Need = Callable[[object, str], None]
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
        crew(services.store, ChildPlan(settings, ("poison", "note"))) as made,
    ):
        work = EmbeddedWork(services.store, TEST_KINDS)
        payloads = {name: {"folder": str(folder), "name": name} for name in ("p", "a", "b", "c")}
        poison = work.submit("poison", payloads.pop("p"), "p")
        others = [work.submit("note", payload, name) for name, payload in payloads.items()]
        ended = {poison: "dead", **dict.fromkeys(others, "done")}
        until(lambda: all(job_view(services.store, j).state == s for j, s in ended.items()))
        assert "ended its worker 3 times" in job_view(services.store, poison).last_error
        assert runs(folder) == {"p": 3, "a": 1, "b": 1, "c": 1}
        assert [e for e in made.events if e["event"] == "worker.ended" and e["status"] == -9]


def test_worker_that_is_asked_to_end_gives_its_job_back(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    folder = tmp_path / "runs"
    folder.mkdir()
    with open_archive(settings, ACTOR) as services:
        work = EmbeddedWork(services.store, TEST_KINDS)
        job = work.submit("patient", {"folder": str(folder), "name": "slow"}, "slow")
        with crew(services.store, ChildPlan(settings, ("patient",))) as made:
            until(lambda: runs(folder)["slow"] == 1)
        view = job_view(services.store, job)
        assert (view.state, view.attempts, view.owner) == ("ready", 0, "")
        assert [e["status"] for e in made.events if e["event"] == "worker.ended"] == [0]
        (folder / "slow.enough").touch()
        with crew(services.store, ChildPlan(settings, ("patient",))):
            until(lambda: job_view(services.store, job).state == "done")
    assert runs(folder) == {"slow": 2}


@contextmanager
def killed_holding(settings: Settings, folder: Path) -> Iterator[int]:
    """Kill a worker whom nobody looks after while it has a lease of half an hour; yield the job."""
    with open_archive(settings, ACTOR) as services:
        payload = {"folder": str(folder), "name": "slow"}
        job = EmbeddedWork(services.store, HELD_KINDS).submit("held", payload, "slow")
    plan = ChildPlan(settings, ("held",))
    child = multiprocessing.get_context("spawn").Process(target=serve_child, args=("old", 0, plan))
    child.start()
    until(lambda: runs(folder)["slow"] == 1)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: connection.wait([child.sentinel], 0))
    yield job
    child.join()


def test_job_of_a_worker_that_was_killed_is_taken_at_the_next_look(
    settings: Settings, tmp_path: Path
) -> None:
    create_archive(settings)
    folder = tmp_path / "runs"
    folder.mkdir()
    with killed_holding(settings, folder) as job, open_archive(settings, ACTOR) as services:
        assert job_view(services.store, job).owner == "old"
        (folder / "slow.enough").touch()
        with crew(services.store, ChildPlan(settings, ("held",))) as made:
            until(lambda: job_view(services.store, job).state == "done")
        assert not [e for e in made.events if e.get("status")]
    assert runs(folder) == {"slow": 2}


def test_job_of_a_worker_that_does_nothing_for_long_is_left_to_it(
    settings: Settings, tmp_path: Path
) -> None:
    create_archive(settings)
    folder = tmp_path / "runs"
    folder.mkdir()
    with open_archive(settings, ACTOR) as services:
        store = services.store
        payload = {"folder": str(folder), "name": "slow"}
        job = EmbeddedWork(store, HELD_KINDS).submit("held", payload, "slow")
        with crew(store, ChildPlan(settings, ("held",))) as made:
            until(lambda: runs(folder)["slow"] == 1)
            (process,) = made.crew.process_ids
            os.kill(process, signal.SIGSTOP)
            until(lambda: Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] == "T")
            assert free_gone(store, ["held"], lambda owner: is_gone(owner.rpartition("/")[2])) == 0
            os.kill(process, signal.SIGCONT)
            (folder / "slow.enough").touch()
            until(lambda: job_view(store, job).state == "done")
    assert runs(folder) == {"slow": 1}


def test_workers_outlive_a_catalogue_that_is_away(tmp_path: Path, need: Need) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    with own_postgres(need) as server:
        config = server.empty_database()
        catalogue = {"url": config.url, "password": config.password}
        settings = settings_in(tmp_path, catalogue=catalogue)
        create_archive(settings)
        with open_archive(settings, ACTOR) as services:
            plan = ChildPlan(settings, ("note", "patient"))
            with crew(services.store, plan) as made, serving(services.store, 0) as port:
                work = EmbeddedWork(services.store, TEST_KINDS)
                payload = {"folder": str(folder), "name": "slow"}
                slow = work.submit("patient", payload, "slow")
                until(lambda: runs(folder)["slow"])
                server.stop("immediate")
                assert "holdfast_catalogue_up 0.0" in metrics_at(port)
                (folder / "slow.enough").touch()
                server.start()
                until(lambda: job_view(services.store, slow).state == "done")
                note = work.submit("note", {"folder": str(folder), "name": "a"}, "a")
                until(lambda: job_view(services.store, note).state == "done")
                assert "holdfast_catalogue_up 1.0" in metrics_at(port)
            assert not [e for e in made.events if e.get("status")]
    assert runs(folder)["a"] == 1


def metrics_at(port: int) -> str:
    return str(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read(), "utf-8")


@contextmanager
def own_postgres(need: Need) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-postgres-"))
    folder.chmod(0o755)  # the server is another user
    try:
        with running(folder) as server:
            yield server
    except Missing as error:
        need(None, str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
