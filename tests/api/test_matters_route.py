"""Matters, holds, releases by two persons, notices and exports over HTTP."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from api_kit import Office, letters_office


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An archive with two lawyers, and one of them with a second account."""
    folder = tmp_path_factory.mktemp("court")
    with letters_office(folder, custodian="Li Qiang") as opened:
        opened.hire("legal1", "legal")
        opened.hire("legal2", "legal")
        opened.hire("legal1-too", "legal", person="legal1")
        opened.hire("li", "member", addresses=("li@our.example",))
        opened.hire("auditor", "auditor")
        yield opened


def matter(court: Office, name: str) -> Any:
    return court.post("legal1", "/matters", 201, json={"name": name})


def hold(court: Office, matter_id: str, **more: Any) -> Any:
    order = {"name": "all of it", "reason": "dispute", **more}
    return court.post("legal1", f"/matters/{matter_id}/holds", 201, json=order)


def test_hold_is_previewed_placed_and_counted(court: Office) -> None:
    one = matter(court, "K1")
    preview = hold(court, one["id"], query="discount", is_preview=True)
    assert (preview["hold"], preview["held"]) == (None, 2)
    placed = hold(court, one["id"], query="discount")
    assert placed["held"] == 2
    detail = court.get("legal2", f"/holds/{placed['hold']['id']}")
    assert (detail["held"], detail["freed"], detail["release"]["needs"]) == (2, 2, "request")
    assert court.get("legal1", f"/matters/{one['id']}")["holds"] == 1


def test_preview_of_a_hold_is_in_the_log_before_it_is_told(court: Office) -> None:
    one = matter(court, "K1-log")
    hold(court, one["id"], query="discount", custodians=["Li Qiang"], is_preview=True)
    said = court.entries("hold_preview")[0]
    assert (said["actor"], said["subject"], said["held"]) == ("legal1", one["id"], 2)
    assert "discount" in said["canonical"]
    assert "Li Qiang" in said["canonical"]


def test_who_sees_a_part_learns_by_no_hold_what_else_there_is(court: Office) -> None:
    """A hold holds beyond any scope; its counts would answer any question about the rest."""
    court.hire("narrow", "legal")
    grant = {"kind": "query", "value": "budget"}
    court.hire("admin", "admin")
    court.post("admin", "/users/narrow/grants", 201, json=grant)
    one = matter(court, "K1-narrow")
    hold(court, one["id"], query="discount")
    path = f"/matters/{one['id']}/holds"
    order = {"name": "words", "reason": "dispute", "query": "discount"}
    seen = court.search("narrow", "discount")["total"]
    assert (seen, court.search("legal1", "discount")["total"]) == (1, 2)
    preview = court.post("narrow", path, 201, json={**order, "is_preview": True})
    assert (preview["held"], preview["is_within_scope"]) == (seen, True)
    placed = court.post("narrow", path, 201, json=order)
    assert (placed["held"], placed["is_within_scope"]) == (seen, True)
    court.services.desk.feed.drain()
    detail = court.get("narrow", f"/holds/{placed['hold']['id']}")
    assert (detail["held"], detail["freed"], detail["is_within_scope"]) == (seen, None, True)
    whole = court.get("legal1", f"/holds/{placed['hold']['id']}")
    assert (whole["held"], whole["freed"], whole["is_within_scope"]) == (2, 0, False)


def test_custodian_of_whom_nothing_came_is_named_when_a_hold_is_placed(court: Office) -> None:
    one = matter(court, "K1-typo")
    names = ["Li Qiang", "Li Qiagn"]
    for more in ({"is_preview": True}, {}):
        answer = hold(court, one["id"], custodians=names, **more)
        assert answer["unknown_custodians"] == ["Li Qiagn"]
    fuzzy = {"name": "alike", "reason": "dispute", "query": "discuont~", "is_preview": True}
    refused = court.post("legal1", f"/matters/{one['id']}/holds", 400, json=fuzzy)
    assert refused["code"] == "refused"


def test_release_takes_two_persons_and_thirty_days(court: Office) -> None:
    placed = hold(court, matter(court, "K2")["id"])["hold"]
    path = f"/holds/{placed['id']}/release"
    asked = court.post("legal1", path, json={"reason": "settled"})
    assert asked["release"]["needs"] == "approval"
    for same in ("legal1", "legal1-too"):
        assert court.post(same, f"{path}/approve", 403)["code"] == "forbidden"
    approved = court.post("legal2", f"{path}/approve")
    assert approved["release"]["needs"] == "delay"
    assert approved["is_active"] is True
    withdrawn = court.post("legal1", f"{path}/withdraw")
    assert withdrawn["release"]["needs"] == "request"


def test_matter_with_a_hold_is_not_closed(court: Office) -> None:
    one = matter(court, "K3")
    hold(court, one["id"])
    court.post("legal1", f"/matters/{one['id']}/close", 409)


