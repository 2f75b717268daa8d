"""What shortens is proposed over HTTP only by who has seen, within the hour, what it would do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api_kit import Office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.wiring.founding import create_archive
from moved_clock import MovedClock, office_in_time

Story = tuple[Office, MovedClock]
RULE = {"name": "soon", "kind": "ceiling", "days": 10, "query": "discount older_than:2d"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("simulated")
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    with office_in_time(settings) as (office, clock):
        for login in ("ann", "ben"):
            office.hire(login, "compliance")
        yield office, clock


def digest(office: Office, **other: Any) -> str:
    return str(office.post("ann", "/policies/simulate", json={**RULE, **other})["digest"])


def refused(office: Office, who: str, simulation: str, **other: Any) -> None:
    order = {**RULE, **other, "simulation": simulation}
    answer = office.post(who, "/policies", 409, json=order)
    assert "was not simulated" in answer["detail"]
    office.get("ann", f"/policies/{order['name']}", 404)


def test_nothing_that_shortens_is_kept_unless_this_very_change_was_simulated(
    story: Story,
) -> None:
    office, clock = story
    office.post("ann", "/policies", 409, json=RULE)
    seen = digest(office)
    for simulation in ("", "x", seen[:-1], seen[:-1] + ("0" if seen[-1] != "0" else "1")):
        refused(office, "ann", simulation)
    refused(office, "ben", seen)
    for other in ({"days": 9}, {"query": "discount"}, {"query": ""}, {"name": "sooner"}):
        refused(office, "ann", seen, **other)
    version, _, rest = seen.partition("-")
    at_ms, _, mac = rest.partition("-")
    refused(office, "ann", f"{version}-{int(at_ms) + 1}-{mac}")
    refused(office, "ann", f"{int(version) + 1}-{at_ms}-{mac}")
    clock.wait(minutes=61)
    refused(office, "ann", seen)
    kept = office.post("ann", "/policies", 201, json={**RULE, "simulation": digest(office)})
    assert kept["in_force_at"] is None
    office.post("ann", "/policies/soon/withdraw")


def test_simulation_is_of_the_rules_that_were_in_force_beside_it(story: Story) -> None:
    office, _ = story
    seen = digest(office, name="beside")
    floor = {"name": "meanwhile", "kind": "floor", "days": 10, "query": "harbour"}
    office.post("ann", "/policies", 201, json=floor)
    refused(office, "ann", seen, name="beside")


def test_digest_is_of_one_version(story: Story) -> None:
    office, _ = story
    one = {**RULE, "name": "versions"}
    seen = digest(office, name="versions")
    office.post("ann", "/policies", 201, json={**one, "simulation": seen})
    office.post("ann", "/policies/versions/withdraw")
    answer = office.post("ann", "/policies", 409, json={**one, "simulation": seen})
    assert "was not simulated" in answer["detail"]


def test_end_of_a_floor_is_simulated_and_of_a_ceiling_need_not_be(story: Story) -> None:
    office, clock = story
    floor = {"name": "years", "kind": "floor", "days": 10, "query": "harbour"}
    office.post("ann", "/policies", 201, json=floor)
    other = digest(office, name="years")
    orders: tuple[dict[str, Any], ...] = ({}, {"json": {}}, {"json": {"simulation": other}})
    for order in orders:
        office.post("ann", "/policies/years/retire", 409, **order)
    assert len(office.get("ann", "/policies/years")) == 1
    assert office.retire("ann", "years")["in_force_at"] is None
    office.propose("ann", {**RULE, "name": "over"})
    office.post("ben", "/policies/over/approve")
    clock.wait(days=4)
    assert office.post("ann", "/policies/over/retire")["in_force_at"] is not None
    office.post("ann", "/policies/none/retire/simulate", 404)
    office.post("ann", "/policies/over/retire/simulate", 409)


def test_end_is_simulated_of_the_version_in_force(story: Story) -> None:
    office, _ = story
    floor = {"name": "kept so far", "kind": "floor", "days": 10, "query": "harbour"}
    office.post("ann", "/policies", 201, json=floor)
    office.propose("ann", {**floor, "kind": "ceiling"})
    office.post("ann", "/policies/kept so far/withdraw")
    assert office.retire("ann", "kept so far")["kind"] == "floor"
    office.post("ann", "/policies/kept so far/withdraw")


def test_what_only_lengthens_and_what_is_in_force_needs_none(story: Story) -> None:
    office, _ = story
    floor = {"name": "longer", "kind": "floor", "days": 10, "query": "harbour"}
    office.post("ann", "/policies", 201, json=floor)
    office.post("ann", "/policies", 201, json={**floor, "days": 11})
    assert office.get("ann", "/retention/simulation")["digest"] == ""


def test_a_later_day_is_simulated_and_proves_nothing_of_today(story: Story) -> None:
    office, _ = story
    rule = {"name": "later", "kind": "ceiling", "days": 30}
    now = office.post("ann", "/policies/simulate", json=rule)
    later = office.post("ann", "/policies/simulate", json={**rule, "at": "2040-01-01T00:00:00Z"})
    assert (now["newly_due"]["items"], later["digest"]) == (0, "")
    assert later["newly_due"]["items"] == now["matched"]["items"] > 0
    in_force = office.get("ann", "/retention/simulation?at=2040-01-01T00:00:00Z")
    assert in_force["at"].startswith("2040-01-01")
    record = office.found("ann", "harbour")[0]
    floor = {"name": "some days", "kind": "floor", "days": 3, "query": "harbour"}
    office.post("ann", "/policies", 201, json=floor)
    for at, verdict in (("", "retained"), ("?at=2040-01-01T00:00:00Z", "kept")):
        assert office.get("ann", f"/records/{record}/retention{at}")["verdict"] == verdict


def test_every_conflict_is_listed_in_pages_of_one_instant(story: Story) -> None:
    office, clock = story
    office.propose("ann", {"name": "all of it", "kind": "ceiling", "days": 1})
    office.post("ben", "/policies/all of it/approve")
    for query in ("discount", "harbour"):
        floor = {"name": f"keep {query}", "kind": "floor", "days": 9000, "query": query}
        office.post("ann", "/policies", 201, json=floor)
    clock.wait(days=5)
    wanted = set(office.found("ann", "discount OR harbour"))
    first = office.get("ann", "/retention/conflicts?limit=1")
    seen, page = list(first["conflicts"]), first
    clock.wait(days=1)
    while page["next"]:
        where = {"cursor": page["next"], "limit": 1}
        page = office.get("ann", "/retention/conflicts", params=where)
        assert page["at"] == first["at"]
        seen += page["conflicts"]
    assert sorted(one["record_id"] for one in seen) == sorted(wanted)
    assert all(one["ceilings"] and one["kept_by"] for one in seen)
    whole = office.get("ann", "/retention/conflicts?limit=1000")
    assert {one["record_id"] for one in whole["conflicts"]} == wanted
    sums = office.get("ann", "/retention/simulation")["conflicts"]
    assert sums["items"] == len(wanted)
    for cursor in ("x", "1.2", "-1.2.x"):
        office.get("ann", "/retention/conflicts", 400, params={"cursor": cursor})
    far = office.get("ann", "/retention/conflicts", params={"cursor": "999999999999999.0."})
    assert far["at"].startswith("9999-12-31"), "no instant is too late to be written"
    office.hire("member", "member")
    assert office.get("member", "/retention/conflicts", 403)["action"] == "govern_view"
