"""A2: a hold keeps what retention lets go, until two persons released it and time has passed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office
from archive_kit import findings
from cli_archive import write_mbox
from holdfast.settings import Settings
from moved_clock import MovedClock, office_in_time
from story_kit import Ground, archive_of

Story = tuple[Office, MovedClock, Settings]


@pytest.fixture
def story(tmp_path: Path, ground: Ground) -> Iterator[Story]:
    mbox = write_mbox(tmp_path / "letters.mbox")
    with (
        archive_of(tmp_path, ground, mbox) as settings,
        office_in_time(settings) as (office, clock),
    ):
        for login, role in (
            ("legal1", "legal"), ("legal2", "legal"),
            ("comp1", "compliance"), ("comp2", "compliance"),
        ):  # fmt: skip
            office.hire(login, role)
        yield office, clock, settings


def keys_again(office: Office) -> None:
    """Make new keys: those of before have expired."""
    from holdfast.storage.rights.api_keys import NewKey, create_key

    for login in list(office.keys):
        made = NewKey(login, days=365, is_own=True)
        _, office.keys[login] = create_key(office.services.store, made)


def test_a2_held_records_stay_until_the_release_took_effect(story: Story) -> None:
    office, clock, settings = story
    keys_again(office)
    policy = {"name": "thirty days", "kind": "ceiling", "days": 30}
    assert office.post("comp1", "/policies/simulate", json=policy)["newly_due"]["items"] == 0
    proposed = office.propose("comp1", policy)
    assert proposed["in_force_at"] is None
    office.post("comp1", "/policies/thirty days/approve", 400)
    office.post("comp2", "/policies/thirty days/approve")
    k1 = office.post("legal1", "/matters", 201, json={"name": "K1"})["id"]
    order = {"name": "dispute", "reason": "8.5", "query": "discount"}
    held = office.post("legal1", f"/matters/{k1}/holds", 201, json=order)
    assert held["held"] == 2
    kept = office.found("legal1", "discount")

    clock.wait(days=60)
    assert disposed(office, clock) == {"destroyed": 3}
    assert sorted(office.found("legal1", "")) == sorted(kept)

    refusal = office.ask("comp1", "DELETE", f"/records/{kept[0]}")
    assert refusal.status_code == 409
    assert "K1" in str(refusal.json()["matters"])

    release = f"/holds/{held['hold']['id']}/release"
    office.post("legal1", release, json={"reason": "settled"})
    office.post("legal2", f"{release}/approve")
    clock.wait(days=29)
    assert planned(office) is None
    clock.wait(days=2)
    assert disposed(office, clock) == {"destroyed": 2}
    assert office.search("legal1", "")["total"] == 0
    certificates = [one for one in office.get("comp1", "/disposals") if one["executed_at"]]
    assert len(certificates) == 2
    text = office.ask("comp1", "GET", f"/disposals/{certificates[0]['id']}/certificate").text
    assert certificates[0]["manifest"] in text
    office.services.desk.sequencer.run()
    assert [one for one in findings(settings) if one.part != "anchor"] == []


def planned(office: Office) -> Any:
    order = {"is_clock_checked": True}
    return office.post("comp1", "/disposals", 201, json=order)["disposal"]


def disposed(office: Office, clock: MovedClock) -> dict[str, int]:
    """Take a disposal through all its stages; return what became of its items."""
    plan = planned(office)
    path = f"/disposals/{plan['id']}"
    office.post("comp2", f"{path}/review", json={})
    approval = {"manifest": plan["manifest"], "is_clock_checked": True}
    assert office.post("comp1", f"{path}/approve", 400, json=approval)["code"] == "refused"
    office.post("comp2", f"{path}/approve", json=approval)
    assert office.post("comp1", f"{path}/execute", 409, json={})["code"] == "conflict"
    clock.wait(hours=24)
    office.post("comp1", f"{path}/execute", 202, json={"is_clock_checked": True})
    done = office.get("comp1", path)
    assert done["state"] == "executed"
    return dict(done["counts"])
