"""Redis is flushed, killed, stopped and restarted: messages are lost, work is not (F49, F50)."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from archive_kit import ACTOR, settings_in
from holdfast.core.errors import Refused
from holdfast.ingest.jobs.reporting import delays, work_report
from holdfast.ingest.tasks import CeleryConfig, CeleryWork, make_app
from holdfast.storage.catalogue.job_lists import job_view
from holdfast.storage.store import Store
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from server_redis import RedisServer, running
from server_scripts import Missing
from work_kinds import TEST_KINDS, ChildPlan, crew, runs, until

pytestmark = pytest.mark.unmeasured

Need = Callable[[object, str], None]
VISIBILITY_S = 5.0


@dataclass(frozen=True, slots=True)
class Bench:
    """An archive whose jobs go through a Redis server of its own."""

    redis: RedisServer
    store: Store
    work: CeleryWork
    plan: ChildPlan
    folder: Path

    def submit(self, kind: str, name: str) -> int:
        return self.work.submit(kind, {"folder": str(self.folder), "name": name}, name)

    def is_done(self, *jobs: int) -> bool:
        return all(job_view(self.store, job).state == "done" for job in jobs)

    def rings(self, kind: str = "note") -> int:
        path = Path(self.plan.rings)
        lines = path.read_text().splitlines() if path.exists() else []
        return sum(1 for line in lines if line.startswith(kind))


@contextmanager
def own_redis() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-redis-"))
    folder.chmod(0o755)  # the server is another user
    try:
        with running(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bench(tmp_path: Path, need: Need) -> Iterator[Bench]:
    settings = settings_in(tmp_path)
    folder = tmp_path / "runs"
    folder.mkdir()
    create_archive(settings)
    try:
        redis = own_redis()
        server = redis.__enter__()
    except Missing as error:
        need(None, str(error))
        raise
    config = CeleryConfig(server.url, server.password, visibility_s=VISIBILITY_S)
    plan = ChildPlan(settings, tuple(TEST_KINDS), config, 0.5, rings=str(tmp_path / "rings"))
    with open_archive(settings, ACTOR) as services:
        work = CeleryWork(services.store, config, kinds=TEST_KINDS)
        with closing(work):
            yield Bench(server, services.store, work, plan, folder)
    redis.__exit__(None, None, None)


def test_f49_flushed_redis_loses_and_doubles_nothing(bench: Bench) -> None:
    with crew(bench.store, bench.plan):
        jobs = []
        for number in range(20):
            jobs.append(bench.submit("note", f"n{number}"))
            if number % 4 == 0:
                bench.redis.flush()
        until(lambda: bench.is_done(*jobs))
    assert runs(bench.folder) == Counter({f"n{number}": 1 for number in range(20)})


def test_f49_flush_finds_out_workers_that_trust_messages(bench: Bench) -> None:
    lost = [bench.submit("note", f"n{number}") for number in range(3)]
    bench.redis.flush()
    with crew(bench.store, replace(bench.plan, bug="trusting")):
        until(lambda: bench.is_done(bench.submit("away", "a")))
        assert not bench.is_done(*lost)
    assert set(runs(bench.folder)) == {"a"}


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_f49_redis_may_be_away_while_jobs_are_submitted_and_come_back(
    bench: Bench, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with crew(bench.store, bench.plan):
        jobs = [bench.submit("note", "before")]
        bench.redis.kill() if how == "killed" else bench.redis.stop()
        jobs += [bench.submit("note", f"without{number}") for number in range(5)]
        until(lambda: bench.is_done(*jobs))
        report = work_report(bench.store)
        assert report.wake_failures.count == 5
        assert any("wake-ups failed" in delay.seen for delay in delays(report))
        bench.redis.start()
        came = bench.rings()
        until(lambda: bench.rings() > came, lambda: bench.work.wake("note"))
        jobs.append(bench.submit("note", "after"))
        until(lambda: bench.is_done(*jobs))
    assert set(runs(bench.folder).values()) == {1}
    assert len(runs(bench.folder)) == 7
    said = capfd.readouterr().err
    assert "Cannot connect" in said
    assert bench.redis.password not in said


def test_f50_message_that_comes_again_while_its_job_runs_has_one_effect(bench: Bench) -> None:
    assert redelivered(bench) == 1


def test_f50_redelivery_finds_out_workers_that_claim_nothing(bench: Bench) -> None:
    assert redelivered(replace(bench, plan=replace(bench.plan, bug="careless"))) > 1


def redelivered(bench: Bench) -> int:
    """Let a job run until its message has come twice; return how often it was begun."""

    # They look once, when they start; after that only messages move them.
    plan = replace(bench.plan, look_every_s=3600)

    def is_overdue() -> bool:
        with bench.redis.client() as client:
            waiting = client.zrange("holdfast:unacked_index", 0, -1, withscores=True)
        return bool(waiting) and time.time() > float(waiting[0][1]) + VISIBILITY_S

    with crew(bench.store, plan):
        bench.submit("note", "first")
        until(lambda: bench.rings() >= 1)
        bench.submit("patient", "slow")
        until(lambda: runs(bench.folder)["slow"])
        until(is_overdue)
        with crew(bench.store, plan):  # takes over what nobody acknowledged in time
            until(lambda: bench.rings("patient") >= 2)
            if plan.bug:
                until(lambda: runs(bench.folder)["slow"] >= 2)
            (bench.folder / "slow.enough").touch()
    return runs(bench.folder)["slow"]


def test_sender_is_told_nothing_of_a_broker_that_never_was(bench: Bench) -> None:
    nowhere = CeleryConfig("redis://127.0.0.1:1/0", "secret")
    with closing(CeleryWork(bench.store, nowhere, kinds=TEST_KINDS)) as work:
        job = work.submit("note", {"folder": str(bench.folder), "name": "a"}, "a")
        work.wake("note")
    assert job_view(bench.store, job).state == "ready"
    failures = work_report(bench.store).wake_failures
    assert failures.count == 2
    assert "secret" not in failures.cause


def test_wrong_password_is_a_failed_wake_up_without_the_password(bench: Bench) -> None:
    wrong = CeleryConfig(bench.redis.url, "not-the-password")
    with closing(CeleryWork(bench.store, wrong, kinds=TEST_KINDS)) as work:
        work.submit("note", {"folder": str(bench.folder), "name": "a"}, "a")
    failures = work_report(bench.store).wake_failures
    assert failures.count == 1
    assert "not-the-password" not in failures.cause


def test_f67_interrupted_wake_up_leaves_no_connection_to_be_used_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.submit("note", "a")
    before = bench.work._open()

    def interrupt(*_words: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(before.app, "send_task", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.submit("note", "b")
    assert bench.work._open().connection is not before.connection
    monkeypatch.undo()
    jobs = bench.submit("note", "b"), bench.submit("note", "c")
    with crew(bench.store, bench.plan):
        until(lambda: bench.is_done(*jobs))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (CeleryConfig("amqp://host"), "not one of Redis"),
        (CeleryConfig("redis://:secret@host:1/0"), "holds a password"),
        (CeleryConfig("redis://host:1/0", visibility_s=3), "leases"),
    ],
)
def test_broker_that_cannot_be_meant_is_refused(config: CeleryConfig, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        make_app(config, TEST_KINDS, consumes=False)
    assert "secret" not in str(caught.value)


def test_tls_checks_the_certificate_and_the_password_is_not_shown() -> None:
    config = CeleryConfig("rediss://user@host:1/0", "pa/ss", ca_file="/ca.pem")
    app = make_app(config, TEST_KINDS, consumes=True)
    assert app.conf.broker_use_ssl["ssl_ca_certs"] == "/ca.pem"
    assert app.conf.broker_url == "rediss://user:pa%2Fss@host:1/0"
    assert "pa/ss" not in repr(config)
    assert "pa" not in app.connection().as_uri().partition("@")[0].removeprefix("rediss://user:")
