"""Queued work over HTTP: followed while it goes on, and put back when it is dead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest

from api_kit import Office, empty_office
from holdfast.api.routes import jobs as route
from holdfast.api.served import Served
from holdfast.core.identity import public_id
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.job_lists import JobView
from holdfast.storage.catalogue.jobs import (
    Failure,
    NewJob,
    Terms,
    claim,
    complete,
    enqueue,
    fail,
)

KIND = "tick"
TERMS = {KIND: Terms(lease_ms=60_000, attempts=3)}


@dataclass(slots=True)
class Yard:
    """An archive with somebody who looks after its jobs."""

    office: Office

    def queue(self) -> str:
        """Queue a job and return its public id."""
        store = self.office.services.store
        with writing(store.engine) as connection:
            number = enqueue(connection, NewJob(KIND, "{}"), store.ids, store.now_ms())
        return public_id("job", number)

    def end(self, *, well: bool) -> None:
        """Let a worker end the one that is due."""
        store = self.office.services.store
        (mine,) = claim(store, TERMS, "worker")
        if well:
            complete(store, mine, '{"ticked":1}')
        else:
            fail(store, mine, Failure("It ticks no more.", None, counts=True))


@pytest.fixture
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with empty_office(tmp_path_factory.mktemp("yard")) as opened:
        opened.hire("it", "it")
        opened.hire("legal", "legal")
        yield Yard(opened)


def test_dead_job_is_put_back_and_then_is_as_if_new(yard: Yard) -> None:
    name = yard.queue()
    yard.end(well=False)
    asked = yard.office
    dead = asked.get("it", f"/jobs/{name}")
    assert (dead["state"], dead["last_error"]) == ("dead", "It ticks no more.")
    assert [one["id"] for one in asked.get("it", "/jobs?state=dead")] == [name]
    fresh = asked.post("it", f"/jobs/{name}/retry")
    assert (fresh["state"], fresh["attempts"]) == ("ready", 0)
    assert asked.post("it", f"/jobs/{name}/retry", 409)["code"] == "conflict"
    asked.post("legal", f"/jobs/{name}/retry", 403)
    assert asked.entries("job")[-1]["retry"] == name


def test_job_is_followed_until_it_ends(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    name = yard.queue()
    looks = iter((True, False))
    found = route._found

    def look(served: Served, name: str) -> JobView:
        """Look as the route does; the job has gone on in between."""
        if not next(looks, True):
            yard.end(well=True)
        return found(served, name)

    monkeypatch.setattr(route, "_found", look)
    monkeypatch.setattr(route, "LOOK_S", 0.0)
    answer = yard.office.ask("it", "GET", f"/jobs/{name}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [part.partition("data: ")[2] for part in answer.text.split("\n\n") if part]
    states = [msgspec.json.decode(event)["state"] for event in events]
    assert states == ["ready", "done"]
    assert msgspec.json.decode(events[-1])["result"] == {"ticked": 1}


def test_jobs_that_never_were_are_not_found(yard: Yard) -> None:
    for name in ("job_0000000000000", "x", "msg_0000000000000"):
        yard.office.get("it", f"/jobs/{name}", 404)
        yard.office.get("it", f"/jobs/{name}/events", 404)