def test_change_for_another_version_is_refused(court: Office) -> None:
    one = matter(court, "K4")
    path = f"/matters/{one['id']}"
    tag = court.ask("legal1", "GET", path).headers["etag"]
    changed = court.ask(
        "legal1", "PATCH", path, json={"note": "a"}, headers={"If-Match": tag}
    ).json()
    assert changed["note"] == "a"
    stale = court.ask("legal1", "PATCH", path, json={"note": "b"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    assert court.get("legal1", path)["note"] == "a"


def test_same_request_opens_one_matter_and_another_one_with_its_key_is_refused(
    court: Office,
) -> None:
    headers = {"Idempotency-Key": "k-5"}
    one = court.post("legal1", "/matters", 201, json={"name": "K5"}, headers=headers)
    two = court.post("legal1", "/matters", 201, json={"name": "K5"}, headers=headers)
    assert one == two
    other = court.post("legal1", "/matters", 422, json={"name": "K6"}, headers=headers)
    assert other["code"] == "key_reused"
    court.post("legal2", "/matters", 409, json={"name": "K5"}, headers=headers)


def test_request_that_failed_may_be_sent_again_with_its_key(court: Office) -> None:
    headers = {"Idempotency-Key": "k-7"}
    matter(court, "K7")
    court.post("legal1", "/matters", 409, json={"name": "K7"}, headers=headers)
    court.post("legal1", "/matters", 409, json={"name": "K7"}, headers=headers)


def test_custodian_acknowledges_with_a_code_that_works_once(court: Office) -> None:
    placed = hold(court, matter(court, "K8")["id"])["hold"]
    path = f"/holds/{placed['id']}/notices"
    given = court.post("legal1", path, 201, json={"custodian": "Li Qiang", "language": "zh"})
    assert "K8" in given["text"]
    answer = court.post("li", "/notices/acknowledge", json={"code": given["code"]})
    assert answer["acknowledged_by"] == "li"
    court.post("li", "/notices/acknowledge", 404, json={"code": "wrong"})
    assert [one["acknowledged_by"] for one in court.get("legal1", path)] == ["li"]


def test_member_neither_sees_matters_nor_places_holds(court: Office) -> None:
    assert court.get("li", "/matters", 403)["action"] == "matters"
    court.post("li", "/matters/mat_0000000000000/holds", 403, json={"name": "x", "reason": "y"})


def test_export_is_made_and_taken_with_its_verifier(court: Office) -> None:
    order = {"query": "discount"}
    preview = court.post("legal1", "/exports", 202, json={**order, "is_preview": True})
    assert (preview["export"], preview["records"]) == (None, 2)
    asked = court.post("legal1", "/exports", 202, json=order)["export"]
    done = court.ended_export("legal1", asked["id"])
    assert done["state"] == "complete", done
    answer = court.ask("legal1", "GET", f"/exports/{asked['id']}/file")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert any(name.endswith("verify.py") for name in names)
    assert sum(name.endswith(".eml") for name in names) == 2
    assert court.entries("export_taken")[0]["sha256"] == done["sha256"]


def test_export_of_somebody_else_is_not_there(court: Office) -> None:
    court.hire("boss", "manager")
    asked = court.post("legal1", "/exports", 202, json={"query": "harbour"})["export"]
    court.ended_export("legal1", asked["id"])
    court.get("boss", f"/exports/{asked['id']}", 404)
    court.get("boss", f"/exports/{asked['id']}/file", 404)
    assert court.get("boss", "/exports") == []
    assert court.post("li", "/exports", 403, json={"query": ""})["action"] == "export"


def test_package_is_not_given_to_who_may_not_see_all_of_it_any_more(court: Office) -> None:
    """A wall that was put up after an export holds for the package, too."""
    court.hire("walled", "manager")
    court.hire("admin-2", "admin")
    court.post("admin-2", "/users/walled/grants", 201, json={"kind": "all"})
    asked = court.post("walled", "/exports", 202, json={"query": "discount"})["export"]
    path = f"/exports/{asked['id']}"
    court.ended_export("walled", asked["id"])
    assert court.ask("walled", "GET", f"{path}/file").status_code == 200
    wall = {"kind": "query", "value": "budget", "is_denied": True}
    denied = court.post("admin-2", "/users/walled/grants", 201, json=wall)
    assert court.get("walled", f"{path}/file", 409)["code"] == "conflict"
    court.post("walled", f"{path}/resume", 409)
    assert court.entries("refused")[0]["subject"] == asked["id"]
    again = court.post("walled", "/exports", 202, json={"query": "discount"})["export"]
    court.ended_export("walled", again["id"])
    assert court.ask("walled", "GET", f"/exports/{again['id']}/file").status_code == 200
    court.ask("admin-2", "DELETE", f"/users/walled/grants/{denied['id']}")
    assert court.ask("walled", "GET", f"{path}/file").status_code == 200


def test_key_that_may_have_no_originals_takes_no_package_of_them(court: Office) -> None:
    asked = court.post("legal1", "/exports", 202, json={"query": "harbour"})["export"]
    masked = court.post("legal1", "/exports", 202, json={"query": "harbour", "is_masked": True})
    order = {"login": "legal1", "name": "robot", "actions": ["export", "search"]}
    court.keys["robot"] = court.post("legal1", "/keys", 201, json=order)["key"]
    for one in (asked, masked["export"]):
        court.ended_export("legal1", one["id"])
    path = f"/exports/{asked['id']}/file"
    assert court.get("robot", path, 403)["action"] == "original"
    assert court.entries("refused")[0]["subject"] == asked["id"]
    assert court.ask("robot", "GET", f"/exports/{masked['export']['id']}/file").status_code == 200
