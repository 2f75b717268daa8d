"""A hold that is made wider over HTTP, and from when retention of a record counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from api_kit import Office, letters_office
from holdfast.core.identity import row_id
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.governance_tables import held

FAR = "2040-01-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with letters_office(tmp_path_factory.mktemp("wider"), custodian="Li Qiang") as opened:
        for login, role in (
            ("legal", "legal"), ("narrow", "legal"), ("boss", "manager"), ("comp", "compliance"),
            ("auditor", "auditor"), ("chief", "admin"),
        ):  # fmt: skip
            opened.hire(login, role)
        grant = {"kind": "query", "value": "budget"}
        opened.post("chief", "/users/narrow/grants", 201, json=grant)
        opened.post("chief", "/users/boss/grants", 201, json={"kind": "all"})
        yield opened


def placed(court: Office, name: str, **more: Any) -> tuple[str, Any]:
    """Place a hold on what says discount; return its path and what it holds."""
    matter = court.post("legal", "/matters", 201, json={"name": name})["id"]
    order = {"name": "some", "reason": "dispute", "query": "discount", **more}
    made = court.post("legal", f"/matters/{matter}/holds", 201, json=order)
    return f"/holds/{made['hold']['id']}", made


def patch(court: Office, who: str, path: str, status: int = 200, **more: Any) -> Any:
    answer = court.ask(who, "PATCH", path, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def everything(court: Office) -> int:
    return int(court.search("legal", "")["total"])


def test_hold_is_made_wider_at_once_and_never_narrower(court: Office) -> None:
    path, made = placed(court, "W1")
    assert made["held"] == 2
    tag = {"If-Match": court.ask("legal", "GET", path).headers["etag"]}
    wide = patch(court, "legal", path, json={"any_words": True}, headers=tag)
    assert (wide["held"], wide["query"], wide["version"]) == (everything(court), "", 2)
    stale = patch(court, "legal", path, 412, json={"reason": "other"}, headers=tag)
    assert stale["code"] == "stale_version"
    narrower = {"from_at": "2030-01-01T00:00:00Z"}
    assert patch(court, "legal", path, 409, json=narrower)["code"] == "conflict"
    patch(court, "legal", path, 400, json={"add_custodians": ["Li Qiang"]})
    patch(court, "legal", path, 400, json={})
    patch(court, "legal", path, 422, json={"query": "x"})
    changed = patch(court, "legal", path, json={"reason": "another order"})
    assert (changed["reason"], changed["held"]) == ("another order", everything(court))
    for who in ("comp", "boss", "auditor"):
        assert patch(court, who, path, 403, json={"any_words": True})["action"] == "hold"
    patch(court, "legal", "/holds/hld_0000000000001", 404, json={"any_words": True})
    record = court.found("legal", "harbour")[0]
    assert court.ask("comp", "DELETE", f"/records/{record}").status_code == 409


def test_dates_and_custodians_are_added(court: Office) -> None:
    terms = {"to_at": "2001-01-01T00:00:00Z", "custodians": ["Nobody"], "spares_unindexed": False}
    path, made = placed(court, "W2", query="", **terms)
    assert made["held"] == 0
    more = patch(court, "legal", path, json={"add_custodians": ["Li Qiang", "Nobody"]})
    assert (more["custodians"], more["held"]) == (["Nobody", "Li Qiang"], 0)
    patch(court, "legal", path, 409, json={"to_at": "2000-01-01T00:00:00Z"})
    later = patch(court, "legal", path, json={"to_at": FAR})
    assert later["held"] == everything(court)


def test_who_sees_a_part_learns_by_no_wider_hold_what_else_there_is(court: Office) -> None:
    path, _ = placed(court, "W3", query="harmless")
    wide = patch(court, "narrow", path, json={"any_words": True})
    assert (wide["held"], wide["freed"], wide["is_within_scope"]) == (
        court.search("narrow", "")["total"], None, True,
    )  # fmt: skip
    assert court.get("legal", path)["held"] == everything(court)
    swept = court.post("narrow", f"{path}/sweep")
    assert (swept["held"], swept["freed"]) == (wide["held"], None)


def test_sweep_finds_again_what_was_not_noted(court: Office) -> None:
    path, made = placed(court, "W4")
    number = row_id("hld", made["hold"]["id"])
    with writing(court.services.store.engine) as connection:
        connection.execute(delete(held).where(held.c.hold_id == number))
    assert court.get("legal", path)["held"] == 0
    for _ in range(2):
        assert court.post("legal", f"{path}/sweep")["held"] == 2
    said = court.entries("hold_swept")[0]
    assert (said["actor"], said["subject"]) == ("legal", made["hold"]["id"])
    assert court.post("comp", f"{path}/sweep", 403)["action"] == "hold"
    court.post("legal", "/holds/hld_0000000000001/sweep", 404)


def test_change_of_a_hold_is_in_the_log(court: Office) -> None:
    path, made = placed(court, "W5")
    before = len(court.entries("hold"))
    patch(court, "legal", path, json={"any_words": True})
    court.services.desk.sequencer.run()
    assert len(court.entries("hold")) == before + 1
    assert court.entries("hold")[0]["subject"] == made["hold"]["id"]


def test_retention_counts_from_what_those_say_who_may_know_it(court: Office) -> None:
    record = court.found("legal", "harbour")[0]
    path = f"/records/{record}/metadata"
    for change in ({"retain_from": FAR}, {"retain_from": None}):
        assert patch(court, "boss", path, 403, json=change)["action"] == "matters"
        order = {"ids": [record], "change": change}
        assert court.post("boss", "/metadata", 403, json=order)["action"] == "matters"
    assert court.get("legal", path)["retain_from"] is None
    assert patch(court, "legal", path, json={"retain_from": FAR})["retain_from"] == FAR
    decided = court.get("legal", f"/records/{record}/retention")
    assert (decided["clock"], decided["clock_at"]) == ("event", FAR)
    assert patch(court, "boss", path, json={"summary": "s"})["retain_from"] == FAR
    patch(court, "legal", path, 422, json={"retain_from": "2040-01-01T00:00:00"})
    assert patch(court, "legal", path, json={"retain_from": None})["retain_from"] is None


def test_job_that_says_from_when_retention_counts_is_taken_back_by_the_same_alone(
    court: Office,
) -> None:
    order = {"query": "discount", "change": {"retain_from": FAR}}
    job = court.post("legal", "/metadata", json=order)["job_id"]
    assert court.post("boss", f"/metadata/{job}/undo", 403)["action"] == "matters"
    assert court.post("legal", f"/metadata/{job}/undo")["changed"] == 2


def test_holds_and_notices_of_all_matters_are_listed(court: Office) -> None:
    path, _ = placed(court, "W6")
    number = path.rpartition("/")[2]
    assert number in {one["id"] for one in court.get("comp", "/holds")}
    given = court.post("legal", f"{path}/notices", 201, json={"custodian": "Li Qiang"})
    assert given["id"] in {one["id"] for one in court.get("legal", "/notices")}
    court.post("legal", "/notices/acknowledge", json={"code": given["code"]})
    assert given["id"] not in {one["id"] for one in court.get("legal", "/notices")}
    every = court.get("legal", "/notices?with_acknowledged=true")
    assert given["id"] in {one["id"] for one in every}
    for path in ("/holds", "/notices"):
        assert court.get("boss", path, 403)["action"] == "matters"
