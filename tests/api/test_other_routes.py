"""Contacts, sources, ledger, jobs, audit log and health over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_kit import PREFIX, Office
from holdfast.api.problems import CODES
from holdfast.api.routes.health import _CHECKS
from holdfast.core.errors import Unavailable

DOCS = Path(__file__).resolve().parents[2] / "docs/api.md"


def test_contact_is_found_with_its_trail(house: Office) -> None:
    found = house.get("legal", "/contacts?q=wang.min@jia.example")["contacts"]
    trail = house.get("legal", f"/contacts/{found[0]['id']}/timeline")
    assert trail["total"] == len(trail["entries"]) == 2
    assert [one["at"] for one in trail["entries"]] == sorted(
        (one["at"] for one in trail["entries"]), reverse=True
    )


def test_contact_outside_the_scope_is_nowhere(house: Office) -> None:
    anna = house.get("legal", "/contacts?q=anna@berg.example")["contacts"][0]["id"]
    assert house.get("boss", "/contacts?q=anna@berg.example")["contacts"] == []
    house.get("boss", f"/contacts/{anna}", 404)
    house.get("boss", f"/contacts/{anna}/timeline", 404)
    assert house.get("boss", "/companies/berg.example/timeline")["total"] == 0


def test_company_has_a_trail(house: Office) -> None:
    assert house.get("legal", "/companies/berg.example/timeline")["total"] == 1


def test_ledger_sums_to_what_was_offered(house: Office) -> None:
    one = house.get("auditor", "/ledger")[0]
    assert one["offered"] == sum(one["ends"].values()) == 5


def test_operators_see_sources_and_jobs_and_others_do_not(house: Office) -> None:
    assert house.get("it", "/sources") == []
    assert house.get("it", "/jobs") == []
    house.get("it", "/jobs/job_0000000000000", 404)
    assert house.get("legal", "/sources", 403)["action"] == "sources"


def test_auditor_reads_who_searched_what_and_is_seen_reading(house: Office) -> None:
    house.search("legal", "harbour")
    entries = house.get("auditor", "/audit/entries?kind=search&actor=legal")["entries"]
    assert entries[0]["detail"]["query"] == "harbour"
    assert house.entries("audit_read")[0]["actor"] == "auditor"
    house.get("legal", "/audit/entries", 403)


def test_log_pages_follow_each_other(house: Office) -> None:
    first = house.get("auditor", "/audit/entries?kind=capture&limit=3")
    second = house.get("auditor", f"/audit/entries?kind=capture&limit=3&cursor={first['next']}")
    assert len({one["id"] for one in first["entries"] + second["entries"]}) == 5
    assert second["next"] is None


def test_checkpoint_is_a_signed_note(house: Office) -> None:
    answer = house.ask("auditor", "GET", "/audit/checkpoint")
    assert answer.status_code == 200
    assert "\n\n\u2014 " in answer.text


def test_health_tells_no_secrets(house: Office) -> None:
    assert house.client.get("/healthz").json() == {"status": "ok"}
    ready = house.client.get("/readyz").json()
    assert ready == {"status": "ok", "checks": {"catalogue": "ok", "index": "ok", "vault": "ok"}}


def test_part_that_cannot_be_reached_is_named_without_its_cause(
    house: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_served: object) -> None:
        raise Unavailable("db.inside.example is away.", next_step="Wait.")

    monkeypatch.setitem(_CHECKS, "catalogue", away)
    answer = house.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"catalogue": "unavailable", "index": "ok", "vault": "ok"}
    assert "inside" not in answer.text


def test_page_size_beyond_the_bound_names_the_field(house: Office) -> None:
    answer = house.get("auditor", "/audit/entries?limit=1000000", 422)
    assert answer["errors"][0]["pointer"] == "/query/limit"


def test_description_is_openapi_3_1_and_names_the_key(house: Office) -> None:
    document = house.get("", "/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert document["security"] == [{"key": []}]
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)


def test_every_route_and_every_code_is_documented(house: Office) -> None:
    text = DOCS.read_text(encoding="utf-8")
    document = house.get("", "/openapi.json")
    routes = [
        f"`{method.upper()} {path.removeprefix(PREFIX)}`"
        for path, one in document["paths"].items()
        for method in one
    ]
    assert [route for route in routes if route not in text] == []
    codes = {code for _, _, code in CODES} | {"failed", "method_not_allowed", "too_large"}
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_every_operation_says_what_it_does(house: Office) -> None:
    paths = house.get("", "/openapi.json")["paths"]
    operations = [one for path in paths.values() for one in path.values()]
    assert [one["operationId"] for one in operations if not one.get("description")] == []
