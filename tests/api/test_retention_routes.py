"""Policies, what they would do, and disposals that are changed on their way, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api_kit import Office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.core.identity import row_id
from holdfast.retention.disposal import Asked, Execution
from holdfast.storage.rights.users import user_view
from holdfast.wiring.founding import create_archive
from moved_clock import MovedClock, office_in_time

Story = tuple[Office, MovedClock]
CHECKED = {"is_clock_checked": True}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("retention")
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    with office_in_time(settings) as (office, clock):
        for login, role in (("ann", "compliance"), ("ben", "compliance"), ("legal", "legal")):
            office.hire(login, role)
        yield office, clock


def propose(office: Office, name: str, kind: str, days: int, **more: Any) -> Any:
    order = {"name": name, "kind": kind, "days": days, **more}
    return office.propose("ann", order)


def in_force(story: Story, name: str, days: int, **more: Any) -> None:
    """Bring a ceiling into force, as two persons and the delay do."""
    office, clock = story
    propose(office, name, "ceiling", days, **more)
    office.post("ben", f"/policies/{name}/approve")
    clock.wait(days=4)


def retired(office: Office, *names: str) -> None:
    for name in names:
        office.retire("ann", name)


def plan(office: Office) -> Any:
    return office.post("ann", "/disposals", 201, json=CHECKED)["disposal"]


def test_floor_is_in_force_at_once_and_each_version_stays_readable(story: Story) -> None:
    office, _ = story
    first = propose(office, "books", "floor", 10, query="harbour", citation="HGB § 257")
    assert first["in_force_at"] is not None
    assert (first["version"], first["shortens"], first["citation"]) == (1, False, "HGB § 257")
    propose(office, "books", "floor", 20, query="harbour", note="longer")
    versions = office.get("legal", "/policies/books")
    assert sorted((one["version"], one["days"]) for one in versions) == [(1, 10), (2, 20)]
    assert {one["name"] for one in office.get("legal", "/policies")} >= {"books"}
    office.get("legal", "/policies/none", 404)


def test_retiring_a_floor_shortens_and_so_waits_for_another_person(story: Story) -> None:
    office, _ = story
    propose(office, "letters", "floor", 10, query="harbour")
    asked = office.retire("ann", "letters")
    assert (asked["shortens"], asked["in_force_at"]) == (True, None)
    assert office.post("ann", "/policies/letters/approve", 400)["code"] == "refused"
    withdrawn = office.post("ann", "/policies/letters/withdraw")
    assert withdrawn["withdrawn_at"] is not None
    office.post("ben", "/policies/letters/approve", 409)


def test_simulation_counts_and_changes_nothing(story: Story) -> None:
    office, _ = story
    before = len(office.get("ann", "/policies"))
    draft = {"name": "soon", "kind": "ceiling", "days": 1, "query": "discount"}
    assert office.post("ann", "/policies/simulate", json=draft)["matched"]["items"] == 2
    assert office.get("legal", "/retention/simulation")["due"]["items"] == 0
    assert len(office.get("ann", "/policies")) == before
    assert office.entries("policy_simulated")[0]["actor"] == "legal"
    office.post("legal", "/policies/simulate", 403, json=draft)


def test_who_sees_a_part_learns_by_no_simulation_what_else_there_is(story: Story) -> None:
    office, _ = story
    for login, role in (("narrow", "compliance"), ("admin", "admin")):
        office.hire(login, role)
    office.post("admin", "/users/narrow/grants", 201, json={"kind": "query", "value": "budget"})
    draft = {"name": "soon", "kind": "ceiling", "days": 1, "query": "discount"}
    seen = office.found("narrow", "discount")
    assert len(seen) < len(office.found("ann", "discount"))
    said = office.post("narrow", "/policies/simulate", json=draft)
    assert (said["matched"]["items"], said["matched"]["sample"]) == (len(seen), seen)
    assert said["is_within_scope"] is True
    assert office.post("ann", "/policies/simulate", json=draft)["is_within_scope"] is False
    assert "discount" in office.entries("policy_simulated")[0]["canonical"]
    in_force = office.get("narrow", "/retention/simulation")
    assert (in_force["is_within_scope"], in_force["guarded"]) == (False, [])


def test_record_says_by_which_rules_it_is_kept(story: Story) -> None:
    office, _ = story
    propose(office, "harbour years", "floor", 3650, query="harbour")
    record = office.found("legal", "harbour")[0]
    said = office.get("legal", f"/records/{record}/retention")
    assert said["verdict"] == "retained"
    assert said["retain_until"] > said["clock_at"]
    rules = {one.partition("/")[0] for one in said["rules"]}
    assert office.get("legal", "/policies/harbour years")[0]["id"] in rules
    assert office.entries("read")[0]["subject"] == record


def test_item_is_left_out_and_the_plan_is_given_up(story: Story) -> None:
    office, clock = story
    in_force(story, "one day", 1, query="discount OR 折")
    clock.wait(days=2)
    made = plan(office)
    path = f"/disposals/{made['id']}"
    first = office.get("legal", f"{path}/items?limit=1")
    second = office.get("legal", f"{path}/items?limit=1&cursor={first['next']}")
    last = office.get("legal", f"{path}/items?limit=1&cursor={second['next']}")
    assert (len(first["items"]), len(second["items"]), last["items"]) == (1, 1, [])
    assert last["next"] is None
    order = {"record_id": first["items"][0]["record_id"], "reason": "wanted by the board"}
    changed = office.post("ann", f"{path}/except", json=order)
    assert changed["counts"] == {"excepted": 1, "pending": 1}
    assert office.get("ann", f"{path}/certificate", 409)["code"] == "conflict"
    office.post("legal", f"{path}/withdraw", 403)
    assert office.post("ann", f"{path}/withdraw")["state"] == "withdrawn"
    office.post("ann", f"{path}/review", 409, json={})
    assert len(office.found("legal", "discount OR 折")) == 3
    retired(office, "one day")


def test_f52_answer_of_a_hold_says_what_had_gone_by_then(story: Story) -> None:
    office, clock = story
    in_force(story, "half way", 2, query="harmless")
    clock.wait(days=3)
    made = plan(office)
    path = f"/disposals/{made['id']}"
    office.post("ann", f"{path}/review", json=CHECKED)
    office.post("ben", f"{path}/approve", json={"manifest": made["manifest"], **CHECKED})
    clock.wait(hours=25)
    store = office.services.store
    execution = Execution(store, row_id("dsp", made["id"]))
    execution.begin(Asked(user_view(store, "ann").person_id, is_clock_checked=True))
    assert execution.settle(0) == "destroyed"  # and is interrupted
    matter = office.post("legal", "/matters", 201, json={"name": "late"})
    order = {"name": "late", "reason": "dispute", "query": "harmless"}
    placed = office.post("legal", f"/matters/{matter['id']}/holds", 201, json=order)
    (gone,) = placed["already_disposed"]
    assert (gone["disposal_id"], gone["records"]) == (made["id"], 1)
    assert (placed["held"], placed["not_fully_indexed"]) == (0, 0)
    office.post("ann", f"{path}/execute", 202, json=CHECKED)
    retired(office, "half way")


def test_approval_is_of_the_manifest_that_was_read(story: Story) -> None:
    office, clock = story
    in_force(story, "two days", 2, query="other address")
    clock.wait(days=3)
    made = plan(office)
    path = f"/disposals/{made['id']}"
    office.post("ann", f"{path}/review", json=CHECKED)
    other = {"manifest": "0" * 64, **CHECKED}
    office.post("ben", f"{path}/approve", 400, json=other)
    approved = office.post("ben", f"{path}/approve", json={**other, "manifest": made["manifest"]})
    assert approved["approved_by"] not in {None, approved["planned_by"]}
    office.post("ann", f"{path}/execute", 409, json=CHECKED)
    clock.wait(hours=25)
    office.post("ann", f"{path}/execute", 202, json=CHECKED)
    shown = office.get("legal", path)
    assert (shown["counts"], shown["trouble"]) == ({"destroyed": 1}, "")
    assert shown["remains"]["originals"] == 1  # of an object that is younger than an hour
    assert (shown["remains"]["locked_segments"], shown["remains"]["locked_until"]) == (0, None)
    certificate = office.ask("legal", "GET", f"{path}/certificate").text
    assert approved["approved_by"] in certificate
    assert approved["planned_by"] in certificate
    retired(office, "two days")


def test_disposals_that_never_were_are_not_found(story: Story) -> None:
    office, _ = story
    for name in ("dsp_0000000000000", "msg_0000000000000", "x"):
        office.get("legal", f"/disposals/{name}", 404)
        office.post("ann", f"/disposals/{name}/review", 404, json={})


def test_what_is_sent_again_with_its_key_is_done_once(story: Story) -> None:
    office, _ = story
    rule = {"name": "once", "kind": "floor", "days": 10, "query": "harbour"}
    for path, body in (("/policies", rule), ("/disposals", CHECKED)):
        how = {"json": body, "headers": {"Idempotency-Key": f"key of {path}"}}
        first = office.ask("ann", "POST", path, **how)
        again = office.ask("ann", "POST", path, **how)
        assert (first.status_code, again.status_code) == (201, 201), first.text
        assert again.json() == first.json()
    assert len(office.get("legal", "/policies/once")) == 1
    retired(office, "once")
