"""Exports and disposals are followed as jobs are, and what is told is what they say themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from api_kit import Office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.api.routes import jobs as route
from holdfast.api.shapes.jobs import JobShape, pace
from holdfast.core.identity import row_id
from holdfast.retention.disposal import Asked, Execution
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.governance_tables import disposals, exports
from holdfast.storage.rights.users import user_view
from holdfast.wiring.founding import create_archive
from moved_clock import MovedClock, office_in_time

Story = tuple[Office, MovedClock]
CHECKED = {"is_clock_checked": True}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("followed")
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    with office_in_time(settings) as (office, clock):
        for login, role in (
            ("ann", "compliance"), ("ben", "compliance"), ("legal", "legal"), ("it", "it"),
            ("boss", "manager"), ("guest", "guest"),
        ):  # fmt: skip
            office.hire(login, role)
        yield office, clock


def events(office: Office, who: str, job_id: str) -> list[Any]:
    answer = office.ask(who, "GET", f"/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    parts = [part.partition("data: ")[2] for part in answer.text.split("\n\n") if part]
    return [msgspec.json.decode(part) for part in parts]


def stand(office: Office, export_id: str, **values: object) -> None:
    """Have an export stand as it does while it is made."""
    mine = update(exports).where(exports.c.id == row_id("exp", export_id))
    with writing(office.services.store.engine) as connection:
        connection.execute(mine.values(**values))


def test_export_is_followed_by_who_may_read_it(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, clock = story
    asked = office.post("legal", "/exports", 202, json={"query": "discount OR harbour"})
    job = asked["export"]["job_id"]
    assert job == asked["export"]["id"]
    office.ended_export("legal", job)
    done = office.get("legal", f"/jobs/{job}")
    assert (done["kind"], done["state"]) == ("export", "done")
    assert (done["done"], done["total"]) == (asked["records"], asked["records"])
    assert (done["rate"], done["eta_s"], done["result"]["state"]) == (None, None, "complete")
    stand(office, job, state="running", ended_ms=None, progress='{"done": 1, "bytes": 70}')
    clock.wait(minutes=2)
    running = office.get("legal", f"/jobs/{job}")
    left = asked["records"] - 1
    assert (running["state"], running["done"]) == ("running", 1)
    assert running["eta_s"] == pytest.approx(120 * left, rel=0.1)
    looks = iter((lambda: None, lambda: stand(office, job, state="failed", error="No room.")))
    shown = route._shown

    def look(*args: Any) -> JobShape:
        """Look as the route does; the export has gone on in between."""
        next(looks, lambda: None)()
        return shown(*args)

    monkeypatch.setattr(route, "_shown", look)
    monkeypatch.setattr(route, "LOOK_S", 0.0)
    told = events(office, "legal", job)
    assert [one["state"] for one in told] == ["running", "dead"]
    assert told[-1]["last_error"] == "No room."
    monkeypatch.undo()
    for path in (f"/jobs/{job}", f"/jobs/{job}/events"):
        office.get("boss", path, 404)
        assert office.get("guest", path, 403)["action"] == "export"
        assert office.get("it", path, 403)["action"] == "export"
        said = office.entries("refused")[0]
        assert (said["actor"], said["action"]) == ("it", "export")
    office.get("legal", "/jobs/exp_0000000000000", 404)
    office.get("legal", "/jobs/exp_x", 404)
    assert office.get("legal", "/jobs/job_0000000000000", 403)["action"] == "jobs"
    office.post("it", f"/jobs/{job}/retry", 404)


def test_disposal_is_followed_from_when_it_is_carried_out(story: Story) -> None:
    office, clock = story
    office.propose("ann", {"name": "short", "kind": "ceiling", "days": 1, "query": "discount"})
    office.post("ben", "/policies/short/approve")
    clock.wait(days=5)
    made = office.post("ann", "/disposals", 201, json=CHECKED)["disposal"]
    name, path = made["id"], f"/disposals/{made['id']}"
    assert (made["job_id"], made["items"]) == (None, 2)
    office.get("ann", f"/jobs/{name}", 404)
    office.post("ann", f"{path}/review", json=CHECKED)
    office.post("ben", f"{path}/approve", json={"manifest": made["manifest"], **CHECKED})
    office.get("ann", f"/jobs/{name}/events", 404)
    clock.wait(hours=25)
    store = office.services.store
    execution = Execution(store, row_id("dsp", name))
    execution.begin(Asked(user_view(store, "ann").person_id, is_clock_checked=True))
    assert office.get("legal", f"/jobs/{name}")["done"] == 0
    assert execution.settle(0) == "destroyed"
    clock.wait(minutes=3)
    half = office.get("legal", f"/jobs/{name}")
    assert (half["state"], half["done"], half["total"], half["errors"]) == ("running", 1, 2, 0)
    assert half["eta_s"] == pytest.approx(180, rel=0.1)
    assert office.get("ann", path)["job_id"] == name
    record = office.found("legal", "discount")[0]
    matter = office.post("legal", "/matters", 201, json={"name": "late"})["id"]
    order = {"name": "late", "reason": "dispute", "query": "discount"}
    office.post("legal", f"/matters/{matter}/holds", 201, json=order)
    assert office.post("ann", f"{path}/execute", 202, json=CHECKED)["job_id"] == name
    (ended,) = events(office, "ann", name)
    assert (ended["state"], ended["done"], ended["errors"]) == ("done", 2, 1)
    assert ended["result"] == {"destroyed": 1, "blocked": 1}
    assert ended["ended_at"] == office.get("ann", path)["executed_at"]
    assert office.found("legal", "discount") == [record]
    assert office.get("it", f"/jobs/{name}", 403)["action"] == "govern_view"


def test_stopped_disposal_is_a_dead_job_that_says_why(story: Story) -> None:
    office, _ = story
    (first, *_) = office.get("ann", "/disposals")
    number = row_id("dsp", first["id"])
    served: Any = office.client.app.state.served  # type: ignore[attr-defined]
    assert office.get("ann", f"/jobs/{first['id']}")["state"] == "done"
    served.troubles[number] = "The clock moved back."
    with writing(office.services.store.engine) as connection:
        mine = update(disposals).where(disposals.c.id == number)
        connection.execute(mine.values(state="executing", executed_ms=None))
    (dead,) = events(office, "ann", first["id"])
    assert (dead["state"], dead["last_error"]) == ("dead", "The clock moved back.")


@pytest.mark.parametrize(
    ("done", "times", "told"),
    [
        (0, (0, 1000), {}),
        (5, (None, 1000), {}),
        (5, (1000, 1000), {}),
        (5, (0, 2000), {"rate": 2.5, "eta_s": 2}),
        (10, (0, 4000), {"rate": 2.5, "eta_s": 0}),
    ],
)
def test_rate_and_end_are_told_where_they_can_be(
    done: int, times: tuple[int | None, int], told: dict[str, float]
) -> None:
    assert pace(done, 10, times) == told
