"""Workers anchor by schedule, go on asking while a place is away, and `doctor` says how it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from anchor_kit import anchored, happens, new_archive, rewrite, rows
from archive_kit import ACTOR, opened
from holdfast.cli.commands.working import workshop
from holdfast.ingest.anchor_health import LATE, LOST, conditions
from holdfast.ingest.anchoring import Anchoring
from holdfast.ingest.doctor import Answer, Patient, State, examine
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.work import Runner
from holdfast.settings import Settings
from holdfast.storage.anchoring.witness import Witness
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.governance_tables import anchors
from holdfast.storage.catalogue.job_lists import list_jobs
from holdfast.storage.catalogue.schema import jobs
from holdfast.storage.store import Store
from holdfast.wiring.archive import Services
from server_tsa import Service, new_tsa, serving

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(new_tsa(tmp_path_factory.mktemp("tsa") / "one")) as found:
        yield found


@pytest.fixture
def service(authority: Service) -> Service:
    authority.status, authority.asked = 200, []
    return authority


@pytest.fixture
def both(tmp_path: Path, service: Service) -> Settings:
    """An archive with tokens and a witness."""
    (tmp_path / "elsewhere").mkdir()
    return new_archive(
        tmp_path,
        tsa_url=service.url,
        tsa_ca_file=service.tsa.trust_file,
        tsa_private_allowed=True,
        witness_file=tmp_path / "elsewhere" / "witness",
    )


def worked(runner: Runner) -> list[str]:
    """Look and work once; return what became of jobs."""
    events: list[str] = []
    runner.note = lambda event: events.append(str(event["event"]))
    runner.look()
    runner.run_due("anchor")
    return events


def let_pass(store: Store, ms: int) -> None:
    """Make all anchors so much older, and what waits for its next try due."""
    with writing(store.engine) as connection:
        connection.execute(update(anchors).values(made_ms=anchors.c.made_ms - ms))
        connection.execute(update(jobs).values(due_ms=0))


def test_worker_anchors_what_is_due_and_nothing_else(both: Settings, service: Service) -> None:
    with workshop(both, ACTOR) as shop:
        runner = Runner(shop, KINDS, "here")
        assert worked(runner) == ["job.done"]
        assert worked(runner) == []
        let_pass(shop.store, HOUR_MS)
        assert worked(runner) == ["job.done"]
        (job,) = list_jobs(shop.store, kind="anchor")
        assert '"anchored":{"token":' in job.result
    with opened(both) as services:
        kept = rows(services)
    assert [one.kind for one in kept] == ["token", "witness"] * 2
    assert kept[0].note == kept[1].note  # both over the same checkpoint
    assert kept[0].stamped_ms is not None
    assert len(service.asked) == 2


def test_authority_that_is_away_is_asked_again_and_costs_the_witness_nothing(
    both: Settings, service: Service
) -> None:
    service.status = 503
    with workshop(both, ACTOR) as shop:
        runner = Runner(shop, KINDS, "here")
        assert worked(runner) == ["job.retry"]
        (job,) = list_jobs(shop.store, kind="anchor")
        assert "token: localhost gives no token: HTTP 503." in job.last_error
        for _ in range(5):  # it is never given up
            let_pass(shop.store, 0)
            assert worked(runner) == ["job.retry"]
        service.status = 200
        let_pass(shop.store, 0)
        assert worked(runner) == ["job.done"]
    with opened(both) as services:
        assert [one.kind for one in rows(services)] == ["witness", "token"]


def test_rewritten_history_is_told_by_the_job_again_and_again(both: Settings) -> None:
    anchored(both)
    rewrite(both, keeps_anchors=False)
    happens(both, "read", "read", "read")
    with workshop(both, ACTOR) as shop:
        runner = Runner(shop, KINDS, "here")
        assert worked(runner) == ["job.retry"]
        (job,) = list_jobs(shop.store, kind="anchor")
        assert "rewritten" in job.last_error
    with opened(both) as services:
        assert any(a.state is State.BAD and "rewritten" in a.seen for a in examined(services))


def test_contradicted_log_is_not_anchored_by_a_worker(both: Settings) -> None:
    anchored(both)
    with workshop(both, ACTOR) as shop:
        with writing(shop.store.engine) as connection:
            connection.execute(update(anchors).values(root=bytes(32), made_ms=0))
        assert worked(Runner(shop, KINDS, "here")) == ["job.retry"]


def test_archive_without_places_has_nothing_to_do(tmp_path: Path) -> None:
    with workshop(new_archive(tmp_path), ACTOR) as shop:
        assert worked(Runner(shop, KINDS, "here")) == []


def examined(services: Services) -> list[Answer]:
    settings = services.settings
    patient = Patient(services.desk, settings.data, settings.keys_folder, services.anchoring)
    return [one for one in examine(patient, heals=False) if one.examined == "anchors"]


def test_doctor_warns_of_fewer_than_two_kinds(tmp_path: Path) -> None:
    with opened(new_archive(tmp_path)) as services:
        (answer,) = examined(services)
        assert (answer.state, answer.seen) == (State.WARNING, "no checkpoint is kept outside")
        witness = Witness(tmp_path / "witness")
        places = type(services.anchoring.places)(witness=witness)
        first, *_ = conditions(Anchoring(places), services.store, tmp_path)
        assert "only one kind is set: witness" in first.seen


def test_doctor_says_how_old_the_newest_anchor_of_each_kind_is(both: Settings) -> None:
    with opened(both) as services:
        before = {one.seen: one.state for one in examined(services)}
        assert before["token: none was made yet"] is State.WARNING
        services.anchoring.make(services.desk, services.anchoring.kinds)
        young = {one.seen: one.state for one in examined(services)}
        assert young["token: 0 min old"] is young["witness: 0 min old"] is State.GOOD
        let_pass(services.store, (LATE * 60 + 1) * 60_000)
        late = {one.seen: one.state for one in examined(services)}
        assert late["token: 121 min old"] is State.WARNING
        let_pass(services.store, LOST * HOUR_MS)
        lost = [one for one in examined(services) if one.seen.startswith("token: 1,561 min old")]
        assert lost[0].state is State.BAD
        assert "holdfast worker" in lost[0].next_step


def test_doctor_warns_of_a_witness_on_the_same_disk_and_of_one_that_is_gone(
    both: Settings, tmp_path: Path
) -> None:
    with opened(both) as services:
        seen = [one.seen for one in examined(services)]
        assert "the witness file is on the disk of the archive" in seen
        (tmp_path / "elsewhere").rmdir()
        assert any("cannot be read" in one.seen for one in examined(services))


def test_why_no_anchor_comes_is_said_by_doctor(both: Settings, service: Service) -> None:
    service.status = 500
    with workshop(both, ACTOR) as shop:
        worked(Runner(shop, KINDS, "here"))
    with opened(both) as services:
        assert any("HTTP 500" in one.seen for one in examined(services))
